/** Which template of a leaf a line fits best. */
import type { Cluster, Leaf } from './cluster.ts';
import { KEY, MASK, SOFT, WILD, type Lanes } from '../tokens/kinds.ts';
import { LeafFilter } from './leaf-filter.ts';
import type { TokenList } from '../tokens/token-list.ts';

// A module's own constants are folded into hot code, imported ones are loaded at every use.
const wild = WILD;
const soft = SOFT;
const mask = MASK;
const key = KEY;

/** So many candidates are compared one by one. */
const FEW = 4;

/** How a line fits a cluster. */
export interface Fit {
  /** Words that are equal. */
  equal: number;
  /** Words that are not. */
  misses: number;
  /** Some position that is not a wildcard differs, be it one that does not count. */
  differs: boolean;
}

/**
 * The candidate of which the line has the largest share of words, at least `similarity`; null when there is none. `fit` tells how it fits: nothing is
 * allocated a line.
 */
export function mostSimilar<Pane>(
  leaf: Leaf<Pane>,
  line: TokenList,
  // Not the number itself: one with a fraction is put on the heap to be passed.
  { similarity }: { similarity: number },
  fit: Fit,
  /** Candidates that it must not be. */
  refused: readonly Cluster<Pane>[],
): Cluster<Pane> | null {
  const { candidates } = leaf;
  let filter: LeafFilter | null = null;
  if (candidates.length > FEW) {
    filter = leaf.filter ??= new LeafFilter();
    filter.look(leaf, line, similarity);
  }
  let best: Cluster<Pane> | null = null;
  let bestEqual = 0;
  let bestMisses = 0;
  let differs = false;
  for (let from = 0; from < candidates.length; from += 32) {
    for (let near = filter === null ? -1 : filter.passing[from >>> 5]!; near !== 0; near &= near - 1) {
      const i = from + 31 - Math.clz32(near & -near);
      if (i >= candidates.length) break;
      const cluster = candidates[i]!;
      if (refused.length > 0 && refused.includes(cluster)) continue;
      // equal ≥ similarity · (equal + misses) and equal ≤ words
      compare(cluster.lanes, line, ((cluster.words * (1 - similarity)) / similarity) | 0, fit);
      const { equal, misses } = fit;
      if (equal < similarity * (equal + misses)) continue;
      // Larger equal / (equal + misses) first, then more equal words, then the older.
      const order = misses * bestEqual - bestMisses * equal;
      // Nothing fits better than a template that does not have to change.
      const better = order < 0 || (order === 0 && (equal > bestEqual || (differs && !fit.differs)));
      if (best === null || better) {
        best = cluster;
        bestEqual = equal;
        bestMisses = misses;
        differs = fit.differs;
      }
    }
  }
  fit.equal = bestEqual;
  fit.misses = bestMisses;
  fit.differs = differs;
  return best;
}

/**
 * How well a line fits a cluster of its leaf. Two masks, wildcards, field names and single-word values say nothing; a mask
 * against a word is a miss. Writes to `fit` (nothing is allocated a line) and stops above `mostMisses`.
 */
function compare(lanes: Lanes, line: TokenList, mostMisses: number, fit: Fit): void {
  const { exact, fold, kind } = line;
  let equal = 0;
  let misses = 0;
  let differs = false;
  for (let i = 0, at = 0; at < lanes.length; i++, at += 3) {
    const own = lanes[at + 2]!;
    if (own === wild) continue;
    if (lanes[at] !== exact[i] || lanes[at + 1] !== fold[i]) {
      differs = true;
      if (own !== soft && kind[i] !== soft && ++misses > mostMisses) break;
    } else if (own !== mask && own !== soft && own !== key) equal++;
  }
  fit.equal = equal;
  fit.misses = misses;
  fit.differs = differs;
}
