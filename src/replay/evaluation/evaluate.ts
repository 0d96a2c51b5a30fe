/** Everything that `replay --labels` says, as one JSON object. */
import type { Anomaly } from '../../alert/anomaly.ts';
import type { EpisodeOptions } from '../../alert/episode.ts';
import { Episodes } from '../../alert/episodes.ts';
import type { Channel } from '../../detect/channels/channels.ts';
import type { Verdict } from '../../detect/verdict.ts';
import type { Labels } from './labels.ts';
import { createRandom } from './random.ts';
import { roundHalfEven } from './ranking.ts';
import { recombine } from './recombine.ts';
import {
  delaySeconds,
  FALSE_ALARM_RATES,
  faultsFound,
  Scoring,
  type Alarm,
  type AlarmReport,
  type FaultResult,
  type RankingReport,
} from './scoring.ts';
import { NORMAL, placeWindows, type PlacedWindows } from './windows.ts';

/** A run, as far as it is evaluated. */
export interface Run {
  /** Each source's in the order they were judged. */
  verdicts: readonly Verdict[];
  /** In the order they were sent. */
  anomalies: readonly Anomaly[];
  episodes: EpisodeOptions;
  /** Window size / step. */
  panesPerWindow: number;
  /** Of the channels; those left out count as by default. */
  weights?: Readonly<Partial<Record<Channel, number>>>;
}

/** `0.1` → with the threshold that allows 0.1 false alarms per source and hour. */
type ByRate<T> = Record<string, T>;

/** How a score ranks the windows. */
export interface ScoreRow {
  auc_source: number | null;
  recall_own_source_at: ByRate<number>;
  recall_at: ByRate<number>;
}

export interface SweepRow extends AlarmReport {
  threshold: number;
  /** Episodes that start in a normal window, had this been the warning threshold and no alert budget had raised it. */
  false_episodes: number;
  false_episodes_per_source_hour: number | null;
  false_episodes_per_source_day: number | null;
}

export interface KindRow {
  kind: string;
  faults: number;
  /** With an anomaly that starts in it: of its own source, of any it touches; critical in its own source. */
  found_own_source: number;
  found: number;
  critical_own_source: number;
  median_delay_s: number | null;
}

export interface SourceRow {
  windows: number;
  normal_hours: number;
  false_alarms: number;
  false_critical: number;
}

export interface FaultRow {
  kind: string;
  source: string;
  start_unix_nano: string;
  /** Null = no anomaly started in time. */
  delay_own_source_s: number | null;
  delay_s: number | null;
  critical_own_source: boolean;
}

export interface Evaluation extends RankingReport {
  windows: number;
  normal_source_hours: number;
  faults: number;
  /** Starts of anomalies; and those that were critical, at the start or by escalation. */
  alerts: AlarmReport;
  alerts_critical: AlarmReport;
  /** Windows above 2 and 3 sigma, gates or not. */
  'z>2': AlarmReport;
  'z>3': AlarmReport;
  /** `at_0.1_fa_per_source_hour` … */
  [at: `at_${string}_fa_per_source_hour`]: AlarmReport & { threshold: number | null };
  score: ScoreRow;
  /** Mean of {@link RANDOM_DRAWS} draws of random scores on the same windows. */
  random: ScoreRow;
  /** One channel's nats as the score; null where there is one channel only. */
  channels: Record<string, ScoreRow> | null;
  leave_one_out: Record<string, ScoreRow> | null;
  sweep: SweepRow[];
  kinds: KindRow[];
  sources: Record<string, SourceRow>;
  fault_list: FaultRow[];
}

export const RANDOM_DRAWS = 20;
const SEED = 1;
const SWEEP = Array.from({ length: 33 }, (_, k) => k / 4);

