import { describe, expect, test } from 'vitest';
import { WallClock } from '../../src/clock/wall.ts';

const STEP = 60_000;
const START = Date.UTC(2026, 7, 21, 10, 0, 20);

/** A clock whose two times are turned by hand; only `poll` makes it tick. */
function handDriven(startMs = START) {
  const closed: { endMs: number; gap: boolean }[] = [];
  const lines: string[] = [];
  let wallMs = startMs;
  let monotonicMs = 5_000;
  const clock = new WallClock({
    stepMs: STEP,
    closeStep: (endMs, gap) => {
      closed.push({ endMs, gap });
      return Promise.resolve();
    },
    onIrregular: (line) => lines.push(line),
    wallMs: () => wallMs,
    monotonicMs: () => monotonicMs,
  });
  return {
    clock,
    closed,
    lines,
    /** Both clocks run, polled at the end. */
    pass: (ms: number) => {
      wallMs += ms;
      monotonicMs += ms;
      clock.poll();
    },
    /** Both clocks run, unseen. */
    sleep: (ms: number) => {
      wallMs += ms;
      monotonicMs += ms;
    },
    /** The wall clock alone is set. */
    jump: (ms: number) => (wallMs += ms),
    wall: () => wallMs,
  };
}

const at = (hms: string) => Date.parse(`2026-08-21T${hms}Z`);

test('a step that ends while the service still opens is not a missed one', async () => {
  const { clock, closed, lines, pass, sleep } = handDriven();
  sleep(45_000);
  clock.start(null);
  pass(55_000);
  await clock[Symbol.asyncDispose]();
  expect(closed).toEqual([{ endMs: at('10:02:00'), gap: false }]);
  expect(lines).toEqual([]);
});

test('panes close at epoch-aligned step ends, each once', () => {
  const { closed, pass } = handDriven();
  pass(39_999);
  expect(closed).toEqual([]);
  pass(1);
  pass(0);
  pass(59_999);
  pass(1);
  expect(closed).toEqual([
    { endMs: at('10:01:00'), gap: false },
    { endMs: at('10:02:00'), gap: false },
  ]);
});

test('steps that were missed close together as one gap and one line', () => {
  const { closed, lines, pass } = handDriven();
  pass(40_000);
  pass(4 * STEP + 7_000);
  pass(53_000);
  expect(closed).toEqual([
    { endMs: at('10:01:00'), gap: false },
    { endMs: at('10:05:00'), gap: true },
    { endMs: at('10:06:00'), gap: false },
  ]);
  expect(lines).toEqual([expect.stringContaining('3 steps were missed')]);
});

describe('a jump of the wall clock', () => {
  test('over half a step forwards re-anchors: its pane and the short one behind it are gaps, with one line', () => {
    const { closed, lines, pass, jump } = handDriven(at('10:00:00'));
    jump(40_000);
    pass(STEP); // 10:01:40 on the wall
    pass(20_000);
    pass(STEP);
    expect(closed).toEqual([
      { endMs: at('10:01:00'), gap: true },
      { endMs: at('10:02:00'), gap: true },
      { endMs: at('10:03:00'), gap: false },
    ]);
    expect(lines).toEqual(['wall clock jumped by 40000 ms: windows around it are a gap']);
  });

  test('by hours forwards (suspend) is one gap, not one step a minute', () => {
    const { closed, pass, jump } = handDriven(at('10:00:00'));
    jump(3 * 3_600_000);
    pass(STEP);
    expect(closed).toEqual([{ endMs: at('13:01:00'), gap: true }]);
  });

  test('backwards never takes an id back: they run ahead, one a step, until the wall has caught up', () => {
    const { closed, pass, jump } = handDriven(at('10:00:00'));
    pass(STEP);
    jump(-3_600_000);
    pass(STEP);
    pass(STEP);
    pass(STEP);
    expect(closed.map(({ endMs }) => endMs)).toEqual([at('10:01:00'), at('10:02:00'), at('10:03:00'), at('10:04:00')]);
    expect(closed.map(({ gap }) => gap)).toEqual([false, true, true, false]);
    jump(3_600_000);
    pass(STEP);
    pass(STEP);
    expect(closed.at(-1)!.endMs).toBeGreaterThanOrEqual(at('10:06:00'));
    expect(closed.at(-1)!.endMs).toBeLessThanOrEqual(at('10:07:00'));
  });

  test('of half a step or less is nothing', () => {
    const { closed, lines, pass, jump } = handDriven(at('10:00:00'));
    jump(STEP / 2);
    pass(STEP);
    expect(closed).toEqual([{ endMs: at('10:01:00'), gap: false }]);
    expect(lines).toEqual([]);
  });

  test('and its time stays on the scale of the ids, so that nobody seems idle for an hour', () => {
    const { clock, closed, pass, jump } = handDriven(at('10:00:00'));
    pass(STEP);
    jump(-3_600_000);
    pass(STEP);
    expect(clock.nowMs()).toBe(closed.at(-1)!.endMs);
  });
});

test('whatever the wall clock does, ids rise by whole steps', () => {
  const { closed, pass, jump } = handDriven();
  let seed = 1;
  const random = () => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff;
  for (let i = 0; i < 2_000; i++) {
    if (random() < 0.2) jump(Math.round((random() - 0.5) * 20 * STEP));
    pass(Math.round(random() * 1.5 * STEP));
  }
  expect(closed.length).toBeGreaterThan(500);
  for (const [i, { endMs }] of closed.entries()) {
    expect(endMs % STEP).toBe(0);
    if (i > 0) expect(endMs).toBeGreaterThan(closed[i - 1]!.endMs);
  }
});

test('a record is late when it was observed more than a step ago; its own time says nothing', () => {
  const { clock, wall } = handDriven();
  expect(clock.panes()(wall() - STEP - 1, wall())).toBeNull();
  expect(clock.panes()(wall() - STEP, 0)).not.toBeNull();
  expect(clock.panes()(wall() + 86_400_000 * 365 * 400, Infinity)).not.toBeNull();
});

describe('after a restart', () => {
  test('the rest of the pane it fell in is a gap', async () => {
    const { clock, closed, pass } = handDriven();
    clock.start(at('10:00:00'));
    pass(40_000);
    pass(STEP);
    await clock[Symbol.asyncDispose]();
    expect(closed).toEqual([
      { endMs: at('10:01:00'), gap: true },
      { endMs: at('10:02:00'), gap: false },
    ]);
  });

  test('ids go on behind what was judged, also when the wall clock is behind it', async () => {
    const { clock, closed, pass } = handDriven();
    clock.start(at('11:00:00'));
    pass(40_000);
    pass(STEP);
    await clock[Symbol.asyncDispose]();
    expect(closed.map(({ endMs }) => endMs)).toEqual([at('11:01:00'), at('11:02:00')]);
  });

  test('a first start has no gap', async () => {
    const { clock, closed, pass } = handDriven();
    clock.start(null);
    pass(40_000);
    await clock[Symbol.asyncDispose]();
    expect(closed).toEqual([{ endMs: at('10:01:00'), gap: false }]);
  });
});
