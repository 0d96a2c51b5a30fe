import { describe, expect, test } from 'vitest';
import { barRaise, withWarning } from '../../src/alert/alert-budget.ts';
import { Episodes } from '../../src/alert/episodes.ts';
import { EPISODE_OPTIONS } from './episode-options.ts';
import { STEP_MS, verdict } from './verdict.ts';

const HOUR = 3_600_000;
const BUDGET = { warningThreshold: 2, criticalThreshold: 3, alertBudget: 1 };

test('within the budget nothing is raised; each warning beyond it halves the way to the critical threshold', () => {
  const raises = [0, 1, 2, 3, 4].map((n) =>
    barRaise(
      Array.from({ length: n }, (_, k) => k * HOUR),
      12 * HOUR,
      BUDGET,
    ),
  );
  expect(raises).toEqual([0, 0, 0.5, 0.75, 0.875]);
});

test('a bar is never raised beyond the critical threshold, and a calm day gives everything back', () => {
  const starts = Array.from({ length: 200 }, (_, k) => k);
  expect(barRaise(starts, HOUR, BUDGET)).toBeCloseTo(1, 4);
  expect(barRaise(starts, HOUR, BUDGET)).toBeLessThan(1);
  expect(barRaise(starts, 25 * HOUR, BUDGET)).toBe(0);
});

test('what is remembered stays bounded', () => {
  let starts: number[] = [];
  for (let k = 0; k < 1_000; k++) starts = withWarning(starts, k, BUDGET);
  expect(starts.length).toBe(17);
  expect(starts.at(-1)).toBe(999);
});

/** A source that shows these scores, one every `gap` windows with calm between them. */
function cry(episodes: Episodes, scores: number[], gap = 20): string[] {
  return scores.map((score, i) => {
    const windowId = 1_000 + i * gap;
    const anomaly = episodes.observe(verdict({ windowId, score }));
    for (let k = 1; k < gap; k++) episodes.observe(verdict({ windowId: windowId + k, score: 0 }));
    return anomaly ? `${anomaly.severity} above ${anomaly.threshold}` : '-';
  });
}

describe('a source that keeps crying', () => {
  test('needs a higher score for its next warning, and the message says so', () => {
    const episodes = new Episodes({ ...EPISODE_OPTIONS, alertBudget: 1 });
    expect(cry(episodes, [2.4, 2.4, 2.4, 2.6, 2.7, 2.8])).toEqual([
      ...['warning above 2', 'warning above 2', '-', 'warning above 2.5', '-', 'warning above 2.75'],
    ]);
    const next = episodes.observe(verdict({ windowId: 1_200, score: 2.9 }))!;
    expect(next.message).toContain('(warning above 2.88, raised after 4 in 24 h)');
    expect(next.raisedBy).toBe(0.875);
  });

  test('is still heard when it is critical, which costs it nothing', () => {
    const episodes = new Episodes({ ...EPISODE_OPTIONS, alertBudget: 0 });
    expect(cry(episodes, [3.1, 2.4, 3.1, 2.4, 2.6])).toEqual([
      ...['critical above 3', 'warning above 2', 'critical above 3', '-', 'warning above 2.5'],
    ]);
    const [start, update] = [2.9, 3.5].map((score, i) => episodes.observe(verdict({ windowId: 1_200 + i, score })));
    expect(start).toMatchObject({ phase: 'start', threshold: 2.75, raisedBy: 0.75 });
    expect(update).toMatchObject({ phase: 'update', threshold: 3, raisedBy: 0 });
    expect(update!.message).not.toContain('raised');
  });

  test('raises the bar of no other source', () => {
    const episodes = new Episodes({ ...EPISODE_OPTIONS, alertBudget: 0 });
    cry(episodes, [2.4, 2.6, 2.9]);
    expect(episodes.observe(verdict({ source: 'file:other', windowId: 1_060, score: 2.1 }))?.threshold).toBe(2);
  });

  test('has its bar back after a day of calm, and leaves nothing behind', () => {
    const episodes = new Episodes({ ...EPISODE_OPTIONS, alertBudget: 0 });
    cry(episodes, [2.4, 2.6, 2.9]);
    expect(episodes.raisedBy('otlp:api-2', 1_060 * STEP_MS)).toBeGreaterThan(0);
    episodes.observe(verdict({ windowId: 1_060 + 24 * 60, score: 0 }));
    expect(episodes.raisedBy('otlp:api-2', (1_060 + 24 * 60) * STEP_MS)).toBe(0);
    episodes.observe(verdict({ windowId: 1_060 + 8 * 24 * 60, score: 0 }));
    expect(episodes.save()).toEqual([]);
    expect(episodes.observe(verdict({ windowId: 1_061 + 24 * 60, score: 2.1 }))?.threshold).toBe(2);
  });

  test('keeps the bar it began with: an open episode is not made harder by itself', () => {
    const episodes = new Episodes({ ...EPISODE_OPTIONS, alertBudget: 0 });
    expect(episodes.observe(verdict({ windowId: 1_000, score: 2.4 }))?.threshold).toBe(2);
    expect(episodes.observe(verdict({ windowId: 1_001, score: 3.1 }))?.threshold).toBe(3);
  });
});

describe('the refractory period', () => {
  const options = { ...EPISODE_OPTIONS, refractoryMs: 10 * STEP_MS };

  test('after an end a warning is taken for the afterglow, a critical score is not', () => {
    const run = (scores: number[]) => {
      const episodes = new Episodes(options);
      return scores.map((score, i) => episodes.observe(verdict({ windowId: 1_000 + i, score }))?.phase ?? '-');
    };
    expect(run([2.4, 0, 0, 2.4, 2.4])).toEqual(['start', '-', 'end', '-', '-']);
    expect(run([2.4, 0, 0, 3.4])).toEqual(['start', '-', 'end', 'start']);
    expect(run([2.4, ...Array<number>(12).fill(0), 2.4])[13]).toBe('start');
  });

  test('a restart does not end it', () => {
    const before = new Episodes(options);
    for (const [i, score] of [2.4, 0, 0].entries()) before.observe(verdict({ windowId: 1_000 + i, score }));
    const after = new Episodes(options, JSON.parse(JSON.stringify(before.save())) as unknown[]);
    expect(after.observe(verdict({ windowId: 1_003, score: 2.4 }))).toBeNull();
    expect(after.save()).toEqual(before.save());
  });
});
