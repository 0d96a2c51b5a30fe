import { readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { lowerBackgroundThreads } from '../../src/service/thread-priority.ts';

const THREADS = '/proc/self/task';

/** Nice values by the name of the thread. */
function priorities(): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  for (const id of readdirSync(THREADS)) {
    const name = readFileSync(`${THREADS}/${id}/comm`, 'utf8').trim();
    found.set(name, (found.get(name) ?? new Set()).add(getPriority(Number(id))));
  }
  return found;
}

test.runIf(process.platform === 'linux')('shards, store and V8 make room for the main thread, once', async () => {
  const own = getPriority();
  const idle = `require('node:worker_threads').parentPort.once('message', () => undefined).postMessage('ready')`;
  const workers = ['shard', 'store', 'other'].map((name) => new Worker(idle, { eval: true, name }));
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    expect([lowerBackgroundThreads(), lowerBackgroundThreads()]).toEqual([null, null]);
    const found = priorities();
    const lower = (by: number) => new Set([Math.min(own + by, 19)]);
    expect(found.get('shard')).toEqual(lower(5));
    expect(found.get('store')).toEqual(lower(5));
    expect(found.get('V8Worker')).toEqual(lower(10));
    expect(found.get('other')).toEqual(lower(0));
    expect(getPriority()).toBe(own);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
});
