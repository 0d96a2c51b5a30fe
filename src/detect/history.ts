import { VERDICT_NUMBERS } from './channels/channel-verdict.ts';
import { GramRing } from './dmd/gram.ts';
import { VectorProducts } from './dmd/vector-products.ts';

/** Why a window does not alert; order = bit position in the stored flags, so append only. */
export const GATES = ['warming', 'gap', 'muted', 'degraded', 'sparse', 'recurrent', 'incomplete'] as const;
export type Gate = (typeof GATES)[number];

const ACCEPTED = 1 << 15;
/** The snapshot of this window changed: its Gram row must be formed again. */
const STALE = 1 << 14;
const INCOMPLETE = 1 << GATES.indexOf('incomplete');
const DEGRADED = 1 << GATES.indexOf('degraded');
const FIRST_SLOTS = 16;
/** Columns grow by: doubling them would leave a fourth of a source's memory unused. */
const SLOT_STEP = 8;
/** A loud window counts as normal after so many: what comes back every hour is known by its third time. Chosen in docs/decisions/0028. */
const RIPE_WINDOWS = 90;

/** What is kept of a window beside its counts. NaN = not scored. */
export interface WindowScalars {
  windowId: number;
  records: number;
  error: number;
  normalizedError: number;
  rank: number;
  gates: readonly Gate[];
  /** Its error and its counts count as normal. */
  accepted: boolean;
}

/** What the channels count in a window beside its templates. */
export interface WindowTallies {
  /** Records at WARN or above. */
  warnings: number;
  /** Records at ERROR or above. */
  errors: number;
  /** Templates that had never been accepted when the window was judged; 0 for a source's first. */
  novelTemplates: number;
}

/**
 * The kept windows of one source, oldest first: counts per template slot, scalars and the Gram matrix of the snapshots.
 *
 *              slot 0  slot 1  slot 2 …         Gram (packed, same logical order)
 *     row r0 │    12      0      3              G00
 *     row r1 │    11      1      0              G10 G11
 *     …      │                                  …
 *
 * Counts are one dense matrix, because a template's history is then a column (median, merge, drop) and no window costs an object.
 * A gap leaves no row: its neighbours count as consecutive (our outage must not look like drift).
 */
export class History {
  readonly capacity: number;
  readonly gram: GramRing;
  /** Of the vectors that the Gram rows were formed with, by slot. */
  readonly products = new VectorProducts();
  slotCapacity = FIRST_SLOTS;
  size = 0;
  #head = 0;
  #counts: Uint32Array;
  #windowIds: Float64Array;
  #records: Float64Array;
  #errors: Float64Array;
  #normalized: Float64Array;
  #ranks: Uint16Array;
  #flags: Uint16Array;
  #warnings: Float64Array;
  #errorRecords: Float64Array;
  #novelTemplates: Float64Array;
  /** Empty where `dmd` is the only channel: its verdict is in the scalars. */
  #verdicts: Float64Array;

  /** @param options - scored: room for the verdict of several channels */
  constructor(capacity: number, options: { scored?: boolean } = {}) {
    this.capacity = capacity;
    this.gram = new GramRing(capacity);
    this.#counts = new Uint32Array(capacity * FIRST_SLOTS);
    this.#windowIds = new Float64Array(capacity);
    this.#records = new Float64Array(capacity);
    this.#errors = new Float64Array(capacity);
    this.#normalized = new Float64Array(capacity);
    this.#ranks = new Uint16Array(capacity);
    this.#flags = new Uint16Array(capacity);
    this.#warnings = new Float64Array(capacity);
    this.#errorRecords = new Float64Array(capacity);
    this.#novelTemplates = new Float64Array(capacity);
    this.#verdicts = new Float64Array(options.scored === true ? capacity * VERDICT_NUMBERS : 0);
  }

