/**
 * The layout in which records travel from the receiver to the detector: one fixed row a record, texts behind one another.
 *
 *     row (48 bytes): f64 timeMs | i32 handle | u32 textBytes | u32 templateBytes | u32 severityNumber | 16 B trace id | 8 B span id
 *     text:           text of row 0, template of row 0, text of row 1, template of row 1, …
 *
 * A template is there only when the sender mined the record itself (`log.record.template`). An all-zero id means none.
 */
export interface RecordFrame {
  count: number;
  /** `count` rows of {@link ROW_BYTES}; the buffer may be longer. */
  rows: ArrayBufferLike;
  /** `textBytes` bytes; the buffer may be longer. */
  text: ArrayBufferLike;
  textBytes: number;
}

export const ROW_BYTES = 48;
/** Byte offsets inside a row. */
export const ROW = {
  timeMs: 0,
  handle: 8,
  textBytes: 12,
  templateBytes: 16,
  severity: 20,
  traceId: 24,
  spanId: 40,
} as const;
/** Handle of a row that admission refused: its text is skipped and nothing is counted. */
export const REFUSED = -1;
/** Lines are cut here before they travel: nothing behind it changes a template, and a 64 MiB line stays cheap. */
export const MAX_LINE_BYTES = 8192;
