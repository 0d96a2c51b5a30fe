/** How well scores tell windows of faults from normal ones, whatever the threshold. */

/**
 * Area under the ROC curve: how often a score of a fault is above one of a normal window, ties counting half (Mann & Whitney, 1947).
 *
 * @returns null where one of the two is empty
 */
export function areaUnderRoc(faulty: readonly number[], normal: readonly number[]): number | null {
  if (faulty.length === 0 || normal.length === 0) return null;
  const sorted = Float64Array.from(normal).sort();
  let wins = 0;
  for (const score of faulty) {
    const below = countBelow(sorted, score, false);
    wins += below + 0.5 * (countBelow(sorted, score, true) - below);
  }
  return wins / faulty.length / normal.length;
}

/** How many of `sorted` are below `score`, or equal to it where `orEqual`. */
function countBelow(sorted: Float64Array, score: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = sorted[middle]!;
    if (value < score || (orEqual && value === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface PrecisionRecall {
  /** Area under the precision-recall curve, as the sum of its steps. */
  averagePrecision: number | null;
  bestF1: number | null;
  /** The score from which `bestF1` counts as a fault; null where no threshold finds any. */
  bestF1At: number | null;
}

/** Equal scores are one step of the curve. */
export function precisionRecall(faulty: readonly number[], normal: readonly number[]): PrecisionRecall {
  if (faulty.length === 0 || normal.length === 0) return { averagePrecision: null, bestF1: null, bestF1At: null };
  const down = (a: number, b: number): number => b - a;
  const hits = faulty.toSorted(down);
  const misses = normal.toSorted(down);
  let [tp, fp] = [0, 0];
  let averagePrecision = 0;
  let before = 0;
  let [bestF1, bestF1At]: [number, number | null] = [0, null];
  while (tp < hits.length || fp < misses.length) {
    const score = Math.max(hits[tp] ?? -Infinity, misses[fp] ?? -Infinity);
    while (tp < hits.length && hits[tp] === score) tp++;
    while (fp < misses.length && misses[fp] === score) fp++;
    const precision = tp / (tp + fp);
    const recall = tp / hits.length;
    averagePrecision += (recall - before) * precision;
    before = recall;
    const f1 = tp > 0 ? (2 * precision * recall) / (precision + recall) : 0;
    if (f1 > bestF1) [bestF1, bestF1At] = [f1, score];
  }
  return { averagePrecision, bestF1, bestF1At };
}

/** To so many decimals; what lies exactly between two goes to the even one, as IEEE 754 and Python do. */
export function roundHalfEven(x: number, decimals: number): number {
  const rounded = Number(x.toFixed(decimals));
  // Exactly between two: only multiples of 1/2^(decimals + 1) can be. toFixed takes the one farther from 0.
  const isTie = Math.abs((x * 2 ** (decimals + 1)) % 2) === 1 && Math.abs(rounded - x) > 0;
  if (!isTie) return rounded;
  const units = Math.round(rounded * 10 ** decimals);
  return units % 2 === 0 ? rounded : (units - Math.sign(x)) / 10 ** decimals;
}
