/**
 * The shape of a line: its bytes with every number, and every word that counts as an id, taken out. Lines of one shape have the same tokens
 * (but for the few numbers that mean something: see {@link ShapeCache}), so a shape seen before needs no tokenizer.
 *
 *     took 12ms for host-7 from 10.0.0.7   ->   `took ` number ` for host-` number ` from ` number of 4 groups
 *     req-3fa85f64-5717-4562-b3fc-2c963f66afa6 by ea83bf1c   ->   `req-` chain ` by ` id
 *
 * What is between two numbers is hashed four bytes at a time, counted from its own beginning, so that the width of a number does not matter.
 */
import { CLASS, DIGIT, HEX_LETTER, JOINER, WORD_MAX } from './bytes.ts';
import { avalanche } from './hash.ts';
import { isDigitsId } from './ids.ts';
import { GROUP, mayEndGroup, NUMBER, ShapeWords, WITH_LETTERS } from './shape-words.ts';

// V8 folds a module's own constants into the code but loads imported ones at every use.
const classOf = CLASS;
const wordMax = WORD_MAX;
const digitClass = DIGIT;
const hexLetter = HEX_LETTER;
const joinerClass = JOINER;
const number = NUMBER;
const group = GROUP;
const withLetters = WITH_LETTERS;

const PRIME_A = 0x9e3779b1 | 0;
const PRIME_B = 0x85ebca6b | 0;

/** Longer lines go straight to the tokenizer. */
export const MAX_SHAPE_BYTES = 4096;

/** What ends a stretch of bytes: this, or what `ShapeWords` says. */
const LINE_END = 0;
/** All but {@link GROUP}s and {@link WITH_LETTERS}. */
const KIND = 7;
const HIGH = 0x80808080 | 0;
const BLANK = 0x20;
const DASH = 0x2d;
const COLON = 0x3a;

export class Shape {
  /** Two lanes over the shape. */
  a = 0;
  b = 0;
  /** Numbers that are words of their own, groups like 10.0.0.7:80 as one. */
  runCount = 0;
  readonly runStart = new Int32Array(MAX_SHAPE_BYTES / 2 + 1);
  readonly runEnd = new Int32Array(MAX_SHAPE_BYTES / 2 + 1);
  readonly #seedA: number;
  readonly #seedB: number;
  #bytes: Uint8Array | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));

  readonly #words = new ShapeWords();

  constructor(seed: number) {
    this.#seedA = avalanche(seed ^ PRIME_A);
    this.#seedB = avalanche(seed ^ PRIME_B);
  }

