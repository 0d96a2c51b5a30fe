/**
 * Quantiles of the numbers at one position of a template: a histogram whose bars are equally wide in y = sign(v)·ln(1 + |v|), in fixed memory.
 *
 *     y     … │  k  │ k+1 │ k+2 │ …          bar of y: k = ⌊y/w⌋, counted at k mod 128
 *     w = 1/32, doubled (bars 2k and 2k+1 become k) until all that passed lies within 128 bars
 *
 * Sources: Masson, Rim & Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", PVLDB 12(12), 2019; the uniform
 * collapse is that of Epicoco et al., "UDDSketch: Accurate Tracking of Quantiles in Data Streams", IEEE Access 8, 2020. Theirs is ln v, which has no 0.
 *
 * Error: a quantile is off by at most w/2 in y, by at most (e^{w/2} − 1)(1 + |v|): 1.6 % where all values lie within a factor of 50, 3.2 % within
 * 2,500, 6.5 % within 7 million, 13.3 % for anything from 0 to 10¹², 28.4 % where both signs reach that far. Smallest and largest are exact.
 * w follows from the smallest and the largest value: the order of values says nothing, and two sketches united are the sketch of all values.
 */
export const BARS = 128;
const FINEST = 32;
/** Scratch of a sketch that widens. */
const old = new Uint32Array(BARS);
/** Scratch of one that is packed or read. */
const unpacked = new Uint32Array(BARS);
const packed = Buffer.alloc(5 * BARS);

/** A sketch at rest. */
export interface Quantiles {
  /** w = 2^shift / 32. */
  shift: number;
  /** k of the outermost bars in use. */
  first: number;
  last: number;
  /** Values in each bar from `first` to `last`, packed: see {@link packBars}. */
  bars: string;
  min: number;
  max: number;
  /** All values were whole numbers, so quantiles are too. */
  whole: boolean;
}

/** Of one position while values pass; nothing is allocated a value. */
export class QuantileSketch {
  readonly #bars = new Uint32Array(BARS);
  /** Smallest and largest value. */
  readonly #range = new Float64Array(2);
  #whole = true;
  #shift = 0;
  /** k of the outermost bars in use; last < first: none. */
  #first = 0;
  #last = -1;

  get byteLength(): number {
    return this.#bars.byteLength + this.#range.byteLength;
  }

  /** @param number - a finite value and its y; in an array, for a double in a call may be boxed */
  add(number: Float64Array): void {
    const value = number[0]!;
    const y = number[1]!;
    let k = Math.floor((y * FINEST) / (1 << this.#shift));
    if (k < this.#first || k > this.#last) k = this.#reach(k, value);
    this.#bars[k & (BARS - 1)]!++;
    if (value < this.#range[0]!) this.#range[0] = value;
    if (value > this.#range[1]!) this.#range[1] = value;
    if (this.#whole && value % 1 !== 0) this.#whole = false;
  }

  /** What passed since the last time, and a new start. */
  take(): Quantiles {
    const first = this.#first;
    const last = this.#last;
    for (let k = first; k <= last; k++) unpacked[k - first] = this.#bars[k & (BARS - 1)]!;
    const bars = packBars(last - first + 1);
    const [min, max] = [this.#range[0]!, this.#range[1]!];
    const taken = { shift: this.#shift, first, last, bars, min, max, whole: this.#whole };
    this.#bars.fill(0);
    this.#range.fill(0);
    this.#whole = true;
    this.#shift = 0;
    this.#first = 0;
    this.#last = -1;
    return taken;
  }

  /** Makes bar `k` one of those in use. @returns its number once the bars are wide enough */
  #reach(k: number, value: number): number {
    if (this.#last < this.#first) {
      this.#range.fill(value);
      return (this.#first = this.#last = k);
    }
    while (Math.max(this.#last, k) - Math.min(this.#first, k) >= BARS) {
      this.#widen();
      k >>= 1;
    }
    this.#first = Math.min(this.#first, k);
    this.#last = Math.max(this.#last, k);
    return k;
  }

  #widen(): void {
    old.set(this.#bars);
    this.#bars.fill(0);
    for (let k = this.#first; k <= this.#last; k++) this.#bars[(k >> 1) & (BARS - 1)]! += old[k & (BARS - 1)]!;
    this.#first >>= 1;
    this.#last >>= 1;
    this.#shift++;
  }
}

/** The sketch of all values of both. */
export function uniteQuantiles(a: Quantiles, b: Quantiles): Quantiles {
  let shift = Math.max(a.shift, b.shift);
  let first = Math.min(a.first >> (shift - a.shift), b.first >> (shift - b.shift));
  let last = Math.max(a.last >> (shift - a.shift), b.last >> (shift - b.shift));
  while (last - first >= BARS) {
    shift++;
    first >>= 1;
    last >>= 1;
  }
  unpacked.fill(0);
  addBars(a, shift, first);
  addBars(b, shift, first);
  const bars = packBars(last - first + 1);
  const [min, max] = [Math.min(a.min, b.min), Math.max(a.max, b.max)];
  return { shift, first, last, bars, min, max, whole: a.whole && b.whole };
}

/** The smallest value that a share `p` of all values does not exceed, within the error above; three digits where values are not whole. */
export function quantile(sketch: Quantiles, p: number): number {
  const { shift, first, min, max, whole } = sketch;
  unpacked.fill(0);
  addBars(sketch, shift, first);
  const count = unpacked.reduce((sum, n) => sum + n, 0);
  const rank = Math.max(1, Math.ceil(p * count));
  if (rank === 1 || rank === count) return (rank === 1 ? min : max) + 0;
  let i = 0;
  for (let below = unpacked[0]!; below < rank; below += unpacked[i]!) i++;
  const y = ((first + i + 0.5) * (1 << shift)) / FINEST;
  const value = Math.sign(y) * Math.expm1(Math.abs(y));
  const rounded = whole ? Math.round(value) : Number(value.toPrecision(3));
  return Math.min(max, Math.max(min, rounded)) + 0;
}

/**
 * The first `length` of `unpacked` as text, one character a byte: 2n + 1 for a bar of n values, 2r for r empty ones, in LEB128. Panes hold tens of
 * sketches a source; as arrays they were nearly half of what a step's garbage collections had to move.
 */
function packBars(length: number): string {
  let at = 0;
  for (let i = 0; i < length;) {
    const from = i;
    while (i < length && unpacked[i] === 0) i++;
    let rest = i > from ? 2 * (i - from) : 2 * unpacked[i++]! + 1;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) packed[at++] = 0x80 | (rest % 0x80);
    packed[at++] = rest;
  }
  return packed.toString('latin1', 0, at);
}

/** Adds the values of a sketch to `unpacked`, whose bars are `shift` wide from bar `first` on. */
function addBars({ bars, ...sketch }: Quantiles, shift: number, first: number): void {
  let k = sketch.first;
  for (let at = 0; at < bars.length;) {
    let number = 0;
    let byte = 0x80;
    for (let scale = 1; byte >= 0x80; scale *= 0x80) {
      byte = bars.charCodeAt(at++);
      number += (byte & 0x7f) * scale;
    }
    if (number % 2 === 0) k += number / 2;
    else unpacked[(k++ >> (shift - sketch.shift)) - first]! += (number - 1) / 2;
  }
}
