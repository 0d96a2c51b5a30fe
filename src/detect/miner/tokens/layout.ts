import { MARK } from './hash.ts';
import { STATUS, type Lanes, type Layout } from './kinds.ts';

/** Punctuation between two words that a template shows at most. */
const LONGEST_SEPARATOR = 24;

/** Bytes as characters of the same value, so that broken UTF-8 survives storing; `latin1` both ways. */
export function byteString(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, to - from)).toString('latin1');
}

/** Token `index` of a line as a byte string, {@link MARK} for every masked part. */
export function tokenOf({ line, offsets, count }: Layout, index: number, kind: number): string {
  let at = offsets[3 * index]!;
  if (kind === STATUS) return `${line[at]!}xx`;
  const to = index + 1 < count ? offsets[3 * index + 5]! : offsets[3 * count]!;
  let text = '';
  for (let m = offsets[3 * index + 2]!; m < to; m++) {
    text += line.slice(at, offsets[3 * count + 1 + 2 * m]!) + MARK;
    at = offsets[3 * count + 2 + 2 * m]!;
  }
  return text + line.slice(at, offsets[3 * index + 1]!);
}

/** All tokens of a line, and what stands before, between and behind them. */
export function readLayout(layout: Layout, lanes: Lanes): { tokens: string[]; separators: string[] } {
  const { line, offsets, count } = layout;
  const tokens: string[] = [];
  const separators: string[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    separators.push(separator(line.slice(at, offsets[3 * i]!)));
    tokens.push(tokenOf(layout, i, lanes[3 * i + 2]!));
    at = offsets[3 * i + 1]!;
  }
  separators.push(separator(line.slice(at)));
  return { tokens, separators };
}

/** Blanks as one, colours and skipped words not at all: how a line was padded must not make another text. */
function separator(text: string): string {
  if (text === ' ') return text;
  return text
    .replace(/\x1b\[?[^@-~]*[@-~]?|\\[a-z]|[a-zA-Z0-9\x80-\xff]+/g, '')
    .replace(/[\x00-\x20\x7f]+/g, ' ')
    .slice(0, LONGEST_SEPARATOR);
}
