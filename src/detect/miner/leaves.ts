import type { Leaf } from './cluster.ts';

/** Leaves by their two hash lanes: a map by the first, a chain for the second (nothing is allocated to look one up). */
export class LeafTable<Pane> {
  readonly #chains = new Map<number, Leaf<Pane>>();

  find(exact: number, fold: number): Leaf<Pane> | null {
    let leaf = this.#chains.get(exact) ?? null;
    while (leaf !== null && leaf.fold !== fold) leaf = leaf.next;
    return leaf;
  }

  findOrAdd(exact: number, fold: number): Leaf<Pane> {
    const found = this.find(exact, fold);
    if (found !== null) return found;
    const leaf: Leaf<Pane> = { exact, fold, candidates: [], next: this.#chains.get(exact) ?? null };
    this.#chains.set(exact, leaf);
    return leaf;
  }

  remove(leaf: Leaf<Pane>): void {
    const head = this.#chains.get(leaf.exact);
    if (head === leaf) {
      if (leaf.next === null) this.#chains.delete(leaf.exact);
      else this.#chains.set(leaf.exact, leaf.next);
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
