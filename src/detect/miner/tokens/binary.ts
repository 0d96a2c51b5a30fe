/**
 * Lines that are no text: a dump, a compressed file, a core amid a log. Their words are chance, so each would make a template.
 *
 * Text has few control characters, and of few kinds: tabs and line ends, colours (ESC), progress bars (BS, BEL), records (SOH, RS, US). Of 100 random bytes ten are
 * control characters, all different.
 */

/** Beginning of a line that is looked at for the first of them; where there is one, for the others. */
const FIRST_LOOK = 32;
const LONGEST_LOOK = 256;
/** So many kinds of control characters are no text. */
const FEWEST_KINDS = 5;
/** A bit for each that counts: not NUL (padding, UTF-16), nor what moves a terminal's cursor (BEL to CR), nor ESC. */
const KINDS = ~((1 << 0) | (0x7f << 7) | (1 << 27));

export function isBinary(bytes: Uint8Array, lineStart: number, lineLimit: number): boolean {
  const start = lineStart | 0;
  let limit = Math.min(lineLimit, start + FIRST_LOOK) | 0;
  let seen = 0;
  let kinds = 0;
  for (let i = start; i < limit; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x20) continue;
    const kind = (1 << byte) & KINDS & ~seen;
    if (kind === 0) continue;
    if (seen === 0) limit = Math.min(lineLimit, start + LONGEST_LOOK) | 0;
    seen |= kind;
    if (++kinds === FEWEST_KINDS) return true;
  }
  return false;
}
