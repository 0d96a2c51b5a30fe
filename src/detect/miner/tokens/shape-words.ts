/**
 * What a word with digits is to the shape of its line, where digits are not all of it: a number with letters, an id, a chain of hex groups.
 */
import { CLASS, DIGIT, HEX_LETTER, JOINER, LETTER, PAIR, PAIR_MAX, SPACE, WIDE, WORD_MAX } from './bytes.ts';
import { chainEnd, chainStart, isDigitsId, isHexId, isId, isJoint, isUuid, LONGEST_ASCII_WORD, UUID } from './ids.ts';

// V8 folds a module's own constants into the code but loads imported ones at every use.
const classOf = CLASS;
const pairOf = PAIR;
const pairMax = PAIR_MAX;
const wordMax = WORD_MAX;
const digitClass = DIGIT;
const hexLetter = HEX_LETTER;
const joinerClass = JOINER;
const spaceClass = SPACE;
const uuidLength = UUID;
const longestWord = LONGEST_ASCII_WORD;

export const NUMBER = 1;
const NUMBER_AFTER_HEAD = 2;
const ID = 3;
const LITERAL = 4;
const CHAIN = 5;
/** Beside {@link NUMBER}: it has letters no hex digit is. */
export const WITH_LETTERS = 8;
/** The same, for each group behind the first. */
export const GROUP = 16;

const NOT_HEX = ~(HEX_LETTER | DIGIT);
const NO_HEX = LETTER | WIDE;
/** Beside the classes of letters: what stands before or behind may be a group of hex digits, too. */
const MAY_CHAIN = 64;
const CHAINS = HEX_LETTER | MAY_CHAIN;
const BLANK = 0x20;
const DASH = 0x2d;
const COLON = 0x3a;

export class ShapeWords {
  /** Where the stretch of bytes before the word begins. */
  from = 0;
  /** What the word read last is, and where that begins: the stretch before it ends there. */
  tag = 0;
  to = 0;
  /** No chain of hex groups begins before here. */
  #noChainBefore = 0;

  begin(lineStart: number): void {
    this.#noChainBefore = lineStart;
  }

  /** A word that begins with digits, at `digit`, and holds letters or stands beside some. Returns where it or the number that it begins ends. */
  number(
    view: DataView,
    bytes: Uint8Array,
    firstDigit: number,
    at: number,
    groups: number,
    lettersBefore: number,
    lineEnd: number,
  ): number {
    const digit = firstDigit | 0;
    const end = lineEnd | 0;
    const last = end - 4;
    const from = this.from | 0;
    this.to = digit;
    if (digit + uuidLength <= end && bytes[digit + 8] === DASH && this.#isUuid(view, bytes, digit, from, end)) {
      this.tag = CHAIN;
      return digit + uuidLength;
    }
    const before = digit === from ? BLANK : bytes[digit - 1]!;
    /** Classes of what is no digit, or is one behind a letter. */
    let letters = lettersBefore | 0;
    let tag = groups | 0;
    let next = at | 0;
    for (;;) {
      let kind = next < end ? classOf[bytes[next]!]! : spaceClass;
      if (kind <= wordMax) {
        letters |= kind;
        next++;
        if (next <= last) {
          let four = view.getInt32(next, true);
          let bits = pairOf[four & 0xffff]! | pairOf[four >>> 16]!;
          if (bits <= pairMax) {
            next = digit + ((next - digit) & ~3);
            do {
              letters |= bits;
              next += 4;
              if (next > last) break;
              four = view.getInt32(next, true);
              bits = pairOf[four & 0xffff]! | pairOf[four >>> 16]!;
            } while (bits <= pairMax);
          }
        }
        while (next < end && (kind = classOf[bytes[next]!]!) <= wordMax) {
          letters |= kind;
          next++;
        }
      }
      if (tag === NUMBER && isDigitsId(bytes, digit, letters)) {
        tag = ID;
        break;
      }
      if (kind !== joinerClass || next + 1 >= end) break;
      const behind = bytes[next + 1]!;
      if (classOf[behind] !== digitClass) {
        if (mayEndGroup(behind)) letters |= MAY_CHAIN;
        break;
      }
      tag += GROUP;
      next += 2;
      while (next < end && classOf[bytes[next]!] === digitClass) next++;
    }
    if ((before === COLON || before === DASH) && digit > from + 1 && mayEndGroup(bytes[digit - 2]!))
      letters |= MAY_CHAIN;
    if (tag !== ID && (letters & NO_HEX) !== 0) tag |= WITH_LETTERS;
    if (
      (letters & CHAINS) !== 0 &&
      digit >= this.#noChainBefore &&
      (tag >= GROUP || isJoint(before) || (next < end && isJoint(bytes[next]!)))
    ) {
      const chain = this.#chain(bytes, digit, end) | 0;
      if (chain > 0) {
        this.tag = CHAIN;
        return chain;
      }
    }
    this.tag = tag;
    return next;
  }

  /** A word that begins with letters and holds digits, the first at `digit`. Returns its end. */
  word(view: DataView, bytes: Uint8Array, firstDigit: number, lineEnd: number): number {
    const digit = firstDigit | 0;
    const end = lineEnd | 0;
    const from = this.from | 0;
    let word = digit - 1;
    while (word > from && classOf[bytes[word - 1]!]! <= wordMax) word--;
    if (word + uuidLength <= end && bytes[word + 8] === DASH && this.#isUuid(view, bytes, word, from, end)) {
      this.to = word;
      this.tag = CHAIN;
      return word + uuidLength;
    }
    let bits = 0;
    let kind = 0;
    let next = word;
    for (; next <= end - 4; next += 4) {
      const four = view.getInt32(next, true);
      const classes = pairOf[four & 0xffff]! | pairOf[four >>> 16]!;
      if (classes > pairMax) break;
      bits |= classes;
    }
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
        this.tag = CHAIN;
        return chain;
      }
    }
    // Of what is an id by these alone, digits need not be counted.
    if (isHexId(bits, next - word) || next - word > longestWord) {
      this.tag = ID;
      this.to = word;
      return next;
    }
    let digits = 0;
    let turns = 0;
    let previous = 0;
    // With more than two turns it is an id.
    for (let k = digit; k < next && turns <= 2; k++) {
      kind = classOf[bytes[k]!]!;
      turns += ((kind ^ previous) & digitClass) >>> 2;
      previous = kind;
      digits += (kind & digitClass) >>> 2;
    }
    this.to = digit;
    if (isId(bits, digits, turns, next - word)) {
      this.tag = ID;
      this.to = word;
    } else if (turns === 1 && (digits > 1 || next - word < 3)) {
      this.tag = NUMBER_AFTER_HEAD;
    } else {
      this.tag = LITERAL;
      this.to = next;
    }
    return next;
  }

  #isUuid(view: DataView, bytes: Uint8Array, word: number, from: number, end: number): boolean {
    return (
      isUuid(view, word, end) && !(word > from && isJoint(bytes[word - 1]!) && chainStart(bytes, word, from) !== word)
    );
  }

  /** The end of the chain of hex groups that the word at `word` belongs to, 0 or less when it belongs to none. */
  #chain(bytes: Uint8Array, word: number, end: number): number {
    const start = chainStart(bytes, word, this.from);
    const chain = chainEnd(bytes, start, end);
    if (chain > 0) this.to = start;
    else this.#noChainBefore = -chain;
    return chain;
  }
}

/** Beside the joiner of a number: a letter of a hex group, or the second half of `::`. */
export function mayEndGroup(byte: number): boolean {
  return classOf[byte] === hexLetter || byte === COLON;
}
