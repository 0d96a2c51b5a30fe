import { unpackVerdict } from './channels/channel-verdict.ts';
import type { Judge, JudgeOptions } from './judge.ts';
import type { Source } from './source.ts';
import { topTemplates } from './top-templates.ts';
import type { WindowExplanation } from './verdict.ts';

/** A kept window told again: what was said then, and of a window that was not loud lately what its prediction consisted of. @returns null when it is not kept */
export function explainWindow(
  judge: Judge,
  { dmdWindows, stepMs }: Pick<JudgeOptions, 'dmdWindows' | 'stepMs'>,
  { source, handle, windowId }: { source: Source; handle: number; windowId: number },
): WindowExplanation | null {
  const { history } = source;
  const { scorer } = judge;
  const i = history.indexOf(windowId);
  if (i < 0) return null;
  source.refreshGram(scorer);
  const { error } = scorer.predict(history, source.templates, i);
  const why = source.details.reasons(windowId) ?? {
    findings: [],
    topTemplates: error === null ? [] : topTemplates(scorer.shares(), source, i, source.details.of(windowId)),
  };
  const window = history.window(i);
  const said = history.verdict(i);
  return {
    verdict: judge.verdict(source, {
      handle,
      windowId,
      windowEndMs: windowId * stepMs,
      records: window.records,
      templates: templatesOf(source, i),
      reconstructionError: orNull(window.error),
      normalizedError: orNull(window.normalizedError),
      channels: said.length === 0 ? null : unpackVerdict(said),
      gates: [...window.gates],
      rank: window.rank,
      newTemplates: [],
      ...why,
    }),
    exact: i >= dmdWindows || history.size < history.capacity,
    topTemplates: why.topTemplates,
    modes: scorer.modes(history, i).map(({ periodSteps, ...mode }) => ({
      ...mode,
      periodMs: periodSteps === null ? null : periodSteps * stepMs,
    })),
    errors: Array.from({ length: i }, (_, k) => {
      const earlier = history.window(k);
      return {
        windowId: earlier.windowId,
        reconstructionError: orNull(earlier.error),
        normalizedError: orNull(earlier.normalizedError),
      };
    }),
  };
}

/** Distinct templates that window `i` counts. */
function templatesOf({ history, templates }: Source, i: number): number {
  const counted = templates.bySlot.filter((template) => template !== null && history.count(i, template.slot) > 0);
  return new Set(counted.map((template) => template!.shared.id)).size;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
