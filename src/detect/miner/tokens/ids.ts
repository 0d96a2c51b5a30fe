/**
 * Which words are ids. The shape of a line and the tokenizer ask the same questions here, so that lines of one shape have the same tokens; and what
 * an id happens to hold (a digit or a letter first, a group without digits) makes no other shape.
 */
import { CLASS, DIGIT, HEX_LETTER, PAIR, SPACE, WORD_MAX } from './bytes.ts';

// V8 folds a module's own constants into the code but loads imported ones at every use.
const classOf = CLASS;
const pairOf = PAIR;
const wordMax = WORD_MAX;
const digitClass = DIGIT;
const spaceClass = SPACE;

/** Longer words of ASCII letters are base64 and the like. */
export const LONGEST_ASCII_WORD = 40;
const DASH = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const LOWER_X = 0x78;

/**
 * A word with a letter first and digits in it that nobody would write as a name. `C99` is one where `C100000` is: a counter that grows makes no other
 * template.
 */
export function isId(bits: number, digits: number, turns: number, length: number): boolean {
  if ((bits & ~(HEX_LETTER | DIGIT)) === 0 && (isHexId(bits, length) || digits === length - 1)) return true;
  return turns > 2 || (turns === 2 && digits > 2) || length > LONGEST_ASCII_WORD;
}

/** Such a word of hex digits, whatever they are. */
export function isHexId(bits: number, length: number): boolean {
  return (bits & ~(HEX_LETTER | DIGIT)) === 0 && length >= 6;
}

/** The same with a digit first: `7ac852`, `0xff`; `12ms` is a number. `letters`: the classes of what stands behind its first digits. */
export function isDigitsId(bytes: Uint8Array, from: number, letters: number): boolean {
  return (letters & digitClass) !== 0 || (bytes[from] === ZERO && bytes[from + 1] === LOWER_X);
}

/** Shorter ones, and those of fewer groups, are words and numbers. */
const FEWEST_GROUPS = 3;
const SHORTEST_CHAIN = 11;
const HEX = HEX_LETTER | DIGIT;

/**
 * Groups of hex digits that `-`, `:` or `::` hold together, letters and digits among them: a UUID, a MAC or IPv6 address. It is one id, whichever of
 * its groups happen to hold a digit.
 *
 * @param word the first byte of one
 * @returns its end; where the groups end, negative, when it is none: no later group of them begins one either
 */
export function chainEnd(bytes: Uint8Array, word: number, lineLimit: number): number {
  const from = word | 0;
  const limit = lineLimit | 0;
  let bits = 0;
  let groups = 0;
  let end = from;
  let i = from;
  for (;;) {
    let group = 0;
    let kind = spaceClass;
    while (i < limit && ((kind = classOf[bytes[i]!]!) & ~HEX) === 0) {
      group |= kind;
      i++;
    }
    if (group === 0 || (i < limit && kind <= wordMax)) break;
    bits |= group;
    groups++;
    end = i;
    if (i >= limit || !isJoint(bytes[i]!)) break;
    if (isDoubleColon(bytes, i, limit)) i++;
    i++;
  }
  return bits === HEX && groups >= FEWEST_GROUPS && end - from >= SHORTEST_CHAIN ? end : -end;
}

/** Length of `3fa85f64-5717-4562-b3fc-2c963f66afa6`. */
export const UUID = 36;

/** What most chains are: {@link chainEnd} without a branch a byte. */
export function isUuid(line: DataView, word: number, lineEnd: number): boolean {
  const at = word | 0;
  const end = lineEnd | 0;
  if (at + UUID > end || line.getUint8(at + 8) !== DASH || line.getUint8(at + 13) !== DASH) return false;
  if (line.getUint8(at + 18) !== DASH || line.getUint8(at + 23) !== DASH) return false;
  if (
    (fourHex(line, at) |
      fourHex(line, at + 4) |
      fourHex(line, at + 9) |
      fourHex(line, at + 14) |
      fourHex(line, at + 19) |
      fourHex(line, at + 24) |
      fourHex(line, at + 28) |
      fourHex(line, at + 32)) !==
    HEX
  )
    return false;
  if (at + UUID >= end) return true;
  const behind = line.getUint8(at + UUID);
  return classOf[behind]! > wordMax && !isJoint(behind);
}

/** Classes of four bytes. */
function fourHex(line: DataView, at: number): number {
  const four = line.getInt32(at, true);
  return pairOf[four & 0xffff]! | pairOf[four >>> 16]!;
}

/** Holds the groups of a chain together: a word without one beside it is no group. */
export function isJoint(byte: number): boolean {
  return byte === DASH || byte === COLON;
}

export function isDoubleColon(bytes: Uint8Array, at: number, limit: number): boolean {
  return bytes[at] === COLON && at + 1 < limit && bytes[at + 1] === COLON;
}

/** Where the groups begin that {@link chainEnd} would read past the word at `word`: at `from` or behind it. */
export function chainStart(bytes: Uint8Array, word: number, from: number): number {
  let start = word;
  for (;;) {
    let joiner = start - 1;
    if (joiner <= from || !isJoint(bytes[joiner]!)) return start;
    if (isDoubleColon(bytes, joiner - 1, start)) joiner--;
    let i = joiner;
    while (i > from && (classOf[bytes[i - 1]!]! & ~HEX) === 0) i--;
    if (i === joiner || (i > from && classOf[bytes[i - 1]!]! <= wordMax)) return start;
    start = i;
  }
}

/** The word with a digit first is no id. */
export function isNumber(bytes: Uint8Array, from: number, limit: number): boolean {
  let letters = 0;
  let i = from;
  while (i < limit && classOf[bytes[i]!] === digitClass) i++;
  for (; i < limit && classOf[bytes[i]!]! <= wordMax; i++) letters |= classOf[bytes[i]!]!;
  return !(letters !== 0 && isDigitsId(bytes, from, letters)) && chainEnd(bytes, from, limit) <= 0;
}
