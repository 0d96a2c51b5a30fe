import type { Leaf } from './cluster.ts';
import type { LeafKey } from './leaf-key.ts';

/** Leaves by their two hash lanes: a map by both folded into one, a chain for those that meet there (nothing is allocated to look one up). */
export class LeafTable<Pane> {
  /** How often leaves share the first of what their lines have in common, see `LeafKey.beginning`. */
  readonly beginnings = new Map<number, number>();
  readonly #chains = new Map<number, Leaf<Pane>>();

  find(exact: number, fold: number): Leaf<Pane> | null {
    let leaf = this.#chains.get(exact ^ fold) ?? null;
    while (leaf !== null && leaf.fold !== fold) leaf = leaf.next;
    return leaf;
  }

  /** The leaf of the tokens placed last. */
  findOrAdd({ exact, fold, beginning }: LeafKey): Leaf<Pane> {
    const found = this.find(exact, fold);
    if (found !== null) return found;
    this.beginnings.set(beginning, (this.beginnings.get(beginning) ?? 0) + 1);
    const leaf: Leaf<Pane> = {
      exact,
      fold,
      beginning,
      candidates: [],
      version: 0,
      filter: null,
      next: this.#chains.get(exact ^ fold) ?? null,
    };
    this.#chains.set(exact ^ fold, leaf);
    return leaf;
  }

  remove(leaf: Leaf<Pane>): void {
    const left = this.beginnings.get(leaf.beginning)! - 1;
    if (left > 0) this.beginnings.set(leaf.beginning, left);
    else this.beginnings.delete(leaf.beginning);
    const key = leaf.exact ^ leaf.fold;
    const head = this.#chains.get(key);
    if (head === leaf) {
      if (leaf.next === null) this.#chains.delete(key);
      else this.#chains.set(key, leaf.next);
      return;
    }
    for (let at = head; at !== undefined && at.next !== null; at = at.next) {
      if (at.next === leaf) {
        at.next = leaf.next;
        return;
      }
    }
  }
}