  /** Appends a window without counts; the oldest leaves when full, also from the Gram matrix. Its Gram row is pushed by the scorer. */
  push(): number {
    if (this.size === this.capacity) {
      this.#head = (this.#head + 1) % this.capacity;
      this.size--;
      this.gram.removeOldest();
    }
    const row = this.#row(this.size);
    this.#counts.fill(0, row * this.slotCapacity, (row + 1) * this.slotCapacity);
    return this.size++;
  }

  set(i: number, window: WindowScalars): void {
    const row = this.#row(i);
    this.#windowIds[row] = window.windowId;
    this.#records[row] = window.records;
    this.#errors[row] = window.error;
    this.#normalized[row] = window.normalizedError;
    this.#ranks[row] = window.rank;
    let flags = window.accepted ? ACCEPTED : 0;
    for (const gate of window.gates) flags |= 1 << GATES.indexOf(gate);
    this.#flags[row] = flags;
  }

  window(i: number): WindowScalars {
    const row = this.#row(i);
    const flags = this.#flags[row]!;
    return {
      windowId: this.#windowIds[row]!,
      records: this.#records[row]!,
      error: this.#errors[row]!,
      normalizedError: this.#normalized[row]!,
      rank: this.#ranks[row]!,
      gates: GATES.filter((_, bit) => (flags & (1 << bit)) !== 0),
      accepted: (flags & ACCEPTED) !== 0,
    };
  }

  setTallies(i: number, { warnings, errors, novelTemplates }: WindowTallies): void {
    const row = this.#row(i);
    this.#warnings[row] = warnings;
    this.#errorRecords[row] = errors;
    this.#novelTemplates[row] = novelTemplates;
  }

  indexOf(windowId: number): number {
    for (let i = this.size - 1; i >= 0; i--) if (this.windowId(i) === windowId) return i;
    return -1;
  }

