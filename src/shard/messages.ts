/**
 * Messages between the main thread and a shard: types only.
 *
 * A tick travels the records' own port, so the order of the port is the edge of a pane.
 */
import type { PackedDeltas } from './packed-deltas.ts';
import type { StoredSource } from '../detect/persist.ts';
import type { Evictions } from '../detect/detector.ts';
import type { RecordFrame } from '../detect/frame.ts';
import type { Verdict, WindowExplanation } from '../detect/verdict.ts';

/** How scoring a step is spread over time, so that the machine's other work gets its turns. */
export interface Pace {
  /** Share of the time that a shard works; it pauses for the rest. */
  busyShare: number;
  /** From then on, milliseconds after it began, it works without pauses. */
  forMs: number;
}

export type ToShard =
  /** `stored`: state from the checkpoint; `resumed`: the source was parked (its last pane counts as empty), else the time before is a gap. */
  | { type: 'open'; handle: number; key: string; stored: StoredSource | null; resumed: boolean; muted: boolean }
  | { type: 'records'; frame: RecordFrame }
  /** Closes the pane that ends at `stepEndMs` for all sources; `gap`: the pane is not whole (suspend, outage of sender or service). */
  | { type: 'tick'; stepEndMs: number; gap: boolean; incomplete: number[] }
  /** Row i of `matrix` is the vector of `texts[i]`. */
  | { type: 'vectors'; texts: string[]; dimensions: number; matrix: Float32Array }
  /** `pace`: null is full speed. */
  | { type: 'score'; stepEndMs: number; pace: Pace | null }
  /** Shutdown is near: no pauses any more. */
  | { type: 'hurry' }
  /** The embedding space changed: all vectors must come again. */
  | { type: 'forget-vectors' }
  /** `keep`: there is no store, so the state stays parked in memory (bounded). */
  | { type: 'close'; handles: number[]; keep: boolean }
  | { type: 'explain'; id: number; handle: number; windowId: number }
  | { type: 'stop' };

/** What a thread understands beside: the frame lies in shared memory (`slabs.ts`). */
export type ToThread = ToShard | { type: 'slab'; slab: number; count: number; textBytes: number };

export type FromShard =
  /** The thread has loaded its code. */
  | { type: 'ready' }
  /** Stored state could not be used; the source was opened without. */
  | { type: 'restore-failed'; key: string; reason: string }
  /** Texts without a vector among the sources of this shard. */
  | { type: 'closed'; stepEndMs: number; missing: string[] }
  /** Some sources of the step. In one message with all of them the main thread would be busy with nothing else for 50 ms a thousand. */
  | { type: 'judged'; stepEndMs: number; verdicts: Verdict[]; deltas: PackedDeltas[] }
  /** All of them are judged. */
  | { type: 'scored'; stepEndMs: number; evictions: Evictions }
  | { type: 'explained'; id: number; explanation: WindowExplanation | null }
  | { type: 'stopped' };
