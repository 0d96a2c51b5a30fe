import { createCountModel, fitCounts, upperSurprise } from './nb-surprise.ts';

/** Lowest OTLP severity numbers of the two ranges (OpenTelemetry logs data model, "Field: SeverityNumber"). */
export const WARN = 13;
export const ERROR = 17;

/** Windows just before the one that is judged that are no part of its past; half of the past where that is shorter. */
export const RARE_GUARD = 10;

const model = createCountModel();

/** Counts of windows: records at WARN or above, and those of them at ERROR or above. */
interface SeverityCounts {
  warnings: ArrayLike<number>;
  errors: ArrayLike<number>;
}

/**
 * `severity`: more warnings or more errors than usual, whatever they say, now or for some minutes. Catches nearly every hard fault.
 *
 *     x = max over the records ≥ WARN and those ≥ ERROR of    max(up(c_0), up_k(Σ_j min(c_j, c_0)) − ln 2)
 *
 * c_0 is this window's count, c_1 … c_k−1 those of the windows before it that share no pane with it or each other, as far as the past does not reach; up_k is
 * up for the sum of k windows: of k negative binomial counts of size r it is one of size k·r. So one error a minute for ten minutes is heard, where each is
 * nothing. What is over does not count: an earlier window at most as much as this one. ln 2 is for having looked at two lengths.
 *
 * Errors are rare, and one more in the past halves the surprise of the next. So the newest windows are no part of the past, or a fault that begins softly would
 * be what it is compared with ({@link RARE_GUARD}; "guard cells" in radar: Rohling, "Radar CFAR thresholding in clutter and multiple target situations" (1983)).
 * Source: docs/decisions/0029 and 0048; up: `nb-surprise.ts`.
 *
 * Worked example: 100 accepted windows with 2 warnings each (var 0: μ = 1.980, V = 2.099, r = 33.1) and no error (μ = .0196); now 3 records at WARN of
 * which 1 is an ERROR: up(3) = 1.15, up(1) = 3.95, so x = 3.95, from the error. With one error in each of the four windows before, too: up_5(5) = 15.03, x = 14.33.
 *
 * @param recent - c_0 first, at least that
 * @param past - accepted windows
 */
export function severitySurprise(recent: SeverityCounts, past: SeverityCounts): number {
  return Math.max(upOf(recent.warnings, past.warnings), upOf(recent.errors, past.errors));
}

function upOf(recent: ArrayLike<number>, past: ArrayLike<number>): number {
  const now = recent[0]!;
  if (now === 0) return 0;
  fitCounts(model, past, past.length);
  const alone = upperSurprise(model, now);
  let sum = 0;
  for (let j = 0; j < recent.length; j++) sum += Math.min(recent[j]!, now);
  model.r *= recent.length;
  return Math.max(alone, upperSurprise(model, sum) - Math.LN2);
}
