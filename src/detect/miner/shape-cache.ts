/**
 * Remembers which cluster the lines of a shape belong to, so that most lines are not tokenised at all.
 *
 * What a remembered shape answers is what the tokenizer and the tree would answer: lines of one shape have the same tokens, and an answer
 * holds only while the leaf is what it was. The exception are numbers that mean something, levels and statuses. Where they stand follows from the
 * shape; such a shape keeps the places, and its lines are looked up again under what stands there.
 */
import type { Cluster } from './cluster.ts';
import { Enumerations, MOST_POSITIONS_OF_SOURCE } from './enumerations.ts';
import { LEVEL_NUMBER, type Fields } from './fields.ts';
import { mix } from './hash.ts';
import { MASK, SOFT } from './kinds.ts';
import { numberAt } from './numbers.ts';
import { isBare, isSign, isStatus } from './rules.ts';
import type { Shape } from './shape.ts';
import type { Tokens } from './tokens.ts';

/** Entries of a source: grows from the first to the second with the shapes it has. */
const FEWEST_ENTRIES = 64;
const MOST_ENTRIES = 2048;
/** Number positions of a source that are summarised, over all its clusters: the first ones seen. */
export const MAX_POSITIONS = 128;
/** Numbers of a shape whose value is looked at; a line with more goes to the tokenizer. */
const MOST_MEANINGFUL = 16;

interface Entry<Pane> {
  a: number;
  b: number;
  /** null: the answer is under the values of the numbers at `meaningful`. */
  cluster: Cluster<Pane> | null;
  /** Version of the cluster's leaf that the answer holds for. */
  version: number;
  /** Indices of the shape's runs, those of levels with {@link IS_LEVEL}. */
  meaningful: Uint16Array | null;
  /** Where the numbers of the cluster's slots stand: run and slot of each, runs behind a sign with {@link IS_SIGNED}. */
  numbers: Uint16Array | null;
  /** The words at the cluster's varying positions, as `Enumerations.find` says it. */
  values: Uint16Array | null;
}

const IS_LEVEL = 0x8000;
const IS_SIGNED = 0x8000;

export class ShapeCache<Pane> {
  #entries: (Entry<Pane> | undefined)[] = new Array<undefined>(FEWEST_ENTRIES).fill(undefined);
  #overwritten = 0;
  /** Of {@link MAX_POSITIONS}. */
  #slotsLeft = MAX_POSITIONS;

  /** The numbers of the line found or added last, as in {@link Entry}. */
  #numbers: Uint16Array | null = null;
  #values: Uint16Array | null = null;
  /** Of {@link MOST_POSITIONS_OF_SOURCE}. */
  #positionsLeft = MOST_POSITIONS_OF_SOURCE;

  /** The cluster of a line of this shape, null when the tokenizer must say. */
  find(shape: Shape, bytes: Uint8Array): Cluster<Pane> | null {
    this.#numbers = null;
    this.#values = null;
    let { a, b } = shape;
    let entry = this.#entry(a, b);
    if (entry !== undefined && entry.meaningful !== null) {
      const value = valueOf(shape, entry.meaningful, bytes);
      a = mix(a, value);
      b = mix(b, ~value);
      entry = this.#entry(a, b);
    }
    const cluster = entry === undefined ? null : entry.cluster;
    if (cluster === null || cluster.leaf.version !== entry!.version) return null;
    this.#numbers = entry!.numbers;
    this.#values = entry!.values;
    return cluster;
  }

