import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { newDecodedRecord } from '../../src/receive/decoded.ts';
import { openInlineShards, openShardThreads, postVectors, type ShardPool } from '../../src/shard/pool.ts';
import { addressFrame, FrameBuilder } from '../../src/source/frame-builder.ts';
import type { ShardOptions } from '../../src/shard/core.ts';

const STEP = 60_000;

function options(): ShardOptions & { size: number } {
  const waiting = new Int32Array(new SharedArrayBuffer(4 * 16));
  const detector = {
    stepMs: STEP,
    panesPerWindow: 2,
    dmdWindows: 120,
    delay: 5,
    maxRank: 50,
    snapshot: 'log_sum' as const,
    warningThreshold: 2,
    criticalThreshold: 3,
    channels: ['dmd' as const],
    hashSeed: 0,
    redact: [],
    keepSamples: true,
    entropyThreshold: 2.5,
    maxParked: 4,
  };
  return { size: 2, detector, waiting, persist: false };
}

/** `n` records of a source, counted as waiting. */
function frame(handle: number, n: number, waiting: Int32Array) {
  const builder = new FrameBuilder(1);
  const text = Buffer.from('GET /index.html 200');
  for (let i = 0; i < n; i++) builder.append(0, 1_000, { ...newDecodedRecord(text), textEnd: text.length });
  const built = builder.build();
  addressFrame(built, Int32Array.of(handle));
  Atomics.add(waiting, handle, n);
  return built;
}

const open = (pool: ShardPool, shard: number, handle: number, key: string): void =>
  pool.post(shard, { type: 'open', handle, key, stored: null, resumed: false, muted: false });

describe.each(['threads', 'inline'] as const)('shards in %s', (kind) => {
  const start = (shared = options()) => {
    const pool =
      kind === 'threads' ? openShardThreads({ ...shared, onFatal: () => undefined }) : openInlineShards(shared);
    return { pool, waiting: shared.waiting };
  };

  test('the tick is the edge of the pane: what is posted before it counts in it, what comes after does not', async () => {
    const { pool, waiting } = start();
    await using _ = pool;
    await pool.ready();
    open(pool, 0, 3, 'file:a');
    open(pool, 1, 5, 'file:b');
    pool.postFrame(0, frame(3, 7, waiting));
    pool.postFrame(1, frame(5, 2, waiting));
    const closing = pool.tick({ type: 'tick', stepEndMs: STEP, gap: false, incomplete: [] });
    pool.postFrame(0, frame(3, 100, waiting));
    expect((await closing).map(({ missing }) => missing.length)).toEqual([1, 1]);
    const scored = await pool.score(STEP);
    expect(scored.flatMap((shard) => shard.verdicts).map(({ source, records }) => [source, records])).toEqual([
      ['file:a', 7],
      ['file:b', 2],
    ]);
    expect(waiting.every((count) => count === 0)).toBe(true);
  });

  test('a frame of a source that has left is taken off the waiting count and harms nobody', async () => {
    const { pool, waiting } = start();
    await using _ = pool;
    await pool.ready();
    open(pool, 0, 3, 'file:a');
    pool.post(0, { type: 'close', handles: [3], keep: false });
    pool.postFrame(0, frame(3, 10, waiting));
    open(pool, 0, 3, 'file:b');
    await pool.tick({ type: 'tick', stepEndMs: STEP, gap: false, incomplete: [] });
    const scored = await pool.score(STEP);
    expect(scored.flatMap((shard) => shard.verdicts).map(({ source, records }) => [source, records])).toEqual([
      ['file:b', 0],
    ]);
    expect(waiting[3]).toBe(0);
  });

  test('nobody waits for an answer that cannot come any more', async () => {
    const { pool } = start();
    await pool.ready();
    await pool[Symbol.asyncDispose]();
    await expect(pool.explain(0, 1, 1)).rejects.toThrow('closed');
    await expect(pool.score(STEP)).rejects.toThrow('closed');
  });

  test('a shard that breaks fails its step instead of hanging it', async () => {
    const errors: Error[] = [];
    const shared = options();
    const pool =
      kind === 'threads'
        ? openShardThreads({ ...shared, onFatal: (error) => errors.push(error) })
        : openInlineShards(shared);
    await pool.ready();
    open(pool, 0, 3, 'file:a');
    // Its rows end before its count says; too many for a slab, so that it is the shard that reads them.
    const broken = { count: 2_000, rows: new ArrayBuffer(4), text: new ArrayBuffer(0), textBytes: 0 };
    const step = async (): Promise<unknown> => {
      pool.postFrame(0, broken);
      return pool.tick({ type: 'tick', stepEndMs: STEP, gap: false, incomplete: [] });
    };
    await expect(step()).rejects.toThrow();
    if (kind === 'threads') {
      expect(errors).toHaveLength(1);
      await expect(pool.score(STEP)).rejects.toThrow('template worker');
    }
    await pool[Symbol.asyncDispose](); // ends, although the thread is gone
  });
});

