import type { Leaf } from './cluster.ts';
import { OPEN, type LeafKey } from '../tokens/leaf-key.ts';

/** Leaves by their two hash lanes: a map by both folded into one, a chain for those that meet there (nothing is allocated to look one up). */
export class LeafTable<Pane> {
  /** How often leaves share the first of what their lines have in common, see `LeafKey.beginning`. */
  readonly beginnings = new Map<number, number>();
  readonly #chains = new Map<number, Leaf<Pane>>();
  readonly #open = new Set<Leaf<Pane>>();

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

  /** Something varies before the first word of one of its templates. */
  open(leaf: Leaf<Pane>): void {
    if (this.#open.has(leaf)) return;
    this.#open.add(leaf);
    this.beginnings.set(OPEN, this.#open.size);
  }

  /** Something changed in `leaf`: what was found there holds no longer, nor what was found in an open one because nothing fitted here. */
  changed(leaf: Leaf<Pane>): void {
    leaf.version++;
    for (const open of this.#open) if (open !== leaf) open.version++;
  }

  remove(leaf: Leaf<Pane>): void {
    this.#forget(leaf.beginning);
    if (this.#open.delete(leaf)) this.#forget(OPEN);
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

  #forget(beginning: number): void {
    const left = this.beginnings.get(beginning)! - 1;
    if (left > 0) this.beginnings.set(beginning, left);
    else this.beginnings.delete(beginning);
  }
}
