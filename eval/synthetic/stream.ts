/** A week of a small shop's logs with everything in it that happens in a week, and faults. The same seed gives the same bytes. */
import { cache, db } from './databases.ts';
import { createDice } from './distributions.ts';
import { DAY_MS, ERROR, MINUTE_MS, type Effect, type Line } from './emitters.ts';
import { planFaults, type PlannedFault } from './faults.ts';
import { batch, node, scheduler, worker } from './machines.ts';
import { api, auth, web, type SourceModel } from './services.ts';

/** A Monday; 23 s past, so that faults begin inside a window's step and not at its edge. */
export const START_MS = Date.UTC(2026, 5, 1, 0, 0, 23);

export interface SyntheticOptions {
  seed: number;
  days: number;
}

export interface SyntheticStream {
  faults: readonly PlannedFault[];
  sources: readonly string[];
  /** Minute by minute, each in order of time. */
  minutes(): Generator<readonly (Line & { source: string })[]>;
}

export function createStream({ seed, days }: SyntheticOptions): SyntheticStream {
  const endMs = START_MS + days * DAY_MS;
  const faults = planFaults(createSources(), START_MS, endMs, seed);
  return {
    faults,
    sources: createSources().map(({ name }) => name),
    *minutes() {
      // Emitters keep state: a set of their own for each pass.
      const speakers = createSources().map((model) => ({ model, dice: createDice(seed, model.name) }));
      for (let fromMs = START_MS; fromMs < endMs; fromMs += MINUTE_MS) {
        const running = faults.filter(({ startMs, endMs: untilMs }) => startMs <= fromMs && fromMs < untilMs);
        const lines = speakers.flatMap(({ model, dice }) => {
          const effect =
            running.map(({ effects }) => effects.get(model.name)).find((found) => found !== undefined) ?? {};
          return speak(model, fromMs, effect, dice).map((line) => ({ ...line, source: model.name }));
        });
        yield lines.sort((a, b) => a.timeMs - b.timeMs);
      }
    },
  };
}

function createSources(): SourceModel[] {
  return [web(START_MS), api(START_MS), auth(), db(START_MS), cache(), worker(START_MS), batch(), scheduler(), node()];
}

/** One source's minute. */
function speak(
  { emitters, starts }: SourceModel,
  fromMs: number,
  effect: Effect,
  dice: ReturnType<typeof createDice>,
): Line[] {
  // Silent ones are asked, too, so that their jobs know the time.
  let lines = emitters.flatMap((emitter) => emitter(fromMs, effect, dice));
  if (effect.silent === true) return [];
  for (const { timeMs, pauseMs, lines: texts } of starts) {
    lines = lines.filter((line) => line.timeMs < timeMs || line.timeMs >= timeMs + pauseMs);
    if (timeMs < fromMs || timeMs >= fromMs + MINUTE_MS) continue;
    const [first, ...rest] = texts;
    lines.push({ timeMs, severity: 9, text: first! });
    lines.push(...rest.map((text, k) => ({ timeMs: timeMs + pauseMs + 400 * k, severity: 9, text })));
  }
  if (effect.novel !== undefined) {
    const count = dice.poisson(effect.novel.perMinute);
    for (let k = 0; k < count; k++) {
      lines.push({ timeMs: fromMs + dice.uniform() * MINUTE_MS, severity: ERROR, text: effect.novel.text });
    }
  }
  return lines;
}
