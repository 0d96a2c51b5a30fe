import type { Anomaly } from '../../alert/anomaly.ts';
import { detectorsIn, type Config } from '../../config/config.ts';
import { isDmdOnly } from '../../detect/channels/channels.ts';
import type { Verdict } from '../../detect/verdict.ts';
import { evaluate, type Evaluation } from './evaluate.ts';
import { labelName, type Labels } from './labels.ts';
import { evaluationTable } from './table.ts';

/** Gathers a run while it goes on, and scores it at its end. Memory: some hundred bytes a window. */
export interface EvaluationCollector {
  verdict(verdict: Verdict): void;
  anomaly(anomaly: Anomaly): void;
  /** What the labels say that does not fit the run, one line each. */
  notes(): string[];
  json(): Evaluation;
  table(): string;
}

export function createEvaluation(labels: Labels, config: Config): EvaluationCollector {
  const verdicts: Verdict[] = [];
  const anomalies: Anomaly[] = [];
  const { driftDetection: detection, detectors } = config;
  const episodes = { ...detection, dmdOnly: isDmdOnly(detectorsIn(detectors)) };
  const panesPerWindow = Math.round(detection.windowSizeMs / detection.windowStepMs);
  let result: Evaluation | null = null;
  const json = (): Evaluation =>
    (result ??= evaluate({ verdicts, anomalies, episodes, panesPerWindow, weights: detectors }, labels));
  const notes = (): string[] => notesOn(labels, verdicts, detection);
  return {
    // Templates and samples are most of a loud verdict, and no score needs them.
    verdict: (verdict) => void verdicts.push({ ...verdict, topTemplates: [], newTemplates: [], findings: [] }),
    anomaly: (anomaly) => void anomalies.push(anomaly),
    notes,
    json,
    table: () => evaluationTable(json(), notes()),
  };
}

function notesOn(
  labels: Labels,
  verdicts: readonly Verdict[],
  { windowSizeMs, windowStepMs }: Pick<Config['driftDetection'], 'windowSizeMs' | 'windowStepMs'>,
): string[] {
  const notes: string[] = [];
  const first = verdicts[0]?.windowEndMs ?? Infinity;
  const last = verdicts.at(-1)?.windowEndMs ?? -Infinity;
  const outside = labels.faults.filter(({ startMs, endMs }) => endMs < first || startMs > last).length;
  if (outside > 0) notes.push(`${outside} of ${labels.faults.length} faults lie outside the time of the recording`);
  const present = new Set(
    [...new Set(verdicts.map(({ source }) => source))].map((key) => labelName(key, labels.names)),
  );
  const absent = [...new Set(labels.faults.map(({ source }) => source))].filter((n) => n !== '*' && !present.has(n));
  if (absent.length > 0) notes.push(`no source of the recording is called ${absent.join(', ')}`);
  if (labels.windowSizeMs !== windowSizeMs || labels.windowStepMs !== windowStepMs) {
    const seconds = (size: number, step: number): string => `${size / 1000} s every ${step / 1000} s`;
    notes.push(
      `the labels are for windows of ${seconds(labels.windowSizeMs, labels.windowStepMs)}, the run has ${seconds(windowSizeMs, windowStepMs)}`,
    );
  }
  return notes;
}
