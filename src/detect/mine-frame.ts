/** The records of a frame: each line is mined in its source's tree and counted in its source's open pane. */
import { REFUSED, ROW, ROW_BYTES, type RecordFrame } from './frame.ts';
import type { Redactor } from './redact.ts';
import type { Source } from './source.ts';
import { isZero } from './top-templates.ts';

export interface FrameMining {
  /** Asked where the handle is another one than that of the record before; undefined: the source has left. */
  sourceOf: (handle: number) => Source | undefined;
  redactor: Redactor | null;
  /** Told the handle of each record that admission had let through. */
  onMined: ((handle: number) => void) | undefined;
}

export function mineFrame(frame: RecordFrame, { sourceOf, redactor, onMined }: FrameMining): void {
  const view = new DataView(frame.rows);
  const rows = new Uint8Array(frame.rows);
  const text = new Uint8Array(frame.text);
  let at = 0;
  let lastHandle = REFUSED;
  let source: Source | undefined;
  for (let i = 0; i < frame.count; i++) {
    const row = i * ROW_BYTES;
    const handle = view.getInt32(row + ROW.handle, true);
    const textEnd = at + view.getUint32(row + ROW.textBytes, true);
    const templateEnd = textEnd + view.getUint32(row + ROW.templateBytes, true);
    if (handle !== REFUSED) {
      if (handle !== lastHandle) {
        source = sourceOf(handle);
        lastHandle = handle;
      }
      if (source !== undefined) {
        const timeMs = view.getFloat64(row + ROW.timeMs, true);
        const idStart = isZero(rows, row + ROW.traceId, 16) ? -1 : row + ROW.traceId;
        const severity = view.getInt32(row + ROW.severity, true);
        mine(redactor, source, text, at, textEnd, templateEnd, timeMs, rows, idStart, severity);
      }
      onMined?.(handle);
    }
    at = templateEnd;
  }
}

/** Hot: positional, so that a record costs no object. */
function mine(
  redactor: Redactor | null,
  source: Source,
  bytes: Uint8Array,
  start: number,
  end: number,
  templateEnd: number,
  timeMs: number,
  ids: Uint8Array,
  idStart: number,
  severity: number,
): void {
  if (redactor === null) {
    const cluster =
      templateEnd > end ? source.miner.observeGiven(bytes, end, templateEnd) : source.miner.observe(bytes, start, end);
    const counted = source.openPane.count(cluster, bytes, start, end, timeMs, ids, idStart, severity);
    if (counted) source.miner.countVariables(cluster, bytes);
    return;
  }
  const text = redactor.redact(bytes, start, end);
  const template = redactor.redact(bytes, end, templateEnd);
  const cluster =
    template.length > 0
      ? source.miner.observeGiven(template, 0, template.length)
      : source.miner.observe(text, 0, text.length);
  const counted = source.openPane.count(cluster, text, 0, text.length, timeMs, ids, idStart, severity);
  if (counted) source.miner.countVariables(cluster, text);
}
