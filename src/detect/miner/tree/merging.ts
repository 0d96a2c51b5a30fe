import type { Cluster } from './cluster.ts';
import { FIXED, MASK, WILD } from '../tokens/kinds.ts';
import { isConstant } from '../tokens/words.ts';

/**
 * Whether `general`, which has just given up a word, says of every line of `other` what `other` says: had it been there first, none of them would have
 * made a template of its own. Merged, the templates of a source do not depend on which of the two came first.
 *
 *     POST <*> by <*>     covers     POST /cart by <*>     and not     GET /cart by <*>
 *
 * Words in capitals stay: they are states as long as there are few of them.
 */
export function covers<Pane>(general: Cluster<Pane>, other: Cluster<Pane>): boolean {
  const { lanes } = general;
  if (general === other || other.given || lanes.length !== other.lanes.length) return false;
  for (let at = 0; at < lanes.length; at += 3) {
    const kind = other.lanes[at + 2]!;
    if (lanes[at + 2] === WILD) {
      if (kind >= FIXED || (kind !== WILD && kind !== MASK && isConstant(other.token(at / 3)))) return false;
    } else if (kind === WILD || lanes[at] !== other.lanes[at] || lanes[at + 1] !== other.lanes[at + 1]) return false;
  }
  return true;
}
