/** The tokens of JSON (RFC 8259): where they end, and what is none. Functions of bytes and positions, no state. */
import { hexDigit } from './text.ts';
import { DecodeError } from '../decode-error.ts';

/** What a value is. */
export const NULL = 1;
export const BOOLEAN = 2;
export const NUMBER = 3;
export const STRING = 4;
export const ARRAY = 5;
export const OBJECT = 6;
export const KIND_NAMES = ['', 'null', 'a boolean', 'a number', 'a string', 'an array', 'an object'];

/** White space, a name or a number longer than this is refused: they are read in one piece. Strings may be of any length. */
export const MAX_TOKEN_BYTES = 262_144;

export const SPACE = 0x20;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const BACKSLASH = 0x5c;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

/** First byte → kind, 0 = no value begins so. */
export const KINDS = new Uint8Array(256);
for (const byte of Buffer.from('-0123456789')) KINDS[byte] = NUMBER;
KINDS[0x6e] = NULL;
KINDS[0x74] = KINDS[0x66] = BOOLEAN;
KINDS[QUOTE] = STRING;
KINDS[OPEN_BRACKET] = ARRAY;
KINDS[OPEN_BRACE] = OBJECT;

const LITERALS: Readonly<Record<number, Buffer>> = {
  0x6e: Buffer.from('null'),
  0x74: Buffer.from('true'),
  0x66: Buffer.from('false'),
};

/** Where the white space from `pos` on ends. @throws {DecodeError} at the end of the text */
export function spaceEnd(bytes: Uint8Array, pos: number): number {
  const most = Math.min(bytes.length, pos + MAX_TOKEN_BYTES);
  const start = pos;
  while (pos < most && isSpace(bytes[pos]!)) pos++;
  if (pos === bytes.length) throw unexpected(bytes, pos);
  if (pos === most) throw tooLong('white space', start);
  return pos;
}

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The first quote, backslash or control character from `pos` on, or `stop`. Four bytes at a time: most of a request is text. */
export function plainEnd(bytes: Uint8Array, view: DataView, pos: number, stop: number): number {
  for (const last = stop - 4; pos <= last; pos += 4) {
    // A byte b is zero exactly when (b - 1) & ~b has its highest bit; below 0x20 when (b - 0x20) & ~b has. Borrows only reach bytes
    // above the first one found.
    const word = view.getInt32(pos, true);
    const quote = word ^ 0x22222222;
    const backslash = word ^ 0x5c5c5c5c;
    const found =
      (((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash) | ((word - 0x20202020) & ~word)) &
      0x80808080;
    if (found !== 0) return pos + ((31 - Math.clz32(found & -found)) >> 3);
  }
  for (; pos < stop; pos++) {
    const byte = bytes[pos]!;
    if (byte === QUOTE || byte === BACKSLASH || byte < SPACE) return pos;
  }
  return pos;
}

/** Where the escape at `pos` ends. @throws {DecodeError} */
export function escapeEnd(bytes: Uint8Array, pos: number): number {
  switch (bytes[pos + 1]) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return pos + 2;
    case 0x75: // u
      for (let i = pos + 2; i < pos + 6; i++) {
        if (i >= bytes.length) throw unexpected(bytes, i);
        if (hexDigit(bytes[i]!) < 0) throw notJson('an illegal escape in a string', i);
      }
      return pos + 6;
    case undefined:
      throw unexpected(bytes, bytes.length);
    default:
      throw notJson('an illegal escape in a string', pos + 1);
  }
}

/** Where the number, true, false or null at `pos` ends. @throws {DecodeError} */
export function scalarEnd(bytes: Uint8Array, pos: number): number {
  const first = bytes[pos]!;
  if (KINDS[first] === NUMBER) return numberEnd(bytes, pos);
  const literal = LITERALS[first];
  if (literal === undefined) throw unexpected(bytes, pos);
  for (let i = 1; i < literal.length; i++) if (bytes[pos + i] !== literal[i]) throw unexpected(bytes, pos + i);
  return pos + literal.length;
}

function numberEnd(bytes: Uint8Array, pos: number): number {
  if (bytes[pos] === 0x2d) pos++;
  if (bytes[pos] === 0x30) pos++;
  else pos = digitsEnd(bytes, pos);
  if (bytes[pos] === 0x2e) pos = digitsEnd(bytes, pos + 1);
  if ((bytes[pos]! | 0x20) === 0x65) {
    pos++;
    if (bytes[pos] === 0x2b || bytes[pos] === 0x2d) pos++;
    pos = digitsEnd(bytes, pos);
  }
  return pos;
}

/** @throws {DecodeError} when there is no digit */
function digitsEnd(bytes: Uint8Array, pos: number): number {
  const most = Math.min(bytes.length, pos + MAX_TOKEN_BYTES);
  const start = pos;
  while (pos < most && bytes[pos]! >= 0x30 && bytes[pos]! <= 0x39) pos++;
  if (pos === start) throw unexpected(bytes, pos);
  if (pos === start + MAX_TOKEN_BYTES) throw tooLong('a number', start);
  return pos;
}

/** What the client wrote is not quoted: it may be a secret. */
export function notJson(problem: string, byteOffset: number): DecodeError {
  return new DecodeError(`not JSON (${problem})`, '', byteOffset);
}

export function unexpected(bytes: Uint8Array, pos: number): DecodeError {
  return pos < bytes.length ? notJson('an unexpected character', pos) : notJson('it ends too early', bytes.length);
}

export function tooLong(what: string, byteOffset: number): DecodeError {
  return notJson(`${what} of more than ${MAX_TOKEN_BYTES} bytes`, byteOffset);
}

export function wrongKind(expected: string, kind: number, path: string): DecodeError {
  return new DecodeError(`expected ${expected}, found ${KIND_NAMES[kind]!}`, path, -1);
}
