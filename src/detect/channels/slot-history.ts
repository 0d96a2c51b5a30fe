import type { SlotNumbers } from '../miner/numbers.ts';
import type { Template } from '../template.ts';
import {
  addSummary,
  isJudged,
  isLevel,
  isName,
  MIN_VALUES,
  newUnrest,
  noteUnrest,
  slotDeviation,
  slotSurprise,
  storedMean,
  valuesSurprise,
  type SlotDeviation,
  type SlotSummary,
  type SlotUnrest,
} from './values.ts';

/** Numeric slots a source remembers; a new one takes the place of one without values or of a name, else it has to wait. */
export const MAX_SOURCE_SLOTS = 32;
/** Places that slots of few values a window may take. */
const MAX_RARE = 16;
/** Earlier windows whose values are added to those of a window that has too few. */
const MAX_ADDED = 2;
const FIRST_PLACES = 4;

/** Number position `token` of a template, over time. */
interface Slot {
  /** Grows by one a slot of the source; its key in the store. */
  readonly number: number;
  template: Template;
  readonly token: number;
  readonly unrest: SlotUnrest;
  /** Its numbers name something, which is not judged: another slot may have its place. */
  isName: boolean;
}

/** JSON-safe. */
export interface SavedSlot {
  number: number;
  /** Number of the template. */
  template: number;
  token: number;
  unrest: SlotUnrest;
  isName: boolean;
}

export interface SavedSlots {
  nextNumber: number;
  slots: SavedSlot[];
}

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

/** Templates and numbers of one window, as the panes hold them. */
interface NumericEntry {
  template: Template;
  numbers: readonly SlotNumbers[];
}

/**
 * The past of a source's numeric slots: of each kept window and slot count, mean and squares of y = sign(v)·ln(1 + |v|), in step with the rows of
 * {@link History}; that says which of them count. A slot without values in a window has a count of 0.
 *
 *              place 0          place 1      …     place = (template, token)
 *     row r0 │ k ȳ Σ(y−ȳ)²     k ȳ Σ
 *     row r1 │ 0 0 0           k ȳ Σ
 *
 * Float32: a tenth of an e-fold is never news, and 120 windows x 32 slots are 45 KiB so.
 */
export class SlotHistory {
  readonly capacity: number;
  size = 0;
  #head = 0;
  #places = FIRST_PLACES;
  #cells: Float32Array;
  readonly #slots: (Slot | null)[] = [];
  readonly #panesPerWindow: number;
  #nextNumber = 0;
  /** No place was free when the window being judged last asked for one. */
  #isFull = false;

  /** @param capacity - of the source's history */
  constructor(capacity: number, panesPerWindow: number) {
    this.capacity = capacity;
    this.#panesPerWindow = panesPerWindow;
    this.#cells = new Float32Array(3 * capacity * FIRST_PLACES);
  }

  /** Slots that had values in the window that was judged last, of whatever source: to be read before the next one is. */
  get parts(): readonly SlotPart[] {
    return parts;
  }

  get byteLength(): number {
    return this.#cells.byteLength;
  }

  /** A row for the window that is about to be judged; the oldest leaves when full. */
  push(): void {
    if (this.size === this.capacity) {
      this.#head = (this.#head + 1) % this.capacity;
      this.size--;
    }
    const row = this.#row(this.size++) * 3 * this.#places;
    this.#cells.fill(0, row, row + 3 * this.#places);
  }

