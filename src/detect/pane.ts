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
}

/** A closed pane of one source. */
export interface Pane {
  records: number;
  entries: PaneEntry[];
  /** Not whole: nothing that touches it is kept or judged. */
  gap: boolean;
}

export const EMPTY_PANE: Pane = { records: 0, entries: [], gap: false };
export const GAP_PANE: Pane = { records: 0, entries: [], gap: true };

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
  for (const pane of panes) {
    records += pane.records;
    for (const entry of pane.entries) {
      const template = current(entry.template);
      const known = byTemplate.get(template);
      if (known === undefined) {
        byTemplate.set(template, { template, count: entry.count, samples: entry.samples, traces: entry.traces });
      } else {
        known.count += entry.count;
        known.samples = [...known.samples, ...entry.samples].slice(0, MAX_SAMPLES);
        known.traces = [...known.traces, ...entry.traces].slice(0, MAX_TRACES);
      }
    }
  }
  return { records, entries: [...byTemplate.values()], gap: panes.some((pane) => pane.gap) };
}
