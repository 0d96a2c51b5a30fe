import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { PaneRecords } from '../../src/clock/clock.ts';
import { EventTimeClock, type EventTimeClockOptions } from '../../src/clock/event-time.ts';

const STEP = 60_000;
const T0 = Date.parse('2026-08-21T10:00:00Z');
const at = (hms: string) => Date.parse(`2026-08-21T${hms}Z`);

/** What happened, in order: `+hh:mm:ss` a record handed over, `|hh:mm` a pane closed, `gap hh:mm`, `-` a record discarded. */
function recorded(options: Partial<EventTimeClockOptions> = {}) {
  const story: string[] = [];
  const hms = (ms: number) => new Date(ms).toISOString().slice(11, 19);
  const clock = new EventTimeClock({
    stepMs: STEP,
    allowedLatenessMs: 10_000,
    maxIdleMs: 1_800_000,
    holdMs: null,
    closeStep: (endMs, gap) => {
      story.push(`${gap ? 'gap ' : '|'}${hms(endMs).slice(0, 5)}`);
      return Promise.resolve();
    },
    ...options,
  });
  let late = 0;
  /** One request with a record at each time. */
  const send = (...timesMs: number[]): Promise<void> => {
    const times = Map.groupBy(timesMs, (timeMs) => clock.panes()(timeMs, timeMs));
    late += times.get(null)?.length ?? 0;
    times.delete(null);
    const panes = new Map<number, PaneRecords>();
    for (const [pane, inPane] of times as Map<number, number[]>) {
      panes.set(pane, {
        records: inPane.length,
        newestMs: inPane.reduce((newest, timeMs) => Math.max(newest, timeMs), -Infinity),
        handOver: () => {
          for (const timeMs of inPane) story.push(`+${hms(timeMs)}`);
          return Promise.resolve();
        },
        discard: () => inPane.forEach(() => story.push('-')),
      });
    }
    return clock.take(panes);
  };
  return {
    clock,
    story,
    send,
    late: () => late,
    count: (start: string) => story.filter((line) => line.startsWith(start)).length,
  };
}

describe('the watermark', () => {
  test('closes a pane when the newest record is the allowed lateness past its end', async () => {
    const { story, send } = recorded();
    await send(at('10:00:30'));
    await send(at('10:01:09.999'));
    expect(story).toEqual(['+10:00:30']);
    await send(at('10:01:10'));
    expect(story).toEqual(['+10:00:30', '|10:01', '+10:01:09', '+10:01:10']);
  });

  test('lets records within the allowed lateness into their own pane, before the first close as well', async () => {
    const { send, late, story } = recorded();
    await send(at('10:00:05'));
    await send(at('09:59:58'));
    await send(at('10:00:12'));
    await send(at('09:59:59'));
    expect(late()).toBe(1);
    expect(story).toEqual(['+09:59:58', '|10:00', '+10:00:05', '+10:00:12']);
  });

  test('closes every pane in between, empty ones too', async () => {
    const { story, send } = recorded();
    await send(at('10:00:30'));
    await send(at('10:04:20'));
    expect(story).toEqual(['+10:00:30', '|10:01', '|10:02', '|10:03', '|10:04', '+10:04:20']);
  });

  test('never passes the newest record: the open pane is not closed at the end of the input', async () => {
    const { clock, story, send } = recorded();
    await send(at('10:00:30'), at('10:01:05'));
    await clock.flush();
    expect(story).toEqual(['+10:00:30', '|10:01', '+10:01:05']);
  });
});

test('the next pane is not closed before the one before it is judged', async () => {
  const running: number[] = [];
  let most = 0;
  const { send } = recorded({
    closeStep: async (endMs) => {
      running.push(endMs);
      most = Math.max(most, running.length);
      await delay(1);
      running.pop();
    },
  });
  await Promise.all([send(at('10:00:30')), send(at('10:03:30')), send(at('10:06:30'))]);
  expect(most).toBe(1);
});

test('a step that fails is told to its sender and stops nobody else', async () => {
  let failing = true;
  const { send } = recorded({ closeStep: () => (failing ? Promise.reject(new Error('judge')) : Promise.resolve()) });
  await send(at('10:00:30'));
  await expect(send(at('10:01:30'))).rejects.toThrow('judge');
  failing = false;
  await expect(send(at('10:02:30'))).resolves.toBeUndefined();
});

test('silence of all sources is jumped as one gap once it is longer than max_idle_time', async () => {
  const { clock, send, count, story } = recorded();
  await send(at('10:00:30'));
  await send(at('20:00:30'));
  await clock.flush();
  expect(count('|')).toBe(1 + 30);
  expect(story.slice(-2)).toEqual(['gap 20:00', '+20:00:30']);
});

