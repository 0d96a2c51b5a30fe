import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as realTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { packDeltas } from '../../src/shard/packed-deltas.ts';
import { openStore, type Store } from '../../src/store/checkpoint.ts';
import { at, openRig, times, type Rig } from './rig.ts';

// Only time is not real: threads, store and shards are.
beforeEach(
  () => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: at('10:00:10') }),
);
afterEach(() => void vi.useRealTimers());

/** Time passes, and everything that it sets off comes to an end. */
async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1_000);
  for (let i = 0; i < 20; i++) await realTurn();
  await vi.advanceTimersByTimeAsync(0);
}

const speak = (rig: Rig, ...sources: string[]) =>
  rig.send(...sources.map((source) => ({ source, timeMs: Date.now() })));

async function everyMinute(rig: Rig, minutes: number, ...sources: string[]): Promise<void> {
  for (let i = 0; i < minutes; i++) {
    await speak(rig, ...sources);
    await pass(60);
  }
}

describe('on the wall clock', () => {
  test('sources that start at different moments close together; the first window ends at the next tick', async () => {
    await using rig = await openRig({ clock: 'wall' });
    await speak(rig, 'file:a');
    await pass(45);
    await speak(rig, 'file:b');
    await pass(10);
    expect(rig.verdicts()).toEqual(['file:a@10:01', 'file:b@10:01']);
  });

  test('records observed more than a step ago are late, whatever their own time; old times observed now are not', async () => {
    await using rig = await openRig({ clock: 'wall' });
    await rig.send(
      { source: 'file:a', timeMs: 1, observedMs: Date.now() },
      { source: 'file:a', timeMs: Date.now(), observedMs: Date.now() - 60_001 },
    );
    expect(rig.dropped).toEqual(new Map([['late', 1]]));
    expect(rig.pipeline.registry.get('file:a')!.received).toBe(1);
  });

  test('late records alone make no source', async () => {
    await using rig = await openRig({ clock: 'wall' });
    await rig.send({ source: 'file:a', timeMs: Date.now() - 3_600_000 });
    expect(rig.pipeline.registry.size).toBe(0);
    expect(rig.dropped).toEqual(new Map([['late', 1]]));
  });

  test('a suspend is a gap: no window touches it, one line tells it, and nobody is idle for it', async () => {
    await using rig = await openRig({ clock: 'wall' });
    await everyMinute(rig, 3, 'file:a', 'file:b', 'file:c');
    const judged = rig.verdicts().length;
    vi.setSystemTime(Date.now() + 2 * 3_600_000); // the monotonic clock stood still
    await everyMinute(rig, 3, 'file:a', 'file:b', 'file:c');
    expect(rig.steps.map((step) => step.gap)).toEqual([false, false, false, true, true, false]);
    expect(rig.verdicts().length).toBe(judged);
    expect(rig.story.filter((line) => line.startsWith('wall clock jumped'))).toHaveLength(1);
    await everyMinute(rig, 6, 'file:a', 'file:b', 'file:c');
    expect(rig.story.filter((line) => line.startsWith('removed'))).toEqual([]);
    expect(rig.story.filter((line) => line.startsWith('outage'))).toEqual([]);
    expect(rig.verdicts().length).toBe(judged + 6 * 3);
  });

  test('a wall clock set back by two hours parks nobody', async () => {
    await using rig = await openRig({ clock: 'wall' });
    await everyMinute(rig, 2, 'file:a');
    vi.setSystemTime(Date.now() - 2 * 3_600_000);
    await everyMinute(rig, 12, 'file:a');
    expect(rig.story.filter((line) => line.startsWith('removed'))).toEqual([]);
    const ends = rig.steps.map((step) => step.stepEndMs);
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
    expect(new Set(ends).size).toBe(ends.length);
  });

  test('an outage of the sender is told once and its windows are gaps', async () => {
    await using rig = await openRig({ clock: 'wall' });
    const sources = ['file:a', 'file:b', 'file:c', 'file:d'];
    await everyMinute(rig, 11, ...sources);
    await everyMinute(rig, 3);
    await everyMinute(rig, 2, ...sources);
    expect(rig.story.filter((line) => line.startsWith('outage'))).toEqual(['outage 4', 'outage 0']);
    expect(rig.steps.map((step) => step.gap).slice(10)).toEqual([false, true, true, true, true, false]);
  });

  test('enabled: false answers, analyses nothing and makes no step', async () => {
    await using rig = await openRig({ clock: 'wall', set: ['enabled=false'] });
    expect(await rig.send({ source: 'file:a', timeMs: Date.now() })).toEqual({
      rejectedLogRecords: 0,
      errorMessage: '',
    });
    await pass(300);
    expect(rig.dropped).toEqual(new Map([['disabled', 1]]));
    expect(rig.pipeline.registry.size).toBe(0);
    expect(rig.steps).toEqual([]);
  });
});

