import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { median, MeasuredService, spread } from './measured-service.ts';
import type { Task } from './round-trip-child.ts';

/**
 * One gRPC connection over a way of 10 ms and back: our windows of 4 MiB against grpc-js's 64 KiB (a handler that does nothing). Client, way
 * and service are a process each.
 */
const ONE_WAY_MS = 5;
const BATCH = 1000;
/** Fewer where the windows hold it up. */
const RECORDS = { ours: 200_000, floor: 20_000 };
const IN_FLIGHT = 16;
const ROUNDS = 5;
const GOAL_PER_SECOND = 100_000;

/** A process that has done its task once it answers, and lives on until it is disposed of. */
async function start(task: Task): Promise<{ answer: number } & Disposable> {
  const child = fork(new URL('./round-trip-child.ts', import.meta.url), { stdio: 'inherit' });
  child.send(task);
  const [answer] = (await once(child, 'message')) as [number];
  return { answer, [Symbol.dispose]: () => void child.kill() };
}

test('one connection at 10 ms round trip', async () => {
  const perSecond: Record<string, number[]> = {};
  using ours = await MeasuredService.start('logdrift');
  using floor = await MeasuredService.start('floor');
  for (let i = -1; i < ROUNDS; i++) {
    for (const [side, service] of Object.entries({ ours, floor })) {
      const records = RECORDS[side as keyof typeof RECORDS];
      const before = await service.report();
      using proxy = await start({ kind: 'proxy', port: before.port, delayMs: ONE_WAY_MS });
      using client = await start({
        kind: 'client',
        port: proxy.answer,
        batch: BATCH,
        count: records / BATCH,
        inFlight: IN_FLIGHT,
      });
      if (i >= 0) (perSecond[side] ??= []).push(records / client.answer);
      if (side === 'ours') expect((await service.settled(before, records)).lost).toBe(0);
    }
  }
  const thousands = (side: string): string =>
    spread(
      perSecond[side]!.map((n) => n / 1000),
      0,
    );
  process.stdout.write(
    `10 ms round trip, one connection: logdrift ${thousands('ours')} thousand records/s (goal ${GOAL_PER_SECOND / 1000}), ` +
      `64 KiB windows ${thousands('floor')}\n`,
  );
  expect(median(perSecond['ours']!)).toBeGreaterThan(median(perSecond['floor']!));
});
