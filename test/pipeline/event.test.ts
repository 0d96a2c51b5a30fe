import { describe, expect, test } from 'vitest';
import type { Embedder } from '../../src/embed/embedder.ts';
import { hashingEmbedder } from '../../src/embed/hashing.ts';
import { at, openRig, times, type Rig } from './rig.ts';

/** A record of each source in every minute of `[from, from + minutes)`, half a minute in. */
async function everyMinute(rig: Rig, sources: string[], from: string, minutes: number): Promise<void> {
  for (let i = 0; i < minutes; i++)
    await rig.send(...sources.map((source) => ({ source, timeMs: at(from) + i * 60_000 + 30_000 })));
}

describe('windows', () => {
  test('the first of a source ends at the first tick after its first record, whoever else is ahead', async () => {
    await using rig = await openRig({ clock: 'event' });
    await rig.send({ source: 'file:a', timeMs: at('10:00:30') });
    // b is known before 10:01 closes, but its first record lies behind it.
    await rig.send({ source: 'file:b', timeMs: at('10:01:05') });
    await rig.send({ source: 'file:c', timeMs: at('10:04:30') }, { source: 'file:a', timeMs: at('10:01:20') });
    await rig.send({ source: 'file:a', timeMs: at('10:06:30') });
    const first = (source: string) => rig.verdicts().find((verdict) => verdict.startsWith(source));
    expect(first('file:a')).toBe('file:a@10:01');
    expect(first('file:b')).toBe('file:b@10:02');
    expect(first('file:c')).toBe('file:c@10:05');
  });

  test('end for all sources at the same instant, sorted by source within it; ids are window_end / step', async () => {
    await using rig = await openRig({ clock: 'event' });
    await everyMinute(rig, ['file:b', 'file:a', 'file:C'], '10:00:00', 4);
    expect(rig.verdicts().slice(0, 6)).toEqual([
      'file:C@10:01',
      'file:a@10:01',
      'file:b@10:01',
      'file:C@10:02',
      'file:a@10:02',
      'file:b@10:02',
    ]);
    for (const verdict of rig.steps.flatMap((step) => step.verdicts))
      expect(verdict.windowId * 60_000).toBe(verdict.windowEndMs);
  });

  test('of more new templates than one message of vectors holds are judged with all of them', async () => {
    await using rig = await openRig({ clock: 'event' });
    const word = (k: number): string => k.toString(2).padStart(9, '0').replaceAll('0', 'ka').replaceAll('1', 'lo');
    const lines = times(3, (source) =>
      times(150, (k) => {
        const line = source * 150 + k;
        return {
          source: `file:${source}`,
          timeMs: at('10:00:30'),
          text: times(5, (w) => word((line * (w + 3)) % 512)).join(' '),
        };
      }),
    ).flat();
    await rig.send(...lines);
    await rig.send({ source: 'file:0', timeMs: at('10:01:30') });
    const { verdicts } = rig.steps[0]!;
    expect(verdicts.reduce((sum, { templates }) => sum + templates, 0)).toBeGreaterThan(300);
    expect(verdicts.map(({ gates }) => gates.includes('degraded'))).toEqual([false, false, false]);
  });

  test('the seventh has the first reconstruction error', async () => {
    await using rig = await openRig({ clock: 'event' });
    await everyMinute(rig, ['file:a'], '10:00:00', 9);
    const errors = rig.steps.flatMap((step) => step.verdicts).map((verdict) => verdict.reconstructionError);
    expect(errors.slice(0, 6)).toEqual(times(6, () => null));
    expect(errors[6]).not.toBeNull();
  });

  test('hold the last two panes; empty ones are windows', async () => {
    await using rig = await openRig({ clock: 'event' });
    await rig.send(...times(5, () => ({ source: 'file:a', timeMs: at('10:00:30') })));
    await rig.send({ source: 'file:a', timeMs: at('10:01:30') });
    await rig.send({ source: 'file:a', timeMs: at('10:05:30') });
    expect(rig.steps.flatMap((step) => step.verdicts).map((verdict) => verdict.records)).toEqual([5, 6, 1, 0, 0]);
  });

  test('that is open is not scored when the input ends or the pipeline closes', async () => {
    const rig = await openRig({ clock: 'event' });
    await everyMinute(rig, ['file:a'], '10:00:00', 3);
    await rig.pipeline.flush();
    await rig[Symbol.asyncDispose]();
    expect(rig.verdicts()).toEqual(['file:a@10:01', 'file:a@10:02']);
  });
});

