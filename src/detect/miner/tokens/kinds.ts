/** What a token is, and the flat arrays that tokens are kept in. */

/** A word of a sentence: counts in the similarity. */
export const HARD = 0;
/** The single-word value of a field: may differ without making another template. */
export const SOFT = 1;
/** Nothing but a mark. */
export const MASK = 2;
/** Only in clusters: a position that held different words. */
export const WILD = 3;
/** The name of a host or class: a word of a sentence, but never what tells where a line belongs. */
export const NAME = 4;
/** A state, outcome or level: lines that differ here never share a template. */
export const FIXED = 5;
/** FIXED, and shown as a status class (`5xx`). */
export const STATUS = 6;
/** Name of a field: lines that differ here never share a template. */
export const KEY = 7;

/** Counts in the similarity. */
export function isWord(kind: number): boolean {
  return kind !== WILD && kind !== SOFT && kind !== MASK && kind !== KEY;
}

/** Per token: exact lane, fold lane, kind. */
export type Lanes = number[];

/**
 * A line as it was scanned, to be turned into tokens when somebody asks. Plain strings and arrays: they are allocated five times
 * faster than typed arrays, which a flood of new lines feels.
 */
export interface Layout {
  /** One character per byte. */
  line: string;
  /** Per token: start, end, index of its first mark; then the number of marks; then start and end of each mark. */
  offsets: number[];
  count: number;
}

export interface TokenLimits {
  maxTokens: number;
  maxLineBytes: number;
  /** Words at the start of a line that all lines of a template have in common, at least 1. */
  prefixWords: number;
  hashSeed: number;
}
