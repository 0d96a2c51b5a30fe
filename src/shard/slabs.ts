import { ROW_BYTES, type RecordFrame } from '../detect/frame.ts';

/**
 * Shared memory in which frames travel to a shard thread, reused for ever:
 *
 *     main:   take a free slab ─ copy the frame ─ post its number ──► shard: mine from it ─ mark it free
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
const SLAB_ROWS_BYTES = 1000 * ROW_BYTES;
const SLAB_TEXT_BYTES = 208 * 1024;
const FREE = 0;
const TAKEN = 1;

/** Pages are touched, and so take memory, only when a slab is first used. */
export function createSlabMemory(): SlabMemory {
  const buffers = (bytes: number): SharedArrayBuffer[] =>
    Array.from({ length: SLABS }, () => new SharedArrayBuffer(bytes));
  return {
    rows: buffers(SLAB_ROWS_BYTES),
    texts: buffers(SLAB_TEXT_BYTES),
    states: new Int32Array(new SharedArrayBuffer(4 * SLABS)),
  };
}

/** The main thread's side: fills slabs. */
export class SlabWriter {
  readonly #rows: Uint8Array[];
  readonly #texts: Uint8Array[];
  readonly #states: Int32Array;

  constructor(memory: SlabMemory) {
    this.#rows = memory.rows.map((buffer) => new Uint8Array(buffer));
    this.#texts = memory.texts.map((buffer) => new Uint8Array(buffer));
    this.#states = memory.states;
  }

  /** @returns the number of the slab that now holds the frame, -1 when it fits none or none is free */
  write(frame: RecordFrame): number {
    const rowsBytes = frame.count * ROW_BYTES;
    if (rowsBytes > SLAB_ROWS_BYTES || frame.textBytes > SLAB_TEXT_BYTES) return -1;
    // The first free one: few slabs stay in use, and warm in the cache.
    for (let slab = 0; slab < SLABS; slab++) {
      if (Atomics.load(this.#states, slab) !== FREE) continue;
      this.#rows[slab]!.set(new Uint8Array(frame.rows, 0, rowsBytes));
      this.#texts[slab]!.set(new Uint8Array(frame.text, 0, frame.textBytes));
      Atomics.store(this.#states, slab, TAKEN);
      return slab;
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
