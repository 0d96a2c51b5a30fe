import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { buildRequest, sendPaced } from './load.ts';
import { MeasuredService, spread } from './measured-service.ts';

/** 100,000 records a second at a steady pace: the share of one core that the whole service process takes. */
const PER_SECOND = 100_000;
const SECONDS = 8;
const ROUNDS = 5;

for (const batch of [1000, 100]) {
  test(`100,000 records/s, paced, batch ${batch}`, async () => {
    const requests = Array.from({ length: 8 }, (_, i) =>
      buildRequest({ records: batch, service: `service-${i}`, seed: i + 1, startMs: Date.now() + 3_600_000 }),
    );
    using service = await MeasuredService.start('logdrift');
    const shares: number[] = [];
    for (let i = -1; i < ROUNDS; i++) {
      const before = await service.report();
      const startMs = performance.now();
      const calls = await sendPaced({
        port: before.port,
        requests,
        perSecond: PER_SECOND / batch,
        seconds: i < 0 ? 3 : SECONDS,
      });
      const tookMs = performance.now() - startMs;
      const after = await service.settled(before, calls.length * batch);
      expect([after.lost, calls.filter(({ refused }) => refused)]).toEqual([0, []]);
      if (i >= 0) shares.push((100 * (after.cpuMs - before.cpuMs)) / tookMs);
      await delay(200);
    }
    process.stdout.write(`100,000 records/s, batch ${batch}: ${spread(shares)} % of one core (goal 40 %)\n`);
  });
}
