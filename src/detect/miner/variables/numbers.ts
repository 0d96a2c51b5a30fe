/** The numbers that stand at the number positions of a template, summarised while they pass: `took <*> ms` keeps how long it took. */
import { CLASS, DIGIT, HEX_LETTER, WORD_MAX } from '../tokens/bytes.ts';
import { QuantileSketch, type Quantiles } from './quantiles.ts';

/** Number positions of a template that are summarised, the first ones seen. */
export const MAX_SLOTS = 8;
/** Longer ones are ids and time stamps. */
const MOST_DIGITS = 12;
const MINUS = 0x2d;
const DOT = 0x2e;
/** y of small whole numbers. */
const LOG1P = Float64Array.from({ length: 1024 }, (_, v) => Math.log1p(v));

/** The number read last, and its y. A double in a variable or a call is boxed wherever the compiler does not see through; these never are. */
export const numberRead = new Float64Array(2);

/** What passed at one position since the last {@link NumberSlots.clear}. */
export interface SlotNumbers {
  /** Index of the token in the template: the slot's name, equal after a restart and on a replica. */
  token: number;
  count: number;
  /** Mean of y = sign(v)·ln(1 + |v|). */
  mean: number;
  /** Σ (y − mean)². */
  squares: number;
  quantiles: Quantiles;
}

/** Where the numbers of one slot are added up while they pass: count, mean and Σ (y − mean)² by Welford (see `channels/values.ts`). */
class NumberSlot {
  readonly sketch = new QuantileSketch();
  /** Count, mean, squares: fields of an object would be boxed anew at every value. */
  readonly sums = new Float64Array(3);
}

/** The numbers of one cluster since the last {@link take}. Nothing is allocated a value. */
export class NumberSlots {
  /** Token index of each slot in use. */
  readonly tokens: readonly number[];
  readonly #slots: NumberSlot[] = [];

  /** @param tokens grows as slots are found */
  constructor(tokens: readonly number[]) {
    this.tokens = tokens;
  }

  /** Adds the {@link numberRead} to a slot. */
  add(slot: number): void {
    while (this.#slots.length <= slot) this.#slots.push(new NumberSlot());
    const { sums, sketch } = this.#slots[slot]!;
    const value = numberRead[0]!;
    const size = Math.abs(value);
    if (Number.isInteger(size) && size < LOG1P.length) numberRead[1] = LOG1P[size]!;
    else numberRead[1] = Math.log1p(size);
    if (value < 0) numberRead[1] = -numberRead[1];
    const y = numberRead[1];
    const count = (sums[0]! += 1);
    const before = y - sums[1]!;
    const mean = (sums[1]! += before / count);
    sums[2]! += before * (y - mean);
    sketch.add(numberRead);
  }

  get byteLength(): number {
    return this.#slots.reduce((sum, { sketch, sums }) => sum + sketch.byteLength + sums.byteLength, 0);
  }

  /** Slots that had values, and a new start. */
  take(): SlotNumbers[] {
    const taken: SlotNumbers[] = [];
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const { sums, sketch } = this.#slots[slot]!;
      if (sums[0] === 0) continue;
      const [count, mean, squares] = [sums[0]!, sums[1]!, sums[2]!];
      taken.push({ token: this.tokens[slot]!, count, mean, squares, quantiles: sketch.take() });
      sums.fill(0);
    }
    return taken;
  }
}

const POWERS = Float64Array.from({ length: MOST_DIGITS + 1 }, (_, k) => 10 ** k);

/**
 * Reads the number `bytes[from, to)`: digits, perhaps a fraction, perhaps a unit (`12`, `1.5`, `30ms`). The sign before it counts when `signed`.
 *
 * @returns false for addresses, dates, hex and ids
 */
export function readNumber(bytes: Uint8Array, from: number, to: number, signed: boolean): boolean {
  numberRead[0] = 0;
  let i = readDigits(bytes, from, to);
  if (i - from > MOST_DIGITS) return false;
  if (i + 1 < to && bytes[i] === DOT) {
    const fraction = ++i;
    i = readDigits(bytes, i, Math.min(to, i + MOST_DIGITS));
    numberRead[0]! /= POWERS[i - fraction]!;
  }
  let unit = i === to;
  for (; i < to; i++) {
    const kind = CLASS[bytes[i]!]!;
    if (kind > WORD_MAX || kind === DIGIT) return false;
    if (kind !== HEX_LETTER) unit = true;
  }
  if (signed && bytes[from - 1] === MINUS) numberRead[0] = -numberRead[0];
  return unit;
}

/** Appends digits to the number. @returns where they end */
function readDigits(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  for (; i < to && CLASS[bytes[i]!] === DIGIT; i++) numberRead[0] = 10 * numberRead[0]! + bytes[i]! - 0x30;
  return i;
}
