const CAPACITY = 120;
const QUANTILE = 0.8;
/** How many imagined excesses of size b₀ stand beside the seen ones. */
const PRIOR_EXCESSES = 10;
/** Squares of a full ring stay finite. */
const LARGEST = 1e150;

/**
 * Turns a channel's raw value x into nats, against the last 120 accepted x of the same channel and source: what is loud here?
 *
 *     h values, u = their 80 % quantile (linear between order statistics), n_u of them above u, E = Σ (x_j − u) of these
 *     x ≤ u    s = −ln((#{x_j ≥ x} + 1)/(h + 2))                                   the empirical rank
 *     x > u    s = −ln((n_u + 1)/(h + 2)) + (n_u + 10) ln(1 + (x − u)/(E + 10 b₀))   a heavy tail through the excesses
 *     h < 2    s = x where x is a surprise itself, else 0
 *     and s ≤ x where x is a surprise itself: what is rare here is not louder than it is unlikely anyway
 *
 * The tail is the predictive one of exponential excesses whose scale has a gamma prior of ten excesses of mean b₀ (a generalised Pareto tail: Coles,
 * "An introduction to statistical modeling of extreme values" (2001), 4).
 *
 * Worked example: x_j = 0 (eight times), 1, 2; b₀ = 1: h = 10, u = .2, n_u = 2, E = 2.6. A length x = 0: s = −ln(11/12) = .087; x = 1, above u:
 * s = −ln(3/12) + 12 ln(1 + .8/12.6) = 2.125, of a surprise of 1 nat no more than 1; x = 10: 1.386 + 12 ln(1 + 9.8/12.6) = 8.290.
 */
export class Calibration {
  readonly #ring = new Float64Array(CAPACITY);
  readonly byteLength = this.#ring.byteLength;
  #size = 0;
  #head = 0;

  /** h: accepted values held. */
  get size(): number {
    return this.#size;
  }

  /** Takes the x of an accepted window. @param x - finite, ≥ 0 */
  accept(x: number): void {
    if (!(x >= 0 && x < Infinity)) throw new RangeError(`channel value must be finite and not negative, got ${x}`);
    const value = Math.min(x, LARGEST) + 0;
    if (this.#size < CAPACITY) this.#ring[this.#size++] = value;
    else {
      this.#ring[this.#head] = value;
      this.#head = (this.#head + 1) % CAPACITY;
    }
  }

  /**
   * s, in nats, ≥ 0. Changes nothing.
   *
   * @param x - finite, ≥ 0
   * @param scale - b₀ > 0: the excess that would be nothing special
   * @param isSurprise - x is −ln of a probability already: it stands for itself while there is no history, and bounds s
   */
  surprise(x: number, scale: number, isSurprise: boolean): number {
    const rare = this.#rarity(x, scale);
    return isSurprise ? Math.min(rare ?? x, x) : (rare ?? 0);
  }

  /** null below two values. */
  #rarity(x: number, scale: number): number | null {
    const h = this.#size;
    if (h < 2) return null;
    // In order of size, so that sums do not depend on where the ring begins: it begins elsewhere after a restart.
    for (let k = 0; k < h; k++) sorted[k] = this.#ring[k]!;
    const values = sorted.subarray(0, h).sort();
    const position = QUANTILE * (h - 1);
    const below = Math.floor(position);
    const low = values[below]!;
    const high = values[Math.min(below + 1, h - 1)]!;
    const u = low + (position - below) * (high - low);
    if (x <= u) {
      let atLeast = 0;
      for (let k = h - 1; k >= 0 && values[k]! >= x; k--) atLeast++;
      return Math.log((h + 2) / (atLeast + 1));
    }
    let excesses = 0;
    let above = 0;
    for (let k = h - 1; k >= 0 && values[k]! > u; k--) {
      above++;
      excesses += values[k]! - u;
    }
    const tail = Math.log1p((Math.min(x, LARGEST) - u) / (excesses + PRIOR_EXCESSES * scale));
    return Math.log((h + 2) / (above + 1)) + (above + PRIOR_EXCESSES) * Math.max(0, tail);
  }

  /** b₀ of the channels that measure a length (`distance`, `dmd`): max(.5 sd, .1 mean, floor) of the held values. */
  lengthScale(floor: number): number {
    const h = this.#size;
    let mean = 0;
    for (let k = 0; k < h; k++) mean += this.#at(k) / h;
    let squares = 0;
    for (let k = 0; k < h; k++) squares += (this.#at(k) - mean) ** 2;
    return Math.max(h > 1 ? 0.5 * Math.sqrt(squares / (h - 1)) : 0, 0.1 * mean, floor);
  }

  clear(): void {
    this.#size = 0;
    this.#head = 0;
  }

  /** Float64 in the machine's byte order, oldest first, in base64: as decimals, 840 numbers a source were 8 % of what a step allocated. */
  save(): string {
    const values = new Float64Array(this.#size);
    for (let k = 0; k < values.length; k++) values[k] = this.#at(k);
    return Buffer.from(values.buffer).toString('base64');
  }

  /** @throws RangeError if `saved` cannot have come from {@link save} (a damaged store) */
  static restore(saved: string): Calibration {
    const bytes = typeof saved === 'string' ? Uint8Array.from(Buffer.from(saved, 'base64')) : null;
    const values = bytes === null || bytes.length % 8 !== 0 ? null : new Float64Array(bytes.buffer);
    if (values === null || !values.every((x) => x >= 0 && x <= LARGEST)) {
      throw new RangeError('stored calibration must be finite numbers, not negative, as float64 in base64');
    }
    const calibration = new Calibration();
    for (const x of values) calibration.accept(x);
    return calibration;
  }

  /** k-th oldest. */
  #at(k: number): number {
    const at = this.#head + k;
    return this.#ring[at < CAPACITY ? at : at - CAPACITY]!;
  }
}

const SMALLEST_LENGTH = 0.2;

/** Scratch of {@link Calibration.surprise}; it is synchronous. */
const sorted = new Float64Array(CAPACITY);

/**
 * Smallest b₀ of the length channels: what chance alone does to a vector of log counts.
 *
 *     max(.25 √Σ_i min(1, μ_i)/(μ_i + 1) + .02, .2)      μ_i = mean count of template i over A
 *
 * The .2 is for sources that say hardly anything but the same: one line more is .7, and no news.
 * ln(1 + c) of a Poisson count has variance near 1/(μ + 1), and near μ for rare ones.
 * Worked example: μ = 3 and .5: .25 √(1/4 + .5/1.5) + .02 = .211.
 */
export function countNoise(mean: ArrayLike<number>, slots: number): number {
  let sum = 0;
  for (let slot = 0; slot < slots; slot++) sum += Math.min(1, mean[slot]!) / (mean[slot]! + 1);
  return Math.max(0.25 * Math.sqrt(sum) + 0.02, SMALLEST_LENGTH);
}
