/** What a JSON string says (RFC 8259, section 7). The strings have been gone over before: their escapes are legal. */

const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
/** What half a surrogate pair becomes, as in every UTF-8 encoder. */
const REPLACEMENT = 0xfffd;
/** The character behind a backslash → what it stands for; `"`, `\` and `/` stand for themselves. */
const ESCAPED: Readonly<Record<number, number>> = { 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9 };

/**
 * Writes the UTF-8 of the string in `from[start, end)` to `into`, from `at` on, and returns where it ends. It stops before a character for
 * which there is no room, and before an escape that `end` cuts; as much room as the string is long is always enough. Bytes that are no
 * UTF-8 stay as they are.
 */
export function unescape(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number {
  let pos = start;
  while (pos < end && at < into.length) {
    const byte = from[pos]!;
    if (byte !== BACKSLASH) {
      into[at++] = byte;
      pos++;
      continue;
    }
    if (pos + 1 >= end) break;
    const escape = from[pos + 1]!;
    if (escape !== LOWER_U) {
      into[at++] = ESCAPED[escape] ?? escape;
      pos += 2;
      continue;
    }
    if (pos + 6 > end) break;
    let codePoint = fourHex(from, pos + 2);
    pos += 6;
    if (isHighSurrogate(codePoint) && pos + 6 <= end && from[pos] === BACKSLASH && from[pos + 1] === LOWER_U) {
      const low = fourHex(from, pos + 2);
      if (isLowSurrogate(low)) {
        codePoint = 0x10000 + ((codePoint - 0xd800) << 10) + (low - 0xdc00);
        pos += 6;
      }
    }
    if (isHighSurrogate(codePoint) || isLowSurrogate(codePoint)) codePoint = REPLACEMENT;
    const behind = writeUtf8(codePoint, into, at);
    if (behind < 0) break;
    at = behind;
  }
  return at;
}

/** The same as a string, made of at most `maxBytes` bytes. `escaped`: there is an escape in it. */
export function stringOf(buffer: Buffer, start: number, end: number, escaped: boolean, maxBytes: number): string {
  if (!escaped) return buffer.toString('utf8', start, Math.min(end, start + maxBytes));
  const text = Buffer.allocUnsafe(Math.min(end - start, maxBytes));
  return text.toString('utf8', 0, unescape(buffer, start, end, text, 0));
}

/** -1 when it is not one. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function fourHex(bytes: Uint8Array, at: number): number {
  return (
    (hexDigit(bytes[at]!) << 12) |
    (hexDigit(bytes[at + 1]!) << 8) |
    (hexDigit(bytes[at + 2]!) << 4) |
    hexDigit(bytes[at + 3]!)
  );
}

function isHighSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint < 0xdc00;
}

function isLowSurrogate(codePoint: number): boolean {
  return codePoint >= 0xdc00 && codePoint < 0xe000;
}

/** -1 when there is no room. */
function writeUtf8(codePoint: number, into: Uint8Array, at: number): number {
  const length = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
  if (at + length > into.length) return -1;
  if (length === 1) into[at] = codePoint;
  else {
    let rest = codePoint;
    for (let i = length - 1; i > 0; i--, rest >>= 6) into[at + i] = 0x80 | (rest & 0x3f);
    into[at] = ((0xf00 >> length) & 0xff) | rest;
  }
  return at + length;
}
