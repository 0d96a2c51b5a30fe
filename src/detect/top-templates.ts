import { NO_LEVELS } from './levels.ts';
import { PLACEHOLDER } from './miner/cluster.ts';
import type { SlotValues } from './miner/enumerations.ts';
import type { SlotNumbers } from './miner/numbers.ts';
import { quantile } from './miner/quantiles.ts';
import { splitTraces, TRACE_BYTES, type PaneEntry } from './pane.ts';
import type { TemplateShare } from './attribution.ts';
import type { Source } from './source.ts';
import { placeholderOf, type Template } from './template.ts';
import type { NumberSummary, TopTemplate, ValueSummary } from './verdict.ts';

const MAX_TOP_TEMPLATES = 10;
/** Of a template that did not occur in the window. */
const NOTHING: Omit<PaneEntry, 'template' | 'count'> = {
  levels: NO_LEVELS,
  samples: [],
  traces: '',
  numbers: [],
  enumerations: [],
};

/**
 * The templates that window `i` is loud for.
 *
 * @param shares - largest first
 * @param entries - of the window, for levels, samples, traces and numbers; empty when it is long gone
 */
export function topTemplates(
  shares: readonly TemplateShare[],
  source: Source,
  i: number,
  entries: ReadonlyMap<Template, PaneEntry>,
): TopTemplate[] {
  return shares.slice(0, MAX_TOP_TEMPLATES).map(({ column, share }) => {
    const template = source.templates.bySlot[column]!;
    const { levels, samples, traces, numbers, enumerations } = entries.get(template) ?? NOTHING;
    const values = valuesOf(enumerations, template);
    const ids = splitTraces(traces).map((trace) => Buffer.from(trace, 'latin1'));
    return {
      templateId: template.id,
      template: template.text,
      shown: withValues(template.text, values),
      share,
      count: source.history.count(i, column),
      usualCount: source.history.medianCount(column, i),
      firstSeenMs: template.firstSeenMs,
      levels,
      levelsTotal: template.levels,
      samples: samples.map((sample) => Buffer.from(sample, 'latin1').toString('utf8')),
      numbers: summariesOf(numbers, template),
      values,
      traceIds: ids.map((trace) => trace.toString('hex', 0, 16)),
      spanIds: ids.map((trace) => (isZero(trace, 16, TRACE_BYTES - 16) ? '' : trace.toString('hex', 16))),
    };
  });
}

function summariesOf(numbers: readonly SlotNumbers[], template: Template): NumberSummary[] {
  return numbers
    .toSorted((a, b) => a.token - b.token)
    .map(({ token, count, quantiles }) => ({
      placeholder: placeholderOf(template, token),
      count,
      median: quantile(quantiles, 0.5),
      p95: quantile(quantiles, 0.95),
    }));
}

function valuesOf(enumerations: readonly SlotValues[], template: Template): ValueSummary[] {
  return enumerations
    .toSorted((a, b) => a.token - b.token)
    .map(({ token, values }) => ({ placeholder: placeholderOf(template, token), values }));
}

/** `<*> /cart` as `{GET|POST} /cart`. */
function withValues(text: string, values: readonly ValueSummary[]): string {
  const parts = text.split(PLACEHOLDER);
  return parts.reduce((shown, part, i) => {
    const summary = values.find(({ placeholder }) => placeholder === i);
    const here = summary === undefined ? PLACEHOLDER : `{${summary.values.map(({ value }) => value).join('|')}}`;
    return `${shown}${here}${part}`;
  });
}

/** An OTLP id of zeros means none. */
export function isZero(bytes: Uint8Array, start: number, length: number): boolean {
  for (let k = start; k < start + length; k++) if (bytes[k] !== 0) return false;
  return true;
}
