import { ROW_BYTES, type RecordFrame } from '../detect/frame.ts';

/**
 * Shared memory in which frames travel to a shard thread, reused for ever:
 *
 *     main:   take a free slab ─ copy frames in, one behind the other ─ post its number ──► shard: mine from it ─ mark it free
 *
 * Transferred ArrayBuffers were a third of the receiver's CPU: V8 counts their bytes as garbage pressure and marks its whole heap every
 * hundred frames (docs/decisions/0010-slabs.md). A frame that fits no slab, or finds none free, is still transferred.
 */
export interface SlabMemory {
  rows: SharedArrayBuffer[];
  texts: SharedArrayBuffer[];
  /** Per slab: FREE or TAKEN. */
  states: Int32Array;
}

const SLABS = 32;
const SLAB_ROWS = 1000;
const SLAB_TEXT_BYTES = 208 * 1024;
const FREE = 0;
const TAKEN = 1;

/** Pages are touched, and so take memory, only when a slab is first used. */
export function createSlabMemory(): SlabMemory {
  const buffers = (bytes: number): SharedArrayBuffer[] =>
    Array.from({ length: SLABS }, () => new SharedArrayBuffer(bytes));
  return {
    rows: buffers(SLAB_ROWS * ROW_BYTES),
    texts: buffers(SLAB_TEXT_BYTES),
    states: new Int32Array(new SharedArrayBuffer(4 * SLABS)),
  };
}

/** A slab with frames in it. */
export interface FilledSlab {
  slab: number;
  count: number;
  textBytes: number;
}

/** The main thread's side: fills slabs. */
export class SlabWriter {
  readonly #rows: Uint8Array[];
  readonly #texts: Uint8Array[];
  readonly #states: Int32Array;
  #filling: FilledSlab | null = null;

  constructor(memory: SlabMemory) {
    this.#rows = memory.rows.map((buffer) => new Uint8Array(buffer));
    this.#texts = memory.texts.map((buffer) => new Uint8Array(buffer));
    this.#states = memory.states;
  }

  /** No row more fits the slab that is being filled. */
  get isFull(): boolean {
    return this.#filling !== null && this.#filling.count >= SLAB_ROWS;
  }

  /** Copies `frame` behind the frames of the slab that is being filled. @returns false when it does not fit, or no slab is free */
  append(frame: RecordFrame): boolean {
    const { count = 0, textBytes = 0 } = this.#filling ?? {};
    if (count + frame.count > SLAB_ROWS || textBytes + frame.textBytes > SLAB_TEXT_BYTES) return false;
    const slab = this.#filling?.slab ?? this.#takeFree();
    if (slab < 0) return false;
    this.#rows[slab]!.set(new Uint8Array(frame.rows, 0, frame.count * ROW_BYTES), count * ROW_BYTES);
    this.#texts[slab]!.set(new Uint8Array(frame.text, 0, frame.textBytes), textBytes);
    this.#filling = { slab, count: count + frame.count, textBytes: textBytes + frame.textBytes };
    return true;
  }

  /** The slab that was being filled is the reader's from now on. */
  take(): FilledSlab | null {
    const filled = this.#filling;
    this.#filling = null;
    return filled;
  }

  /** The first free one: few slabs stay in use, and warm in the cache. */
  #takeFree(): number {
    for (let slab = 0; slab < SLABS; slab++) {
      if (Atomics.compareExchange(this.#states, slab, FREE, TAKEN) === FREE) return slab;
    }
    return -1;
  }
}

/** The shard's side. */
export function slabFrame(memory: SlabMemory, slab: number, count: number, textBytes: number): RecordFrame {
  return { count, rows: memory.rows[slab]!, text: memory.texts[slab]!, textBytes };
}

export function freeSlab(memory: SlabMemory, slab: number): void {
  Atomics.store(memory.states, slab, FREE);
}
