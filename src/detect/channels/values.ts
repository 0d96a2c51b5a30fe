import { logStudentTail } from '../special/student.ts';

/** What is kept of the numbers of one slot in one window: y = sign(v)·ln(1 + |v|) of each value v. */
export interface SlotSummary {
  /** k: values in the window. */
  count: number;
  /** Mean of y. */
  mean: number;
  /** Σ (y − mean)². */
  squares: number;
}

/** A slot's past: one entry per accepted window that had values of it, oldest first; the first `n` are valid. */
export interface SlotPast {
  n: number;
  readonly counts: ArrayLike<number>;
  readonly means: ArrayLike<number>;
  readonly squares: ArrayLike<number>;
}

/** Running mean square of a slot's own |z|: prior of four 1s, decay .98 a judged window. */
export interface SlotUnrest {
  squares: number;
  weight: number;
}

export const MIN_VALUES = 4;
/** Fewer are enough where they are as good as independent of those before. */
const MIN_INDEPENDENT = 2;
/** Of the mean squared difference between successive window means to twice their variance; 1 where they are independent. */
const INDEPENDENCE = 0.5;
const MIN_SLOT_WINDOWS = 12;
/** Values that differ by less than 0.2 % among each other … */
const NAME_SPREAD = 0.002;
/** … and are larger than this are names: process ids, ports. */
const SMALLEST_NAME = Math.log1p(100);
const MIN_COMPARED = 6;
const NAME_SHARE = 0.9;
/** Variance of y that is never news: a tenth of an e-fold. */
const FLOOR = 0.01;
const DECAY = 0.98;
const PRIOR = 4;
const LARGEST_Z = 5;
const CLIP_DEVIATIONS = 4;

/** Adds another pane's summary in place (Chan, Golub & LeVeque, "Updating formulae …", 1979). */
export function addSummary(into: SlotSummary, other: SlotSummary): void {
  if (other.count === 0) return;
  const count = into.count + other.count;
  const apart = other.mean - into.mean;
  into.mean += (apart * other.count) / count;
  into.squares += other.squares + (apart * apart * into.count * other.count) / count;
  into.count = count;
}

export function newUnrest(): SlotUnrest {
  return { squares: PRIOR, weight: PRIOR };
}

/** Remembers the |z| of a judged window. */
export function noteUnrest(unrest: SlotUnrest, z: number): void {
  unrest.squares = DECAY * unrest.squares + Math.min(Math.abs(z), LARGEST_Z) ** 2;
  unrest.weight = DECAY * unrest.weight + 1;
}

/** What a slot's mean should be now, and how far off it is. */
export interface SlotDeviation {
  /** m: mean of the past window means. */
  mean: number;
  /** √(τ² + w²/k + .01): how far off a mean of k values usually is. */
  deviation: number;
  /** (ȳ − m) / deviation. */
  z: number;
}

/**
 * How far the mean of a slot's values is from its past, two levels of noise apart: values within a window, and windows among each other.
 *
 *     m, s² = mean and variance (n − 1) of the window means      w² = Σ squares / Σ (k_j − 1), pooled within windows
 *     τ² = max(s² − mean(w²/k_j), .2 s²)(1 + 4/n)      z = (ȳ − m)/√(τ² + w²/k + .01)
 *
 * One-way random effects: Searle, Casella & McCulloch, "Variance components" (1992), 3.6. .01 = a tenth of an e-fold is never news.
 *
 * Worked example: 12 windows, half with mean 2.4, half with 2.6, each k = 5 and squares .2; now k = 5, ȳ = 4.5: m = 2.5, s² = .010909, w² = .05,
 * τ² = max(.010909 − .01, .002182) · 4/3 = .002909, z = 2/√(.002909 + .01 + .01) = 13.21.
 */