  /** Numbers and varying words of the line of this shape that was found or added last. */
  addNumbers(shape: Shape, cluster: Cluster<Pane>, bytes: Uint8Array): void {
    if (this.#values !== null) cluster.enumerations!.count(this.#values);
    const numbers = this.#numbers;
    if (numbers === null) return;
    for (let i = 0; i < numbers.length; i += 2) {
      const run = numbers[i]! & ~IS_SIGNED;
      const value = numberAt(bytes, shape.runStart[run]!, shape.runEnd[run]!, numbers[i]! >= IS_SIGNED);
      if (value === value) cluster.addNumber(numbers[i + 1]!, value);
    }
  }

  /** No line of a shape: its numbers are not known. */
  forgetNumbers(): void {
    this.#numbers = null;
    this.#values = null;
  }

  /** A cluster left: its positions are free for others. */
  forget(cluster: Cluster<Pane>): void {
    this.#positionsLeft += cluster.enumerations?.positions ?? 0;
    this.#slotsLeft += cluster.slots;
  }

  /** The line of this shape was scanned, `fields` tells what its shape does not; it belongs to `cluster`. */
  add(tokens: Tokens, cluster: Cluster<Pane>, bytes: Uint8Array, start: number, end: number): void {
    const { shape, fields } = tokens;
    const numbers = (this.#numbers = this.#numbersOf(tokens, cluster, bytes));
    const values = (this.#values = this.#valuesOf(tokens, cluster, bytes));
    if (fields.beyondShape) return;
    let { a, b } = shape;
    if (fields.meaningfulCount > 0 || fields.statusMayBeBare) {
      const meaningful = placesOf(shape, fields, bytes, start, end);
      if (meaningful === null) return;
      this.#put(a, b, { cluster: null, meaningful, numbers: null, values: null });
      const value = valueOf(shape, meaningful, bytes);
      a = mix(a, value);
      b = mix(b, ~value);
    }
    this.#put(a, b, { cluster, meaningful: null, numbers, values });
  }

  /** The words of the line at the cluster's varying positions. */
  #valuesOf({ list }: Tokens, cluster: Cluster<Pane>, bytes: Uint8Array): Uint16Array | null {
    if (cluster.given || cluster.wildcards === 0) return null;
    const enumerations = (cluster.enumerations ??= new Enumerations());
    const before = enumerations.positions;
    const values = enumerations.find(cluster.lanes, list, bytes, this.#positionsLeft);
    this.#positionsLeft -= enumerations.positions - before;
    return values;
  }

  /** Tokens that are one number each, with their slots; null when there are none. */
  #numbersOf({ shape, list }: Tokens, cluster: Cluster<Pane>, bytes: Uint8Array): Uint16Array | null {
    const numbers: number[] = [];
    let token = 0;
    for (let run = 0; run < shape.runCount; run++) {
      const from = shape.runStart[run]!;
      const to = shape.runEnd[run]!;
      while (token < list.count && list.end[token]! < to) token++;
      if (token === list.count) break;
      const signed = list.start[token] === from - 1 && isSign(bytes[from - 1]!);
      const mark = 2 * list.firstMark[token]!;
      // A number of its own, or one with its unit.
      const isWhole =
        list.marks[mark] === list.start[token] && list.marks[mark + 1] === to && (list.start[token] === from || signed);
      if (
        (list.kind[token] !== MASK && list.kind[token] !== SOFT) ||
        !isWhole ||
        Number.isNaN(numberAt(bytes, from, to, signed))
      )
        continue;
      const before = cluster.slots;
      const slot = cluster.slotOf(token, this.#slotsLeft > 0);
      this.#slotsLeft -= cluster.slots - before;
      if (slot >= 0) numbers.push(signed ? run | IS_SIGNED : run, slot);
    }
    return numbers.length === 0 ? null : Uint16Array.from(numbers);
  }

  /** Two places for a shape. */
  #entry(a: number, b: number): Entry<Pane> | undefined {
    const place = a & (this.#entries.length - 1);
    const first = this.#entries[place];
    if (first === undefined || (first.a === a && first.b === b)) return first;
    const second = this.#entries[place ^ 1];
    return second !== undefined && second.a === a && second.b === b ? second : undefined;
  }

  #put(a: number, b: number, answer: Pick<Entry<Pane>, 'cluster' | 'meaningful' | 'numbers' | 'values'>): void {
    const entry = this.#entry(a, b) ?? this.#room(a);
    entry.a = a;
    entry.b = b;
    entry.cluster = answer.cluster;
    entry.version = answer.cluster === null ? 0 : answer.cluster.leaf.version;
    entry.meaningful = answer.meaningful;
    entry.numbers = answer.numbers;
    entry.values = answer.values;
  }

  /** An entry to write to: the newest stands first, the one before it second. */
  #room(a: number): Entry<Pane> {
    if (this.#overwritten > this.#entries.length >> 2 && this.#entries.length < MOST_ENTRIES) this.#grow();
    const place = a & (this.#entries.length - 1);
    const first = this.#entries[place];
    const spare = first === undefined ? undefined : this.#entries[place ^ 1];
    if (spare !== undefined) this.#overwritten++;
    const entry = spare ?? { a: 0, b: 0, cluster: null, version: 0, meaningful: null, numbers: null, values: null };
    if (first !== undefined) this.#entries[place ^ 1] = first;
    this.#entries[place] = entry;
    return entry;
  }

  /** Starts again with more room. */
  #grow(): void {
    this.#overwritten = 0;
    this.#entries = new Array<undefined>(2 * this.#entries.length).fill(undefined);
  }
}

/** Which runs of the shape mean something; null when there are too many. */
function placesOf(shape: Shape, fields: Fields, bytes: Uint8Array, start: number, end: number): Uint16Array | null {
  const places: number[] = [];
  let named = 0;
  for (let run = 0; run < shape.runCount; run++) {
    const from = shape.runStart[run]!;
    if (named < fields.meaningfulCount && fields.meaningfulAt[named] === from) {
      places.push(fields.meaningfulKind[named++] === LEVEL_NUMBER ? run | IS_LEVEL : run);
    } else if (fields.statusMayBeBare && isBare(bytes, start, from, shape.runEnd[run]!, end)) places.push(run);
  }
  return places.length > MOST_MEANINGFUL || named < fields.meaningfulCount ? null : Uint16Array.from(places);
}

/** Status classes and levels that stand at the places, in one number. */
function valueOf(shape: Shape, places: Uint16Array, bytes: Uint8Array): number {
  let value = 1;
  for (let i = 0; i < places.length; i++) {
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
