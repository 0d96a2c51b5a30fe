/** The JSON lines of `--scores` and `--anomalies`; the second is also what stdout shows when no OTLP endpoint is set. Keys and their order are fixed. */
import { namedLevels, type LevelName } from '../detect/levels.ts';
import type { ChannelSurprises, NumberSummary, TopTemplate, ValueSummary, Verdict } from '../detect/verdict.ts';
import type { Anomaly } from './anomaly.ts';

/** One source and window. `normalized_error` is DMD's z, `score` the sigmas that the severity is decided on. */
export interface ScoreLine {
  source: string;
  window_id: number;
  /** Decimal strings: the numbers are beyond 2^53. */
  window_start_unix_nano: string;
  window_end_unix_nano: string;
  records: number;
  templates: number;
  reconstruction_error: number | null;
  normalized_error: number | null;
  score: number | null;
  detector: string | null;
  severity: string | null;
  gates: string[];
  /** Nats by channel; only where there are more than `dmd`. */
  channels?: ChannelSurprises;
}

/** One record sent. `severity` is the episode's, as in the OTLP record; an `end` carries the worst it was. */
export interface AnomalyLine extends ScoreLine {
  episode_id: string;
  phase: 'start' | 'update' | 'end';
  message: string;
  top_templates: TopTemplateLine[];
}

export interface TopTemplateLine {
  template_id: string;
  template: string;
  share: number;
  count: number;
  usual_count: number;
  sample: string | null;
  trace_ids: string[];
  /** Records of the window, only of levels that occurred: `{"INFO": 12}`. */
  levels: Partial<Record<LevelName, number>>;
  numbers: NumberSummary[];
  /** Values of its enumerations in the window. */
  values: ValueSummary[];
}

export function scoreLine(verdict: Verdict): ScoreLine {
  return {
    source: verdict.source,
    window_id: verdict.windowId,
    window_start_unix_nano: unixNano(verdict.windowStartMs),
    window_end_unix_nano: unixNano(verdict.windowEndMs),
    records: verdict.records,
    templates: verdict.templates,
    reconstruction_error: verdict.reconstructionError,
    normalized_error: verdict.normalizedError,
    score: verdict.score,
    detector: verdict.detector,
    severity: verdict.severity,
    gates: verdict.gates,
    ...(verdict.channels === null ? {} : { channels: verdict.channels }),
  };
}

export function anomalyLine(anomaly: Anomaly): AnomalyLine {
  const { verdict, severity, episodeId, phase, message } = anomaly;
  return {
    ...scoreLine(verdict),
    severity,
    episode_id: episodeId,
    phase,
    message,
    top_templates: verdict.topTemplates.map(topTemplateLine),
  };
}

export function topTemplateLine(top: TopTemplate): TopTemplateLine {
  return {
    template_id: top.templateId,
    template: top.template,
    share: top.share,
    count: top.count,
    usual_count: top.usualCount,
    sample: top.samples[0] ?? null,
    trace_ids: top.traceIds,
    levels: namedLevels(top.levels),
    numbers: top.numbers,
    values: top.values,
  };
}

/** Window edges are whole milliseconds. */
function unixNano(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n);
}
