import { ErrorBaseline } from './baseline.ts';
import { ChannelState } from './channels/channel-state.ts';
import type { StoredCluster } from './miner/miner.ts';
import type { Source } from './source.ts';
import { readMeta, readSeen, readTemplateRow, type Meta, type TemplateRow } from './stored-form.ts';
import { MAX_TEMPLATES, type Template } from './template.ts';

/**
 * Version of what is written here, and of what it means: of the kinds of a template's words, by which lines find it, and of the values that channels
 * are calibrated with. The store starts cold when it differs.
 */
export const STATE_VERSION = 10;

/** What a source's history looks like in the store: opaque to the store, versioned by {@link STATE_VERSION}. */
export interface StoredSource {
  key: string;
  /** JSON: everything small. */
  meta: string;
  /** Oldest first. */
  windows: { windowId: number; blob: Uint8Array }[];
  templates: { number: number; blob: Uint8Array }[];
}

/** What one step changed in a source; the store applies it in one transaction. */
export interface SourceDelta {
  key: string;
  meta: string;
  /** All stored windows and templates of the source leave first (a template merged, the Gram matrix was formed again); this is everything. */
  reset: boolean;
  windows: { windowId: number; blob: Uint8Array }[];
  /** Windows with a smaller id leave. */
  oldestWindowId: number;
  templates: { number: number; blob: Uint8Array }[];
  removedTemplates: number[];
}

/** Row that holds the ids ever accepted in place of a template. */
const SEEN_ROW = -1;
const encoder = new TextEncoder();

/** What changed since the last call. */
export function saveSource(source: Source): SourceDelta {
  const { history, templates } = source;
  // A stale row means that counts have moved and the Gram matrix will follow at the next score; the stored rows are wrong already.
  const reset = source.historyRewritten || history.staleWindows().length > 0;
  source.noteVariables();
  const from = reset ? 0 : firstUnsaved(source);
  const rows = [...(reset ? templates.all() : templates.changed)].map((template) => {
    template.stored = true;
    return { number: template.number, blob: templateBlob(template) };
  });
  if (reset || templates.seenChanged)
    rows.push({ number: SEEN_ROW, blob: encoder.encode(JSON.stringify([...templates.seen])) });
  const meta: Meta = {
    baseline: source.baseline.save(),
    channels: source.channels?.save() ?? null,
    slots: source.slots?.save() ?? null,
    miner: source.miner.saveState(),
    nextTemplate: templates.nextNumber,
    recency: Array.from(source.miner.clusters(), ({ number, count, enumerations }) => [
      number,
      count,
      ...(enumerations?.totals() ?? []),
    ]),
    levels: Array.from(templates.all(), ({ number, levels }) => [number, levels]),
    unembedded: source.unembedded.map((template) => template.number),
  };
  const delta: SourceDelta = {
    key: source.key,
    meta: JSON.stringify(meta),
    reset,
    windows: Array.from({ length: history.size - from }, (_, k) => ({
      windowId: history.windowId(from + k),
      blob: windowBlob(source, from + k),
    })),
    oldestWindowId: history.size > 0 ? history.windowId(0) : 0,
    templates: rows,
    removedTemplates: templates.removed.splice(0),
  };
  templates.changed.clear();
  templates.seenChanged = false;
  source.historyRewritten = false;
  if (history.size > 0) source.savedWindowId = history.windowId(history.size - 1);
  return delta;
}

/** Fills a fresh source. @throws Error when the blobs cannot have come from {@link saveSource}. */
export function restoreSource(source: Source, stored: StoredSource): void {
  const { history, templates } = source;
  const meta = readMeta(stored.meta);
  source.baseline = ErrorBaseline.restore(meta.baseline);
  // The store's fingerprint holds the channels: what was saved is what is wanted.
  if (source.channels !== null && meta.channels !== null) source.channels = ChannelState.restore(meta.channels);
  templates.nextNumber = meta.nextTemplate;
  const byNumber = new Map<number, Template>();
  const owners = new Map<number, Template>();
  // Only the order counts; all are older than the next line.
  const oldest = -meta.recency.length;
  const uses = new Map(
    meta.recency.map(([number, count, ...totals], order) => [number, { count, totals, lastLine: oldest + order }]),
  );
  const clusters: StoredCluster[] = [];
  for (const { number, blob } of stored.templates) {
    if (number === SEEN_ROW) {
      for (const id of readSeen(blob)) templates.markSeen(id);
      continue;
    }
    const row = readTemplateRow(blob, number);
    const template = templates.create(row, row.firstSeenMs, number);
    template.stored = true;
    byNumber.set(number, template);
    if (row.slot !== -1) {
      if (templates.bySlot[row.slot]) throw new RangeError(`stored column ${row.slot} is of two templates`);
      templates.assignSlot(template, row.slot);
    }
    for (const cluster of row.clusters) {
      owners.set(cluster.number, template);
      clusters.push({ ...cluster, ...(uses.get(cluster.number) ?? { lastLine: oldest - 1 }) });
    }
  }
  source.miner.restore(meta.miner, clusters);
  if (source.slots !== null && meta.slots !== null) source.slots.restore(meta.slots, byNumber);
  const gramRow = new Float64Array(history.capacity);
  for (const { windowId, blob } of stored.windows) restoreWindow(source, windowId, blob, gramRow);
  for (const [number, levels] of meta.levels) {
    const template = byNumber.get(number);
    if (template === undefined) throw new RangeError(`stored template ${number} has levels and no row`);
    template.levels = levels;
  }
  source.unembedded = meta.unembedded.flatMap((number) => byNumber.get(number) ?? []);
  templates.changed.clear();
  templates.seenChanged = false;
  source.historyRewritten = false;
  if (history.size > 0) source.savedWindowId = history.windowId(history.size - 1);
  source.adopt(owners);
}