  /** Reads the line `bytes[lineStart, lineEnd)` of at most {@link MAX_SHAPE_BYTES}. */
  read(bytes: Uint8Array, lineStart: number, lineEnd: number): void {
    // Arguments are any value to the compiler; without this every step of the loops converts them, at twice the cost.
    const start = lineStart | 0;
    const end = lineEnd | 0;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const view = this.#view;
    /** Last place where four bytes of the line can be loaded. */
    const last = end - 4;
    let a = this.#seedA | 0;
    let b = this.#seedB | 0;
    let from = start;
    let i = start;
    /** The lanes at `from`. */
    let fromA = a;
    let fromB = b;
    let runCount = 0;
    const words = this.#words;
    words.begin(start);
    for (;;) {
      let four = 0;
      let digits = 0;
      for (; i <= last; i += 4) {
        four = view.getInt32(i, true);
        // The high bit of every byte that is 0x30 to 0x39; above the lowest there may be false ones.
        const x = four ^ 0x30303030;
        digits = ((x - 0x0a0a0a0a) | 0) & ~x & HIGH;
        if (digits !== 0) break;
        a = Math.imul(a ^ four, PRIME_A);
        a ^= a >>> 15;
        b = Math.imul((b + four) | 0, PRIME_B);
        b = (b << 13) | (b >>> 19);
      }
      if (digits === 0) {
        four = 0;
        for (let k = end - 1; k >= i; k--) four = (four << 8) | bytes[k]!;
        const x = four ^ 0x30303030;
        digits = ((x - 0x0a0a0a0a) | 0) & ~x & HIGH;
      }
      let digit = end;
      let to = end;
      let next = end;
      let tag = LINE_END;
      if (digits !== 0) {
        digit = to = i + ((31 - Math.clz32(digits & -digits)) >>> 3);
        const before = digit === from ? BLANK : bytes[digit - 1]!;
        if (classOf[before]! > wordMax) {
          tag = number;
          next = digit + 1;
          /** It is more than digits: what it is takes another look. */
          let letters = 0;
          let odd = (before === COLON || before === DASH) && digit > from + 1 && mayEndGroup(bytes[digit - 2]!);
          for (;;) {
            // Four at a time, so that the number of digits costs no mispredicted branch.
            while (next <= last) {
              const x = view.getInt32(next, true) ^ 0x30303030;
              const others = (((x & 0x7f7f7f7f) + 0x76767676) | 0 | x) & HIGH;
              if (others !== 0) {
                next += (31 - Math.clz32(others & -others)) >>> 3;
                break;
              }
              next += 4;
            }
            if (next > last) while (next < end && classOf[bytes[next]!] === digitClass) next++;
            if (next >= end) break;
            let kind = classOf[bytes[next]!]!;
            if (kind <= wordMax) {
              if (kind === hexLetter) {
                odd = true;
                break;
              }
              // A unit, or what stands between a date and a time.
              do {
                letters |= kind;
                if (++next >= end) break;
                kind = classOf[bytes[next]!]!;
              } while (kind <= wordMax);
              if (tag === number && isDigitsId(bytes, digit, letters)) {
                odd = true;
                break;
              }
            }
            if (kind !== joinerClass || next + 1 >= end) break;
            const behind = bytes[next + 1]!;
            if (classOf[behind] !== digitClass) {
              if (mayEndGroup(behind)) odd = true;
              break;
            }
            tag += group;
            next += 2;
          }
          if (odd || (letters & hexLetter) !== 0) {
            words.from = from;
            next = words.number(view, bytes, digit, next, tag, letters, end) | 0;
            to = words.to | 0;
            tag = words.tag | 0;
          } else if (letters !== 0) tag |= withLetters;
          if ((tag & KIND) === number) {
            this.runStart[runCount] = digit;
            this.runEnd[runCount++] = next;
          }
        } else {
          words.from = from;
          next = words.word(view, bytes, digit, end) | 0;
          to = words.to | 0;
          tag = words.tag | 0;
        }
        if (to !== digit) {
          if (to < i) {
            i = from;
            a = fromA;
            b = fromB;
          }
          for (; i + 4 <= to; i += 4) {
            four = view.getInt32(i, true);
            a = Math.imul(a ^ four, PRIME_A);
            a ^= a >>> 15;
            b = Math.imul((b + four) | 0, PRIME_B);
            b = (b << 13) | (b >>> 19);
          }
          four = 0;
          for (let k = to - 1; k >= i; k--) four = (four << 8) | bytes[k]!;
        }
        four &= (1 << ((to - i) << 3)) - 1;
      }
      // The last bytes of the stretch, at most three, and the mark, spread so that the next bytes cannot undo it in both lanes.
      const mark = ((to - from) << 16) + tag;
      a = Math.imul(a ^ four, PRIME_A);
      a = ((a ^ (a >>> 15)) + Math.imul(mark, PRIME_B)) | 0;
      b = Math.imul((b + four) | 0, PRIME_B);
      b = ((b << 13) | (b >>> 19)) ^ Math.imul(mark, PRIME_A);
      if (digit >= end) break;
      from = i = next;
      fromA = a;
      fromB = b;
    }
    this.runCount = runCount;
    this.a = avalanche(a);
    this.b = avalanche(b);
  }
}
