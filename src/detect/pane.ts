import { addSummary } from './channels/values.ts';
import type { SlotNumbers } from './miner/numbers.ts';
import { current, type Template } from './template.ts';

/** Lines of a template kept per pane, and their longest form. */
export const MAX_SAMPLES = 3;
export const MAX_SAMPLE_BYTES = 512;
/** Trace/span ids kept per template and pane: 16 + 8 bytes each. */
export const MAX_TRACES = 5;
export const TRACE_BYTES = 24;

/** What one template did in one pane. */
export interface PaneEntry {
  template: Template;
  count: number;
  samples: Uint8Array[];
  /** {@link TRACE_BYTES} each. */
  traces: Uint8Array[];
  /** At the number positions of the template; empty where the channel `values` is off. */
  numbers: readonly SlotNumbers[];
}

/** The start of a line that is shown to people: whole characters, at most {@link MAX_SAMPLE_BYTES}. */
export function sampleOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  let cut = end;
  if (end - start > MAX_SAMPLE_BYTES) {
    cut = start + MAX_SAMPLE_BYTES;
    while (cut > start && (bytes[cut]! & 0xc0) === 0x80) cut--;
  }
  return bytes.slice(start, cut);
}

/** Whether the trace whose id begins at `ids[start]` is among `traces`. */
export function holdsTrace(traces: readonly Uint8Array[], ids: Uint8Array, start: number): boolean {
  return traces.some((trace) => {
    for (let k = 0; k < 16; k++) if (trace[k] !== ids[start + k]) return false;
    return true;
  });
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
export function unite(panes: readonly Pane[]): Pane {
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
      if (known === undefined) {
        byTemplate.set(template, { ...entry, template });
      } else {
        known.count += entry.count;
        known.samples = [...known.samples, ...entry.samples].slice(0, MAX_SAMPLES);
        const { traces } = known;
        known.traces = [...traces, ...entry.traces.filter((ids) => !holdsTrace(traces, ids, 0))].slice(0, MAX_TRACES);
        known.numbers = uniteNumbers(known.numbers, entry.numbers);
      }
    }
  }
  const gap = panes.some((pane) => pane.gap);
  return { records, warnings, errors, entries: [...byTemplate.values()], gap };
}

/** By token. Means and squares are exact; of the quantiles, which are of a sample, those of the larger part stay. */
function uniteNumbers(a: readonly SlotNumbers[], b: readonly SlotNumbers[]): readonly SlotNumbers[] {
  if (b.length === 0) return a;
  const united = a.map((slot) => ({ ...slot }));
  for (const slot of b) {
    const known = united.find(({ token }) => token === slot.token);
    if (known === undefined) {
      united.push(slot);
      continue;
    }
    if (slot.count > known.count) [known.median, known.p95] = [slot.median, slot.p95];
    addSummary(known, slot);
  }
  return united;
}