  /**
   * x of the channel `values` for the newest window. The templates have their columns in the history.
   *
   * @param entries - of the window, in order of appearance
   * @param history - says which of its windows count as normal
   */
  judge(entries: readonly NumericEntry[], history: { accepted(i: number): boolean }): number {
    this.follow();
    parts = [];
    this.#isFull = false;
    if (normal.length < this.capacity) normal = new Uint8Array(this.capacity);
    for (let i = 0; i < this.size - 1; i++) normal[i] = history.accepted(i) ? 1 : 0;
    let judged = 0;
    for (const { template, numbers } of entries) {
      if (template.slot < 0) continue;
      for (const now of numbers) {
        const place = this.#placeOf(template, now);
        if (place < 0) continue;
        const slot = this.#slots[place]!;
        const part = { template, token: now.token, nats: 0, z: 0, now, usual: null, stored: now.mean, place };
        if (this.#measure(slot, part)) nats[judged++] = part.nats;
        if (!slot.isName) parts.push(part);
      }
    }
    return valuesSurprise(nats, judged);
  }

  /** The window judged last was whole: it stays, for the case that it counts as normal now or later. */
  learn(): void {
    const row = this.#row(this.size - 1) * 3 * this.#places;
    for (const { usual, z, now, stored, place } of parts) {
      if (usual !== null) noteUnrest(this.#slots[place]!.unrest, z);
      this.#write(row + 3 * place, now.count, stored, now.squares);
    }
  }

  /** Row `i` of the history as (slot number, count, mean, squares) of the slots that have values in it. */
  *row(i: number): Generator<[number, number, number, number]> {
    const row = this.#row(i) * 3 * this.#places;
    for (const [place, slot] of this.#slots.entries()) {
      const at = row + 3 * place;
      if (slot !== null && this.#cells[at]! > 0) {
        yield [slot.number, this.#cells[at]!, this.#cells[at + 1]!, this.#cells[at + 2]!];
      }
    }
  }

  /** Puts back one of {@link row} into the newest row; slots that have left since are no longer known. */
  restoreCell(number: number, count: number, mean: number, squares: number): void {
    const place = this.#slots.findIndex((slot) => slot?.number === number);
    if (place >= 0) this.#write(this.#row(this.size - 1) * 3 * this.#places + 3 * place, count, mean, squares);
  }

  save(): SavedSlots {
    this.follow();
    const slots = this.#slots
      .filter((slot) => slot !== null)
      .map(({ number, template, token, unrest, isName }) => ({
        number,
        template: template.number,
        token,
        unrest: { ...unrest },
        isName,
      }));
    return { nextNumber: this.#nextNumber, slots };
  }

  /** Before any row. @throws RangeError if `saved` cannot have come from {@link save} (a damaged store) */
  restore({ nextNumber, slots }: SavedSlots, byNumber: ReadonlyMap<number, Template>): void {
    if (!Number.isInteger(nextNumber) || !Array.isArray(slots) || slots.length > MAX_SOURCE_SLOTS) {
      throw new RangeError('stored slots must be a list with the next number');
    }
    this.#nextNumber = nextNumber;
    for (const { number, template, token, unrest, isName } of slots) {
      const owner = byNumber.get(template);
      if (owner === undefined || !(unrest.weight > 0) || !(unrest.squares >= 0) || typeof isName !== 'boolean') {
        throw new RangeError(`stored slot ${number} has no template or no unrest`);
      }
      this.#place({ number, template: owner, token, unrest: { ...unrest }, isName });
    }
  }

  /** Slots go where their template's counts went, and leave with them; of two that meet the older stays. */
  follow(): void {
    let moved = false;
    for (let place = 0; place < this.#slots.length; place++) {
      const slot = this.#slots[place]!;
      if (slot === null) continue;
      for (; slot.template.mergedInto !== null; moved = true) slot.template = slot.template.mergedInto;
      if (slot.template.slot < 0) this.#slots[place] = null;
    }
    if (!moved) return;
    // Not the one whose place comes first: places are others after a restart.
    for (const [place, slot] of this.#slots.entries()) {
      if (slot !== null && this.#slots.some((other) => other !== null && isOlder(other, slot)))
        this.#slots[place] = null;
    }
  }

  #find(template: Template, token: number): number {
    for (let place = 0; place < this.#slots.length; place++) {
      const slot = this.#slots[place]!;
      if (slot !== null && slot.template === template && slot.token === token) return place;
    }
    return -1;
  }

  /** @returns -1 when there is no room */
  #placeOf(template: Template, { token, count }: SlotNumbers): number {
    const known = this.#find(template, token);
    if (known >= 0 || this.#isFull) return known;
    const used = this.#slots.reduce((n, slot) => n + (slot === null ? 0 : 1), 0);
    if (count < MIN_VALUES && used >= MAX_RARE) return -1;
    this.#isFull = used >= MAX_SOURCE_SLOTS && !this.#freeUnused();
    if (this.#isFull) return -1;
    return this.#place({ number: this.#nextNumber++, template, token, unrest: newUnrest(), isName: false });
  }

  #place(slot: Slot): number {
    const free = this.#slots.indexOf(null);
    const place = free >= 0 ? free : this.#slots.length;
    if (place >= this.#places) this.#grow();
    this.#slots[place] = slot;
    for (let row = 0; row < this.capacity; row++) this.#write(3 * (row * this.#places + place), 0, 0, 0);
    return place;
  }

  /** The oldest slot without values in any kept window and in this one, or of a name, leaves. @returns whether there was one */
  #freeUnused(): boolean {
    let unused = -1;
    for (const [place, slot] of this.#slots.entries()) {
      if (slot === null || (unused >= 0 && this.#slots[unused]!.number < slot.number)) continue;
      if (parts.some((part) => part.place === place)) continue;
      if (slot.isName || !this.#hasValues(place)) unused = place;
    }
    if (unused >= 0) this.#slots[unused] = null;
    return unused >= 0;
  }

  #hasValues(place: number): boolean {
    for (let i = 0; i < this.size; i++) if (this.#cells[3 * (this.#row(i) * this.#places + place)]! > 0) return true;
    return false;
  }

  /** @returns whether the slot has a say */
  #measure(slot: Slot, part: SlotPart): boolean {
    const added = this.#addEarlier(part);
    if (past.counts.length < this.capacity) past = newPast(this.capacity);
    past.n = 0;
    for (let i = 0; i < this.size - 1 - added; i++) {
      const at = 3 * (this.#row(i) * this.#places + part.place);
      const count = this.#cells[at]!;
      if (count === 0 || normal[i] === 0) continue;
      past.counts[past.n] = count;
      past.means[past.n] = this.#cells[at + 1]!;
      past.squares[past.n++] = this.#cells[at + 2]!;
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
    recent.count = now.count;
    recent.mean = now.mean;
    recent.squares = now.squares;
    let added = 0;
    for (let k = 1; k <= MAX_ADDED && recent.count < MIN_VALUES; k++) {
      const i = this.size - 1 - k * this.#panesPerWindow;
      if (i < 0) break;
      const at = 3 * (this.#row(i) * this.#places + place);
      earlier.count = this.#cells[at]!;
      earlier.mean = this.#cells[at + 1]!;
      earlier.squares = this.#cells[at + 2]!;
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
    for (let i = this.#panesPerWindow; i < this.size - 1; i++) {
      const earlier = 3 * (this.#row(i - this.#panesPerWindow) * this.#places + place);
      if (normal[i - this.#panesPerWindow] === 1 && this.#cells[earlier]! > 0) before = earlier;
      const now = 3 * (this.#row(i) * this.#places + place);
      if (before < 0 || normal[i] === 0 || this.#cells[now] === 0) continue;
      differences += (this.#cells[now + 1]! - this.#cells[before + 1]!) ** 2;
      pairs++;
    }
    return isLevel(past, mean, differences, pairs);
  }

  #write(at: number, count: number, mean: number, squares: number): void {
    this.#cells[at] = count;
    this.#cells[at + 1] = mean;
    this.#cells[at + 2] = squares;
  }

  #grow(): void {
    const wide = 2 * this.#places;
    const grown = new Float32Array(3 * this.capacity * wide);
    for (let row = 0; row < this.capacity; row++) {
      grown.set(this.#cells.subarray(3 * row * this.#places, 3 * (row + 1) * this.#places), 3 * row * wide);
    }
    this.#cells = grown;
    this.#places = wide;
  }

  #row(i: number): number {
    const row = this.#head + i;
    return row < this.capacity ? row : row - this.capacity;
  }
}

/** The same position, known for longer. */
function isOlder(other: Slot, { number, template, token }: Slot): boolean {
  return other.number < number && other.template === template && other.token === token;
}

/** Scratch of {@link SlotHistory}; it is synchronous. */
const nats = new Float64Array(MAX_SOURCE_SLOTS);
/** Slots that had values in the window judged last. */
let parts: SlotPart[] = [];
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
