import { setTimeout as delay } from 'node:timers/promises';
import { REFUSED, ROW, ROW_BYTES, type RecordFrame } from '../detect/frame.ts';

/** Records of one source handed to its shard and not yet mined. */
export const MAX_WAITING = 10_000;
/** How long one request waits for room before its excess is refused. */
const PATIENCE_MS = 100;

export interface AddressedFrame {
  shard: number;
  frame: RecordFrame;
  /** Called when the frame was handed over: its memory is the caller's again. */
  release?: () => void;
}

export interface AdmissionOptions {
  /** Per handle, shared with the shards, which count down as they mine. */
  waiting: Int32Array;
  /** The frame's memory is not used any more when it returns. */
  post(shard: number, frame: RecordFrame): void;
  /** Infinity where a replay waits and nothing is ever refused. */
  patienceMs?: number;
}

/** What became of one source's records. */
export interface Admitted {
  admitted: number;
  refused: number;
}

/**
 * Hands frames to their shards while every source in them has room. A frame whose source is full waits, later frames of that
 * source behind it, the others pass; when patience ends only the excess of the full source is refused.
 *
 * @returns the outcome by handle.
 */
export async function admit(frames: AddressedFrame[], options: AdmissionOptions): Promise<Map<number, Admitted>> {
  const outcome = new Map<number, Admitted>();
  let queue = frames.map((addressed) => ({ addressed, counts: countByHandle(addressed.frame) }));
  const deadlineMs = performance.now() + (options.patienceMs ?? PATIENCE_MS);
  for (;;) {
    const blocked: typeof queue = [];
    const full = new Set<number>();
    const patient = performance.now() < deadlineMs;
    for (const { addressed, counts } of queue) {
      for (const [handle, count] of counts) {
        if (Atomics.load(options.waiting, handle) + count > MAX_WAITING) full.add(handle);
      }
      if (patient && [...counts.keys()].some((handle) => full.has(handle))) {
        for (const handle of counts.keys()) full.add(handle);
        blocked.push({ addressed, counts });
        continue;
      }
      for (const [handle, count] of counts) {
        const excess = Math.max(0, Atomics.load(options.waiting, handle) + count - MAX_WAITING);
        if (excess > 0) refuseLast(addressed.frame, handle, excess);
        Atomics.add(options.waiting, handle, count - excess);
        const sum = outcome.get(handle) ?? { admitted: 0, refused: 0 };
        outcome.set(handle, { admitted: sum.admitted + count - excess, refused: sum.refused + excess });
      }
      options.post(addressed.shard, addressed.frame);
      addressed.release?.();
    }
    if (blocked.length === 0) return outcome;
    queue = blocked;
    await delay(1);
  }
}

function countByHandle(frame: RecordFrame): Map<number, number> {
  const view = new DataView(frame.rows);
  const counts = new Map<number, number>();
  let last = REFUSED;
  let run = 0;
  for (let i = 0; i <= frame.count; i++) {
    const handle = i < frame.count ? view.getInt32(i * ROW_BYTES + ROW.handle, true) : REFUSED;
    if (handle === last) {
      run++;
      continue;
    }
    if (last !== REFUSED) counts.set(last, (counts.get(last) ?? 0) + run);
    last = handle;
    run = 1;
  }
  return counts;
}

function refuseLast(frame: RecordFrame, handle: number, excess: number): void {
  const view = new DataView(frame.rows);
  for (let i = frame.count - 1, left = excess; i >= 0 && left > 0; i--) {
    if (view.getInt32(i * ROW_BYTES + ROW.handle, true) !== handle) continue;
    view.setInt32(i * ROW_BYTES + ROW.handle, REFUSED, true);
    left--;
  }
}