describe('a record over 10 minutes ahead', () => {
  test('is held and moves nothing while the others go on; at the end it is discarded', async () => {
    const { clock, send, story, count } = recorded();
    await send(at('10:00:30'));
    await send(Date.UTC(2099, 0, 1));
    for (let minute = 1; minute <= 5; minute++) await send(T0 + minute * STEP + 30_000);
    expect(count('+')).toBe(6);
    expect(count('gap')).toBe(0);
    await clock.flush();
    expect(count('-')).toBe(1);
    expect(story.at(-1)).toBe('-');
  });

  test('moves the time when 100 agree', async () => {
    const { send, count, late } = recorded();
    await send(at('10:00:30'));
    for (let i = 0; i < 99; i++) await send(at('15:00:30') + i);
    expect(count('+')).toBe(1);
    await send(at('15:00:30') + 99);
    expect(count('+')).toBe(101);
    expect(late()).toBe(0);
  });

  test('does not when 900 of them agree on nothing and right records keep coming', async () => {
    const { send, count, late } = recorded();
    await send(T0);
    for (let i = 1; i <= 900; i++) {
      await send(T0 + i * 1_000);
      await send(T0 + i * 40 * 86_400_000);
    }
    expect(late()).toBe(0);
    expect(count('+')).toBeGreaterThan(890);
    expect(count('gap')).toBe(0);
  });

  test('is one of at most 1,000 held; those furthest ahead are discarded', async () => {
    const { send, count } = recorded();
    await send(T0);
    await send(T0 + 40 * 86_400_000);
    for (let i = 1; i <= 30; i++) {
      await send(T0 + i * 100, ...Array.from({ length: 50 }, (_, k) => T0 + (i * 50 + k + 2) * 86_400_000));
    }
    expect(count('-')).toBe(1_501 - 1_000);
  });

  test('is analysed when nothing but such records comes: a log with a line an hour loses none', async () => {
    const { clock, send, count, late } = recorded();
    for (let hour = 0; hour < 250; hour++) await send(T0 + hour * 3_600_000);
    await clock.flush();
    expect(count('+')).toBe(250);
    expect(late() + count('-')).toBe(0);
  });

  test('is analysed after the hold when no other came, discarded when others did', async () => {
    const first = recorded({ holdMs: 5 });
    await first.send(at('10:00:30'));
    await first.send(at('15:00:30'));
    await expect.poll(() => first.story.at(-1)).toBe('+15:00:30');

    const second = recorded({ holdMs: 30 });
    await second.send(at('10:00:30'));
    await second.send(at('15:00:30'));
    await second.send(at('10:00:31'));
    await expect.poll(() => second.story.at(-1)).toBe('-');
    expect(second.count('|')).toBe(0);
  });

  test('a failing step at the end of the hold is no unhandled rejection', async () => {
    const { clock, send } = recorded({ holdMs: 5, closeStep: () => Promise.reject(new Error('judge')) });
    await send(at('10:00:30'));
    await send(at('15:00:30'));
    await delay(20); // vitest fails the run on an unhandled rejection
    await clock[Symbol.asyncDispose]();
  });
});

describe('bounds', () => {
  test('a first record of 1970 costs as many empty steps as max_idle_time has, not 29 million', async () => {
    const { clock, send, count } = recorded();
    await send(1);
    await send(...Array.from({ length: 100 }, (_, i) => at('10:00:30') + i));
    await clock.flush();
    expect(count('+')).toBe(101);
    expect(count('|')).toBe(1 + 30);
    expect(count('gap')).toBe(1);
  });

  test('a record of 1970 among others is late and harms nobody', async () => {
    const { send, late, count } = recorded();
    await send(at('10:00:30'));
    await send(1, -1, 0);
    await send(at('10:00:31'));
    expect(late()).toBe(3);
    expect(count('+')).toBe(2);
  });

  test('the last times that nanoseconds and a Date can hold end', async () => {
    for (const timeMs of [2 ** 64 / 1e6, 8.64e15]) {
      const { clock, send, count } = recorded();
      await send(timeMs);
      await clock.flush();
      expect(count('+')).toBe(1);
    }
  });

  test('records of the next pane do not pile up: beyond 100,000 the open pane closes early', async () => {
    const { send, count } = recorded();
    await send(at('10:00:30'));
    const nextPane = Array.from({ length: 50_001 }, () => at('10:01:05'));
    await send(...nextPane);
    expect(count('+')).toBe(1);
    await send(...nextPane);
    expect(count('|')).toBe(1);
    expect(count('+')).toBe(100_003);
  });

  test('a request of 10,000 hours is one pass, not one a pane', async () => {
    const { clock, send, count } = recorded({ maxIdleMs: STEP });
    await send(...Array.from({ length: 10_000 }, (_, hour) => T0 + hour * 3_600_000));
    await clock.flush();
    expect(count('+')).toBe(10_000);
  });
});

describe('after a restart', () => {
  test('what was judged is late, the time in between and the pane of the first record are one gap', async () => {
    const { clock, send, story, late } = recorded();
    clock.resumeAt(at('10:05:00'));
    expect(clock.nowMs()).toBe(at('10:05:00'));
    await send(at('10:04:59'));
    await send(at('12:00:30'));
    await send(at('12:01:30'));
    await send(at('12:02:30'));
    expect(late()).toBe(1);
    expect(story).toEqual(['+12:00:30', 'gap 12:01', '+12:01:30', '|12:02', '+12:02:30']);
  });
});