describe('a wrong time', () => {
  test.each([1, -5, 0, NaN, Infinity, 1e300, 2 ** 64 / 1e6])(
    'of %d ms costs the other source nothing',
    async (timeMs) => {
      await using rig = await openRig({ clock: 'event' });
      await everyMinute(rig, ['file:a', 'file:b'], '10:00:00', 3);
      await rig.send({ source: 'file:bad', timeMs });
      await everyMinute(rig, ['file:a', 'file:b'], '10:03:00', 5);
      await rig.pipeline.flush();
      expect(rig.pipeline.registry.get('file:a')!.received).toBe(8);
      expect(rig.verdicts().filter((verdict) => verdict.startsWith('file:a'))).toHaveLength(7);
      expect(rig.steps.some((step) => step.gap)).toBe(false);
    },
  );

  test('of the year 2099 keeps its source neither alive for ever nor the door shut to new ones', async () => {
    await using rig = await openRig({ clock: 'event', set: ['max_sources=3'] });
    await rig.send({ source: 'file:a', timeMs: at('10:00:30') }, { source: 'file:b', timeMs: at('10:00:30') });
    await rig.send({ source: 'file:b', timeMs: Date.UTC(2099, 0) });
    await everyMinute(rig, ['file:a'], '10:01:00', 40);
    expect(rig.story).toContain('removed file:b 1');
    await rig.send({ source: 'file:c', timeMs: at('10:40:40') }, { source: 'file:d', timeMs: at('10:40:41') });
    expect([...rig.pipeline.registry].map(({ key }) => key)).toEqual(['file:a', 'file:c', 'file:d']);
  });

  test('too far ahead is counted as future when the others went on without it', async () => {
    await using rig = await openRig({ clock: 'event' });
    await rig.send({ source: 'file:a', timeMs: at('10:00:30') });
    await rig.send({ source: 'file:bad', timeMs: Date.UTC(2500, 0) });
    await everyMinute(rig, ['file:a'], '10:01:00', 2);
    await rig.pipeline.flush();
    expect(rig.dropped).toEqual(new Map([['future', 1]]));
    expect(rig.pipeline.registry.get('file:bad')).toBeUndefined();
  });
});

describe('late records', () => {
  test('are counted and not analysed', async () => {
    await using rig = await openRig({ clock: 'event' });
    await everyMinute(rig, ['file:a'], '10:00:00', 3);
    await rig.send({ source: 'file:a', timeMs: at('10:00:31') });
    expect(rig.dropped).toEqual(new Map([['late', 1]]));
    expect(rig.pipeline.registry.get('file:a')).toMatchObject({ late: 1, received: 3 });
  });

  test('make a window incomplete above 5 % of it, not at 5 %', async () => {
    await using rig = await openRig({ clock: 'event' });
    const lines = (n: number, timeMs: number) => times(n, () => ({ source: 'file:a', timeMs }));
    await rig.send(...lines(19, at('10:00:30')));
    await rig.send(...lines(19, at('10:01:30')));
    await rig.send(...lines(2, at('09:00:00'))); // lost in the pane of 10:02: 2 of 40 in its window
    await rig.send(...lines(19, at('10:02:30')));
    await rig.send(...lines(1, at('09:00:00'))); // 3 of 41 in the next, 1 of 20 in the one behind it
    await rig.send(...lines(19, at('10:05:30')));
    const gates = rig.steps.flatMap((step) => step.verdicts).map((verdict) => verdict.gates.includes('incomplete'));
    expect(gates).toEqual([false, false, true, false, false]);
    const { handle } = rig.pipeline.registry.get('file:a')!;
    expect(rig.steps.map((step) => step.lost.get(handle) ?? 0)).toEqual([0, 2, 3, 1, 0]);
  });
});

