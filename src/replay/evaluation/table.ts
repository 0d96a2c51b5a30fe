import { align } from '../align.ts';
import { RANDOM_DRAWS, type Evaluation, type ScoreRow } from './evaluate.ts';
import { FALSE_ALARM_RATES, type AlarmReport } from './scoring.ts';

/** Thresholds of the sweep that a terminal shows; the JSON has more. */
const SHOWN_THRESHOLDS = new Set([1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6]);

/** The evaluation for people. @param notes what did not fit, a line each */
export function evaluationTable(evaluation: Evaluation, notes: readonly string[]): string {
  const { faults, normal_source_hours: hours } = evaluation;
  const sections = [
    `EVALUATION: ${faults} faults, ${hours} source-hours without one${notes.map((note) => `\nnote: ${note}`).join('')}`,
    alarmTable(evaluation),
    sweepTable(evaluation),
    rankingTable(evaluation),
    kindTable(evaluation),
    sourceTable(evaluation),
  ];
  return `${sections.join('\n\n')}\n`;
}

function alarmTable(evaluation: Evaluation): string {
  const row = (name: string, report: AlarmReport): string[] => [
    name,
    `${report.detected} of ${evaluation.faults}`,
    fixed(report.recall_own_source, 3),
    delay(report.median_delay_s),
    String(report.false_alarms),
    fixed(report.fa_per_source_hour, 3),
    fixed(report.fa_per_source_day, 1),
    fixed(report.precision, 3),
  ];
  return align([
    ['alarms', 'found', 'own source', 'delay', 'false', 'a source-hour', 'a source-day', 'precision'],
    row('anomalies', evaluation.alerts),
    row('critical anomalies', evaluation.alerts_critical),
    row('windows above 2', evaluation['z>2']),
    row('windows above 3', evaluation['z>3']),
  ]);
}

function sweepTable({ sweep }: Evaluation): string {
  return align([
    ['threshold', 'found', 'own source', 'delay', 'windows a source-hour', 'episodes a source-hour', 'a source-day'],
    ...sweep
      .filter(({ threshold }) => SHOWN_THRESHOLDS.has(threshold))
      .map((row) => [
        fixed(row.threshold, 1),
        fixed(row.recall, 3),
        fixed(row.recall_own_source, 3),
        delay(row.median_delay_s),
        fixed(row.fa_per_source_hour, 3),
        fixed(row.false_episodes_per_source_hour, 3),
        fixed(row.false_episodes_per_source_day, 1),
      ]),
  ]);
}

function rankingTable(evaluation: Evaluation): string {
  const { score, random, channels, leave_one_out } = evaluation;
  const row = (name: string, { auc_source, recall_own_source_at }: ScoreRow): string[] => [
    name,
    fixed(auc_source, 3),
    ...FALSE_ALARM_RATES.map((rate) => fixed(recall_own_source_at[rate]!, 3)),
  ];
  return align([
    ['found in own source at', 'AUC', ...FALSE_ALARM_RATES.map((rate) => `${rate} an hour`)],
    row('score', score),
    ...Object.entries(channels ?? {}).map(([channel, scores]) => row(`only ${channel}`, scores)),
    ...Object.entries(leave_one_out ?? {}).map(([channel, scores]) => row(`without ${channel}`, scores)),
    row(`random (${RANDOM_DRAWS} draws)`, random),
  ]);
}

function kindTable({ kinds }: Evaluation): string {
  return align([
    ['fault', 'times', 'own source', 'critical there', 'any source', 'delay'],
    ...kinds.map((kind) => [
      kind.kind,
      String(kind.faults),
      String(kind.found_own_source),
      String(kind.critical_own_source),
      String(kind.found),
      delay(kind.median_delay_s),
    ]),
  ]);
}

function sourceTable({ sources }: Evaluation): string {
  const aDay = (count: number, hours: number): string => (hours === 0 ? '-' : ((24 * count) / hours).toFixed(1));
  return align([
    ['source', 'hours', 'false', 'a day', 'critical', 'a day'],
    ...Object.entries(sources).map(([source, row]) => [
      source,
      fixed(row.normal_hours, 1),
      String(row.false_alarms),
      aDay(row.false_alarms, row.normal_hours),
      String(row.false_critical),
      aDay(row.false_critical, row.normal_hours),
    ]),
  ]);
}

function fixed(x: number | null, decimals: number): string {
  return x === null ? '-' : x.toFixed(decimals);
}

function delay(seconds: number | null): string {
  return seconds === null ? '-' : `${Math.round(seconds)} s`;
}
