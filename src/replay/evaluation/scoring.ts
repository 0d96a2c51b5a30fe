/** Scores of windows, or alarms, against the faults: what was found and what it cost. */
import { FAULTY, faultSpans, NORMAL, windowKey, type PlacedWindows } from './windows.ts';
import { labelName, type Labels } from './labels.ts';
import { areaUnderRoc, precisionRecall, roundHalfEven } from './ranking.ts';

/** A share of normal windows per source and hour that may alarm falsely; recall is reported with the threshold that just keeps to it. */
export const FALSE_ALARM_RATES = [0.05, 0.1, 0.25, 0.5, 1] as const;

/** Numbers of the JSON are rounded to three decimals where a person reads them, not where they are compared (areas, thresholds). */
export interface AlarmReport {
  /** Faults with an alarm in their own source or in one that they touch. */
  detected: number;
  recall: number;
  recall_own_source: number;
  /** From a fault's start to the end of the first window with an alarm, upper median over the faults found. */
  median_delay_s: number | null;
  /** Alarms in normal windows. */
  false_alarms: number;
  fa_per_source_hour: number | null;
  fa_per_source_day: number | null;
  /** Of the windows that alarm, those of a fault or its wake. */
  precision: number | null;
}

export interface FaultResult {
  /** End of the first window with an alarm, in its own source and in any that it touches; null = not found. */
  ownMs: number | null;
  anyMs: number | null;
}

/** An alarm: the source and the end of the window it came with. */
export interface Alarm {
  source: string;
  windowEndMs: number;
}

export interface RankingReport {
  auc_source: number | null;
  ap_source: number | null;
  best_f1_source: number | null;
  best_f1_at: number | null;
  /** Share of windows of faults. */
  base_rate_source: number;
  /** The largest score over all sources at each step, against whether any fault runs. */
  auc_system_max: number | null;
  ap_system_max: number | null;
  best_f1_system: number | null;
  base_rate_system: number;
}

/** One score a placed window; NaN = none. */
export class Scoring {
  readonly normalHours: number;
  /** Windows with a score. */
  readonly judged: number;
  readonly #placed: PlacedWindows;
  readonly #labels: Labels;
  readonly #scores: Float64Array;
  /** Of normal windows, highest first. */
  readonly #normal: Float64Array;

