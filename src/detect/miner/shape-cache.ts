/**
 * Remembers which cluster the lines of a shape belong to, so that most lines are not tokenised at all.
 *
 * What a remembered shape answers is what the tokenizer and the tree would answer: lines of one shape have the same tokens, and an answer
 * holds only while the leaf is what it was. The exception are numbers that mean something, levels and statuses. Where they stand follows from the
 * shape; such a shape keeps the places, and its lines are looked up again under what stands there.
 */
import type { Cluster } from './tree/cluster.ts';
import { LEVEL_NUMBER, type Fields } from './tokens/fields.ts';
import { mix } from './tokens/hash.ts';
import { isBare, isStatus } from './tokens/rules.ts';
import type { Shape } from './tokens/shape.ts';
import type { Tokens } from './tokens/tokens.ts';
import type { Found } from './variables/variables.ts';

/** Entries of a source: grows from the first to the second with the shapes it has, to the third where those in use push each other out. */
const FEWEST_ENTRIES = 64;
const MANY_ENTRIES = 2048;
const MOST_ENTRIES = 4096;
/**
 * Places a shape may have, side by side. With two, 4 to 8 % of the lines of OpenStack's services, which have 650 to 1,350 shapes, found another one in both.
 */
const WAYS = 4;
/** Shapes seen once that are known again when they come a second time: only then does a shape get a place. A flood of shapes takes none. */
const SEEN_ONCE = 2048;
/** Numbers of a shape whose value is looked at; a line with more goes to the tokenizer. */
const MOST_MEANINGFUL = 16;

/** What is remembered of a shape. Written over when another shape takes its place, so that a miss allocates nothing either. */
export interface Remembered<Pane> extends Found {
  /**
   * null: the answer is under the values of the numbers that mean something. Then `places` to `end` are indices of the shape's runs, those of levels with
   * {@link IS_LEVEL}.
   */
  cluster: Cluster<Pane> | null;
  /** Version of the cluster's leaf that the answer holds for. */
  version: number;
}

const IS_LEVEL = 0x8000;

export class ShapeCache<Pane> {
  /** Those of one shape's places lie side by side, here and in the arrays below: all are looked at for the price of one. */
  #entries: (Remembered<Pane> | undefined)[] = new Array<undefined>(FEWEST_ENTRIES).fill(undefined);
  /** Both lanes of the shape of each entry. */
  #lanes = new Int32Array(2 * FEWEST_ENTRIES);
  /** 1: its shape was seen again since its place was last wanted. */
  #used = new Uint8Array(FEWEST_ENTRIES);
  /** Lane `b` of shapes seen once, at places that lane `a` says. */
  readonly #seenOnce = new Int32Array(SEEN_ONCE);
  #turn = 0;
  /** Entries written over since it grew, and those of them whose shape had been seen again. */
  #overwritten = 0;
  #pushedOut = 0;
  readonly #meaningful = new Array<number>(MOST_MEANINGFUL).fill(0);

  /** What a line of this shape is, null when the tokenizer must say. */
  find(shape: Shape, bytes: Uint8Array): Remembered<Pane> | null {
    const { a, b } = shape;
    let entry = this.#entry(a, b);
    if (entry !== undefined && entry.cluster === null) {
      const value = valueOf(shape, entry.places, entry.end, bytes);
      entry = this.#entry(mix(a, value), mix(b, ~value));
    }
    if (entry === undefined || entry.cluster === null) return null;
    return entry.cluster.leaf.version === entry.version ? entry : null;
  }

