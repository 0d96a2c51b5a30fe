import type { SlotNumbers } from '../miner/variables/numbers.ts';
import type { Template } from '../template.ts';
import { SlotCells } from './slot-cells.ts';
import { MAX_SOURCE_SLOTS, SlotPlaces, type SavedSlots, type Slot } from './slot-places.ts';
import {
  addSummary,
  isJudged,
  isLevel,
  isName,
  MIN_VALUES,
  noteUnrest,
  slotDeviation,
  slotSurprise,
  storedMean,
  valuesSurprise,
  type SlotDeviation,
  type SlotSummary,
} from './values.ts';

/** Earlier windows whose values are added to those of a window that has too few. */
const MAX_ADDED = 2;

/** What one slot said of the window judged last, for attribution. */
export interface SlotPart {
  template: Template;
  token: number;
  /** Before it pays for how many slots there are; 0 while the slot has too short a past or too few values. */
  nats: number;
  z: number;
  now: SlotNumbers;
  /** Geometric mean of the accepted windows: e^m − 1, in the value's own unit; null while it is not judged. */
  usual: number | null;
  /** Mean of y that the window leaves, clipped. */
  stored: number;
  place: number;
}

/** What the slots of one window say. */
export interface SlotsVerdict {
  /** x of the channel `values`. */
  surprise: number;
  /** Slots that have values in the window, names left out. */
  parts: readonly SlotPart[];
}

/** Templates and numbers of one window, as the panes hold them. */
interface NumericEntry {
  template: Template;
  numbers: readonly SlotNumbers[];
}

/**
 * The past of a source's numeric slots: of each kept window and slot count, mean and squares of y = sign(v)·ln(1 + |v|), in step with the rows of
 * {@link History}; that says which of them count. A slot without values in a window has a count of 0.
 * Where its cells are, a slot's place, is its template's and token's while it lives.
 */
export class SlotHistory {
  readonly #cells: SlotCells;
  readonly #places: SlotPlaces;
  readonly #panesPerWindow: number;

  /** @param capacity - of the source's history */
  constructor(capacity: number, panesPerWindow: number) {
    this.#panesPerWindow = panesPerWindow;
    this.#cells = new SlotCells(capacity);
    this.#places = new SlotPlaces(this.#cells);
  }

  get byteLength(): number {
    return this.#cells.values.byteLength;
  }

  /** A row for the window that is about to be judged; the oldest leaves when full. */
  push(): void {
    this.#cells.push();
  }

