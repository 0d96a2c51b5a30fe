import type { History } from '../history.ts';

/** Nearest accepted windows that are averaged: one alone may be a chance twin. */
const NEAREST = 3;
/** ln(1 + n) of the counts that nearly all are: a window needs 12,000. */
const LOGS = Float64Array.from({ length: 4096 }, (_, n) => Math.log1p(n));

/**
 * `distance`: the window's mix is unlike that of any accepted one. Catches mix changes.
 *
 *     d_j = ‖ln(1 + counts now) − ln(1 + counts of window j)‖₂ over all templates, j in A
 *     x = mean of the 3 smallest d_j        (of all, if there are fewer; 0 if there are none)
 *
 * Nearest neighbours: Ramaswamy, Rastogi & Shim, "Efficient algorithms for mining outliers from large data sets" (2000).
 *
 * Worked example: counts now (7, 0); accepted (7, 0), (3, 0), (0, 0), (7, 1): d = 0, ln 2, ln 8, ln 2; x = 2 ln 2 / 3 = .462.
 *
 * @param i - window being judged, its counts are in the history
 * @param from - first window of its past
 * @param slots - columns in use
 */
export function nearestDistance(history: History, i: number, from: number, slots: number): number {
  loadNow(history, i, slots);
  let first = Infinity;
  let second = Infinity;
  let third = Infinity;
  let n = 0;
  for (let j = from; j < i; j++) {
    if (!history.accepted(j)) continue;
    n++;
    const d = squaredDistance(history, j, slots);
    if (d >= third) continue;
    third = d;
    if (third < second) [second, third] = [third, second];
    if (second < first) [first, second] = [second, first];
  }
  if (n === 0) return 0;
  const sum = Math.sqrt(first) + (n > 1 ? Math.sqrt(second) : 0) + (n > 2 ? Math.sqrt(third) : 0);
  return sum / Math.min(n, NEAREST);
}

/** Share of the distance to what is normal within which two windows are the same. */
const SIMILAR = 0.2;
/** Windows between two occurrences. */
const APART = 10;
/** Earlier occurrences after which a window is nothing new. */
const OCCURRENCES = 2;

/**
 * Whether this window, unlike anything normal, has come twice before: a start that writes its eight hundred lines again. Windows that were left out of what
 * is normal match when they are five times as near as the nearest normal ones; matches at most ten windows apart are one occurrence, and those that reach
 * up to i are the present one, so that a fault which lasts or flaps is not its own precedent. As `isRecurrent` in `gates.ts` does for the error of `dmd`.
 *
 * @param x - {@link nearestDistance} of the window, which has just been measured
 */
export function hasRecurred(history: History, i: number, from: number, slots: number, x: number): boolean {
  if (!(x > 0)) return false;
  const limit = (SIMILAR * x) ** 2;
  let occurrences = 0;
  let last = i;
  for (let j = i - 1; j >= from; j--) {
    if (history.accepted(j) || squaredDistance(history, j, slots) > limit) continue;
    if (last - j > APART && ++occurrences === OCCURRENCES) return true;
    last = j;
  }
  return false;
}

let now = new Float64Array(64);

function loadNow(history: History, i: number, slots: number): void {
  const counts = history.allCounts;
  const start = history.countsStart(i);
  if (now.length < slots) now = new Float64Array(2 * slots);
  for (let slot = 0; slot < slots; slot++) now[slot] = logCount(counts[start + slot]!);
}

function squaredDistance(history: History, j: number, slots: number): number {
  const counts = history.allCounts;
  const start = history.countsStart(j);
  let sum = 0;
  for (let slot = 0; slot < slots; slot++) {
    const d = now[slot]! - logCount(counts[start + slot]!);
    sum += d * d;
  }
  return sum;
}

function logCount(count: number): number {
  return count < LOGS.length ? LOGS[count]! : Math.log1p(count);
}