  /**
   * The line of this shape was scanned, `fields` tells what its shape does not; it belongs to `cluster`.
   *
   * @param found its variables
   * @returns the same, where they are remembered
   */
  add(
    { shape, fields }: Tokens,
    cluster: Cluster<Pane>,
    found: Found,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Found {
    if (fields.beyondShape) return found;
    let { a, b } = shape;
    if (!this.#isBack(a, b)) return found;
    if (fields.meaningfulCount > 0 || fields.statusMayBeBare) {
      const places = this.#meaningful;
      const count = placesOf(shape, fields, places, { bytes, start, end });
      if (count < 0) return found;
      const entry = this.#put(a, b, null);
      copy(places, count, entry);
      const value = valueOf(shape, places, count, bytes);
      a = mix(a, value);
      b = mix(b, ~value);
    }
    const entry = this.#put(a, b, cluster);
    copy(found.places, found.end, entry);
    entry.numbers = found.numbers;
    entry.positions = found.positions;
    return entry;
  }

  /** Whether the shape was seen before. */
  #isBack(a: number, b: number): boolean {
    const seen = this.#seenOnce;
    const first = a & (SEEN_ONCE - WAYS);
    for (let place = first; place < first + WAYS; place++) if (seen[place] === b) return true;
    seen[first + (this.#turn++ & (WAYS - 1))] = b;
    return false;
  }

  #entry(a: number, b: number): Remembered<Pane> | undefined {
    const place = this.#placeOf(a, b);
    if (place < 0) return undefined;
    this.#used[place] = 1;
    return this.#entries[place];
  }

  /** -1: nothing is remembered of the shape. */
  #placeOf(a: number, b: number): number {
    const lanes = this.#lanes;
    const first = a & (this.#entries.length - WAYS);
    for (let place = first; place < first + WAYS; place++)
      if (lanes[2 * place] === a && lanes[2 * place + 1] === b) return place;
    return -1;
  }

  #put(a: number, b: number, cluster: Cluster<Pane> | null): Remembered<Pane> {
    let place = this.#placeOf(a, b);
    if (place < 0) {
      if (this.#isSmall()) this.#grow();
      place = this.#room(a & (this.#entries.length - WAYS));
      this.#lanes[2 * place] = a;
      this.#lanes[2 * place + 1] = b;
      this.#used[place] = 0;
    }
    const entry = (this.#entries[place] ??= { cluster, version: 0, places: [], numbers: 0, end: 0, positions: 0 });
    entry.cluster = cluster;
    entry.version = cluster === null ? 0 : cluster.leaf.version;
    entry.numbers = 0;
    entry.positions = 0;
    return entry;
  }

  /** A free place from `first` on, or that of a shape that was not seen again: a flood of them does not push out those in use. */
  #room(first: number): number {
    for (let place = first; place < first + WAYS; place++) if (this.#entries[place] === undefined) return place;
    const turn = this.#overwritten++;
    for (let way = 0; way < WAYS; way++) {
      const place = first + ((turn + way) & (WAYS - 1));
      if (this.#used[place] === 0) return place;
    }
    this.#pushedOut++;
    this.#used.fill(0, first, first + WAYS);
    return first + (turn & (WAYS - 1));
  }

  /** A flood of shapes seen once is no reason for the most there may be. */
  #isSmall(): boolean {
    const entries = this.#entries.length;
    if (entries === MOST_ENTRIES) return false;
    return entries < MANY_ENTRIES ? this.#overwritten > entries >> 2 : this.#pushedOut > entries >> 5;
  }

  /** Every shape's places become those of twice as many: all find room. */
  #grow(): void {
    const [entries, lanes, used] = [this.#entries, this.#lanes, this.#used];
    this.#entries = new Array<undefined>(2 * entries.length).fill(undefined);
    this.#lanes = new Int32Array(2 * lanes.length);
    this.#used = new Uint8Array(2 * used.length);
    this.#overwritten = 0;
    this.#pushedOut = 0;
    for (const [from, entry] of entries.entries()) {
      if (entry === undefined) continue;
      const place = this.#room(lanes[2 * from]! & (this.#entries.length - WAYS));
      this.#entries[place] = entry;
      this.#lanes[2 * place] = lanes[2 * from]!;
      this.#lanes[2 * place + 1] = lanes[2 * from + 1]!;
      this.#used[place] = used[from]!;
    }
  }
}

function copy(places: readonly number[], end: number, entry: Found): void {
  // With some room to spare: entries change hands.
  if (entry.places.length < end) entry.places = new Array<number>((end + 7) & ~7).fill(0);
  for (let i = 0; i < end; i++) entry.places[i] = places[i]!;
  entry.end = end;
}

/** Which runs of the shape mean something, written to `places`. @returns how many, -1 when there are too many */
function placesOf(
  shape: Shape,
  fields: Fields,
  places: number[],
  { bytes, start, end }: { bytes: Uint8Array; start: number; end: number },
): number {
  let count = 0;
  let named = 0;
  for (let run = 0; run < shape.runCount; run++) {
    const from = shape.runStart[run]!;
    const isNamed = named < fields.meaningfulCount && fields.meaningfulAt[named] === from;
    if (!isNamed && !(fields.statusMayBeBare && isBare(bytes, start, from, shape.runEnd[run]!, end))) continue;
    if (count === MOST_MEANINGFUL) return -1;
    places[count++] = isNamed && fields.meaningfulKind[named] === LEVEL_NUMBER ? run | IS_LEVEL : run;
    if (isNamed) named++;
  }
  return named < fields.meaningfulCount ? -1 : count;
}

/** Status classes and levels that stand at the places, in one number. */
function valueOf(shape: Shape, places: readonly number[], count: number, bytes: Uint8Array): number {
  let value = 1;
  for (let i = 0; i < count; i++) {
    const run = places[i]! & ~IS_LEVEL;
    const from = shape.runStart[run]! | 0;
    const to = shape.runEnd[run]! | 0;
    if (places[i]! >= IS_LEVEL) {
      let level = to - from;
      if (level <= 3) for (let k = from; k < to; k++) level = (level << 8) | bytes[k]!;
      else level = 0;
      value = mix(value, level);
    } else value = mix(value, isStatus(bytes, from, to) ? bytes[from]! : 0);
  }
  return value;
}
