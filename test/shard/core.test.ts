import { afterEach, expect, test, vi } from 'vitest';
import { unpackDeltas } from '../../src/shard/packed-deltas.ts';
import { createShard } from '../../src/shard/core.ts';
import type { FromShard, Pace, ToShard } from '../../src/shard/messages.ts';
import { pauseMs } from '../../src/shard/slices.ts';
import { DEFAULTS } from '../detect/drive.ts';

const STEP = 60_000;

afterEach(() => void vi.restoreAllMocks());

/** A shard with 12 sources whose every look at the clock finds 2 ms gone. */
function shard(onTurn: (pauseMs: number) => void = () => undefined) {
  let nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 2));
  const said: FromShard[] = [];
  const options = { detector: DEFAULTS, waiting: new Int32Array(16), persist: true };
  const handle = createShard(
    options,
    (message) => said.push(message),
    (pauseMs) => Promise.resolve(onTurn(pauseMs)),
  );
  const tell = async (message: ToShard): Promise<void> => handle(message);
  for (let source = 0; source < 12; source++)
    void handle({ type: 'open', handle: source, key: `file:${source}`, stored: null, resumed: false, muted: false });
  return { said, tell };
}

const judged = (said: readonly FromShard[]) => said.filter((message) => message.type === 'judged');

test('a step is told in parts, each source once, and that it is done comes last', async () => {
  const { said, tell } = shard();
  await tell({ type: 'tick', stepEndMs: STEP, gap: false, incomplete: [] });
  await tell({ type: 'score', stepEndMs: STEP, pace: null });
  const parts = judged(said);
  expect(parts.length).toBeGreaterThan(2);
  expect(Math.max(...parts.map(({ verdicts }) => verdicts.length))).toBeLessThan(5);
  const keys = Array.from({ length: 12 }, (_, source) => `file:${source}`);
  expect(parts.flatMap(({ verdicts }) => verdicts.map(({ source }) => source))).toEqual(keys);
  expect(parts.flatMap(({ deltas }) => unpackDeltas(deltas).map(({ key }) => key))).toEqual(keys);
  expect(said.at(-1)).toMatchObject({ type: 'scored', stepEndMs: STEP });
});

const pace: Pace = { busyShare: 0.25, forMs: 1000 };

test('a shard pauses as its share of the machine asks, and no more once it is hurried', async () => {
  const pauses: number[] = [];
  const { tell } = shard((pause) => {
    pauses.push(pause);
    if (pauses.filter((ms) => ms > 0).length === 2) void tell({ type: 'hurry' });
  });
  await tell({ type: 'tick', stepEndMs: STEP, gap: false, incomplete: [] });
  expect(pauses.every((pause) => pause === 0)).toBe(true); // closing is not put off
  pauses.length = 0;
  await tell({ type: 'score', stepEndMs: STEP, pace });
  expect(pauses.length).toBeGreaterThan(2);
  expect(Math.min(...pauses.slice(0, 2))).toBeGreaterThan(10); // slices of 5 ms and more
  expect(pauses.slice(2).every((pause) => pause === 0)).toBe(true);
});

test.each([
  ['a quarter of the time: three times as long as it worked', pace, 6, 100, 18],
  ['half of it: as long', { busyShare: 0.5, forMs: 1000 }, 6, 100, 6],
  ['all of it: not at all', { busyShare: 1, forMs: 1000 }, 6, 100, 0],
  ['no pause goes over the end of the time it may take', pace, 6, 990, 10],
  ['behind that it works at full speed', pace, 6, 1000, 0],
  ['without a pace, too', null, 6, 0, 0],
])('the pause of a shard that may be busy %s', (_, allowed, busyMs, sinceMs, expected) => {
  expect(pauseMs(allowed, busyMs, sinceMs)).toBe(expected);
});
