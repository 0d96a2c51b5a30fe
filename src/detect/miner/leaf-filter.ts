/**
 * Which templates of a full leaf share enough words with a line to be compared with it: all are asked at once, a bit for each.
 *
 *     buckets   3: 0110   7: 0100   …      templates that have a word of this bucket at its place
 *     line      words in 3 and 7     ->    1 or more: 0110   2 or more: 0100   …
 *
 * Never wrong about a template that is similar: a word that the line has is in the bucket that the template's is in.
 */
import type { Leaf } from './cluster.ts';
import { isWord, SOFT } from './kinds.ts';
import type { TokenList } from './token-list.ts';

const BUCKETS = 128;
/** Words in common that are counted; hardly a line has four by chance. */
const MOST = 4;

const soft = SOFT;

export class LeafFilter {
  /** Version of the leaf that it was made of. */
  #version = -1;
  #parts = 0;
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
    const { exact, fold, kind, count } = line;
    let softCount = 0;
    for (let i = 0; i < count; i++) if (kind[i] === soft) softCount++;
    for (let part = 0; part < this.#parts; part++) {
      let one = 0;
      let two = 0;
      let three = 0;
      let four = 0;
      for (let i = 0; i < count; i++) {
        const mask = masks[BUCKETS * part + bucketOf(exact[i]!, fold[i]!, i)]!;
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

  #refresh<Pane>({ candidates, version }: Leaf<Pane>, similarity: number): void {
    const parts = (candidates.length + 31) >>> 5;
    if (parts > this.#parts) {
      this.#masks = new Int32Array(BUCKETS * parts);
      this.#needs = new Int32Array((MOST + 1) * parts);
      this.passing = new Int32Array(parts);
    } else {
      this.#masks.fill(0);
      this.#needs.fill(0);
    }
    this.#parts = parts;
    this.#version = version;
    for (let k = 0; k < candidates.length; k++) {
      const { lanes, words } = candidates[k]!;
      const bit = 1 << k;
      const part = k >>> 5;
      let buckets = 0;
      for (let i = 0; 3 * i < lanes.length; i++) {
        if (!isWord(lanes[3 * i + 2]!)) continue;
        const at = BUCKETS * part + bucketOf(lanes[3 * i]!, lanes[3 * i + 1]!, i);
        if ((this.#masks[at]! & bit) === 0) buckets++;
        this.#masks[at]! |= bit;
      }
      // equal ≥ similarity · (equal + misses) and equal ≤ words − misses; with each word that misses a bucket may.
      const mostMisses = Math.floor(words * (1 - similarity) + 1e-9);
      const need = Math.max(0, Math.min(MOST, buckets - mostMisses));
      this.#needs[(MOST + 1) * part + need]! |= bit;
    }
  }
}

/** Templates and lines are compared place by place. Of both lanes: words with one of them in common can be had, see `bench/miner-lines.ts`. */
function bucketOf(exact: number, fold: number, place: number): number {
  return ((exact ^ fold) + 37 * place) & (BUCKETS - 1);
}
