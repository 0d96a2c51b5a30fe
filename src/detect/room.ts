import type { History } from './history.ts';
import type { PaneEntry } from './pane.ts';
import { MAX_TEMPLATES, type Template, type TemplateTable } from './template.ts';

/**
 * Gives the templates of a window that is about to be judged their columns, at most {@link MAX_TEMPLATES} in all: the rarest leave with
 * their counts, of equally rare ones the youngest.
 *
 * @returns templates of the window that get none; asked again it answers the same
 */
export function makeRoom(history: History, templates: TemplateTable, entries: readonly PaneEntry[]): number {
  const arriving = entries.filter(({ template }) => template.slot < 0);
  const used = templates.bySlot.reduce((n, template) => n + (template === null ? 0 : 1), 0);
  const excess = used + arriving.length - MAX_TEMPLATES;
  if (excess <= 0) {
    for (const { template } of arriving) templates.assignSlot(template);
    return 0;
  }
  const totals = new Map<Template, number>();
  for (const template of templates.bySlot) if (template !== null) totals.set(template, history.total(template.slot));
  for (const { template, count } of entries) totals.set(template, (totals.get(template) ?? 0) + count);
  const leaving = [...totals.keys()]
    .sort((a, b) => totals.get(a)! - totals.get(b)! || b.number - a.number)
    .slice(0, excess);
  for (const template of leaving) {
    if (template.slot < 0) continue;
    templates.overflowed++;
    templates.releaseSlot(template);
  }
  const left = new Set(leaving);
  const admitted = arriving.filter(({ template }) => !left.has(template));
  for (const { template } of admitted) templates.assignSlot(template);
  return arriving.length - admitted.length;
}
