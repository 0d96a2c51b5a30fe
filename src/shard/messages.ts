/**
 * Messages between the main thread and a shard: types only, no code beyond the row layout.
 *
 * A tick travels the records' own port, so the order of the port is the edge of a pane.
 */
import type { EmbeddingRequest, SourceDelta, StoredSource, Verdict, WindowExplanation } from '../detect/detector.ts';

/**
 * Records of many sources, one fixed row each, text behind one another in row order:
 *
 *     row (48 bytes): f64 timeMs | i32 handle | u32 textBytes | u32 templateBytes | u32 severityNumber | 16 B trace id | 8 B span id
 *     text:           text of row 0, template of row 0, text of row 1, …
 *
 * handle -1 = refused at admission: the text is skipped and nothing is counted.
 */
export interface RecordFrame {
  count: number;
  rows: ArrayBuffer;
  text: ArrayBuffer;
  textBytes: number;
}
export const ROW_BYTES = 48;

export type ToShard =
  | { type: 'open'; handle: number; key: string; stored: StoredSource | null }
  | { type: 'records'; frame: RecordFrame }
  /** Closes the pane that ends at `stepEndMs` for all sources; `gap`: the pane is not whole (suspend, outage of sender or service). */
  | { type: 'tick'; stepEndMs: number; gap: boolean; incomplete: number[] }
  /** Vectors for texts asked for; absent ones stay missing. Row i of `matrix` belongs to `texts[i]`. */
  | { type: 'vectors'; texts: string[]; matrix: Float32Array }
  | { type: 'score'; stepEndMs: number }
  /** Forget the vectors: the embedding space changed. */
  | { type: 'forget-vectors' }
  | { type: 'close'; handles: number[]; keep: boolean }
  | { type: 'explain'; id: number; handle: number; windowId: number }
  | { type: 'stop' };

export type FromShard =
  | { type: 'closed'; stepEndMs: number; needed: EmbeddingRequest[] }
  | { type: 'scored'; stepEndMs: number; verdicts: Verdict[]; deltas: SourceDelta[]; evicted: string[] }
  | { type: 'explained'; id: number; explanation: WindowExplanation | null }
  | { type: 'stopped' };
