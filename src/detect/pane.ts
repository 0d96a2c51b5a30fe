import { addSummary } from './channels/values.ts';
import { addLevels, type Levels } from './levels.ts';
import { byteString } from './miner/tokens/layout.ts';
import { byCount, type SlotValues } from './miner/variables/enumerations.ts';
import type { SlotNumbers } from './miner/variables/numbers.ts';
import { uniteQuantiles } from './miner/variables/quantiles.ts';
import { current, type Template } from './template.ts';

/** Lines of a template in a window, and their longest form. */
const MAX_SAMPLES = 3;
export const MAX_SAMPLE_BYTES = 512;
/** Trace/span ids of a template in a window: 16 + 8 bytes each. */
const MAX_TRACES = 5;
export const TRACE_BYTES = 24;

/** What one template did in one pane. */
export interface PaneEntry {
  template: Template;
  count: number;
  /** Records by level. */
  levels: Levels;
  /** UTF-8, one character per byte: a third of the memory of a byte array each. Empty where no samples are kept. */
  samples: readonly string[];
  /** {@link TRACE_BYTES} each behind one another, as in {@link samples}. */
  traces: string;
  /** What its number positions held. */
  numbers: readonly SlotNumbers[];
  /** What its enumerations held. */
  enumerations: readonly SlotValues[];
}

/** The start of a line that is shown to people: whole characters, at most {@link MAX_SAMPLE_BYTES}. */
export function sampleOf(bytes: Uint8Array, start: number, end: number): string {
  let cut = end;
  if (end - start > MAX_SAMPLE_BYTES) {
    cut = start + MAX_SAMPLE_BYTES;
    while (cut > start && (bytes[cut]! & 0xc0) === 0x80) cut--;
  }
  return byteString(bytes, start, cut);
}

/** Whether the trace whose id begins at `ids[start]` is among `traces`. */
export function holdsTrace(traces: string, ids: Uint8Array, start: number): boolean {
  for (let at = 0; at < traces.length; at += TRACE_BYTES) {
    let k = 0;
    while (k < 16 && traces.charCodeAt(at + k) === ids[start + k]) k++;
    if (k === 16) return true;
  }
  return false;
}

/** Of `traces`, one after the other. */
export function splitTraces(traces: string): string[] {
  return Array.from({ length: traces.length / TRACE_BYTES }, (_, i) =>
    traces.slice(i * TRACE_BYTES, (i + 1) * TRACE_BYTES),
  );
}

/** What V8 puts in front of a string, and rounds its length up to at most. */
const STRING_HEAD = 16;

/** Bytes of what an entry, closed or open, holds: texts, ids and arrays. */
export function entryBytes({
  samples,
  traces,
  levels,
  numbers,
  enumerations,
}: Omit<PaneEntry, 'template' | 'count'>): number {
  const texts = [...samples, traces].reduce((sum, text) => sum + STRING_HEAD + text.length, 0);
  const summaries = numbers.reduce((sum, { quantiles }) => sum + 8 * 9 + STRING_HEAD + quantiles.bars.length, 0);
  // The texts of values belong to their cluster.
  const values = enumerations.reduce((sum, slot) => sum + 32 * slot.values.length, 0);
  return texts + 8 * levels.length + summaries + values;
}

/** What of a window's bounds a pane keeps: two panes overlap in a window of two, and each has to do for the next window. */
export function keptPerPane(panesPerWindow: number): { samples: number; traces: number } {
  const share = (most: number): number => (panesPerWindow === 1 ? most : Math.ceil(most / 2));
  return { samples: share(MAX_SAMPLES), traces: share(MAX_TRACES) };
}

/** {@link TRACE_BYTES} bytes at `ids[start]`. */
export function traceOf(ids: Uint8Array, start: number): string {
  return byteString(ids, start, start + TRACE_BYTES);
}

/** A closed pane of one source. */
export interface Pane {
  records: number;
  /** Of them at WARN or above. */
  warnings: number;
  /** Of these at ERROR or above. */
  errors: number;
  entries: PaneEntry[];
  /** Not whole: nothing that touches it is kept or judged. */
  gap: boolean;
}

export const EMPTY_PANE: Pane = { records: 0, warnings: 0, errors: 0, entries: [], gap: false };
export const GAP_PANE: Pane = { ...EMPTY_PANE, gap: true };

/**
 * A window is the union of the last size/step panes:
 *
 *     panes   │  p1  │  p2  │  p3  │
 *     windows └──── w2 ─────┘
 *                    └──── w3 ─────┘
 *
 * Entries of merged templates are added up; the order is that of first appearance.
 */
export function unite(panes: readonly Pane[]): Omit<Pane, 'gap'> {
  const byTemplate = new Map<Template, PaneEntry>();
  let records = 0;
  let warnings = 0;
  let errors = 0;
  for (const pane of panes) {
    records += pane.records;
    warnings += pane.warnings;
    errors += pane.errors;
    for (const entry of pane.entries) {
      const template = current(entry.template);
      const known = byTemplate.get(template);
      byTemplate.set(
        template,
        known === undefined ? { ...entry, template } : { template, ...addEntries(known, entry) },
      );
    }
  }
  return { records, warnings, errors, entries: [...byTemplate.values()] };
}

/** What both entries hold, samples and traces of the second first: as a pane, the newer, the other leaves with the next window. */
export function addEntries(
  a: Omit<PaneEntry, 'template'>,
  b: Omit<PaneEntry, 'template'>,
): Omit<PaneEntry, 'template'> {
  return {
    count: a.count + b.count,
    levels: addLevels(a.levels, b.levels),
    samples: [...b.samples, ...a.samples].slice(0, MAX_SAMPLES),
    traces: uniteTraces(b.traces, a.traces),
    numbers: uniteNumbers(a.numbers, b.numbers),
    enumerations: uniteValues(a.enumerations, b.enumerations),
  };
}

function uniteTraces(newer: string, older: string): string {
  const held = new Set(splitTraces(newer).map((ids) => ids.slice(0, 16)));
  const others = splitTraces(older).filter((ids) => !held.has(ids.slice(0, 16)));
  return (newer + others.join('')).slice(0, MAX_TRACES * TRACE_BYTES);
}

/** By token. Exact: means, squares and quantiles are those of all values together. */
function uniteNumbers(a: readonly SlotNumbers[], b: readonly SlotNumbers[]): readonly SlotNumbers[] {
  if (b.length === 0) return a;
  const united = a.map((slot) => ({ ...slot }));
  for (const slot of b) {
    const known = united.find(({ token }) => token === slot.token);
    if (known === undefined) {
      united.push(slot);
      continue;
    }
    addSummary(known, slot);
    known.quantiles = uniteQuantiles(known.quantiles, slot.quantiles);
  }
  return united;
}

/** By token and value. */
function uniteValues(a: readonly SlotValues[], b: readonly SlotValues[]): readonly SlotValues[] {
  if (b.length === 0) return a;
  const united = new Map(a.map(({ token, values }) => [token, values]));
  for (const { token, values } of b) {
    const counts = new Map((united.get(token) ?? []).map(({ value, count }) => [value, count]));
    for (const { value, count } of values) counts.set(value, (counts.get(value) ?? 0) + count);
    united.set(token, [...counts].map(([value, count]) => ({ value, count })).sort(byCount));
  }
  return [...united].map(([token, values]) => ({ token, values }));
}
