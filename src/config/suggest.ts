/** The candidate a typing error was most likely meant to be, null when none is near. Case, `_` and `-` do not count. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const wanted = normalised(word);
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const other = normalised(candidate);
    const distance = editDistance(wanted, other);
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, other.length) / 3));
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `windowSize`, `window-size` and `window_size` are the same word. */
export function normalised(word: string): string {
  return word.slice(0, 100).toLowerCase().replaceAll(/[_-]/g, '');
}

/**
 * Optimal string alignment distance: Levenshtein plus swaps of neighbours, so that `grcp` is one step from `grpc`.
 * Three rows of the usual table are kept: this one, the last and the one before.
 */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
      }
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