  constructor(placed: PlacedWindows, labels: Labels, scores: Float64Array) {
    this.#placed = placed;
    this.#labels = labels;
    this.#scores = scores;
    this.judged = scores.reduce((sum, score) => sum + (Number.isNaN(score) ? 0 : 1), 0);
    this.#normal = this.#scoresOf(NORMAL).sort().reverse();
    this.normalHours = (this.#normal.length * (labels.windowStepMs * 1e6)) / 3.6e12;
  }

  ranking(): RankingReport {
    const faulty = Array.from(this.#scoresOf(FAULTY));
    const normal = Array.from(this.#normal);
    const source = precisionRecall(faulty, normal);
    const { stepTruth } = this.#placed;
    const loudest = new Float64Array(stepTruth.length).fill(NaN);
    for (const [i, score] of this.#scores.entries()) {
      const step = this.#placed.step[i]!;
      if (!Number.isNaN(score) && !(loudest[step]! >= score)) loudest[step] = score;
    }
    const pick = (truth: number): number[] =>
      Array.from(loudest).filter((score, step) => stepTruth[step] === truth && !Number.isNaN(score));
    const [during, quiet] = [pick(FAULTY), pick(NORMAL)];
    const system = precisionRecall(during, quiet);
    return {
      auc_source: areaUnderRoc(faulty, normal),
      ap_source: source.averagePrecision,
      best_f1_source: source.bestF1,
      best_f1_at: source.bestF1At,
      base_rate_source: faulty.length / Math.max(1, faulty.length + normal.length),
      auc_system_max: areaUnderRoc(during, quiet),
      ap_system_max: system.averagePrecision,
      best_f1_system: system.bestF1,
      base_rate_system: during.length / Math.max(1, during.length + quiet.length),
    };
  }

  /** The lowest threshold with at most so many false alarms per source and hour; −∞ where every window may alarm. */
  thresholdAt(falseAlarmsPerHour: number): number {
    return this.#normal[Math.trunc(falseAlarmsPerHour * this.normalHours)] ?? -Infinity;
  }

  /** Every window above `threshold` is an alarm. */
  above(threshold: number): AlarmReport {
    const { size, truth, key, keys } = this.#placed;
    const loud = new Uint8Array(keys.size);
    let falseAlarms = 0;
    for (let i = 0; i < size; i++) {
      if (!(this.#scores[i]! > threshold)) continue;
      loud[key[i]!] = 1;
      if (truth[i] === NORMAL) falseAlarms++;
    }
    return this.#report(this.faultsAbove(threshold), falseAlarms, loud);
  }

  /** By fault, in the order of the labels. */
  faultsAbove(threshold: number): FaultResult[] {
    const first = (windows: readonly number[]): number | null => {
      const i = windows.find((window) => this.#scores[window]! > threshold);
      return i === undefined ? null : this.#placed.endMs[i]!;
    };
    return this.#placed.faults.map(({ own, concerned }) => ({ ownMs: first(own), anyMs: first(concerned) }));
  }

  /** `alarms` that were sent, in order of time; those of a source's warm-up can find a fault, but are not false. */
  alarms(alarms: readonly Alarm[]): AlarmReport {
    const { size, truth, key, keys } = this.#placed;
    const loud = new Uint8Array(keys.size);
    const normal = new Uint8Array(keys.size);
    for (let i = 0; i < size; i++) {
      if (truth[i] === NORMAL && !Number.isNaN(this.#scores[i])) normal[key[i]!] = 1;
    }
    let falseAlarms = 0;
    for (const { source, windowEndMs } of alarms) {
      const at = keys.get(windowKey(labelName(source, this.#labels.names), windowEndMs));
      if (at === undefined) continue;
      loud[at] = 1;
      falseAlarms += normal[at]!;
    }
    return this.#report(faultsFound(this.#labels, alarms), falseAlarms, loud);
  }

  #report(faults: readonly FaultResult[], falseAlarms: number, loud: Uint8Array): AlarmReport {
    const { truth, key } = this.#placed;
    let right = 0;
    for (const [i, score] of this.#scores.entries()) {
      if (truth[i] !== NORMAL && loud[key[i]!] === 1 && !Number.isNaN(score)) right++;
    }
    const delays = faults
      .flatMap(({ anyMs }, f) => (anyMs === null ? [] : [delaySeconds(anyMs, this.#labels.faults[f]!.startNanos)]))
      .sort((a, b) => a - b);
    const share = (n: number): number => roundHalfEven(n / Math.max(1, faults.length), 3);
    const perHour = this.normalHours === 0 ? null : falseAlarms / this.normalHours;
    return {
      detected: delays.length,
      recall: share(delays.length),
      recall_own_source: share(faults.filter(({ ownMs }) => ownMs !== null).length),
      median_delay_s: delays[Math.floor(delays.length / 2)] ?? null,
      false_alarms: falseAlarms,
      fa_per_source_hour: perHour === null ? null : roundHalfEven(perHour, 3),
      fa_per_source_day: perHour === null ? null : roundHalfEven(24 * perHour, 3),
      precision: right + falseAlarms === 0 ? null : roundHalfEven(right / (right + falseAlarms), 3),
    };
  }

  #scoresOf(truth: typeof NORMAL | typeof FAULTY): Float64Array {
    return this.#scores.filter((score, i) => this.#placed.truth[i] === truth && !Number.isNaN(score));
  }
}

/** The first alarm that finds each fault. */
export function faultsFound(labels: Labels, alarms: readonly Alarm[]): FaultResult[] {
  const named = alarms.map(({ source, windowEndMs }) => ({ name: labelName(source, labels.names), windowEndMs }));
  return faultSpans(labels).map(({ fault, foundByMs, isOwn, concerns }) => {
    const during = named.filter(({ windowEndMs }) => fault.startMs <= windowEndMs && windowEndMs <= foundByMs);
    const first = (counts: (name: string) => boolean): number | null =>
      during.reduce<number | null>(
        (ms, { name, windowEndMs }) => (counts(name) ? Math.min(ms ?? Infinity, windowEndMs) : ms),
        null,
      );
    return { ownMs: first(isOwn), anyMs: first(concerns) };
  });
}

/** Exact to the nanosecond before it is rounded. */
export function delaySeconds(windowEndMs: number, startNanos: bigint): number {
  return Number(BigInt(windowEndMs) * 1_000_000n - startNanos) / 1e9;
}
