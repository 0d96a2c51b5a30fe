/** The numbers that stand at the number positions of a template, summarised while they pass: `took <*> ms` keeps how long it took. */
import { CLASS, DIGIT, HEX_LETTER, WORD_MAX } from './bytes.ts';

/** Number positions of a template that are summarised, the first ones seen. */
export const MAX_SLOTS = 8;
/** Values kept of a slot for its quantiles. */
const MOST_KEPT = 32;
/** Longer ones are ids and time stamps. */
const MOST_DIGITS = 12;
const MINUS = 0x2d;
const DOT = 0x2e;
/** y of small whole numbers. */
const LOG1P = Float64Array.from({ length: 1024 }, (_, v) => Math.log1p(v));

/** What passed at one position since the last {@link NumberSlots.clear}. */
export interface SlotNumbers {
  /** Index of the token in the template: the slot's name, equal after a restart and on a replica. */
  token: number;
  count: number;
  /** Mean of y = sign(v)·ln(1 + |v|). */
  mean: number;
  /** Σ (y − mean)². */
  squares: number;
  /** Of the values themselves, from a sample spread evenly over all that passed. */
  median: number;
  p95: number;
}

/**
 * Count, mean and sum of squares by Welford ("Note on a method for calculating corrected sums of squares and products", 1962). Quantiles come from every
 * 2^k-th value: when the sample is full, every other one leaves and k grows by one. Nothing is allocated a value.
 */
export class NumberSlots {
  /** Token index of each slot in use. */
  readonly tokens: readonly number[];
  readonly #count = new Int32Array(MAX_SLOTS);
  readonly #mean = new Float64Array(MAX_SLOTS);
  readonly #squares = new Float64Array(MAX_SLOTS);
  readonly #kept = new Float64Array(MAX_SLOTS * MOST_KEPT);
  readonly #keptCount = new Uint8Array(MAX_SLOTS);
  readonly #stride = new Int32Array(MAX_SLOTS).fill(1);

  /** @param tokens grows as slots are found */
  constructor(tokens: readonly number[]) {
    this.tokens = tokens;
  }

  add(slot: number, value: number): void {
    const size = Math.abs(value);
    const log = Number.isInteger(size) && size < LOG1P.length ? LOG1P[size]! : Math.log1p(size);
    const y = value < 0 ? -log : log;
    const seen = this.#count[slot]!;
    const count = (this.#count[slot] = seen + 1);
    const before = y - this.#mean[slot]!;
    const mean = (this.#mean[slot]! += before / count);
    this.#squares[slot]! += before * (y - mean);
    if ((seen & (this.#stride[slot]! - 1)) === 0) this.#keep(slot, value, seen);
  }

  /** Slots that had values, and a new start. */
  take(): SlotNumbers[] {
    const taken: SlotNumbers[] = [];
    for (const [slot, token] of this.tokens.entries()) {
      const count = this.#count[slot]!;
      if (count === 0) continue;
      const sample = this.#kept.slice(slot * MOST_KEPT, slot * MOST_KEPT + this.#keptCount[slot]!).sort();
      const quantile = (q: number): number => sample[Math.min(sample.length - 1, Math.floor(q * sample.length))]!;
      taken.push({
        token,
        count,
        mean: this.#mean[slot]!,
        squares: this.#squares[slot]!,
        median: quantile(0.5),
        p95: quantile(0.95),
      });
    }
    this.clear();
    return taken;
  }

  clear(): void {
    this.#count.fill(0);
    this.#mean.fill(0);
    this.#squares.fill(0);
    this.#keptCount.fill(0);
    this.#stride.fill(1);
  }

  #keep(slot: number, value: number, seen: number): void {
    const first = slot * MOST_KEPT;
    let kept = this.#keptCount[slot]!;
    if (kept === MOST_KEPT) {
      kept = MOST_KEPT / 2;
      for (let i = 0; i < kept; i++) this.#kept[first + i] = this.#kept[first + 2 * i]!;
      this.#keptCount[slot] = kept;
      const stride = (this.#stride[slot]! *= 2);
      if ((seen & (stride - 1)) !== 0) return;
    }
    this.#kept[first + kept] = value;
    this.#keptCount[slot] = kept + 1;
  }
}

/**
 * The number `bytes[from, to)`: digits, perhaps a fraction, perhaps a unit (`12`, `1.5`, `30ms`); NaN for addresses, dates, hex and ids.
 * The sign before it counts when `signed`.
 */
export function numberAt(bytes: Uint8Array, from: number, to: number, signed: boolean): number {
  let value = 0;
  let i = from;
  while (i < to && CLASS[bytes[i]!] === DIGIT) value = 10 * value + bytes[i++]! - 0x30;
  if (i - from > MOST_DIGITS) return NaN;
  if (i + 1 < to && bytes[i] === DOT) {
    let scale = 1;
    const fraction = ++i;
    while (i < to && i - fraction < MOST_DIGITS && CLASS[bytes[i]!] === DIGIT) {
      value = 10 * value + bytes[i++]! - 0x30;
      scale *= 10;
    }
    value /= scale;
  }
  let unit = i === to;
  for (; i < to; i++) {
    const kind = CLASS[bytes[i]!]!;
    if (kind > WORD_MAX || kind === DIGIT) return NaN;
    if (kind !== HEX_LETTER) unit = true;
  }
  if (!unit) return NaN;
  return signed && bytes[from - 1] === MINUS ? -value : value;
}