export function evaluate(run: Run, labels: Labels): Evaluation {
  const { verdicts } = run;
  const placed = placeWindows(verdicts, labels);
  const scores = pick(
    placed,
    Float64Array.from(verdicts, ({ score }) => score ?? NaN),
  );
  const scoring = new Scoring(placed, labels, scores);
  const recombined = recombine(verdicts, run);
  const rowOf = (values: Float64Array): ScoreRow => scoreRow(new Scoring(placed, labels, pick(placed, values)));
  const rows = (columns: ReadonlyMap<string, Float64Array>): Record<string, ScoreRow> =>
    Object.fromEntries(Array.from(columns, ([name, values]) => [name, rowOf(values)]));
  const warnings = run.anomalies.filter(({ phase }) => phase === 'start').map(alarmOf);
  const critical = criticalAlarms(run.anomalies);
  return {
    windows: scoring.judged,
    normal_source_hours: roundHalfEven(scoring.normalHours, 1),
    faults: labels.faults.length,
    ...scoring.ranking(),
    alerts: scoring.alarms(warnings),
    alerts_critical: scoring.alarms(critical),
    'z>2': scoring.above(2),
    'z>3': scoring.above(3),
    ...Object.fromEntries(
      FALSE_ALARM_RATES.map((rate) => {
        const threshold = scoring.thresholdAt(rate);
        const report = { ...scoring.above(threshold), threshold: Number.isFinite(threshold) ? threshold : null };
        return [`at_${rate}_fa_per_source_hour`, report];
      }),
    ),
    score: scoreRow(scoring),
    random: randomRow(placed, labels, scores),
    channels: recombined === null ? null : rows(recombined.alone),
    leave_one_out: recombined === null ? null : rows(recombined.without),
    sweep: SWEEP.map((threshold) => sweepRow(scoring, run, threshold)),
    kinds: kindRows(labels, faultsFound(labels, warnings), faultsFound(labels, critical)),
    sources: sourceRows(placed, verdicts, scores, { warnings, critical, labels }),
    fault_list: faultRows(labels, faultsFound(labels, warnings), faultsFound(labels, critical)),
  };
}

/** A column over all windows, at those beyond warm-up. */
function pick(placed: PlacedWindows, values: Float64Array): Float64Array {
  return Float64Array.from(placed.given, (i) => values[i]!);
}

function alarmOf({ verdict }: Anomaly): Alarm {
  return { source: verdict.source, windowEndMs: verdict.windowEndMs };
}

/** Once an episode: where it became critical. */
function criticalAlarms(anomalies: readonly Anomaly[]): Alarm[] {
  const seen = new Set<string>();
  return anomalies.flatMap((anomaly) => {
    if (anomaly.severity !== 'critical' || anomaly.phase === 'end' || seen.has(anomaly.episodeId)) return [];
    seen.add(anomaly.episodeId);
    return [alarmOf(anomaly)];
  });
}

function scoreRow(scoring: Scoring): ScoreRow {
  const reports = FALSE_ALARM_RATES.map((rate) => [String(rate), scoring.above(scoring.thresholdAt(rate))] as const);
  return {
    auc_source: scoring.ranking().auc_source,
    recall_own_source_at: Object.fromEntries(reports.map(([rate, report]) => [rate, report.recall_own_source])),
    recall_at: Object.fromEntries(reports.map(([rate, report]) => [rate, report.recall])),
  };
}

/** What chance finds: the mean of several draws, on the windows that have a score. */
function randomRow(placed: PlacedWindows, labels: Labels, scores: Float64Array): ScoreRow {
  const random = createRandom(SEED);
  const draws = Array.from({ length: RANDOM_DRAWS }, () =>
    scoreRow(
      new Scoring(
        placed,
        labels,
        scores.map((score) => (Number.isNaN(score) ? NaN : random())),
      ),
    ),
  );
  const mean = (value: (row: ScoreRow) => number): number =>
    roundHalfEven(draws.reduce((sum, row) => sum + value(row), 0) / draws.length, 3);
  const meanOf = (column: (row: ScoreRow) => ByRate<number>): ByRate<number> =>
    Object.fromEntries(FALSE_ALARM_RATES.map((rate) => [String(rate), mean((row) => column(row)[rate]!)]));
  return {
    auc_source: draws[0]!.auc_source === null ? null : mean((row) => row.auc_source!),
    recall_own_source_at: meanOf((row) => row.recall_own_source_at),
    recall_at: meanOf((row) => row.recall_at),
  };
}

