/**
 * What reconstruction errors a source usually has, and how far a new one is from that.
 *
 *     z = (e − mean) / max(sd, floorRel · mean, floorAbs)        over the last `capacity` accepted errors, sd with n − 1
 *
 * An error is scored first, then offered. One with z > excludeAbove is left out of the baseline, but only while fewer than `maxLeftOut` of the
 * last `leftOutWindow` offered ones were left out: a fault must not teach the baseline, a changed normal must.
 *
 *     offered  . . . . x . . . x x x x x x x x x x x . .      x = left out, at most 12 within any 120;
 *                                                    ^        from here on the new level is learnt
 *
 * "At most k in a row" is the same rule with leftOutWindow = maxLeftOut = k.
 */
export interface BaselineOptions {
  /** Accepted errors kept. */
  readonly capacity: number;
  /** No z before this many accepted errors. */
  readonly minBaseline: number;
  readonly excludeAbove: number;
  readonly maxLeftOut: number;
  readonly leftOutWindow: number;
}

export const BASELINE_DEFAULTS: BaselineOptions = {
  capacity: 120,
  minBaseline: 20,
  excludeAbove: 3,
  maxLeftOut: 12,
  leftOutWindow: 120,
};

/** Smallest deviation that counts as one sigma. */
export interface DeviationFloors {
  /** Times the mean. */
  readonly relative: number;
  readonly absolute: number;
}

/**
 * 5 % of the usual error, and half a percent of the snapshots' own size, so that a perfectly regular source does not alarm over nothing.
 *
 * @param rmsNorm - root mean square length of the kept snapshots
 */
export function defaultFloors(rmsNorm: number): DeviationFloors {
  return { relative: 0.05, absolute: 0.005 * Math.max(1, rmsNorm) };
}

/** JSON-safe: numbers survive JSON.stringify and JSON.parse bit for bit. */
export interface SavedBaseline {
  /** Accepted, oldest first. */
  errors: number[];
  /** One character an offered error, oldest first: x = left out. */
  offered: string;
}

/** Errors are cut here so that the squares of a full baseline stay finite. */
const LARGEST_ERROR = 1e150;
/** Keeps z finite for a source without any floor. */
const SMALLEST_DEVIATION = 1e-150;

export class ErrorBaseline {
  readonly #options: BaselineOptions;
  /** Oldest first; sums run in this order, so a restored baseline gives the same bits. */
  readonly #errors: number[] = [];
  readonly #leftOut: boolean[] = [];

  constructor(options: BaselineOptions = BASELINE_DEFAULTS) {
    this.#options = options;
  }

  /** Accepted errors held. */
  get size(): number {
    return this.#errors.length;
  }

  /** z of an error (finite, not negative) against the accepted ones; null until there are `minBaseline`. Never changes anything. */
  normalizedError(error: number, floors: DeviationFloors): number | null {
    const n = this.#errors.length;
    if (n < Math.max(1, this.#options.minBaseline)) return null;
    let mean = 0;
    for (const e of this.#errors) mean += e / n;
    let squares = 0;
    for (const e of this.#errors) squares += (e - mean) ** 2;
    const sd = n > 1 ? Math.sqrt(squares / (n - 1)) : 0;
    const deviation = Math.max(sd, floors.relative * mean, floors.absolute, SMALLEST_DEVIATION);
    // + 0: a difference that underflows must not print as -0.
    return (Math.min(error, LARGEST_ERROR) - mean) / deviation + 0;
  }

  /**
   * Offers a scored error. Errors of degraded or incomplete windows are not offered at all.
   *
   * @param z - what {@link normalizedError} said about it
   * @returns whether it was taken into the baseline
   */
  offer(error: number, z: number | null): boolean {
    const { capacity, excludeAbove, maxLeftOut, leftOutWindow } = this.#options;
    let leftOutBefore = 0;
    for (const leftOut of this.#leftOut) if (leftOut) leftOutBefore++;
    const accepted = z === null || z <= excludeAbove || leftOutBefore >= maxLeftOut;
    appendBounded(this.#leftOut, !accepted, leftOutWindow);
    if (accepted) appendBounded(this.#errors, Math.min(error, LARGEST_ERROR), capacity);
    return accepted;
  }

  clear(): void {
    this.#errors.length = 0;
    this.#leftOut.length = 0;
  }

  save(): SavedBaseline {
    return { errors: [...this.#errors], offered: this.#leftOut.map((leftOut) => (leftOut ? 'x' : '.')).join('') };
  }

  /**
   * The baseline that {@link save} was called on, to the bit.
   *
   * @throws RangeError if `saved` cannot have come from `save` (a damaged store); lengths beyond smaller options lose their oldest part
   */
  static restore(saved: SavedBaseline, options: BaselineOptions = BASELINE_DEFAULTS): ErrorBaseline {
    if (
      !Array.isArray(saved.errors) ||
      !saved.errors.every((e) => Number.isFinite(e) && e >= 0 && e <= LARGEST_ERROR)
    ) {
      throw new RangeError('stored error baseline: `errors` must be finite numbers, not negative');
    }
    if (typeof saved.offered !== 'string' || !/^[.x]*$/.test(saved.offered)) {
      throw new RangeError('stored error baseline: `offered` must be a string of . and x');
    }
    const baseline = new ErrorBaseline(options);
    for (const error of saved.errors) appendBounded(baseline.#errors, error, options.capacity);
    for (const mark of saved.offered) appendBounded(baseline.#leftOut, mark === 'x', options.leftOutWindow);
    return baseline;
  }
}

/** At most 120 numbers: shifting them costs less than the ring arithmetic everywhere else. */
function appendBounded<T>(list: T[], value: T, most: number): void {
  list.push(value);
  if (list.length > most) list.shift();
}
