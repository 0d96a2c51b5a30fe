/**
 * Which templates of a full leaf share enough words with a line to be compared with it: all are asked at once, a bit for each.
 *
 *     buckets   3: 0110   7: 0100   …      templates that have a word of this bucket at its place
 *     line      words in 3 and 7     ->    1 or more: 0110   2 or more: 0100   …
 *
 * Never wrong about a template that is similar: a word that the line has is in the bucket that the template's is in.
 */
import type { Leaf } from './cluster.ts';
import { isWord, SOFT } from '../tokens/kinds.ts';
import type { TokenList } from '../tokens/token-list.ts';

/** Of lines that need hundreds of words to be told apart, and of others: words chosen at random seldom meet in one. */
const MANY_BUCKETS = 2048;
const BUCKETS = 128;
/** So many places are asked for with the fewer buckets. */
const FEW_PLACES = 16;
/** Words in common that are counted; hardly a line has four by chance. */
const MOST = 4;

// A module's own constants are folded into hot code, imported ones are loaded at every use.
const soft = SOFT;

export class LeafFilter {
  /** Version of the leaf that it was made of. */
  #version = -1;
  #parts = 0;
  /** Tokens from the first that are looked at, see {@link LeafFilter.#refresh}. */
  #places = 0;
  #buckets = 0;
  /** Bits of 32 templates, for each bucket; then those of the next 32. */
  #masks = new Int32Array(0);
  /** The same for 0 to {@link MOST}: templates that need so many words. */
  #needs = new Int32Array(0);
  /** Those that need a closer look. */
  passing = new Int32Array(0);

  /** Asks for a line. */
  look<Pane>(leaf: Leaf<Pane>, line: TokenList, similarity: number): void {
    if (this.#version !== leaf.version) this.#refresh(leaf, similarity);
    const masks = this.#masks;
    const buckets = this.#buckets | 0;
    const places = this.#places | 0;
    const { exact, fold, kind } = line;
    let softCount = 0;
    for (let i = 0; i < places; i++) if (kind[i] === soft) softCount++;
    for (let part = 0; part < this.#parts; part++) {
      const first = buckets * part;
      let one = 0;
      let two = 0;
      let three = 0;
      let four = 0;
      for (let i = 0; i < places; i++) {
        const mask = masks[first + (bucketOf(exact[i]!, fold[i]!, i) & (buckets - 1))]!;
        four |= three & mask;
        three |= two & mask;
        two |= one & mask;
        one |= mask;
      }
      let near = 0;
      for (let need = 0; need <= MOST; need++) {
        // A single-word value of the line is no miss.
        const left = need - softCount;
        const enough = left <= 0 ? -1 : left === 1 ? one : left === 2 ? two : left === 3 ? three : four;
        near |= this.#needs[(MOST + 1) * part + need]! & enough;
      }
      this.passing[part] = near;
    }
  }

  /**
   * Of a template, so many words are looked at as may miss, and {@link MOST} more: a line that is similar has those in common with it, wherever it
   * differs. Of lines with a hundred words that is a third.
   */
  #refresh<Pane>({ candidates, version }: Leaf<Pane>, similarity: number): void {
    const parts = (candidates.length + 31) >>> 5;
    this.#places = 0;
    for (const candidate of candidates) {
      const { lanes } = candidate;
      let left = mostMisses(candidate.words, similarity) + MOST;
      let i = 0;
      for (; 3 * i < lanes.length && left > 0; i++) if (isWord(lanes[3 * i + 2]!)) left--;
      this.#places = Math.max(this.#places, i);
    }
    this.#buckets = this.#places > FEW_PLACES ? MANY_BUCKETS : BUCKETS;
    if (this.#masks.length < this.#buckets * parts) this.#masks = new Int32Array(this.#buckets * parts);
    else this.#masks.fill(0);
    if (this.passing.length < parts) {
      this.#needs = new Int32Array((MOST + 1) * parts);
      this.passing = new Int32Array(parts);
    } else this.#needs.fill(0);
    this.#parts = parts;
    this.#version = version;
    for (let k = 0; k < candidates.length; k++) {
      const { lanes, words } = candidates[k]!;
      const bit = 1 << k;
      const part = k >>> 5;
      const misses = mostMisses(words, similarity);
      let asked = 0;
      for (let i = 0; 3 * i < lanes.length && asked < misses + MOST; i++) {
        if (!isWord(lanes[3 * i + 2]!)) continue;
        const bucket = bucketOf(lanes[3 * i]!, lanes[3 * i + 1]!, i) & (this.#buckets - 1);
        this.#masks[this.#buckets * part + bucket]! |= bit;
        asked++;
      }
      this.#needs[(MOST + 1) * part + Math.max(0, asked - misses)]! |= bit;
    }
  }
}

/** Of a template's words, that a similar line does not have: equal ≥ similarity · (equal + misses) and equal ≤ words − misses. */
function mostMisses(words: number, similarity: number): number {
  return Math.floor(words * (1 - similarity) + 1e-9);
}

/** Templates and lines are compared place by place. Of both lanes: words with one of them in common can be had, see `bench/miner-lines.ts`. */
function bucketOf(exact: number, fold: number, place: number): number {
  return (exact ^ fold) + 37 * place;
}
