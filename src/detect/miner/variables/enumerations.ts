/**
 * What the word positions of a template hold that have varied: an enumeration (`GET`, `POST`; `primary`, `replica`), whose values are counted, or noise.
 *
 * A position is an enumeration while it has fewer than ten distinct values and their entropy H = −Σ pᵢ log₂ pᵢ (Shannon 1948), over all that it ever
 * held, is at most `entropy_threshold` bits. With the tenth value it is noise for good, and nothing more is kept of it. Values stand in the shape of a line, so
 * counting them costs one addition a line.
 */
import { PLACEHOLDER } from '../tree/cluster.ts';
import { MARK } from '../tokens/hash.ts';
import { WILD, type Lanes } from '../tokens/kinds.ts';
import type { TokenList } from '../tokens/token-list.ts';
import { LONGEST_VALUE, readText, readToken, word } from '../tokens/value-word.ts';

/** Most values of an enumeration. */
const MOST_VALUES = 9;
/** Positions of a cluster that are looked at, the first ones. */
export const MOST_POSITIONS = 4;
/** Of all clusters of a source: some 1 KiB each. */
export const MOST_POSITIONS_OF_SOURCE = 128;
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

/** A position as the store keeps it. */
export interface StoredPosition {
  token: number;
  /** First bytes of each value and the check of all of them; null: noise. */
  values: [string, number][] | null;
}

interface Position {
  readonly token: number;
  /** Of each value the first bytes, as in a stored token, and the check of all of them. */
  readonly texts: string[];
  readonly checks: number[];
  /** Lines of each value, ever and since the last {@link Enumerations.take}. */
  readonly total: number[];
  readonly recent: number[];
  /** Sum of `total`. */
  lines: number;
  isNoise: boolean;
}

/** The varying word positions of one cluster. */
export class Enumerations {
  readonly #positions: Position[] = [];
  #saved = 0;

  get positions(): number {
    return this.#positions.length;
  }

  /** Positions or values have come, or became noise, since they were last saved or restored. */
  get isUnsaved(): boolean {
    return this.#saved !== this.#knowledge();
  }

  /** Whether a cluster with so many varying positions has some that are not looked at and could be. */
  hasMore(wildcards: number): boolean {
    return this.#positions.length < Math.min(wildcards, MOST_POSITIONS);
  }

