import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { ChildReport } from './end-to-end-child.ts';
import { buildRequest, sendLoad } from './load.ts';

/**
 * Official wire format in, template counted: records per CPU second of the whole service process, ours against the naive service
 * (grpc-js, proto-loader, Drain over strings), both in processes of their own, in turn, under the same client.
 */
const ROUNDS = 5;
const RECORDS_PER_ROUND = 200_000;
const SERVICES = 8;

async function start(side: 'naive' | 'logdrift'): Promise<ChildProcess> {
  const child = fork(new URL('./end-to-end-child.ts', import.meta.url), [side], { stdio: 'inherit' });
  await once(child, 'message');
  return child;
}

async function ask(child: ChildProcess): Promise<ChildReport> {
  const answer = once(child, 'message');
  child.send('report');
  return ((await answer) as [ChildReport])[0];
}

/** @returns CPU ms and wall ms until everything sent is counted */
async function round(
  child: ChildProcess,
  requests: Buffer[],
  batch: number,
  gzip: boolean,
): Promise<{ cpuMs: number; wallMs: number }> {
  const before = await ask(child);
  const startMs = performance.now();
  await sendLoad({ port: before.port, requests, count: RECORDS_PER_ROUND / batch, inFlight: 4, gzip });
  let after = await ask(child);
  while (after.counted < before.counted + RECORDS_PER_ROUND - after.lost + before.lost) after = await ask(child);
  expect(after.lost).toBe(before.lost);
  return { cpuMs: after.cpuMs - before.cpuMs, wallMs: performance.now() - startMs };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

for (const { batch, gzip, target } of [
  { batch: 1000, gzip: false, target: 5 },
  { batch: 100, gzip: false, target: 6 },
  { batch: 1000, gzip: true, target: 5 },
]) {
  test(`end to end, batch ${batch}${gzip ? ', gzip' : ''}`, async () => {
    const requests = Array.from({ length: SERVICES }, (_, i) =>
      buildRequest({ records: batch, service: `service-${i}`, seed: i + 1 }),
    );
    const [ours, naive] = [await start('logdrift'), await start('naive')];
    try {
      await round(ours, requests, batch, gzip);
      await round(naive, requests, batch, gzip);
      const rows = [];
      for (let i = 0; i < ROUNDS; i++)
        rows.push({ ours: await round(ours, requests, batch, gzip), naive: await round(naive, requests, batch, gzip) });
      const perRecord = (ms: number): string => `${((ms * 1000) / RECORDS_PER_ROUND).toFixed(2)} µs`;
      const cpu = rows.map((row) => row.naive.cpuMs / row.ours.cpuMs);
      const wall = rows.map((row) => row.naive.wallMs / row.ours.wallMs);
      process.stdout.write(
        `batch ${batch}${gzip ? ' gzip' : ''}: logdrift ${perRecord(median(rows.map((row) => row.ours.cpuMs)))} CPU a record, ` +
          `naive ${perRecord(median(rows.map((row) => row.naive.cpuMs)))}; ratio ${median(cpu).toFixed(1)}x CPU ` +
          `(${Math.min(...cpu).toFixed(1)}-${Math.max(...cpu).toFixed(1)}), ${median(wall).toFixed(1)}x wall; goal ${target}x\n`,
      );
      expect(median(cpu)).toBeGreaterThan(1);
    } finally {
      ours.kill();
      naive.kill();
    }
  });
}