export function slotDeviation(past: SlotPast, now: SlotSummary, out: SlotDeviation): void {
  const { n, counts, means, squares } = past;
  let sum = 0;
  let within = 0;
  let degrees = 0;
  let inverses = 0;
  for (let j = 0; j < n; j++) {
    sum += means[j]!;
    within += squares[j]!;
    degrees += counts[j]! - 1;
    inverses += 1 / counts[j]!;
  }
  const mean = sum / n;
  let between = 0;
  for (let j = 0; j < n; j++) between += (means[j]! - mean) ** 2;
  const s2 = between / (n - 1);
  const w2 = degrees > 0 ? within / degrees : 0;
  const tau2 = Math.max(s2 - (w2 * inverses) / n, 0.2 * s2) * (1 + 4 / n);
  out.mean = mean;
  out.deviation = Math.sqrt(tau2 + w2 / now.count + FLOOR);
  out.z = (now.mean - mean) / out.deviation + 0;
}

/** Whether a slot has a say: enough windows of its own, and enough values now. */
export function isJudged(past: SlotPast, now: SlotSummary): boolean {
  return now.count >= MIN_INDEPENDENT && past.n >= MIN_SLOT_WINDOWS;
}

/**
 * Whether the number is a level (keys in a cache, free memory), of which two values tell no more than one, and not each value a new measurement (durations,
 * sizes): it moves by less than a tenth, or successive windows say much the same. Von Neumann, "Distribution of the ratio of the mean square successive difference to the variance" (1941).
 *
 * @param differences - Σ (m_j − m_i)² over `pairs` of windows that follow each other without a shared pane
 */
export function isLevel({ n, means }: SlotPast, mean: number, differences: number, pairs: number): boolean {
  let squares = 0;
  for (let j = 0; j < n; j++) squares += (means[j]! - mean) ** 2;
  const variance = squares / (n - 1);
  return pairs < MIN_COMPARED || variance < FLOOR || differences / pairs < INDEPENDENCE * 2 * variance;
}

/**
 * Whether the numbers of a slot only name something: a process id is one number for days, and another after each restart, which says nothing about the
 * process. Large, and all but equal within nine in ten of the past windows that had more than one value.
 *
 * @param usual - mean of the past window means
 */
export function isName({ n, counts, squares }: SlotPast, usual: number): boolean {
  if (Math.abs(usual) < SMALLEST_NAME) return false;
  let compared = 0;
  let equal = 0;
  for (let j = 0; j < n; j++) {
    if (counts[j]! < 2) continue;
    compared++;
    if (squares[j]! <= NAME_SPREAD * NAME_SPREAD * (counts[j]! - 1)) equal++;
  }
  return compared >= MIN_COMPARED && equal >= NAME_SHARE * compared;
}

/**
 * Nats of one slot, before paying for how many there are: its z, less loud the more unrest it has had (mutes counters and wandering slots).
 *
 *     −ln 2T_ν(−|z| / max(1, rms of past |z|))      ν = max(3, n/2)
 *
 * Worked example: z = 13.21, n = 12, a fresh slot: ν = 6, 2T = 1.14e-5, 11.4 nats.
 */
export function slotSurprise(z: number, n: number, unrest: SlotUnrest): number {
  const rms = Math.sqrt(unrest.squares / unrest.weight);
  return Math.max(0, -Math.LN2 - logStudentTail(z / Math.max(1, rms), Math.max(3, n / 2)));
}

/**
 * `values`: the loudest numeric slot. Catches durations, sizes, codes.
 *
 *     x = max(0, max over slots of nats − ln #slots)
 *
 * @param nats - {@link slotSurprise} of each judged slot; the first `slots` are valid
 */
export function valuesSurprise(nats: ArrayLike<number>, slots: number): number {
  let loudest = 0;
  for (let k = 0; k < slots; k++) if (nats[k]! > loudest) loudest = nats[k]!;
  return Math.max(0, loudest - Math.log(Math.max(1, slots)));
}

/** The mean that an accepted window leaves in the past: at most 4 deviations off, so that one wild window does not set the scale for two hours. */
export function storedMean(mean: number, { mean: usual, deviation }: SlotDeviation): number {
  const reach = CLIP_DEVIATIONS * deviation;
  return Math.min(usual + reach, Math.max(usual - reach, mean));
}
