/** Where a line belongs in the tree: what the lines of one template must have in common, as one hash. */
import { avalanche, mix } from './hash.ts';
import { FIXED, HARD, KEY, STATUS, type Lanes } from './kinds.ts';
import type { TokenList } from './token-list.ts';

/** Among beginnings: there are templates before whose first word something varies, and any line may be one of theirs. Others are odd. */
export const OPEN = 2;

export class LeafKey {
  /** Two lanes over the token count, every field name, state and status with its position, and the first `prefixWords` words. */
  exact = 0;
  fold = 0;
  /** The first word of the first field name or word with its position, 0 when there is none: what any line of the leaf must begin with. */
  beginning = 0;
  /** Beginnings that a line is looked for among, null when its whole line is read. */
  wanted: ReadonlyMap<number, unknown> | null = null;

  /** Of a key as if the first word varied: where that stands, -1 when it is none that may. */
  place = -1;

  readonly #list: TokenList;
  #prefixLeft = 0;
  #skips = false;

  constructor(list: TokenList) {
    this.#list = list;
  }

  /** Whether a line whose {@link firstWord} is that of token `index` is among those {@link wanted}. */
  isWanted(index: number, head: number): boolean {
    return this.wanted === null || this.wanted.has(beginningOf(index, head)) || this.wanted.has(OPEN);
  }

  /** The first token so far that is a word or field name, -1 for none. */
  firstWord(): number {
    const { count, kind } = this.#list;
    for (let i = 0; i < count; i++) if (kind[i] === HARD || kind[i] === FIXED || kind[i] === KEY) return i;
    return -1;
  }

  /** Of the line just scanned; `skips`: as if its first word varied. */
  ofLine(skips = false): void {
    const { count, kind, exact, fold } = this.#list;
    this.#begin(count, skips);
    for (let i = 0; i < count; i++) this.#add(i, kind[i]!, exact[i]!, fold[i]!);
    this.#end();
  }

  /** Of tokens that `TokenList.hashToken` has just hashed. */
  ofStored(lanes: Lanes): void {
    const count = lanes.length / 3;
    this.#begin(count, false);
    for (let i = 0; i < count; i++) this.#add(i, lanes[3 * i + 2]!, lanes[3 * i]!, lanes[3 * i + 1]!);
    this.#end();
  }

  /** Of a template that the sender gives: one leaf of its own, found by its whole text. */
  ofGiven(bytes: Uint8Array, start: number, limit: number): void {
    let exact = this.#list.exactSeed | 0;
    let fold = ~this.#list.foldSeed;
    for (let i = start; i < limit; i++) {
      exact = mix(exact, bytes[i]!);
      fold = mix(fold, bytes[i]!);
    }
    this.exact = avalanche(~exact);
    this.fold = avalanche(fold);
    this.beginning = 0;
  }

  #begin(count: number, skips: boolean): void {
    const { exactSeed, foldSeed, limits } = this.#list;
    this.exact = mix(exactSeed, count);
    this.fold = mix(foldSeed, count);
    this.#prefixLeft = limits.prefixWords;
    this.beginning = 0;
    this.place = -1;
    this.#skips = skips;
  }

  #add(index: number, kind: number, exact: number, fold: number): void {
    const word = kind === HARD || kind === FIXED;
    if (kind < FIXED && (!word || this.#prefixLeft <= 0)) return;
    if (this.#skips && kind !== STATUS) {
      this.#skips = false;
      if (kind === HARD) {
        this.place = index;
        return;
      }
    }
    if (word) this.#prefixLeft--;
    if (this.beginning === 0 && kind !== STATUS) this.beginning = beginningOf(index, this.#list.head[index]!);
    this.exact = mix(mix(this.exact, index), exact);
    this.fold = mix(mix(this.fold, index), fold);
  }

  #end(): void {
    this.exact = avalanche(this.exact);
    this.fold = avalanche(this.fold);
  }
}

/** Never 0. */
function beginningOf(index: number, head: number): number {
  return mix(head, index) | 1;
}
