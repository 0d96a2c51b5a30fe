import { TRACE_BYTES, type PaneEntry } from './pane.ts';
import type { WindowScorer } from './score.ts';
import type { Source } from './source.ts';
import type { Template } from './template.ts';
import type { TopTemplate } from './verdict.ts';

const MAX_TOP_TEMPLATES = 10;

/**
 * The templates that window `i`'s reconstruction error consists of; {@link WindowScorer.predict} has just found one for it.
 *
 * @param entries - of the window, for samples and traces; empty when it is long gone
 */
export function topTemplates(
  scorer: WindowScorer,
  source: Source,
  i: number,
  entries: ReadonlyMap<Template, PaneEntry>,
): TopTemplate[] {
  return scorer
    .shares()
    .slice(0, MAX_TOP_TEMPLATES)
    .map(({ column, share }) => {
      const template = source.templates.bySlot[column]!;
      const entry = entries.get(template);
      const sample = entry?.samples[0];
      const traces = entry?.traces ?? [];
      return {
        templateId: template.id,
        template: template.text,
        share,
        count: source.history.count(i, column),
        usualCount: source.history.medianCount(column, i),
        firstSeenMs: template.firstSeenMs,
        sample: sample === undefined ? null : Buffer.from(sample).toString('utf8'),
        traceIds: traces.map((ids) => Buffer.from(ids.subarray(0, 16)).toString('hex')),
        spanIds: traces.map((ids) =>
          isZero(ids, 16, TRACE_BYTES - 16) ? '' : Buffer.from(ids.subarray(16)).toString('hex'),
        ),
      };
    });
}

/** An OTLP id of zeros means none. */
export function isZero(bytes: Uint8Array, start: number, length: number): boolean {
  for (let k = start; k < start + length; k++) if (bytes[k] !== 0) return false;
  return true;
}
