import type { GramRing } from './dmd/gram.ts';

/**
 * Two gates that hold back the `dmd` channel alone; z is reported all the same.
 *
 * Without them a job that runs every 5 to 60 minutes in an otherwise silent source is critical at every single run: from 120 mostly empty
 * windows no linear model can tell when it comes next.
 */

/** Non-empty kept windows that a prediction needs to mean anything. */
const MIN_NON_EMPTY_WINDOWS = 12;

/** `sparse`: fewer than 12 of the kept windows (the ones the model was fitted to) hold a record. */
export function isSparse(recordsOfKeptWindows: ArrayLike<number>): boolean {
  let nonEmpty = 0;
  for (let i = 0; i < recordsOfKeptWindows.length; i++) if (recordsOfKeptWindows[i]! > 0) nonEmpty++;
  return nonEmpty < MIN_NON_EMPTY_WINDOWS;
}

const SIMILAR_ERROR = 0.8;
const SIMILAR_DISTANCE = 0.5;
const OCCURRENCES = 2;

/**
 * `recurrent`: this error has happened before, twice, over much the same window (the hourly job).
 *
 * A window j matches t when e_j ≥ .8 e_t and ‖x_t − x_j‖ ≤ .5 e_t. Neighbouring matches are ONE occurrence (windows overlap), and those that reach
 * up to t−1 are the present one, so that a fault which simply lasts does not become its own precedent:
 *
 *     j   . . X X . . . . X . . . . X t        X = match
 *         occurrence 1    2         the present one: two earlier occurrences, recurrent
 *
 * @param gram - the newest snapshot in it is x_t
 * @param errors - reconstruction error of every snapshot in `gram`, same order, NaN where none was computed; the last is e_t
 */
export function isRecurrent(gram: GramRing, errors: ArrayLike<number>): boolean {
  const t = gram.size - 1;
  if (t < 2) return false;
  const error = errors[t]!;
  if (!(error > 0)) return false;
  const limit = (SIMILAR_DISTANCE * error) ** 2;
  let occurrences = 0;
  let inside = true;
  for (let j = t - 1; j >= 0; j--) {
    const match = errors[j]! >= SIMILAR_ERROR * error && gram.at(t, t) + gram.at(j, j) - 2 * gram.at(t, j) <= limit;
    if (match && !inside && ++occurrences === OCCURRENCES) return true;
    // t itself counts as a match before the first step: a match at t-1 belongs to it, t-1 without one ends it.
    inside = match;
  }
  return false;
}
