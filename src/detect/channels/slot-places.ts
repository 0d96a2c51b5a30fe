import type { SlotNumbers } from '../miner/variables/numbers.ts';
import type { Template } from '../template.ts';
import type { SlotCells } from './slot-cells.ts';
import { MIN_VALUES, newUnrest, type SlotUnrest } from './values.ts';

/** Numeric slots a source remembers; a new one takes the place of one without values or of a name, else it has to wait. */
export const MAX_SOURCE_SLOTS = 32;
/** Places that slots of few values a window may take. */
const MAX_RARE = 16;
/** Number position `token` of a template, over time. */
export interface Slot {
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

/** Which numeric slots a source remembers, and at which place of the cells each is; a few places for many that may want one. */
export class SlotPlaces {
  /** By place. */
  readonly slots: (Slot | null)[] = [];
  readonly #cells: SlotCells;
  #nextNumber = 0;
  /** No place was free when the window being judged last asked for one. */
  #isFull = false;

  constructor(cells: SlotCells) {
    this.#cells = cells;
  }

  /** Another window is about to be judged. */
  begin(): void {
    this.follow();
    this.#isFull = false;
  }

  save(): SavedSlots {
    this.follow();
    const slots = this.slots
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
    for (let place = 0; place < this.slots.length; place++) {
      const slot = this.slots[place]!;
      if (slot === null) continue;
      for (; slot.template.mergedInto !== null; moved = true) slot.template = slot.template.mergedInto;
      if (slot.template.slot < 0) this.slots[place] = null;
    }
    if (!moved) return;
    // Not the one whose place comes first: places are others after a restart.
    for (const [place, slot] of this.slots.entries()) {
      if (slot !== null && this.slots.some((other) => other !== null && isOlder(other, slot))) this.slots[place] = null;
    }
  }

  #find(template: Template, token: number): number {
    for (let place = 0; place < this.slots.length; place++) {
      const slot = this.slots[place]!;
      if (slot !== null && slot.template === template && slot.token === token) return place;
    }
    return -1;
  }

  /**
   * @param isTaken - whether the window being judged has values at a place
   * @returns -1 when there is no room
   */
  placeOf(template: Template, { token, count }: SlotNumbers, isTaken: (place: number) => boolean): number {
    const known = this.#find(template, token);
    if (known >= 0 || this.#isFull) return known;
    const used = this.slots.reduce((n, slot) => n + (slot === null ? 0 : 1), 0);
    if (count < MIN_VALUES && used >= MAX_RARE) return -1;
    this.#isFull = used >= MAX_SOURCE_SLOTS && !this.#freeUnused(isTaken);
    if (this.#isFull) return -1;
    return this.#place({ number: this.#nextNumber++, template, token, unrest: newUnrest(), isName: false });
  }

  #place(slot: Slot): number {
    const free = this.slots.indexOf(null);
    const place = free >= 0 ? free : this.slots.length;
    this.#cells.openPlace(place);
    this.slots[place] = slot;
    return place;
  }

  /** The oldest slot without values in any kept window and in this one, or of a name, leaves. @returns whether there was one */
  #freeUnused(isTaken: (place: number) => boolean): boolean {
    let unused = -1;
    for (const [place, slot] of this.slots.entries()) {
      if (slot === null || (unused >= 0 && this.slots[unused]!.number < slot.number)) continue;
      if (isTaken(place)) continue;
      if (slot.isName || !this.#cells.isUsed(place)) unused = place;
    }
    if (unused >= 0) this.slots[unused] = null;
    return unused >= 0;
  }
}

/** The same position, known for longer. */
function isOlder(other: Slot, { number, template, token }: Slot): boolean {
  return other.number < number && other.template === template && other.token === token;
}