  /**
   * The newest window. The templates have their columns in the history.
   *
   * @param entries - of the window, in order of appearance
   * @param history - says which of its windows count as normal
   */
  judge(entries: readonly NumericEntry[], history: { accepted(i: number): boolean }): SlotsVerdict {
    this.#places.begin();
    const parts: SlotPart[] = [];
    const hasPart = (place: number): boolean => parts.some((part) => part.place === place);
    const { size, capacity } = this.#cells;
    if (normal.length < capacity) normal = new Uint8Array(capacity);
    for (let i = 0; i < size - 1; i++) normal[i] = history.accepted(i) ? 1 : 0;
    let judged = 0;
    for (const { template, numbers } of entries) {
      if (template.slot < 0) continue;
      for (const now of numbers) {
        const place = this.#places.placeOf(template, now, hasPart);
        if (place < 0) continue;
        const slot = this.#places.slots[place]!;
        const part = { template, token: now.token, nats: 0, z: 0, now, usual: null, stored: now.mean, place };
        if (this.#measure(slot, part)) nats[judged++] = part.nats;
        if (!slot.isName) parts.push(part);
      }
    }
    return { surprise: valuesSurprise(nats, judged), parts };
  }

  /** The window judged last was whole: it stays, for the case that it counts as normal now or later. `parts`: what was said of it. */
  learn(parts: readonly SlotPart[]): void {
    const newest = this.#cells.size - 1;
    for (const { usual, z, now, stored, place } of parts) {
      if (usual !== null) noteUnrest(this.#places.slots[place]!.unrest, z);
      this.#cells.write(newest, place, now.count, stored, now.squares);
    }
  }

  /** Row `i` of the history as (slot number, count, mean, squares) of the slots that have values in it. */
  *row(i: number): Generator<[number, number, number, number]> {
    const { values } = this.#cells;
    for (const [place, slot] of this.#places.slots.entries()) {
      const at = this.#cells.at(i, place);
      if (slot !== null && values[at]! > 0) yield [slot.number, values[at]!, values[at + 1]!, values[at + 2]!];
    }
  }

  /** Puts back one of {@link row} into the newest row; slots that have left since are no longer known. */
  restoreCell(number: number, count: number, mean: number, squares: number): void {
    const place = this.#places.slots.findIndex((slot) => slot?.number === number);
    if (place >= 0) this.#cells.write(this.#cells.size - 1, place, count, mean, squares);
  }

  follow(): void {
    this.#places.follow();
  }

  save(): SavedSlots {
    return this.#places.save();
  }

  /** Before any row. @throws RangeError if `saved` cannot have come from {@link save} (a damaged store) */
  restore(saved: SavedSlots, byNumber: ReadonlyMap<number, Template>): void {
    this.#places.restore(saved, byNumber);
  }

  /** @returns whether the slot has a say */
  #measure(slot: Slot, part: SlotPart): boolean {
    const added = this.#addEarlier(part);
    const cells = this.#cells;
    const { values } = cells;
    if (past.counts.length < cells.capacity) past = newPast(cells.capacity);
    past.n = 0;
    for (let i = 0; i < cells.size - 1 - added; i++) {
      const at = cells.at(i, part.place);
      const count = values[at]!;
      if (count === 0 || normal[i] === 0) continue;
      past.counts[past.n] = count;
      past.means[past.n] = values[at + 1]!;
      past.squares[past.n++] = values[at + 2]!;
    }
    if (!isJudged(past, recent)) return false;
    slotDeviation(past, recent, deviation);
    slot.isName = isName(past, deviation.mean);
    if (slot.isName || (part.now.count < MIN_VALUES && this.#isLevel(part.place, deviation.mean))) return false;
    part.z = deviation.z;
    part.nats = slotSurprise(deviation.z, past.n, slot.unrest);
    part.usual = Math.sign(deviation.mean) * Math.expm1(Math.abs(deviation.mean)) + 0;
    part.stored = storedMean(part.now.mean, deviation);
    return true;
  }

  /**
   * Into `recent`: the values now and, while they are too few, those of earlier windows that share no pane with one another. What takes longer in a
   * quiet source is heard so, some windows later.
   *
   * @returns how many windows back they reach
   */
  #addEarlier({ now, place }: SlotPart): number {
    const { size, values } = this.#cells;
    recent.count = now.count;
    recent.mean = now.mean;
    recent.squares = now.squares;
    let added = 0;
    for (let k = 1; k <= MAX_ADDED && recent.count < MIN_VALUES; k++) {
      const i = size - 1 - k * this.#panesPerWindow;
      if (i < 0) break;
      const at = this.#cells.at(i, place);
      earlier.count = values[at]!;
      earlier.mean = values[at + 1]!;
      earlier.squares = values[at + 2]!;
      addSummary(recent, earlier);
      added = k * this.#panesPerWindow;
    }
    return added;
  }

  #isLevel(place: number, mean: number): boolean {
    let differences = 0;
    let pairs = 0;
    /** Newest window with values that shares no pane with window i. */
    let before = -1;
    const cells = this.#cells;
    const { values } = cells;
    for (let i = this.#panesPerWindow; i < cells.size - 1; i++) {
      const earlier = cells.at(i - this.#panesPerWindow, place);
      if (normal[i - this.#panesPerWindow] === 1 && values[earlier]! > 0) before = earlier;
      const now = cells.at(i, place);
      if (before < 0 || normal[i] === 0 || values[now] === 0) continue;
      differences += (values[now + 1]! - values[before + 1]!) ** 2;
      pairs++;
    }
    return isLevel(past, mean, differences, pairs);
  }
}

/** Scratch of {@link SlotHistory}; it is synchronous. */
const nats = new Float64Array(MAX_SOURCE_SLOTS);
let past = newPast(0);
/** By window: 1 where it counts as normal. */
let normal = new Uint8Array(0);

function newPast(windows: number) {
  return {
    n: 0,
    counts: new Float64Array(windows),
    means: new Float64Array(windows),
    squares: new Float64Array(windows),
  };
}

const deviation: SlotDeviation = { mean: 0, deviation: 0, z: 0 };
const recent: SlotSummary = { count: 0, mean: 0, squares: 0 };
const earlier: SlotSummary = { count: 0, mean: 0, squares: 0 };