  windowId(i: number): number {
    return this.#windowIds[this.#row(i)]!;
  }
  records(i: number): number {
    return this.#records[this.#row(i)]!;
  }
  warnings(i: number): number {
    return this.#warnings[this.#row(i)]!;
  }
  errorRecords(i: number): number {
    return this.#errorRecords[this.#row(i)]!;
  }
  novelTemplates(i: number): number {
    return this.#novelTemplates[this.#row(i)]!;
  }
  /** What the channels said of window `i`, packed as `channels/channel-verdict.ts` does: a view to read and write. */
  verdict(i: number): Float64Array {
    const at = this.#row(i) * VERDICT_NUMBERS;
    return this.#verdicts.subarray(at, at + VERDICT_NUMBERS);
  }
  error(i: number): number {
    return this.#errors[this.#row(i)]!;
  }
  /** Records of windows from..to-1. */
  recordsOf(from: number, to: number): number[] {
    return Array.from({ length: to - from }, (_, k) => this.records(from + k));
  }
  /** Errors of windows from..to-1, NaN where there is none or where some vector was missing when it was measured. */
  errorsOf(from: number, to: number): number[] {
    return Array.from({ length: to - from }, (_, k) =>
      (this.flags(from + k) & DEGRADED) === 0 ? this.error(from + k) : NaN,
    );
  }
  /** Gates, acceptance and staleness as the store keeps them. */
  flags(i: number): number {
    return this.#flags[this.#row(i)]!;
  }
  setFlags(i: number, flags: number): void {
    this.#flags[this.#row(i)] = flags;
  }
  isStale(i: number): boolean {
    return (this.#flags[this.#row(i)]! & STALE) !== 0;
  }
  /** Windows whose Gram row must be formed again, oldest first. */
  staleWindows(): number[] {
    const stale: number[] = [];
    for (let i = 0; i < this.size; i++) if (this.isStale(i)) stale.push(i);
    return stale;
  }
  setFresh(i: number): void {
    this.#flags[this.#row(i)]! &= ~STALE;
  }
  /** What this column adds to the snapshots changes (a vector came late, the template was renamed, merged or leaves). */
  markStale(slot: number): void {
    for (let i = 0; i < this.size; i++) if (this.count(i, slot) > 0) this.#flags[this.#row(i)]! |= STALE;
  }
  markAllStale(): void {
    for (let i = 0; i < this.size; i++) this.#flags[this.#row(i)]! |= STALE;
  }
  /** Whether window `i` counts as normal now: it was accepted, or left out {@link RIPE_WINDOWS} ago though nothing of it was missing. */
  accepted(i: number): boolean {
    const flags = this.#flags[this.#row(i)]!;
    return (flags & ACCEPTED) !== 0 || (i < this.size - RIPE_WINDOWS && (flags & INCOMPLETE) === 0);
  }

  count(i: number, slot: number): number {
    return this.#counts[this.#row(i) * this.slotCapacity + slot]!;
  }
  setCount(i: number, slot: number, count: number): void {
    this.#counts[this.#row(i) * this.slotCapacity + slot] = Math.min(count, 0xffffffff);
  }
  /** The counts of window `i`, one per slot: a view, valid until the next change. */
  counts(i: number): Uint32Array {
    const row = this.#row(i);
    return this.#counts.subarray(row * this.slotCapacity, (row + 1) * this.slotCapacity);
  }

  /**
   * Counts of all windows; those of window `i` begin at {@link countsStart}. Valid until the next change. Loops over a history use it: a view per
   * window was a fourth of a step's garbage.
   */
  get allCounts(): Uint32Array {
    return this.#counts;
  }
  countsStart(i: number): number {
    return this.#row(i) * this.slotCapacity;
  }

  /** Sum of a template's counts over all kept windows. */
  total(slot: number): number {
    let sum = 0;
    for (let row = 0; row < this.capacity; row++) sum += this.#counts[row * this.slotCapacity + slot]!;
    return sum;
  }

  /** No kept window counts this template. */
  isUnused(slot: number): boolean {
    for (let i = this.size - 1; i >= 0; i--) if (this.count(i, slot) > 0) return false;
    return true;
  }

  /** A template merged into another: its column is added there and cleared. */
  mergeSlots(from: number, into: number): void {
    this.markStale(from);
    for (let i = 0; i < this.size; i++) {
      this.setCount(i, into, this.count(i, into) + this.count(i, from));
      this.setCount(i, from, 0);
    }
  }

  clearSlot(slot: number): void {
    this.markStale(slot);
    for (let row = 0; row < this.capacity; row++) this.#counts[row * this.slotCapacity + slot] = 0;
  }

  /** Makes room for slots up to `slots` - 1. */
  growSlots(slots: number): void {
    if (slots <= this.slotCapacity) return;
    const wide = Math.ceil(slots / SLOT_STEP) * SLOT_STEP;
    const grown = new Uint32Array(this.capacity * wide);
    for (let row = 0; row < this.capacity; row++) {
      grown.set(this.#counts.subarray(row * this.slotCapacity, (row + 1) * this.slotCapacity), row * wide);
    }
    this.#counts = grown;
    this.slotCapacity = wide;
  }

  /** Median count of a template, or of several together, over the accepted windows among the first `n`; 0 when there are none. */
  medianCount(slots: readonly number[], n: number): number {
    const values: number[] = [];
    for (let i = 0; i < n; i++)
      if (this.accepted(i)) values.push(slots.reduce((sum, slot) => sum + this.count(i, slot), 0));
    if (values.length === 0) return 0;
    values.sort((a, b) => a - b);
    const middle = values.length >> 1;
    return values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2;
  }

  /** Bytes of the typed arrays: what the benchmark of a source's state counts. */
  get byteLength(): number {
    const scalars = this.capacity * (7 * 8 + 2 * 2);
    return this.#counts.byteLength + scalars + this.#verdicts.byteLength + this.gram.bytes + this.products.bytes;
  }

  #row(i: number): number {
    const row = this.#head + i;
    return row < this.capacity ? row : row - this.capacity;
  }
}
