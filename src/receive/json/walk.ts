/** Steps through the objects and arrays of OTLP/JSON: what a reader calls to get to the members it knows. */
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  isSpace,
  KIND_NAMES,
  KINDS,
  MAX_TOKEN_BYTES,
  notJson,
  NULL,
  OBJECT,
  OPEN_BRACE,
  OPEN_BRACKET,
  plainEnd,
  QUOTE,
  scalarEnd,
  tooLong,
  unexpected,
  wrongKind,
} from './lex.ts';
import { Spelling, type Names } from './names.ts';
import { BEFORE_TEXT, STRING_VALUE, type JsonScanner } from './scan.ts';
import { unescape } from './text.ts';
import { keyBucket } from '../key-table.ts';

/** Answers of {@link nextName} beside the places of known names. */
export const END = -1;
export const UNKNOWN = -2;

/**
 * Of a map, an array, a resource or a text with escapes so much JSON is read, in one piece: half a millisecond of most, 2 of nothing but braces,
 * commas and escapes. It has been checked to its end before.
 */
export const MAX_REVISITED_BYTES = 65_536;

/** Nearly every KeyValue is written so, up to its value. */
const KEY_HEAD = new Spelling('{"key":"');
const VALUE_HEAD = new Spelling('","value":');

/**
 * Enters an OBJECT or ARRAY.
 * @returns false when it is null instead, which is then behind us
 * @throws {DecodeError} when it is something else
 */
export function enter(scan: JsonScanner, kind: number, path: string): boolean {
  const byte = scan.next();
  if (byte === (kind === OBJECT ? OPEN_BRACE : OPEN_BRACKET)) {
    scan.pos++;
    scan.isFresh = true;
    return true;
  }
  const found = KINDS[byte]!;
  if (found === 0) throw unexpected(scan.bytes, scan.pos);
  if (found !== NULL) throw wrongKind(KIND_NAMES[kind]!, found, path);
  scan.pos = scalarEnd(scan.bytes, scan.pos);
  return false;
}

/** Steps to the next member of the object that was entered: which of `names` it is, UNKNOWN, or END, which leaves the object. */
export function nextName(scan: JsonScanner, names: Names): number {
  if (scan.isCut && scan.pos >= scan.stop) return END;
  let byte = scan.next();
  if (byte === CLOSE_BRACE) {
    scan.pos++;
    scan.isFresh = false;
    return END;
  }
  if (scan.isFresh) {
    scan.isFresh = false;
    names.restart();
  } else {
    if (byte !== COMMA) throw unexpected(scan.bytes, scan.pos);
    scan.pos++;
    byte = scan.next();
  }
  const { guess } = names;
  if (!guess.isAt(scan.view, scan.pos)) return otherName(scan, names, byte);
  scan.pos += guess.length;
  return names.takeGuess();
}

function otherName(scan: JsonScanner, names: Names, first: number): number {
  if (first !== QUOTE) throw unexpected(scan.bytes, scan.pos);
  const { bytes } = scan;
  const start = scan.pos + 1;
  const most = Math.min(bytes.length, start + MAX_TOKEN_BYTES);
  scan.escaped = false;
  const behind = scan.stringEnd(start, most);
  if (behind < 0) throw tooLong('a name', start);
  scan.pos = behind;
  if (scan.next() !== COLON) throw unexpected(scan.bytes, scan.pos);
  scan.pos++;
  if (!scan.escaped) return names.find(bytes, start, behind - 1, UNKNOWN);
  const name = new Uint8Array(behind - 1 - start);
  return names.find(name, 0, unescape(bytes, start, behind - 1, name, 0), UNKNOWN);
}

/** Steps to the next element of the array that was entered; false when there is none, which leaves the array. */
export function nextElement(scan: JsonScanner): boolean {
  if (scan.isCut && scan.pos >= scan.stop) return false;
  const byte = scan.next();
  if (byte === CLOSE_BRACKET) {
    scan.pos++;
    scan.isFresh = false;
    return false;
  }
  if (scan.isFresh) scan.isFresh = false;
  else {
    if (byte !== COMMA) throw unexpected(scan.bytes, scan.pos);
    scan.pos++;
  }
  return true;
}

/**
 * Goes over a KeyValue that nobody wants.
 * @returns false when it may be wanted, or is not written in the usual way, or does not end before `stop`: nothing was read then
 */
export function skipKeyValue(scan: JsonScanner, heads: Int16Array): boolean {
  const view = scan.view;
  const bytes = scan.bytes;
  const stop = scan.stop;
  const start = scan.pos;
  if (!KEY_HEAD.isAt(view, start)) return false;
  const keyStart = start + KEY_HEAD.length;
  const keyEnd = plainEnd(bytes, view, keyStart, stop);
  if (keyEnd === keyStart || !VALUE_HEAD.isAt(view, keyEnd)) return false;
  if (heads[keyBucket(keyEnd - keyStart, bytes[keyStart]!, bytes[keyEnd - 1]!)] !== -1) return false;
  const valueStart = keyEnd + VALUE_HEAD.length;
  if (!STRING_VALUE.isAt(view, valueStart)) return false;
  const end = plainEnd(bytes, view, valueStart + BEFORE_TEXT, stop);
  if (end + 3 > stop || bytes[end] !== QUOTE || bytes[end + 1] !== CLOSE_BRACE || bytes[end + 2] !== CLOSE_BRACE)
    return false;
  scan.pos = end + 3;
  return true;
}

/**
 * Reads what lies in `[start, end)` once more, its first {@link MAX_REVISITED_BYTES}, and comes back. Where it is cut, in there, every object and array
 * ends, and so does a string.
 */
export function revisit<T>(scan: JsonScanner, start: number, end: number, read: () => T): T {
  const { pos: back } = scan;
  const stop = scan.stop;
  const wasCut = scan.isCut;
  scan.pos = start;
  scan.stop = Math.min(end, start + MAX_REVISITED_BYTES);
  scan.isCut = true;
  scan.forget();
  const result = read();
  scan.forget();
  scan.pos = back;
  scan.stop = stop;
  scan.isCut = wasCut;
  return result;
}

/** @throws {DecodeError} when anything but white space follows */
export function finish(scan: JsonScanner): void {
  const { bytes } = scan;
  const most = Math.min(bytes.length, scan.pos + MAX_TOKEN_BYTES);
  while (scan.pos < most && isSpace(bytes[scan.pos]!)) scan.pos++;
  if (scan.pos < bytes.length) throw notJson('something follows its end', scan.pos);
}
