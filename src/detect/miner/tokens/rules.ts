/** The tokenizer's small questions about a word or a place in a line. */
import { BACKSLASH, CLASS, DIGIT, HEX_LETTER, JOINER, NEWLINE, QUOTE, SPACE, WORD_MAX } from './bytes.ts';

const LONGEST_ESCAPE = 32;
const SINGLE_QUOTE = 0x27;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const SLASH = 0x2f;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const QUESTION = 0x3f;
const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const OPEN_BRACE = 0x7b;

/** `,.:;!` */
const PUNCTUATION = [0x2c, 0x2e, 0x3a, 0x3b, 0x21];

const FRAME_STARTS = ['at ', 'File ', 'from '].map((start) => Array.from(start, (c) => c.charCodeAt(0)));

/** Where to stop reading; never inside a UTF-8 character. */
export function lineLimit(bytes: Uint8Array, start: number, end: number, maxLineBytes: number): number {
  if (end - start <= maxLineBytes) return end;
  let limit = start + maxLineBytes;
  while (limit > start && (bytes[limit]! & 0xc0) === 0x80) limit--;
  return limit;
}

/** 200, 404: three digits from 100 to 599. */
export function isStatus(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== 3 || bytes[from]! < 0x31 || bytes[from]! > 0x35) return false;
  return CLASS[bytes[from + 1]!] === DIGIT && CLASS[bytes[from + 2]!] === DIGIT;
}

/** An indented line that starts as stack frames do: `at f (`, `File "x", line`, `from x:3`. */
export function isFrame(bytes: Uint8Array, from: number, limit: number): boolean {
  let i = from;
  while (i < limit && CLASS[bytes[i]!] === SPACE) i++;
  if (i === from) return false;
  for (let k = 0; k < FRAME_STARTS.length; k++) if (startsWith(bytes, i, limit, FRAME_STARTS[k]!, 0)) return true;
  return false;
}

/** Whether `bytes[from, to)` begin with a word; `fold` 0x20: in any case. No closures: they would be allocated at every token. */
function startsWith(bytes: Uint8Array, from: number, to: number, word: readonly number[], fold: number): boolean {
  if (from < 0 || to - from < word.length) return false;
  for (let k = 0; k < word.length; k++) if ((bytes[from + k]! | fold) !== word[k]) return false;
  return true;
}

/** Blanks on both sides. */
export function isBare(bytes: Uint8Array, start: number, from: number, to: number, limit: number): boolean {
  return (from === start || CLASS[bytes[from - 1]!] === SPACE) && (to >= limit || CLASS[bytes[to]!] === SPACE);
}

/** As {@link isBare}, or the punctuation of a sentence behind it: nothing says that the word is a value. */
export function isBetweenBlanks(bytes: Uint8Array, start: number, from: number, to: number, limit: number): boolean {
  let end = to;
  while (end < limit && PUNCTUATION.includes(bytes[end]!)) end++;
  return isBare(bytes, start, from, end, limit);
}

/** A `-` with blanks or quotes on both sides. */
export function isAlone(bytes: Uint8Array, start: number, at: number, limit: number): boolean {
  const before = at === start ? SPACE : CLASS[bytes[at - 1]!];
  const after = at + 1 >= limit ? SPACE : CLASS[bytes[at + 1]!];
  return (before === SPACE || before === QUOTE) && (after === SPACE || after === QUOTE);
}

/** `()` behind a blank: a value that is absent; `init()` is a name. */
export function isEmptyGroup(bytes: Uint8Array, start: number, at: number): boolean {
  return at - 2 >= start && bytes[at - 1] === OPEN_PAREN && CLASS[bytes[at - 2]!] === SPACE;
}

/** Past an ANSI sequence such as `ESC [ 31 m`. */
export function afterEscape(bytes: Uint8Array, at: number, limit: number): number {
  const bound = Math.min(limit, at + LONGEST_ESCAPE);
  let i = at + 1;
  if (i < bound && bytes[i] === 0x5b) {
    i++;
    while (i < bound && (bytes[i]! < 0x40 || bytes[i]! > 0x7e)) i++;
    return Math.min(i + 1, limit);
  }
  return i;
}

