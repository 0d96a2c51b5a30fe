import type { RecordFrame } from '../detect/frame.ts';
import { MAX_LINE_BYTES, REFUSED, ROW, ROW_BYTES } from '../detect/frame.ts';
import type { DecodedRecord } from '../receive/record.ts';

/** A frame is handed over at this many records, so that admission counts and shard slices stay small. */
export const FRAME_RECORDS = 1000;
const FRAME_TEXT_BYTES = 1 << 20;

/** Copies decoded records into the rows and text of one frame (layout: detect/frame.ts). */
export class FrameBuilder {
  count = 0;
  textBytes = 0;
  #rows: Uint8Array;
  #view: DataView;
  #text: Uint8Array;

  constructor(expectedRecords: number) {
    this.#rows = new Uint8Array(expectedRecords * ROW_BYTES);
    this.#view = new DataView(this.#rows.buffer);
    this.#text = new Uint8Array(expectedRecords * 128);
  }

  get full(): boolean {
    return this.count >= FRAME_RECORDS || this.textBytes >= FRAME_TEXT_BYTES;
  }

  /**
   * Appends a record; text and template are cut at {@link MAX_LINE_BYTES}.
   *
   * @param handle of its source, or what {@link addressFrame} will replace by it
   */
  append(handle: number, timeMs: number, record: DecodedRecord): void {
    const textBytes = Math.min(record.textEnd - record.textStart, MAX_LINE_BYTES);
    const templateBytes = Math.min(record.templateEnd - record.templateStart, MAX_LINE_BYTES);
    this.#reserve(textBytes + templateBytes);
    const row = this.count * ROW_BYTES;
    const view = this.#view;
    view.setFloat64(row + ROW.timeMs, timeMs, true);
    view.setInt32(row + ROW.handle, handle, true);
    view.setUint32(row + ROW.textBytes, textBytes, true);
    view.setUint32(row + ROW.templateBytes, templateBytes, true);
    view.setUint32(row + ROW.severity, record.severityNumber, true);
    copy(this.#rows, row + ROW.traceId, record.ids, record.traceStart, 16);
    copy(this.#rows, row + ROW.spanId, record.ids, record.spanStart, 8);
    this.#append(record.text, record.textStart, textBytes);
    if (templateBytes > 0) this.#append(record.template, record.templateStart, templateBytes);
    this.count++;
  }

  /** What was appended: a view, valid until {@link reset}. */
  build(): RecordFrame {
    return { count: this.count, rows: this.#rows.buffer, text: this.#text.buffer, textBytes: this.textBytes };
  }

  /** Empties it for another frame in the same memory. */
  reset(): void {
    this.count = 0;
    this.textBytes = 0;
  }

  get byteLength(): number {
    return this.#rows.length + this.#text.length;
  }

  #append(bytes: Uint8Array, start: number, length: number): void {
    if (length > 32) this.#text.set(bytes.subarray(start, start + length), this.textBytes);
    else for (let k = 0; k < length; k++) this.#text[this.textBytes + k] = bytes[start + k]!;
    this.textBytes += length;
  }

  #reserve(textBytes: number): void {
    if ((this.count + 1) * ROW_BYTES > this.#rows.length) {
      const rows = new Uint8Array(this.#rows.length * 2);
      rows.set(this.#rows);
      this.#rows = rows;
      this.#view = new DataView(rows.buffer);
    }
    if (this.textBytes + textBytes > this.#text.length) {
      const text = new Uint8Array(Math.max(this.#text.length * 2, this.textBytes + textBytes));
      text.set(this.#text.subarray(0, this.textBytes));
      this.#text = text;
    }
  }
}

/**
 * Replaces what the rows carry in place of a handle by the handle; REFUSED takes the row out.
 *
 * @returns rows taken out
 */
export function addressFrame(frame: RecordFrame, handles: Int32Array): number {
  const view = new DataView(frame.rows);
  let refused = 0;
  for (let i = 0; i < frame.count; i++) {
    const at = i * ROW_BYTES + ROW.handle;
    const handle = handles[view.getInt32(at, true)]!;
    if (handle === REFUSED) refused++;
    view.setInt32(at, handle, true);
  }
  return refused;
}

function copy(into: Uint8Array, at: number, from: Uint8Array, start: number, length: number): void {
  if (start < 0) into.fill(0, at, at + length);
  else for (let k = 0; k < length; k++) into[at + k] = from[start + k]!;
}

/** Builders kept for the next frames, and the largest that is worth keeping. */
const MAX_KEPT = 64;
const MAX_KEPT_BYTES = 512 * 1024;

/** Builders in turn, so that a steady stream allocates no frames. */
export class FrameBuilders {
  readonly #kept: FrameBuilder[] = [];

  take(): FrameBuilder {
    return this.#kept.pop() ?? new FrameBuilder(1);
  }

  /** The frame was handed over (or dropped): its memory may hold the next one. */
  give(builder: FrameBuilder): void {
    if (this.#kept.length >= MAX_KEPT || builder.byteLength > MAX_KEPT_BYTES) return;
    builder.reset();
    this.#kept.push(builder);
  }
}
