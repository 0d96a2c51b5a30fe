import { expect, test } from 'vitest';
import { startDelayingProxy } from './delaying-proxy.ts';
import { buildRequest, sendLoad } from './load.ts';
import { median, MeasuredService, spread } from './measured-service.ts';

/** One gRPC connection over a way of 10 ms and back: our windows of 4 MiB against grpc-js's 64 KiB (a handler that does nothing). */
const ONE_WAY_MS = 5;
const BATCH = 1000;
/** Fewer where the windows hold it up. */
const RECORDS = { ours: 100_000, floor: 20_000 };
const IN_FLIGHT = 16;
const ROUNDS = 5;
const GOAL_PER_SECOND = 100_000;

test('one connection at 10 ms round trip', async () => {
  const requests = Array.from({ length: 8 }, (_, i) =>
    buildRequest({ records: BATCH, service: `service-${i}`, seed: i + 1, startMs: Date.now() + 3_600_000 }),
  );
  const perSecond: Record<string, number[]> = {};
  using ours = await MeasuredService.start('logdrift');
  using floor = await MeasuredService.start('floor');
  for (let i = -1; i < ROUNDS; i++) {
    for (const [side, service] of Object.entries({ ours, floor })) {
      const records = RECORDS[side as keyof typeof RECORDS];
      const before = await service.report();
      using proxy = await startDelayingProxy(before.port, ONE_WAY_MS);
      const startMs = performance.now();
      await sendLoad({ port: proxy.port, requests, count: records / BATCH, inFlight: IN_FLIGHT });
      const seconds = (performance.now() - startMs) / 1000;
      if (i >= 0) (perSecond[side] ??= []).push(records / seconds);
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