export function closingQuote(bytes: Uint8Array, at: number, limit: number): number {
  let i = at;
  while (i < limit && CLASS[bytes[i]!] !== QUOTE) i += CLASS[bytes[i]!] === BACKSLASH ? 2 : 1;
  return Math.min(i, limit);
}

/** The sign of a number. */
export function isSign(byte: number): boolean {
  return byte === 0x2d || byte === 0x2b;
}

/** Whether the escape at `at` ends inside a word, or inside a chain of hex groups (`\b:7f`): the shape takes its letter for their first. */
export function splitsWord(bytes: Uint8Array, at: number, limit: number): boolean {
  if (at >= limit || CLASS[bytes[at]!]! > WORD_MAX) return false;
  const next = at + 1 < limit ? CLASS[bytes[at + 1]!]! : SPACE;
  return CLASS[bytes[at]!] === DIGIT || next <= WORD_MAX || (CLASS[bytes[at]!] === HEX_LETTER && next === JOINER);
}

const FAILURES = ['exception', 'error', 'throwable', 'fault'].map((word) => Array.from(word, (c) => c.charCodeAt(0)));

/**
 * A path, or a word with a dot inside, that ends at `to`: a file, a unit, a host, the full name of a class. The name of an exception says what happened.
 */
export function isName(bytes: Uint8Array, to: number, dots: number, slashes: number): boolean {
  if (slashes === 0 && dots === 0) return false;
  for (let k = 0; k < FAILURES.length; k++)
    if (startsWith(bytes, to - FAILURES[k]!.length, to, FAILURES[k]!, 0x20)) return false;
  return true;
}

/** A word alone in brackets: where a line begins so, it names a thread or a user. */
export function isContext(bytes: Uint8Array, from: number, to: number, limit: number): boolean {
  if (from === 0 || to >= limit) return false;
  const open = bytes[from - 1]!;
  return (open === OPEN_PAREN && bytes[to] === CLOSE_PAREN) || (open === OPEN_BRACKET && bytes[to] === CLOSE_BRACKET);
}

/** Only blanks between two tokens. */
export function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (CLASS[bytes[i]!] !== SPACE) return false;
  return true;
}

/** A quote that opens at `at` opens a value: `user "x"`, `as: "x"`, `"-" "x"`; behind a bracket or a dash stands the message itself. */
export function mayQuote(bytes: Uint8Array, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && CLASS[bytes[before]!] === SPACE) before--;
  if (before < 0) return false;
  const byte = bytes[before]!;
  const kind = CLASS[byte]!;
  return (
    kind <= WORD_MAX || kind === QUOTE || byte === COLON || byte === COMMA || byte === OPEN_PAREN || byte === EQUALS
  );
}

/** A quoted word at `from` may be the name of a field: its quote opens behind `{` or `,`, or begins the line. */
export function mayQuoteName(bytes: Uint8Array, lineStart: number, from: number): boolean {
  let before = from - 2;
  while (before >= lineStart && CLASS[bytes[before]!]! >= SPACE && CLASS[bytes[before]!]! <= NEWLINE) before--;
  return before < lineStart || bytes[before] === OPEN_BRACE || bytes[before] === COMMA;
}

/** A word in capitals and one blank stand before the path at `from`: `GET /cart`. */
export function followsMethod(bytes: Uint8Array, start: number, from: number): boolean {
  let i = (from > start && bytes[from - 1] === SLASH ? from - 1 : from) - 1;
  if (i <= start || CLASS[bytes[i]!] !== SPACE) return false;
  const end = i--;
  while (i >= start && bytes[i]! >= 0x41 && bytes[i]! <= 0x5a) i--;
  return end - i > 2;
}

/** Where the query ends that a `?` at `at` opens behind a path: at a blank, a quote or a bracket; 0 when there is none. */
export function queryEnd(bytes: Uint8Array, at: number, limit: number): number {
  let i = at + 1;
  while (i < limit && isQueryByte(bytes[i]!)) i++;
  while (i > at + 1 && CLASS[bytes[i - 1]!]! > WORD_MAX) i--;
  return i === at + 1 ? 0 : i;
}

function isQueryByte(byte: number): boolean {
  const kind = CLASS[byte]!;
  if (kind <= JOINER) return byte !== SINGLE_QUOTE;
  return byte === AMPERSAND || byte === EQUALS || byte === SEMICOLON || byte === COMMA || byte === QUESTION;
}
