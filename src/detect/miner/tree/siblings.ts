import type { Cluster } from './cluster.ts';
import { HARD, NAME, WILD } from '../tokens/kinds.ts';

/** So many values make a word a variable. Two may be two events; a third that differs nowhere else says that the word names something. */
const SIBLINGS = 3;

/**
 * Templates of a leaf that differ from `cluster` in one and the same word only: `START: rsync pid=<*>`, `START: auth pid=<*>`,
 * `START: nrpe pid=<*>`. In a short line one word is too much for the similarity, and each name would make a template of its own.
 *
 * @returns null when there are too few
 */
export function siblingsOf<Pane>(cluster: Cluster<Pane>): { place: number; others: Cluster<Pane>[] } | null {
  const { candidates } = cluster.leaf;
  if (candidates.length < SIBLINGS) return null;
  const places = candidates.map((other) => onlyDifference(cluster, other));
  for (const place of new Set(places)) {
    if (place < 0) continue;
    const others = candidates.filter((_, i) => places[i] === place);
    if (others.length + 1 >= SIBLINGS) return { place, others };
  }
  return null;
}

/** The only position where two templates of a leaf hold different words; -1 when there is none or more than one. */
function onlyDifference<Pane>({ lanes: a }: Cluster<Pane>, { lanes: b }: Cluster<Pane>): number {
  let place = -1;
  for (let at = 0; at < a.length; at += 3) {
    if (a[at] === b[at] && a[at + 1] === b[at + 1]) continue;
    // Values of fields, numbers and what has varied before do not tell two templates apart.
    if (!isWord(a[at + 2]!) || !isWord(b[at + 2]!)) {
      if (a[at + 2] === WILD || b[at + 2] === WILD) continue;
      if (isWord(a[at + 2]!) || isWord(b[at + 2]!)) return -1;
      continue;
    }
    if (place >= 0) return -1;
    place = at / 3;
  }
  return place;
}

function isWord(kind: number): boolean {
  return kind === HARD || kind === NAME;
}