describe('sources', () => {
  test('that fall idle leave, and the first window back is scored with an empty pane before it', async () => {
    await using rig = await openRig({ clock: 'event' });
    await everyMinute(rig, ['file:a', 'file:b'], '10:00:00', 12);
    await everyMinute(rig, ['file:a'], '10:12:00', 40);
    expect(rig.story.filter((line) => line.includes('file:b') || line.startsWith('cleaned'))).toEqual([
      'created file:b 2',
      'removed file:b 1',
      'cleaned 1',
    ]);
    const before = rig.steps.length;
    await everyMinute(rig, ['file:a', 'file:b'], '10:52:00', 2);
    const back = rig.steps
      .slice(before)
      .flatMap((step) => step.verdicts)
      .find((verdict) => verdict.source === 'file:b')!;
    expect(back.records).toBe(1);
    expect(back.reconstructionError).not.toBeNull(); // its history was kept
  });

  test('beyond max_sources are answered, counted and named in the message', async () => {
    await using rig = await openRig({ clock: 'event', set: ['max_sources=2'] });
    const result = await rig.send(...times(5, (i) => ({ source: `file:${i}`, timeMs: at('10:00:30') })));
    expect(result.rejectedLogRecords).toBe(0);
    expect(result.errorMessage).toContain('3 records of new sources');
    expect(rig.pipeline.registry.size).toBe(2);
    expect(rig.dropped).toEqual(new Map([['source_limit', 3]]));
  });

  test('that come and go by the thousand leave no memory of themselves behind', async () => {
    await using rig = await openRig({
      clock: 'event',
      set: ['max_sources=50', 'max_idle_time=2m', 'cleanup_interval=1m', 'retention=10m'],
    });
    for (let i = 0; i < 600; i++) {
      await rig.send({ source: `file:${i}`, timeMs: at('10:00:30') + i * 60_000 });
    }
    expect(rig.pipeline.registry.size).toBeLessThan(5);
    expect(rig.pipeline.waitingRecords()).toBe(0);
    expect(rig.story.filter((line) => line.startsWith('created'))).toHaveLength(600);
  });

  test('reuse a handle without taking over anything of its former owner', async () => {
    await using rig = await openRig({
      clock: 'event',
      set: ['max_sources=1', 'max_idle_time=2m', 'cleanup_interval=1m'],
    });
    await everyMinute(rig, ['file:a'], '10:00:00', 3);
    await rig.send({ source: 'file:b', timeMs: at('10:10:30') }); // no room yet: a leaves with the steps that this record closes
    await rig.send({ source: 'file:b', timeMs: at('10:11:30') });
    await rig.send({ source: 'file:b', timeMs: at('10:13:30') });
    expect(rig.pipeline.registry.get('file:b')).toMatchObject({ handle: 0, anomalies: { warning: 0, critical: 0 } });
    const b = rig.steps.flatMap((step) => step.verdicts).filter((verdict) => verdict.source === 'file:b');
    expect(b[0]).toMatchObject({ templates: 1, reconstructionError: null });
  });
});

test('an embedding service that never answers degrades windows and does not keep the pipeline from closing', async () => {
  const silent: Embedder = {
    ...hashingEmbedder(),
    remote: true,
    embed: (_texts, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  };
  const rig = await openRig({ clock: 'event', embedder: silent, set: ['embed_wait=1h'] });
  await rig.send({ source: 'file:a', timeMs: at('10:00:30') });
  const waiting = rig.send({ source: 'file:a', timeMs: at('10:03:30') });
  await new Promise((resolve) => setTimeout(resolve, 5));
  // embed_wait is longer than this test may take.
  await rig[Symbol.asyncDispose]();
  await waiting;
  expect(rig.steps.flatMap((step) => step.verdicts).every((verdict) => verdict.gates.includes('degraded'))).toBe(true);
});

test('a step that fails is fatal, told to the sender, and the pipeline still closes', async () => {
  const broken: Embedder = {
    ...hashingEmbedder(),
    get fingerprint(): string {
      throw new Error('no fingerprint');
    },
  };
  const rig = await openRig({ clock: 'event', embedder: broken });
  await rig.send({ source: 'file:a', timeMs: at('10:00:30') });
  await expect(rig.send({ source: 'file:a', timeMs: at('10:01:30') })).rejects.toThrow('no fingerprint');
  expect(rig.fatal[0]?.message).toBe('no fingerprint');
  await Promise.resolve(rig[Symbol.asyncDispose]()).catch(() => undefined);
});

test('the same records give the same verdicts, whatever the size of the requests', async () => {
  const lines = times(600, (i) => ({
    source: `file:${i % 3}`,
    timeMs: at('10:00:00') + i * 1_700,
    text: `job ${i % 7} took ${i} ms`,
  }));
  const run = async (batch: number): Promise<string> => {
    await using rig = await openRig({ clock: 'event' });
    for (let i = 0; i < lines.length; i += batch) await rig.send(...lines.slice(i, i + batch));
    await rig.pipeline.flush();
    return JSON.stringify(rig.steps.flatMap((step) => step.verdicts));
  };
  const one = await run(1);
  expect(one.length).toBeGreaterThan(1_000);
  expect(await run(50)).toBe(one);
  expect(await run(600)).toBe(one);
});