/** A damaged one must not take memory for itself and all before it. */
function checkedSlot(slot: number): number {
  if (Number.isInteger(slot) && slot >= 0 && slot < MAX_TEMPLATES) return slot;
  throw new RangeError(`stored column ${slot} is none of ${MAX_TEMPLATES}`);
}

function firstUnsaved(source: Source): number {
  const { history, savedWindowId } = source;
  let i = history.size;
  while (i > 0 && history.windowId(i - 1) > savedWindowId) i--;
  return i;
}

function templateBlob(template: Template): Uint8Array {
  const row: TemplateRow = {
    id: template.id,
    text: template.text,
    ...(template.shared.classes.length > 0 ? { shared: template.shared } : {}),
    firstSeenMs: template.firstSeenMs,
    slot: template.slot,
    clusters: [...template.clusters].map((cluster) => cluster.save()),
  };
  return encoder.encode(JSON.stringify(row));
}

const HEADER_BYTES = 8 * 8 + 4 * 4;
const SLOT_BYTES = 4 * 4;

/**
 *     f64 records, error, normalizedError, rank, flags, warnings, error records, novel templates
 *     u32 gram length, channel numbers, numeric slots, 0
 *     f64 gram row | f64 verdict of the channels (none where `dmd` is the only one)
 *     (u32 slot number, f32 count, f32 mean, f32 squares)… | (u32 slot, u32 count)…
 */
function windowBlob({ history, slots }: Source, i: number): Uint8Array {
  const window = history.window(i);
  const counts = history.counts(i);
  const verdict = history.verdict(i);
  const used: number[] = [];
  for (let slot = 0; slot < counts.length; slot++) if (counts[slot]! > 0) used.push(slot);
  const numeric = [...(slots?.row(i) ?? [])];
  const bytes = new Uint8Array(
    HEADER_BYTES + (i + 1 + verdict.length) * 8 + numeric.length * SLOT_BYTES + used.length * 8,
  );
  const view = new DataView(bytes.buffer);
  const numbers = [
    ...[window.records, window.error, window.normalizedError, window.rank, history.flags(i)],
    ...[history.warnings(i), history.errorRecords(i), history.novelTemplates(i)],
  ];
  numbers.forEach((value, k) => view.setFloat64(k * 8, value));
  view.setUint32(64, i + 1);
  view.setUint32(68, verdict.length);
  view.setUint32(72, numeric.length);
  let at = HEADER_BYTES;
  for (let j = 0; j <= i; j++, at += 8) view.setFloat64(at, history.gram.at(i, j));
  for (let k = 0; k < verdict.length; k++, at += 8) view.setFloat64(at, verdict[k]!);
  for (const [number, count, mean, squares] of numeric) {
    view.setUint32(at, number);
    view.setFloat32(at + 4, count);
    view.setFloat32(at + 8, mean);
    view.setFloat32(at + 12, squares);
    at += SLOT_BYTES;
  }
  for (const slot of used) {
    view.setUint32(at, slot);
    view.setUint32(at + 4, counts[slot]!);
    at += 8;
  }
  return bytes;
}

function restoreWindow({ history, slots }: Source, windowId: number, blob: Uint8Array, gramRow: Float64Array): void {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const number = (k: number) => view.getFloat64(k * 8);
  const i = history.push();
  history.set(i, {
    windowId,
    records: number(0),
    error: number(1),
    normalizedError: number(2),
    rank: number(3),
    gates: [],
    accepted: false,
  });
  history.setFlags(i, number(4));
  history.setTallies(i, { warnings: number(5), errors: number(6), novelTemplates: number(7) });
  const length = view.getUint32(64);
  // The row was written when older windows were still there: its newest entries belong to those that are left.
  if (length < i + 1) throw new RangeError(`stored window ${windowId} has ${length} inner products, needs ${i + 1}`);
  for (let j = 0; j <= i; j++) gramRow[j] = view.getFloat64(HEADER_BYTES + (length - i - 1 + j) * 8);
  history.gram.push(gramRow);
  const verdict = history.verdict(i);
  let at = HEADER_BYTES + length * 8;
  if (view.getUint32(68) !== verdict.length) throw new RangeError(`stored window ${windowId} is of other channels`);
  for (let k = 0; k < verdict.length; k++, at += 8) verdict[k] = view.getFloat64(at);
  slots?.push();
  for (let k = view.getUint32(72); k > 0; k--, at += SLOT_BYTES) {
    const [count, mean, squares] = [view.getFloat32(at + 4), view.getFloat32(at + 8), view.getFloat32(at + 12)];
    slots?.restoreCell(view.getUint32(at), count, mean, squares);
  }
  for (; at < blob.byteLength; at += 8) {
    const slot = checkedSlot(view.getUint32(at));
    history.growSlots(slot + 1);
    history.setCount(i, slot, view.getUint32(at + 4));
  }
}
