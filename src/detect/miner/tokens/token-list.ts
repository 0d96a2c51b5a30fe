/** The tokens of one line in flat arrays, and what is made of them: lanes, values of several tokens, stored form. */
import { CLASS, SPACE, WORD_MAX } from './bytes.ts';
import { EXACT_PRIME, FOLD_PRIME, MARK_EXACT, MARK_FOLD, mix } from './hash.ts';
import { FIXED, MASK, SOFT, type Lanes, type Layout, type TokenLimits } from './kinds.ts';
import { byteString } from './layout.ts';
import { LeafKey } from './leaf-key.ts';
import { lineLimit } from './rules.ts';

// V8 folds a module's own constants into the code but loads imported ones at every use: a fifth of a scan, measured.
const classOf = CLASS;
const wordMax = WORD_MAX;
const exactPrime = EXACT_PRIME;
const foldPrime = FOLD_PRIME;
const markExact = MARK_EXACT;
const markFold = MARK_FOLD;

const NUL = 0;
const COMMA = 0x2c;
const SLASH = 0x2f;

/** The tokens of the last line scanned: a scan overwrites the one before, so all sources of a thread share one. */
export class TokenList {
  readonly exact: Int32Array;
  readonly fold: Int32Array;
  readonly kind: Uint8Array;
  /** Exact lane of each token's first word that is no mark. */
  readonly head: Int32Array;
  /** Byte range of each token in the line's buffer. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  count = 0;
  /** Pairs of byte offsets; those of token i start at pair `firstMark[i]`. */
  readonly marks: Int32Array;
  readonly firstMark: Int32Array;
  markCount = 0;
  /** Where reading ended: the bound in bytes or tokens, the line's end, or the end of the top frame. */
  scannedEnd = 0;

  readonly leaf: LeafKey;
  readonly limits: TokenLimits;
  readonly exactSeed: number;
  readonly foldSeed: number;

  constructor(limits: TokenLimits) {
    const { maxTokens, maxLineBytes, hashSeed } = limits;
    this.limits = limits;
    this.exact = new Int32Array(maxTokens);
    this.fold = new Int32Array(maxTokens);
    this.kind = new Uint8Array(maxTokens);
    this.head = new Int32Array(maxTokens);
    this.start = new Int32Array(maxTokens);
    this.end = new Int32Array(maxTokens);
    this.firstMark = new Int32Array(maxTokens + 1);
    this.marks = new Int32Array(2 * maxLineBytes + 4);
    this.exactSeed = hashSeed ^ exactPrime;
    this.foldSeed = hashSeed ^ foldPrime;
    this.leaf = new LeafKey(this);
  }

  /** Copies what a cluster needs of the line just scanned: three allocations, a flood of new lines must stay cheap. */
  capture(bytes: Uint8Array, start: number): Layout {
    const count = this.count;
    const markCount = this.markCount;
    const offsets = new Array<number>(3 * count + 1 + 2 * markCount);
    for (let i = 0; i < count; i++) {
      offsets[3 * i] = this.start[i]! - start;
      offsets[3 * i + 1] = this.end[i]! - start;
      offsets[3 * i + 2] = this.firstMark[i]!;
    }
    offsets[3 * count] = markCount;
    for (let m = 0; m < 2 * markCount; m++) offsets[3 * count + 1 + m] = this.marks[m]! - start;
    return { line: byteString(bytes, start, this.scannedEnd), offsets, count };
  }

  /** Lanes and kinds of the line just scanned, as {@link Lanes}. */
  lanes(): Lanes {
    const count = this.count;
    const lanes: Lanes = new Array<number>(3 * count);
    for (let i = 0; i < count; i++) {
      lanes[3 * i] = this.exact[i]!;
      lanes[3 * i + 1] = this.fold[i]!;
      lanes[3 * i + 2] = this.kind[i]!;
    }
    return lanes;
  }

  /** Both lanes of a stored token, as a scan would compute them; written to `lanes[3 * index]` and the place behind it; its head to {@link head}. */
  hashToken(token: string, lanes: Lanes, index: number): void {
    let head = 0;
    let tokenExact = 0;
    let tokenFold = 0;
    for (let i = 0; i < token.length;) {
      const byte = token.charCodeAt(i);
      if (byte === 0) {
        tokenExact = mix(tokenExact, markExact);
        tokenFold = mix(tokenFold, markFold);
        i++;
      } else if (classOf[byte]! > wordMax) {
        tokenExact = mix(tokenExact, byte);
        tokenFold = mix(tokenFold, byte);
        i++;
      } else {
        let exactLane = this.exactSeed | 0;
        let foldLane = this.foldSeed | 0;
        for (; i < token.length && isWord(token.charCodeAt(i)); i++) {
          exactLane = Math.imul(exactLane ^ token.charCodeAt(i), exactPrime);
          foldLane = Math.imul(foldLane ^ (token.charCodeAt(i) | 0x20), foldPrime);
        }
        if (head === 0) head = exactLane;
        tokenExact = mix(tokenExact, exactLane);
        tokenFold = mix(tokenFold, foldLane);
      }
    }
    this.head[index] = head;
    lanes[3 * index] = tokenExact;
    lanes[3 * index + 1] = tokenFold;
  }

