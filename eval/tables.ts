/** Markdown of docs/detection.md. */
import type { Evaluation, ScoreRow } from '../src/replay/evaluation/evaluate.ts';
import type { RunResult } from './run.ts';
import { DEFAULT, PLAIN } from './variants.ts';

/** False alarms per source and hour at which recall is shown. */
const RATES = ['0.05', '0.1', '0.25', '0.5'];

export interface SetResults {
  name: string;
  /** By the variants' names. */
  results: ReadonlyMap<string, RunResult>;
}

/** Every score of a set by its name, in the order of the tables. */
function scoresOf({ results }: SetResults): [label: string, scores: ScoreRow][] {
  const { evaluation } = results.get(DEFAULT.name)!;
  const plain = results.get(PLAIN.name);
  const labelled = (rows: Evaluation['channels'], label: string): [string, ScoreRow][] =>
    Object.entries(rows ?? {}).map(([channel, scores]) => [`${label} ${channel}`, scores]);
  const others = [...results].filter(([variant]) => variant !== DEFAULT.name && variant !== PLAIN.name);
  return [
    ['random', evaluation.random],
    ...(plain === undefined ? [] : ([[PLAIN.name, plain.evaluation.score]] as [string, ScoreRow][])),
    ...labelled(evaluation.channels, 'only'),
    ['all channels (default)', evaluation.score],
    ...labelled(evaluation.leave_one_out, 'without'),
    ...others.flatMap(([variant, result]): [string, ScoreRow][] => [
      [`all, ${variant}`, result.evaluation.score],
      ...labelled(pick(result.evaluation.channels, 'dmd'), `${variant}, only`),
    ]),
  ];
}

/** All sets beside each other: what is found in its own source at 0.1 and at 0.25 false windows per source and hour. */
export function comparisonTable(sets: readonly SetResults[]): string {
  const columns = sets.map((set) => new Map(scoresOf(set)));
  const labels = new Set(columns.flatMap((column) => [...column.keys()]));
  const cell = (scores: ScoreRow | undefined): string =>
    scores === undefined
      ? '-'
      : ['0.1', '0.25'].map((rate) => decimals(scores.recall_own_source_at[rate]!, 2)).join(' / ');
  return markdown(
    ['found in its own source at 0.1 / 0.25', ...sets.map(({ name }) => name)],
    Array.from(labels, (label) => [label, ...columns.map((column) => cell(column.get(label)))]),
  );
}

/** Every score on one set: what ranks the windows of faults first. */
export function scoreTable(set: SetResults): string {
  const { evaluation, records } = set.results.get(DEFAULT.name)!;
  return [
    `**${set.name}**: ${evaluation.faults} faults, ${Math.round(evaluation.normal_source_hours)} source-hours without one, ${records.toLocaleString('en-US')} records`,
    '',
    markdown(
      ['score', 'AUC', ...RATES.map((rate) => `found at ${rate}`)],
      scoresOf(set).map(([label, { auc_source, recall_own_source_at }]) => [
        label,
        decimals(auc_source, 3),
        ...RATES.map((rate) => decimals(recall_own_source_at[rate]!, 2)),
      ]),
    ),
  ].join('\n');
}

/** What the default thresholds would have sent, one line a set. */
export function alarmTable(sets: readonly SetResults[]): string {
  const head = [
    'set',
    'anomalies: found in own source',
    'false a source-day',
    'delay',
    'critical: found',
    'false a source-day',
  ];
  return markdown(
    head,
    sets.flatMap(({ name, results }) =>
      [DEFAULT.name, PLAIN.name].flatMap((variant) => {
        const result = results.get(variant);
        if (result === undefined) return [];
        const { alerts, alerts_critical } = result.evaluation;
        return [
          [
            `${name}, ${variant}`,
            decimals(alerts.recall_own_source, 2),
            decimals(alerts.fa_per_source_day, 2),
            alerts.median_delay_s === null ? '-' : `${Math.round(alerts.median_delay_s)} s`,
            decimals(alerts_critical.recall_own_source, 2),
            decimals(alerts_critical.fa_per_source_day, 2),
          ],
        ];
      }),
    ),
  );
}

/** False alarms of the defaults by source, and how often each kind of fault was found. */
export function detailTables({ name, results }: SetResults): string {
  const { kinds, sources } = results.get(DEFAULT.name)!.evaluation;
  const aDay = (count: number, hours: number): string => decimals(hours === 0 ? null : (24 * count) / hours, 2);
  return [
    `**${name}** by kind of fault and by source, defaults`,
    '',
    markdown(
      ['fault', 'times', 'found in own source', 'critical there', 'in any', 'delay'],
      kinds.map((kind) => [
        kind.kind,
        String(kind.faults),
        String(kind.found_own_source),
        String(kind.critical_own_source),
        String(kind.found),
        kind.median_delay_s === null ? '-' : `${Math.round(kind.median_delay_s)} s`,
      ]),
    ),
    '',
    markdown(
      ['source', 'hours without a fault', 'false anomalies a day', 'false critical ones a day'],
      Object.entries(sources).map(([source, row]) => [
        source,
        decimals(row.normal_hours, 1),
        aDay(row.false_alarms, row.normal_hours),
        aDay(row.false_critical, row.normal_hours),
      ]),
    ),
  ].join('\n');
}

function pick(rows: Evaluation['channels'], channel: string): Evaluation['channels'] {
  const row = rows?.[channel];
  return row === undefined ? null : { [channel]: row };
}

/** Padded, so that it reads as text, too. */
function markdown(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...body].map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, c) => cell.padEnd(widths[c]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

function decimals(x: number | null, digits: number): string {
  return x === null ? '-' : x.toFixed(digits);
}