describe('with a store', () => {
  let directory: string;
  let store: Store;
  const open = async (): Promise<Store> =>
    (await openStore({ directory, fingerprint: { schema: '1', embedder: 'hashing', parameters: '{}' } })).store;
  beforeEach(async () => {
    vi.useRealTimers();
    directory = await mkdtemp(join(tmpdir(), 'logdrift-pipeline-'));
    store = await open();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: at('10:00:10') });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await store[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  async function restart(): Promise<void> {
    vi.useRealTimers();
    await store[Symbol.asyncDispose]();
    store = await open();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: Date.now() });
  }

  test('a restart goes on without a new warm-up, and no window touches what we did not see', async () => {
    {
      await using rig = await openRig({ clock: 'wall', store });
      await everyMinute(rig, 8, 'file:a');
    }
    const now = Date.now();
    await restart();
    vi.setSystemTime(now + 20_000);
    await using rig = await openRig({ clock: 'wall', store });
    expect(rig.story).toEqual(['created file:a 1']);
    await everyMinute(rig, 4, 'file:a');
    expect(rig.steps.map((step) => step.verdicts.length)).toEqual([0, 0, 1, 1]);
    expect(rig.steps[2]!.verdicts[0]!.reconstructionError).not.toBeNull();
  });

  test('a parked source comes back from the store and its first window back is scored', async () => {
    await using rig = await openRig({ clock: 'wall', store, set: ['max_idle_time=2m', 'cleanup_interval=1m'] });
    await everyMinute(rig, 8, 'file:a', 'file:b');
    await everyMinute(rig, 5, 'file:b');
    expect(rig.story).toContain('removed file:a 1');
    const back = speak(rig, 'file:a', 'file:b');
    await pass(0);
    await back;
    await pass(60);
    const verdict = rig.steps.at(-1)!.verdicts.find(({ source }) => source === 'file:a')!;
    expect(verdict).toMatchObject({ records: 1 });
    expect(verdict.reconstructionError).not.toBeNull();
    await expect
      .poll(() => store.sources())
      .toEqual([
        { key: 'file:a', parkedAtMs: null },
        { key: 'file:b', parkedAtMs: null },
      ]);
  });

  test('a source that speaks while others of its step are still written is parked first: it comes back with its newest window', async () => {
    const calls: string[] = [];
    const watched: Store = {
      ...store,
      commit(step) {
        calls.push(...step.parked.map(({ key }) => `parked ${key}`));
        return store.commit(step);
      },
      load(key) {
        calls.push(`read ${key}`);
        return store.load(key);
      },
    };
    await using rig = await openRig({
      clock: 'wall',
      store: watched,
      set: ['max_idle_time=2m', 'cleanup_interval=1m'],
    });
    await everyMinute(rig, 8, 'file:a', 'file:b');
    await everyMinute(rig, 1, 'file:b');
    expect(rig.story).not.toContain('removed file:a 1');
    const now = performance.now.bind(performance);
    let pieces = 0;
    const piecewise = vi.spyOn(performance, 'now').mockImplementation(() => now() + 5 * ++pieces);
    const back = (async () => {
      while (!rig.story.includes('removed file:a 1')) await realTurn();
      await speak(rig, 'file:a');
    })();
    await everyMinute(rig, 2, 'file:b');
    await back;
    piecewise.mockRestore();
    expect(calls).toEqual(['parked file:a', 'read file:a']);
  });

  test('stored state that makes no sense is a cold start of that source, not of the service', async () => {
    {
      await using rig = await openRig({ clock: 'wall', store });
      await everyMinute(rig, 8, 'file:a', 'file:b');
    }
    const broken = {
      key: 'file:a',
      meta: '{}',
      reset: true,
      windows: [{ windowId: 1, blob: new Uint8Array(3) }],
      oldestWindowId: 0,
      templates: [],
      removedTemplates: [],
    };
    const service = (await store.service())!;
    await store.commit({ stepEndMs: Date.now(), deltas: packDeltas([broken]), service, parked: [], forgotten: [] });
    const now = Date.now();
    await restart();
    vi.setSystemTime(now);
    await using rig = await openRig({ clock: 'wall', store });
    expect(rig.story).toContain('cold file:a');
    await everyMinute(rig, 3, 'file:a', 'file:b');
    expect(rig.fatal).toEqual([]);
    const last = new Map(rig.steps.at(-1)!.verdicts.map((verdict) => [verdict.source, verdict.reconstructionError]));
    expect(last.get('file:a')).toBeNull();
    expect(last.get('file:b')).not.toBeNull();
  });

  test('sources that a lower max_sources has no room for are parked, not kept for ever', async () => {
    {
      await using rig = await openRig({ clock: 'wall', store });
      await everyMinute(rig, 2, ...times(5, (i) => `file:${i}`));
    }
    const now = Date.now();
    await restart();
    vi.setSystemTime(now);
    await using rig = await openRig({ clock: 'wall', store, set: ['max_sources=2'] });
    await everyMinute(rig, 1, 'file:0');
    await expect
      .poll(async () => (await store.sources()).filter(({ parkedAtMs }) => parkedAtMs !== null))
      .toHaveLength(3);
  });

  test('enabled: false leaves the store as it is', async () => {
    {
      await using rig = await openRig({ clock: 'wall', store });
      await everyMinute(rig, 2, 'file:a');
    }
    const before = [await store.service(), await store.sources()];
    await using rig = await openRig({ clock: 'wall', store, set: ['enabled=false'] });
    await everyMinute(rig, 40, 'file:a');
    expect([await store.service(), await store.sources()]).toEqual(before);
    expect(rig.steps).toEqual([]);
  });
});