test('small frames of a thread gather in one slab, in order, and are mined without anything else being posted', async () => {
  const { size: _size, ...shared } = options();
  await using pool = openShardThreads({ ...shared, size: 1, onFatal: () => undefined });
  await pool.ready();
  open(pool, 0, 3, 'file:a');
  for (let k = 0; k < 25; k++) pool.postFrame(0, frame(3, 100, shared.waiting));
  // 20 of them filled two slabs, the last five wait for company, and then no longer.
  await expect.poll(() => shared.waiting[3]).toBe(0);
  pool.postFrame(0, frame(3, 1, shared.waiting));
  await pool.tick({ type: 'tick', stepEndMs: STEP, gap: false, incomplete: [] });
  expect((await pool.score(STEP))[0]!.verdicts.map(({ records }) => records)).toEqual([2501]);
});

test('stored state that cannot be used opens the source cold and says so', async () => {
  const failed: string[] = [];
  await using pool = openInlineShards({ ...options(), onRestoreFailed: (key) => failed.push(key) });
  const stored = { key: 'file:a', meta: '{}', windows: [{ windowId: 1, blob: new Uint8Array(3) }], templates: [] };
  pool.post(0, { type: 'open', handle: 0, key: 'file:a', stored, resumed: false, muted: false });
  await pool.tick({ type: 'tick', stepEndMs: STEP, gap: false, incomplete: [] });
  expect((await pool.score(STEP)).flatMap(({ verdicts }) => verdicts)).toHaveLength(1);
  expect(failed).toEqual(['file:a']);
});

test('only texts that have a vector are sent', async () => {
  await using pool = openInlineShards(options());
  open(pool, 0, 0, 'file:a');
  const shared = options();
  pool.postFrame(0, frame(0, 1, shared.waiting));
  const [{ missing } = { missing: [] }] = await pool.tick({
    type: 'tick',
    stepEndMs: STEP,
    gap: false,
    incomplete: [],
  });
  expect(missing).toHaveLength(1);
  postVectors(pool, 0, ['other', ...missing], new Map([[missing[0]!, new Float32Array(8).fill(1)]]));
  expect((await pool.tick({ type: 'tick', stepEndMs: 2 * STEP, gap: false, incomplete: [] }))[0]!.missing).toEqual([]);
});

test('scoring lets arrivals in between', async () => {
  const { size: _size, ...shared } = options();
  await using pool = openShardThreads({ ...shared, size: 1, onFatal: () => undefined });
  await pool.ready();
  for (let handle = 0; handle < 16; handle++) open(pool, 0, handle, `file:${handle}`);
  await pool.tick({ type: 'tick', stepEndMs: STEP, gap: false, incomplete: [] });
  const scored = pool.score(STEP);
  pool.postFrame(0, frame(1, 10, shared.waiting));
  expect((await scored)[0]!.verdicts).toHaveLength(16);
  await delay(1);
  await expect.poll(() => shared.waiting[1]).toBe(0);
});
