import { describe, expect, test } from 'vitest';
import type { Gate } from '../../src/detect/history.ts';
import { episodeId } from '../../src/alert/anomaly.ts';
import { advanceAlerts, type AlertHistory } from '../../src/alert/episode.ts';
import { Episodes } from '../../src/alert/episodes.ts';
import { EPISODE_OPTIONS } from './episode-options.ts';
import { STEP_MS, verdict } from './verdict.ts';

const OPTIONS = EPISODE_OPTIONS;

type Window = number | null | { score: number | null; gates: Gate[] };

/** Feeds windows 1000, 1001, … and shows what came out of each: `start:warning` or `-`. */
function run(windows: Window[], episodes = new Episodes(OPTIONS)): string[] {
  return windows.map((window, i) => {
    const { score, gates } = typeof window === 'object' && window !== null ? window : { score: window, gates: [] };
    const anomaly = episodes.observe(verdict({ windowId: 1_000 + i, score, gates }));
    return anomaly ? `${anomaly.phase}:${anomaly.severity}` : '-';
  });
}

const gated = (score: number | null, ...gates: Gate[]): Window => ({ score, gates });

test('a score equal to a threshold is not above it', () => {
  expect(run([2])).toEqual(['-']);
  expect(run([2.001])).toEqual(['start:warning']);
  expect(run([3])).toEqual(['start:warning']);
  expect(run([3.001])).toEqual(['start:critical']);
});

test('one record at the start, one at the escalation, one at the end', () => {
  expect(run([0.4, 2.3, 1.7, 3.4, 3.9, 2.2, 1.1, 2.4, 1.9, 0.8, 0.5])).toEqual([
    ...['-', 'start:warning', '-', 'update:critical', '-', '-', '-', '-', '-', 'end:critical', '-'],
  ]);
});

test('an episode holds above 70 % of its threshold and closes after two windows below', () => {
  expect(run([2.5, 1.41, 1.41, 1.41])).toEqual(['start:warning', '-', '-', '-']);
  expect(run([2.5, 1.4, 1.41, 1.4, 1.4])).toEqual(['start:warning', '-', '-', '-', 'end:warning']);
});

test('a score that would warn anew does not close a critical episode', () => {
  expect(run([3.5, 2.05, 2.05, 2.05])).toEqual(['start:critical', '-', '-', '-']);
  expect(run([3.5, 2, 2])).toEqual(['start:critical', '-', 'end:critical']);
});

test('severity never falls within an episode', () => {
  expect(run([3.5, 2.5, 3.5, 2.5])).toEqual(['start:critical', '-', '-', '-']);
});

test('a new episode starts after the end, with an id of its own', () => {
  const episodes = new Episodes(OPTIONS);
  const ids = [3.5, 0, 0, 3.5].map((score, i) => episodes.observe(verdict({ windowId: 1_000 + i, score }))?.episodeId);
  expect(ids[2]).toBe(ids[0]);
  expect(ids[3]).not.toBe(ids[0]);
  expect(ids[0]).toBe(episodeId('otlp:api-2', 1_000));
  expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
});

test('an anomaly says when its episode began and how far it went', () => {
  const episodes = new Episodes(OPTIONS);
  const anomalies = [2.5, 4.5, 0, 0].map((score, i) => episodes.observe(verdict({ windowId: 1_000 + i, score })));
  expect(anomalies[3]).toMatchObject({ phase: 'end', startedMs: 1_000 * STEP_MS, peakScore: 4.5, threshold: 3 });
  expect(anomalies[0]).toMatchObject({ threshold: 2 });
});

describe('gates', () => {
  const all: Gate[] = ['warming', 'gap', 'muted', 'degraded', 'sparse', 'recurrent', 'incomplete'];

  test.each(all)('%s: no episode starts, however loud', (gate) => {
    expect(run([gated(8, gate), gated(8, gate)])).toEqual(['-', '-']);
  });

  test.each(all)('%s: an open warning does not escalate', (gate) => {
    expect(run([2.5, gated(8, gate)])).toEqual(['start:warning', '-']);
  });

  test.each(['muted', 'sparse', 'recurrent'] as const)('%s: counts as a window below', (gate) => {
    expect(run([2.5, gated(8, gate), gated(8, gate)])).toEqual(['start:warning', '-', 'end:warning']);
  });

  test.each(['degraded', 'incomplete', 'warming'] as const)('%s: counts neither way, at most nine in a row', (gate) => {
    const blind = Array.from({ length: 9 }, () => gated(0, gate));
    const silent = blind.map(() => '-');
    expect(run([2.5, 0, ...blind, 1.5])).toEqual(['start:warning', '-', ...silent, '-']);
    expect(run([2.5, 0, ...blind, 0])).toEqual(['start:warning', '-', ...silent, 'end:warning']);
    expect(run([2.5, ...blind, gated(8, gate), gated(8, gate)])).toEqual([
      'start:warning',
      ...silent,
      '-',
      'end:warning',
    ]);
  });

  test('beside other channels the gates of dmd hold nothing, the others still do', () => {
    const episodes = () => new Episodes({ ...OPTIONS, dmdOnly: false });
    expect(run([gated(3.5, 'sparse', 'degraded')], episodes())).toEqual(['start:critical']);
    expect(run([gated(3.5, 'muted')], episodes())).toEqual(['-']);
  });
});

