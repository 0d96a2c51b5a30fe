import { addLevels, NO_LEVELS } from './levels.ts';
import { PLACEHOLDER } from './miner/tree/cluster.ts';
import { quantile } from './miner/variables/quantiles.ts';
import { addEntries, splitTraces, TRACE_BYTES, type PaneEntry } from './pane.ts';
import type { TemplateShare } from './attribution.ts';
import type { Source } from './source.ts';
import { placeholderOf, type Template } from './template.ts';
import type { TopTemplate, ValueSummary } from './verdict.ts';

const MAX_TOP_TEMPLATES = 10;
/** Of a template that did not occur in the window. */
const NOTHING: Omit<PaneEntry, 'template'> = {
  count: 0,
  levels: NO_LEVELS,
  samples: [],
  traces: '',
  numbers: [],
  enumerations: [],
};

/**
 * The templates that window `i` is loud for: the status classes and levels of one count together.
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
  const { history, templates } = source;
  return together(shares, templates.bySlot)
    .slice(0, MAX_TOP_TEMPLATES)
    .map(({ share, columns }) => {
      const members = columns.map((column) => templates.bySlot[column]!);
      const { id, text } = members[0]!.shared;
      const { levels, samples, traces, numbers, enumerations } = members
        .map((member) => asShared(member, history.count(i, member.slot), entries.get(member) ?? NOTHING))
        // The loudest last: its samples come first.
        .reduceRight(addEntries);
      const values = enumerations
        .toSorted((a, b) => a.token - b.token)
        .map(({ token, values }) => ({ placeholder: token > 0 ? token : null, values }));
      const ids = splitTraces(traces).map((trace) => Buffer.from(trace, 'latin1'));
      return {
        templateId: id,
        template: text,
        shown: withValues(text, values),
        variants: members.filter(({ slot }) => history.count(i, slot) > 0).map((member) => member.text),
        share,
        count: columns.reduce((sum, column) => sum + history.count(i, column), 0),
        usualCount: history.medianCount(columns, i),
        firstSeenMs: Math.min(...members.map(({ firstSeenMs }) => firstSeenMs)),
        levels,
        levelsTotal: members.map((member) => member.levels).reduce(addLevels),
        samples: samples.map((sample) => Buffer.from(sample, 'latin1').toString('utf8')),
        numbers: numbers
          .toSorted((a, b) => a.token - b.token)
          .map(({ token, count, quantiles }) => ({
            placeholder: token > 0 ? token : null,
            count,
            median: quantile(quantiles, 0.5),
            p95: quantile(quantiles, 0.95),
          })),
        values,
        traceIds: ids.map((trace) => trace.toString('hex', 0, 16)),
        spanIds: ids.map((trace) => (isZero(trace, 16, TRACE_BYTES - 16) ? '' : trace.toString('hex', 16))),
      };
    });
}

/** Columns that share a template, the loudest first, and the sum of their shares. */
function together(
  shares: readonly TemplateShare[],
  bySlot: readonly (Template | null)[],
): { share: number; columns: number[] }[] {
  const groups = new Map<string, { share: number; columns: number[] }>();
  for (const { column, share } of shares) {
    const { id } = bySlot[column]!.shared;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { share, columns: [column] });
    else {
      group.share += share;
      group.columns.push(column);
    }
  }
  for (const [column, template] of bySlot.entries()) {
    const group = template === null ? undefined : groups.get(template.shared.id);
    if (group !== undefined && !group.columns.includes(column)) group.columns.push(column);
  }
  return [...groups.values()].sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
}

/** What a template held in a window, by the `<*>` of the text that it shares instead of by token; negative once the miner has dropped it. Its classes are values. */
function asShared(template: Template, count: number, entry: Omit<PaneEntry, 'template'>): Omit<PaneEntry, 'template'> {
  const shared = <T extends { token: number }>(position: T): T => ({
    ...position,
    token: placeholderOf(template, position.token, 'shared') ?? -position.token,
  });
  const classes = count === 0 ? [] : template.shared.classes;
  return {
    ...entry,
    numbers: entry.numbers.map(shared),
    enumerations: [
      ...entry.enumerations.map(shared),
      ...classes.map(({ placeholder, value }) => ({ token: placeholder, values: [{ value, count }] })),
    ],
  };
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
