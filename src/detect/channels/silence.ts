import { createCountModel, fitCounts, lowerSurprise } from './nb-surprise.ts';

const model = createCountModel();

/**
 * `silence`: the source, or one of its templates, says less than usual. Catches what stopped, froze or vanished.
 *
 *     x = max(lo(records), max lo_i − ln F, 0)
 *
 * Source: docs/decisions/0029; lo: `nb-surprise.ts`.
 *
 * Worked example: 120 accepted windows with a heartbeat of 30 lines each (μ = 29.52, V = 45.65); none now: lo = 23.56. As one of F = 5 templates of a
 * busy source it gives x = 23.56 − 1.61 = 21.95. With 3 lines each (μ = 2.97, V = 3.17) lo is 2.87, and x = 1.26: three lines may well be late.
 *
 * @param records - of this window
 * @param history - records of the `n` accepted windows
 */
export function silenceSurprise(
  { lo, slots, present }: { lo: Float64Array; slots: number; present: number },
  records: number,
  history: ArrayLike<number>,
  n: number,
): number {
  fitCounts(model, history, n);
  let loudest = 0;
  for (let slot = 0; slot < slots; slot++) if (lo[slot]! > loudest) loudest = lo[slot]!;
  return Math.max(lowerSurprise(model, records), loudest - Math.log(present), 0);
}
