/**
 * What the word positions of a template hold that have varied: an enumeration (`GET`, `POST`; `primary`, `replica`), whose values are counted, or noise.
 *
 * A position is an enumeration while it has fewer than ten distinct values and their entropy H = −Σ pᵢ log₂ pᵢ (Shannon 1948), over all that it ever
 * held, is at most `entropy_threshold` bits. With the tenth value it is noise for good, and nothing more is kept of it. Values stand in the shape of a line, so
 * counting them costs one addition a line.
 */
import { PLACEHOLDER, type Cluster } from './cluster.ts';
import { MARK } from './hash.ts';
import { WILD } from './kinds.ts';
import { byteString } from './layout.ts';
import type { TokenList } from './token-list.ts';

/** Most values of an enumeration. */
const MOST_VALUES = 9;
/** Positions of a cluster that are looked at, the first ones. */
const MOST_POSITIONS = 4;
/** Of all clusters of a source: some 1 KiB each. */
export const MOST_POSITIONS_OF_SOURCE = 128;
/** Bytes of a value that are kept. */
const LONGEST_VALUE = 48;
/** Lines before a position is judged. */
const FEWEST_LINES = 16;
/** Counts are halved here: what a position held long ago fades. */
const MOST_LINES = 2 ** 20;

/** What an enumeration held in a window. */
export interface SlotValues {
  /** Index of the token in the template. */
  token: number;
  /** The most frequent first; those that did not occur in the window are not among them. */
  values: readonly ValueCount[];
}

export interface ValueCount {
  value: string;
  count: number;
}

/** The most frequent first. */
export function byCount(a: ValueCount, b: ValueCount): number {
  return b.count - a.count || (a.value < b.value ? -1 : 1);
}

interface Position {
  readonly token: number;
  /** Exact and fold lane of each value. */
  readonly lanes: number[];
  readonly texts: string[];
  /** Lines of each value, ever and since the last {@link Enumerations.take}. */
  readonly total: number[];
  readonly recent: number[];
  lines: number;
  isNoise: boolean;
}

/** The varying word positions of one cluster. */
export class Enumerations {
  readonly #positions: Position[] = [];

  get positions(): number {
    return this.#positions.length;
  }

  /**
   * Finds the values of a line's tokens at the varying positions of its cluster, for {@link count}.
   *
   * @param room positions that the source may still begin to look at
   * @returns position and value of each, null for none
   */
  find(lanes: Cluster['lanes'], line: TokenList, bytes: Uint8Array, room: number): Uint16Array | null {
    const found: number[] = [];
    for (let token = 0; token < line.count; token++) {
      if (lanes[3 * token + 2] !== WILD) continue;
      let at = this.#positions.findIndex((position) => position.token === token);
      if (at < 0) {
        if (this.#positions.length >= MOST_POSITIONS || room-- <= 0) continue;
        const position = { token, lanes: [], texts: [], total: [], recent: [], lines: 0, isNoise: false };
        at = this.#positions.push(position) - 1;
      }
      const value = valueOf(this.#positions[at]!, line, bytes);
      if (value >= 0) found.push(at, value);
    }
    return found.length === 0 ? null : Uint16Array.from(found);
  }

  count(found: Uint16Array): void {
    for (let i = 0; i < found.length; i += 2) {
      const position = this.#positions[found[i]!]!;
      if (position.isNoise) continue;
      position.total[found[i + 1]!]!++;
      position.recent[found[i + 1]!]!++;
      if (++position.lines === MOST_LINES) halve(position);
    }
  }

  /** Values of the enumerations since the last call, and a new start. */
  take(entropyThreshold: number): SlotValues[] {
    const taken: SlotValues[] = [];
    for (const position of this.#positions) {
      if (position.isNoise) continue;
      const { token, texts, recent, lines } = position;
      const values = texts
        .map((value, i) => ({ value, count: recent[i]! }))
        .filter(({ count }) => count > 0)
        .sort(byCount);
      recent.fill(0);
      if (values.length > 0 && lines >= FEWEST_LINES && entropyOf(position) <= entropyThreshold)
        taken.push({ token, values });
    }
    return taken;
  }
}

/** Index of the line's value at a position, -1 where it is noise. */
function valueOf(position: Position, line: TokenList, bytes: Uint8Array): number {
  const { token, lanes, texts } = position;
  if (position.isNoise) return -1;
  const exact = line.exact[token]!;
  const fold = line.fold[token]!;
  for (let i = 0; i < texts.length; i++) if (lanes[2 * i] === exact && lanes[2 * i + 1] === fold) return i;
  if (texts.length === MOST_VALUES) {
    position.isNoise = true;
    for (const list of [lanes, texts, position.total, position.recent]) list.length = 0;
    return -1;
  }
  lanes.push(exact, fold);
  position.total.push(0);
  position.recent.push(0);
  return texts.push(textOf(line, token, bytes)) - 1;
}

/** The word as people read it; masked parts as in a template. */
function textOf(line: TokenList, token: number, bytes: Uint8Array): string {
  const to = token + 1 < line.count ? line.firstMark[token + 1]! : line.markCount;
  const end = line.end[token]!;
  let at = line.start[token]!;
  let text = '';
  for (let mark = line.firstMark[token]!; mark < to && text.length < LONGEST_VALUE; mark++) {
    text += byteString(bytes, at, line.marks[2 * mark]!) + MARK;
    at = line.marks[2 * mark + 1]!;
  }
  text = (text + byteString(bytes, at, end)).slice(0, LONGEST_VALUE);
  return Buffer.from(text, 'latin1').toString('utf8').replaceAll(MARK, PLACEHOLDER);
}

/** In bits. */
function entropyOf({ total, lines }: Position): number {
  let bits = 0;
  for (const count of total) if (count > 0) bits -= (count / lines) * Math.log2(count / lines);
  return bits;
}

function halve(position: Position): void {
  position.lines = 0;
  for (let i = 0; i < position.total.length; i++) position.lines += position.total[i] = position.total[i]! >> 1;
}
