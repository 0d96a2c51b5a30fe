/**
 * The shape of a line: its bytes with every number, and every word that counts as an id, taken out. Lines of one shape have the same tokens
 * (but for the few numbers that mean something: see {@link ShapeCache}), so a shape seen before needs no tokenizer.
 *
 *     took 12ms for host-7 from 10.0.0.7   ->   `took ` number ` for host-` number ` from ` number of 4 groups
 *     req-3fa85f64-5717-4562-b3fc-2c963f66afa6 by ea83bf1c   ->   `req-` chain ` by ` id
 *
 * What is between two numbers is hashed four bytes at a time, counted from its own beginning, so that the width of a number does not matter.
 */
import { CLASS, DIGIT, HEX_LETTER, JOINER, LETTER, WIDE, WORD_MAX } from './bytes.ts';
import { avalanche } from './hash.ts';
import { chainEnd, chainStart, isDigitsId, isHexId, isId, isJoint, isUuid, UUID } from './ids.ts';

// V8 folds a module's own constants into the code but loads imported ones at every use.
const classOf = CLASS;
const wordMax = WORD_MAX;
const digitClass = DIGIT;
const hexLetter = HEX_LETTER;
const joinerClass = JOINER;

const PRIME_A = 0x9e3779b1 | 0;
const PRIME_B = 0x85ebca6b | 0;

/** Longer lines go straight to the tokenizer. */
export const MAX_SHAPE_BYTES = 4096;

// What ends a stretch of bytes, and the two bits beside it.
const LINE_END = 0;
const NUMBER = 1;
const NUMBER_AFTER_HEAD = 2;
const ID = 3;
const LITERAL = 4;
const CHAIN = 5;
const NOT_HEX = ~(HEX_LETTER | DIGIT);
const NO_HEX = LETTER | WIDE;
/** Beside the classes of letters: what stands before or behind may be a group of hex digits, too. */
const MAY_CHAIN = 64;
const CHAINS = HEX_LETTER | MAY_CHAIN;
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

  // Where the stretch before a word with digits begins, the lanes there, and what such a word is.
  #from = 0;
  #fromA = 0;
  #fromB = 0;
  #to = 0;
  #tag = 0;
  /** No chain of hex groups begins before here. */
  #noChainBefore = 0;

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
    this.runCount = 0;
    this.#noChainBefore = start;
    this.#fromA = a;
    this.#fromB = b;
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
          tag = NUMBER;
          next = digit + 1;
          /** Classes of what is no digit, or is one behind a letter. */
          let letters = 0;
          for (;;) {
            // Digits: four at a time, so that their number costs no mispredicted branch.
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
              do {
                letters |= kind;
                if (++next >= end) break;
                kind = classOf[bytes[next]!]!;
              } while (kind <= wordMax);
              if (tag === NUMBER && isDigitsId(bytes, digit, letters)) {
                tag = ID;
                break;
              }
            }
            if (kind !== joinerClass || next + 1 >= end) break;
            const behind = bytes[next + 1]!;
            if (classOf[behind] !== digitClass) {
              if (mayEndGroup(behind)) letters |= MAY_CHAIN;
              break;
            }
            tag += 16;
            next += 2;
          }
          const run = this.runCount++;
          this.runStart[run] = digit;
          this.runEnd[run] = next;
          if ((before === COLON || before === DASH) && digit > from + 1 && mayEndGroup(bytes[digit - 2]!))
            letters |= MAY_CHAIN;
          if (letters !== 0) {
            if (tag === ID) this.runCount = run;
            else if ((letters & NO_HEX) !== 0) tag |= 8;
            if (
              (letters & CHAINS) !== 0 &&
              digit >= this.#noChainBefore &&
              (tag >= 16 || isJoint(before) || (next < end && isJoint(bytes[next]!)))
            ) {
              this.#from = from;
              const chain = this.#chain(bytes, digit, end) | 0;
              if (chain > 0) {
                tag = CHAIN;
                next = chain;
                to = this.#to | 0;
                this.runCount = run;
              }
            }
          }
        } else {
          this.#from = from;
          next = this.#word(bytes, digit, end) | 0;
          to = this.#to | 0;
          tag = this.#tag | 0;
        }
        if (to !== digit) {
          if (to < i) {
            i = from;
            a = this.#fromA | 0;
            b = this.#fromB | 0;
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
      this.#fromA = a;
      this.#fromB = b;
    }
    this.a = avalanche(a);
    this.b = avalanche(b);
  }

  /** A word that begins with letters and holds digits, the first at `digit`. Returns its end. */
  #word(bytes: Uint8Array, firstDigit: number, lineEnd: number): number {
    const digit = firstDigit | 0;
    const end = lineEnd | 0;
    const from = this.#from | 0;
    let word = digit - 1;
    while (word > from && classOf[bytes[word - 1]!]! <= wordMax) word--;
    let bits = 0;
    for (let k = word; k < digit; k++) bits |= classOf[bytes[k]!]!;
    let kind = 0;
    let next = digit;
    while (next < end && (kind = classOf[bytes[next]!]!) <= wordMax) {
      bits |= kind;
      next++;
    }
    if (
      (bits & NOT_HEX) === 0 &&
      word >= this.#noChainBefore &&
      ((word > from && isJoint(bytes[word - 1]!)) || (next < end && isJoint(bytes[next]!)))
    ) {
      const chain = this.#chain(bytes, word, end);
      if (chain > 0) {
        this.#tag = CHAIN;
        return chain;
      }
    }
    // Of what is an id by these alone, digits need not be counted.
    if (isHexId(bits, next - word)) {
      this.#tag = ID;
      this.#to = word;
      return next;
    }
    let digits = 0;
    let turns = 0;
    let previous = 0;
    for (let k = digit; k < next; k++) {
      kind = classOf[bytes[k]!]!;
      turns += ((kind ^ previous) & digitClass) >>> 2;
      previous = kind;
      digits += (kind & digitClass) >>> 2;
    }
    this.#to = digit;
    if (isId(bits, digits, turns, next - word)) {
      this.#tag = ID;
      this.#to = word;
    } else if (turns === 1 && (digits > 1 || next - word < 3)) {
      this.#tag = NUMBER_AFTER_HEAD;
    } else {
      this.#tag = LITERAL;
      this.#to = next;
    }
    return next;
  }

  /** The end of the chain of hex groups that the word at `word` belongs to, 0 or less when it belongs to none. */
  #chain(bytes: Uint8Array, word: number, end: number): number {
    if (
      isUuid(bytes, word, end) &&
      !(word > this.#from && isJoint(bytes[word - 1]!) && chainStart(bytes, word, this.#from) !== word)
    ) {
      this.#to = word;
      return word + UUID;
    }
    const start = chainStart(bytes, word, this.#from);
    const chain = chainEnd(bytes, start, end);
    if (chain > 0) this.#to = start;
    else this.#noChainBefore = -chain;
    return chain;
  }
}

/** Beside the joiner of a number: a letter of a hex group, or the second half of `::`. */
function mayEndGroup(byte: number): boolean {
  return classOf[byte] === hexLetter || byte === COLON;
}