  /** A template that the sender gives: one leaf of its own, found by its whole text. */
  scanGiven(bytes: Uint8Array, start: number, end: number): void {
    this.count = 0;
    this.markCount = 0;
    const limit = lineLimit(bytes, start, end, this.limits.maxLineBytes);
    this.scannedEnd = limit;
    this.leaf.ofGiven(bytes, start, limit);
  }

  /** The token counts as the literal word `bytes[from, to)`. */
  replace(index: number, bytes: Uint8Array, from: number, to: number): void {
    let exact = this.exactSeed | 0;
    let fold = this.foldSeed | 0;
    for (let i = from; i < to; i++) {
      exact = Math.imul(exact ^ bytes[i]!, exactPrime);
      fold = Math.imul(fold ^ (bytes[i]! | 0x20), foldPrime);
    }
    this.head[index] = exact;
    this.exact[index] = mix(0, exact);
    this.fold[index] = mix(0, fold);
  }

  /** Tokens `from` to the last become one value, which may be anything: `"SELECT a FROM b"`, `[a, b, c]`, `1.2 KB`. */
  collapse(from: number, bytes: Uint8Array, start = this.start[from]!, end = this.end[this.count - 1]!): void {
    let mark = this.firstMark[from]!;
    this.start[from] = start;
    let tokenExact = 0;
    let tokenFold = 0;
    for (let i = this.start[from]!; i < end;) {
      if (mark < this.markCount && i >= this.marks[2 * mark]!) {
        i = this.marks[2 * mark++ + 1]!;
        tokenExact = mix(tokenExact, markExact);
        tokenFold = mix(tokenFold, markFold);
      } else if (classOf[bytes[i]!]! > wordMax) {
        tokenExact = mix(tokenExact, bytes[i]!);
        tokenFold = mix(tokenFold, bytes[i++]!);
      } else {
        const stop = mark < this.markCount ? Math.min(end, this.marks[2 * mark]!) : end;
        let exactLane = this.exactSeed | 0;
        let foldLane = this.foldSeed | 0;
        for (; i < stop && classOf[bytes[i]!]! <= wordMax; i++) {
          exactLane = Math.imul(exactLane ^ bytes[i]!, exactPrime);
          foldLane = Math.imul(foldLane ^ (bytes[i]! | 0x20), foldPrime);
        }
        tokenExact = mix(tokenExact, exactLane);
        tokenFold = mix(tokenFold, foldLane);
      }
    }
    this.exact[from] = tokenExact;
    this.fold[from] = tokenFold;
    this.end[from] = end;
    this.kind[from] = SOFT;
    this.count = from + 1;
  }

  /** Whether there are but marks so far. */
  isMasked(): boolean {
    for (let i = 0; i < this.count; i++) if (this.kind[i] !== MASK) return false;
    return true;
  }

  /** Whether every token from `from` on is a plain word or value: no state, no name of a field. */
  isPlain(from: number): boolean {
    for (let i = from; i < this.count; i++) if (this.kind[i]! >= FIXED) return false;
    return true;
  }

  /** The last token repeats the one before, both end with a mark: an item of a list becomes part of the mark. */
  joinRepeated(bytes: Uint8Array): boolean {
    const last = this.count - 1;
    const before = last - 1;
    if (before < 0 || this.exact[last] !== this.exact[before] || this.fold[last] !== this.fold[before]) return false;
    const mark = this.firstMark[last]! - 1;
    if (mark < this.firstMark[before]! || this.marks[2 * mark + 1] !== this.end[before]) return false;
    if (this.markCount === mark + 1 || this.marks[2 * this.markCount - 1] !== this.end[last]) return false;
    // Numbers that blanks separate may be different things: `12 ms, 3 items`.
    const strict = this.kind[last] === MASK;
    for (let i = this.end[before]!; i < this.start[last]!; i++) {
      const byte = bytes[i]!;
      if (byte !== COMMA && (strict || (byte !== SLASH && classOf[byte] !== SPACE))) return false;
    }
    this.marks[2 * mark + 1] = this.end[last]!;
    this.end[before] = this.end[last]!;
    this.markCount = mark + 1;
    this.count = last;
    return true;
  }

  /** A token without a mark; none when there are too many. */
  push(start: number, end: number, lane: number, kind: number): void {
    if (this.count === this.limits.maxTokens) return;
    const index = this.count++;
    this.exact[index] = lane;
    this.fold[index] = lane;
    this.start[index] = start;
    this.end[index] = end;
    this.kind[index] = kind;
    this.firstMark[index] = this.markCount;
  }
}

function isWord(byte: number): boolean {
  return byte !== NUL && classOf[byte]! <= wordMax;
}