test('a loud window that begins no episode says what held it back, and only as long as it is the newest', () => {
  const day = 86_400_000;
  const options = { ...OPTIONS, dmdOnly: false, alertBudget: 1, refractoryMs: 600_000 };
  const history = (more: Partial<AlertHistory>): AlertHistory => ({
    ...{ source: 'otlp:api-2', episode: null, warningsMs: [], endedMs: null, beginsMs: [], expectedUntilMs: null },
    ...more,
  });
  const loud = verdict({ score: 2.4, scoreBefore: 2 });
  const nowMs = loud.windowEndMs;
  const heldBack = (more: Partial<AlertHistory>, window = loud): string | null =>
    advanceAlerts(history(more), window, options).heldBack;
  expect(heldBack({})).toBeNull();
  expect(heldBack({}, verdict({ score: 2.4, scoreBefore: 0 }))).toBe('second_look');
  expect(heldBack({}, verdict({ score: 1.9, scoreBefore: 0 }))).toBeNull();
  expect(heldBack({}, verdict({ score: 2.4, gates: ['muted'] }))).toBeNull();
  expect(heldBack({ beginsMs: [nowMs - 2 * day, nowMs - day] })).toBe('schedule');
  expect(heldBack({ expectedUntilMs: nowMs + 1 })).toBe('schedule');
  expect(heldBack({ warningsMs: [nowMs - 9_000_000, nowMs - 8_000_000] })).toBe('budget');
  expect(heldBack({ endedMs: nowMs - 60_000 })).toBe('refractory');

  const episodes = new Episodes(options);
  episodes.observe(verdict({ windowId: 1_000, score: 2.4, scoreBefore: 0 }));
  expect(episodes.heldBack('otlp:api-2')).toBe('second_look');
  episodes.observe(verdict({ windowId: 1_001, score: 0.4, scoreBefore: 2.4 }));
  expect(episodes.heldBack('otlp:api-2')).toBeNull();
});

describe('beside other channels a warning', () => {
  const opened = (score: number, scoreBefore: number | null): string | undefined =>
    new Episodes({ ...OPTIONS, dmdOnly: false }).observe(verdict({ score, scoreBefore }))?.severity;

  test('waits until a window that shares no pane with it was loud, too', () => {
    expect(opened(2.5, 1.5)).toBe('warning');
    expect(opened(2.5, 1.4)).toBeUndefined();
    expect(opened(2.5, null)).toBeUndefined();
  });

  test('that is critical waits for nothing', () => {
    expect(opened(3.1, null)).toBe('critical');
  });
});

test('sources have episodes of their own', () => {
  const episodes = new Episodes(OPTIONS);
  expect(episodes.observe(verdict({ source: 'a', score: 3.5 }))?.phase).toBe('start');
  expect(episodes.observe(verdict({ source: 'b', score: 0 }))).toBeNull();
  expect(episodes.observe(verdict({ source: 'b', score: 3.5 }))?.phase).toBe('start');
  expect(episodes.openCount).toBe(2);
});

test('a restart in the middle of an episode changes nothing', () => {
  const scores = [2.5, 1.2, 3.5, 1, 2.1, 0.5, 0.5, 3.2];
  const straight = run(scores);
  for (let cut = 1; cut < scores.length; cut++) {
    const before = new Episodes(OPTIONS);
    const first = scores.slice(0, cut).map((score, i) => before.observe(verdict({ windowId: 1_000 + i, score })));
    const after = new Episodes(OPTIONS, JSON.parse(JSON.stringify(before.save())) as unknown[]);
    const rest = scores.slice(cut).map((score, i) => after.observe(verdict({ windowId: 1_000 + cut + i, score })));
    const shown = [...first, ...rest].map((anomaly) => (anomaly ? `${anomaly.phase}:${anomaly.severity}` : '-'));
    expect(shown).toEqual(straight);
  }
});

test('damaged saved state is left out, not believed', () => {
  const episodes = new Episodes(OPTIONS, [null, 3, {}, { source: 'a', episodeId: 'x', severity: 'bad' }]);
  expect(episodes.openCount).toBe(0);
});

test('a removed source is forgotten without a record; while parked its episode stays open', () => {
  const episodes = new Episodes(OPTIONS);
  episodes.observe(verdict({ score: 3.5 }));
  expect(episodes.get('otlp:api-2')?.severity).toBe('critical');
  episodes.remove('otlp:api-2');
  expect(episodes.save()).toEqual([]);
});