function sweepRow(scoring: Scoring, run: Run, threshold: number): SweepRow {
  const options = { ...run.episodes, warningThreshold: threshold, criticalThreshold: Infinity, alertBudget: Infinity };
  const episodes = new Episodes(options);
  const starts = run.verdicts.flatMap((verdict) => {
    const anomaly = episodes.observe(verdict);
    return anomaly?.phase === 'start' ? [alarmOf(anomaly)] : [];
  });
  const report = scoring.alarms(starts);
  return {
    threshold,
    ...scoring.above(threshold),
    false_episodes: report.false_alarms,
    false_episodes_per_source_hour: report.fa_per_source_hour,
    false_episodes_per_source_day: report.fa_per_source_day,
  };
}

function kindRows(labels: Labels, found: readonly FaultResult[], critical: readonly FaultResult[]): KindRow[] {
  const byKind = Map.groupBy(labels.faults.keys(), (f) => labels.faults[f]!.kind);
  return Array.from(byKind, ([kind, indices]) => {
    const delays = indices
      .flatMap((f) => (found[f]!.ownMs === null ? [] : [delaySeconds(found[f]!.ownMs, labels.faults[f]!.startNanos)]))
      .sort((a, b) => a - b);
    return {
      kind,
      faults: indices.length,
      found_own_source: delays.length,
      found: indices.filter((f) => found[f]!.anyMs !== null).length,
      critical_own_source: indices.filter((f) => critical[f]!.ownMs !== null).length,
      median_delay_s: delays[Math.floor(delays.length / 2)] ?? null,
    };
  }).sort((a, b) => (a.kind < b.kind ? -1 : 1));
}

function faultRows(labels: Labels, found: readonly FaultResult[], critical: readonly FaultResult[]): FaultRow[] {
  return labels.faults.map(({ kind, source, startNanos }, f) => {
    const { ownMs, anyMs } = found[f]!;
    return {
      kind,
      source,
      start_unix_nano: String(startNanos),
      delay_own_source_s: ownMs === null ? null : delaySeconds(ownMs, startNanos),
      delay_s: anyMs === null ? null : delaySeconds(anyMs, startNanos),
      critical_own_source: critical[f]!.ownMs !== null,
    };
  });
}

function sourceRows(
  placed: PlacedWindows,
  verdicts: readonly Verdict[],
  scores: Float64Array,
  { warnings, critical, labels }: { warnings: readonly Alarm[]; critical: readonly Alarm[]; labels: Labels },
): Record<string, SourceRow> {
  const rows = new Map<string, SourceRow>();
  const normal = new Set<string>();
  const keyOf = ({ source, windowEndMs }: Alarm): string => `${windowEndMs} ${source}`;
  for (const [i, score] of scores.entries()) {
    if (Number.isNaN(score)) continue;
    const verdict = verdicts[placed.given[i]!]!;
    const row = rows.get(verdict.source) ?? { windows: 0, normal_hours: 0, false_alarms: 0, false_critical: 0 };
    rows.set(verdict.source, row);
    row.windows++;
    if (placed.truth[i] !== NORMAL) continue;
    row.normal_hours += labels.windowStepMs / 3_600_000;
    normal.add(keyOf(verdict));
  }
  for (const alarm of warnings) if (normal.has(keyOf(alarm))) rows.get(alarm.source)!.false_alarms++;
  for (const alarm of critical) if (normal.has(keyOf(alarm))) rows.get(alarm.source)!.false_critical++;
  return Object.fromEntries(
    Array.from(rows, ([source, row]): [string, SourceRow] => [
      source,
      { ...row, normal_hours: roundHalfEven(row.normal_hours, 1) },
    ]).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