  /**
   * Begins to look at varying positions, from the first.
   *
   * @param room positions that the source may still begin to look at
   */
  open(lanes: Lanes, room: number): void {
    for (let token = 0; 3 * token < lanes.length && room > 0; token++) {
      if (this.#positions.length === MOST_POSITIONS) return;
      if (lanes[3 * token + 2] !== WILD || this.#at(token) !== null) continue;
      this.#open(token);
      room--;
    }
  }

  /**
   * Finds the values of a line's tokens, for {@link count}.
   *
   * @param found position and value of each are written here, from `at`
   * @returns where they end
   */
  find(line: TokenList, bytes: Uint8Array, found: number[], at: number): number {
    let end = at;
    for (let i = 0; i < this.#positions.length; i++) {
      const position = this.#positions[i]!;
      if (position.isNoise) continue;
      readToken(line, position.token, bytes);
      const value = valueOfWord(position);
      if (value < 0) continue;
      found[end++] = i;
      found[end++] = value;
    }
    return end;
  }

  count(found: readonly number[], from: number, to: number): void {
    for (let i = from; i < to; i += 2) {
      const position = this.#positions[found[i]!]!;
      if (!position.isNoise) add(position, found[i + 1]!, 1, 1);
    }
  }

  /**
   * What a position held before anybody looked.
   *
   * @param text of the token, as in {@link StoredPosition}, but whole
   * @param lines that held it
   * @param recent of them since the last {@link take}
   */
  addPast(token: number, text: string, lines: number, recent: number): void {
    const position = this.#at(token);
    if (position === null || position.isNoise) return;
    readText(text);
    const value = valueOfWord(position);
    if (value >= 0) add(position, value, lines, recent);
  }

  /** The lines of `other` count here from now on, at the positions looked at on both sides. */
  takeIn(other: Enumerations): void {
    for (const from of other.#positions) {
      const into = this.#at(from.token);
      if (into === null) continue;
      if (from.isNoise) makeNoise(into);
      for (let i = 0; i < from.texts.length && !into.isNoise; i++) {
        const value = valueOf(into, from.texts[i]!, from.checks[i]!);
        if (value >= 0) add(into, value, from.total[i]!, from.recent[i]!);
      }
    }
  }

  /** Values of the enumerations since the last call, and a new start. */
  take(entropyThreshold: number): SlotValues[] {
    const taken: SlotValues[] = [];
    for (const position of this.#positions) {
      if (position.isNoise) continue;
      const { token, texts, recent, lines } = position;
      const values = texts
        .map((text, i) => ({ value: textOf(text), count: recent[i]! }))
        .filter(({ count }) => count > 0)
        .sort(byCount);
      recent.fill(0);
      if (values.length > 0 && lines >= FEWEST_LINES && entropyOf(position) <= entropyThreshold)
        taken.push({ token, values });
    }
    return taken;
  }

  save(): StoredPosition[] {
    this.#saved = this.#knowledge();
    return this.#positions.map(({ token, texts, checks, isNoise }) => ({
      token,
      values: isNoise ? null : texts.map((text, i) => [text, checks[i]!]),
    }));
  }

  /** Lines of every value of every position: they move with every line, so they are stored apart from {@link save}. */
  totals(): number[] {
    return this.#positions.flatMap(({ total }) => total);
  }

  /** @throws RangeError if the two cannot have come from {@link save} and {@link totals} (a damaged store) */
  static restore(stored: readonly StoredPosition[], totals: readonly number[]): Enumerations {
    const enumerations = new Enumerations();
    let at = 0;
    for (const { token, values } of stored) {
      const position = enumerations.#open(token);
      position.isNoise = values === null;
      for (const [text, check] of values ?? []) {
        const lines = totals[at++];
        if (lines === undefined) break;
        if (!Number.isSafeInteger(lines) || lines < 0)
          throw new RangeError(`a stored enumeration has ${lines} lines of a value`);
        push(position, text, check);
        add(position, position.texts.length - 1, lines, 0);
      }
    }
    if (at !== totals.length || stored.length > MOST_POSITIONS)
      throw new RangeError(`stored enumerations have ${totals.length} counts, need ${at}`);
    enumerations.#saved = enumerations.#knowledge();
    return enumerations;
  }

  /** Grows with every position, every value, and when a position becomes noise. */
  #knowledge(): number {
    return this.#positions.reduce((sum, { texts, isNoise }) => sum + (isNoise ? MOST_VALUES + 2 : 1 + texts.length), 0);
  }

  #at(token: number): Position | null {
    for (let i = 0; i < this.#positions.length; i++)
      if (this.#positions[i]!.token === token) return this.#positions[i]!;
    return null;
  }

  #open(token: number): Position {
    const position = { token, texts: [], checks: [], total: [], recent: [], lines: 0, isNoise: false };
    this.#positions.push(position);
    return position;
  }
}

/** Index of the {@link word} read last among the values of a position, -1 where it is noise. No string is made of a known one. */
function valueOfWord(position: Position): number {
  const { texts, checks } = position;
  for (let i = 0; i < texts.length; i++) if (checks[i] === word.check && word.is(texts[i]!)) return i;
  return push(position, word.text(), word.check);
}

/** The same for a value as it is kept. */
function valueOf(position: Position, text: string, check: number): number {
  const known = position.texts.findIndex((other, i) => other === text && position.checks[i] === check);
  return known >= 0 ? known : push(position, text, check);
}

function push(position: Position, text: string, check: number): number {
  if (position.texts.length === MOST_VALUES) {
    makeNoise(position);
    return -1;
  }
  position.checks.push(check);
  position.total.push(0);
  position.recent.push(0);
  return position.texts.push(text) - 1;
}

function makeNoise(position: Position): void {
  position.isNoise = true;
  for (const list of [position.texts, position.checks, position.total, position.recent]) list.length = 0;
}

function add(position: Position, value: number, lines: number, recent: number): void {
  position.total[value]! += lines;
  position.recent[value]! += recent;
  position.lines += lines;
  while (position.lines >= MOST_LINES) halve(position);
}

/** A kept value as people read it: whole characters, masked parts as in a template. */
function textOf(text: string): string {
  const whole = Buffer.from(text, 'latin1').toString('utf8');
  return (text.length < LONGEST_VALUE ? whole : whole.replace(/\ufffd$/, '')).replaceAll(MARK, PLACEHOLDER);
}

/** In bits. */
function entropyOf({ total, lines }: Position): number {
  let bits = 0;
  for (const count of total) if (count > 0) bits -= (count / lines) * Math.log2(count / lines);
  return bits;
}

function halve(position: Position): void {
  position.lines = 0;
  for (let i = 0; i < position.total.length; i++)
    position.lines += position.total[i] = Math.floor(position.total[i]! / 2);
}
