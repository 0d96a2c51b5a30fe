import { describe, expect, test } from 'vitest';
import { Episodes } from '../../src/alert/episodes.ts';
import { isScheduled, withBegin } from '../../src/alert/schedule.ts';
import { EPISODE_OPTIONS } from './episode-options.ts';
import { STEP_MS, verdict } from './verdict.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const NIGHT_MS = 20_000 * DAY_MS + 151 * MINUTE_MS;
const WINDOWS_A_DAY = DAY_MS / STEP_MS;
const FIRST_NIGHT = NIGHT_MS / STEP_MS;
const OPTIONS = { ...EPISODE_OPTIONS, dmdOnly: false };

/** A job that is critical for 20 minutes a night; what came of its first window. */
function night(day: number, episodes: Episodes, offset = 0): string {
  const first = FIRST_NIGHT + day * WINDOWS_A_DAY + offset;
  const anomalies = Array.from({ length: 40 }, (_, k) =>
    episodes.observe(verdict({ windowId: first + k, score: k < 20 ? 4 : 0 })),
  );
  return anomalies.map((anomaly) => anomaly?.phase ?? '').join('');
}

describe('a loud time that comes every night', () => {
  test('is told twice, then expected, though it jitters by minutes', () => {
    const episodes = new Episodes(OPTIONS);
    expect([0, 1, 2, 3, 4].map((day) => night(day, episodes, [0, 3, -2, 5, 1][day]))).toEqual([
      ...['startend', 'startend', '', '', ''],
    ]);
  });

  test('is told at another time of the day, and where nothing of it was seen for a week', () => {
    const episodes = new Episodes(OPTIONS);
    for (const day of [0, 1, 2]) night(day, episodes);
    expect(night(3, episodes, 90)).toBe('startend');
    expect(night(12, episodes)).toBe('startend');
  });

  test('does not hide what goes on for longer than half an hour', () => {
    const episodes = new Episodes(OPTIONS);
    for (const day of [0, 1]) night(day, episodes);
    const first = FIRST_NIGHT + 2 * WINDOWS_A_DAY;
    const phases = Array.from(
      { length: 40 },
      (_, k) => episodes.observe(verdict({ windowId: first + k, score: 4 }))?.phase,
    );
    expect(phases.indexOf('start')).toBe(30);
  });

  test('is expected after a restart, too', () => {
    const before = new Episodes(OPTIONS);
    for (const day of [0, 1]) night(day, before);
    const after = new Episodes(OPTIONS, JSON.parse(JSON.stringify(before.save())) as unknown[]);
    expect(night(2, after)).toBe('');
  });

  test('is told every time where dmd is the only channel', () => {
    const episodes = new Episodes(EPISODE_OPTIONS);
    expect([0, 1, 2, 3].map((day) => night(day, episodes))).toEqual(Array(4).fill('startend'));
  });
});

test('twice on one day is no schedule, and what is remembered is bounded', () => {
  expect(isScheduled([NIGHT_MS, NIGHT_MS + 5 * MINUTE_MS], NIGHT_MS + DAY_MS)).toBe(false);
  expect(isScheduled([NIGHT_MS, NIGHT_MS + DAY_MS], NIGHT_MS + 2 * DAY_MS)).toBe(true);
  let begins: number[] = [];
  for (let k = 0; k < 500; k++) begins = withBegin(begins, NIGHT_MS + k * MINUTE_MS);
  expect(begins).toHaveLength(32);
  expect(withBegin(begins, NIGHT_MS + 9 * DAY_MS)).toHaveLength(1);
});
