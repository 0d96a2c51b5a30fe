import { expect, test } from 'vitest';
import { buildRequest, sendHttpLoad, sendLoad, type SendOptions } from './load.ts';
import { median, MeasuredService, spread } from './measured-service.ts';

/**
 * Official wire format in, template counted: records per CPU second of the whole service process. Ours, the naive service (grpc-js or
 * node:http, proto-loader, Drain over strings) the floor (a grpc-js handler that does nothing with the bytes) and the transport (the same on bare node:http2 or node:http), each in a process of its
 * own, in turn, under the same client and after the same warm-up.
 */
const ROUNDS = 5;
const RECORDS_PER_ROUND = 100_000;
const SERVICES = 8;
const IN_FLIGHT = 4;
/** Ahead of the clock, so that a slow run has no late records. */
const AHEAD_MS = 3_600_000;

interface Round {
  service: MeasuredService;
  send: (options: SendOptions) => Promise<void>;
  http: boolean;
  options: Omit<SendOptions, 'port'>;
  counts: boolean;
}

/** @returns CPU ms until everything sent is counted */
async function round({ service, send, http, options, counts }: Round): Promise<number> {
  const before = await service.report();
  await send({ port: http ? before.httpPort : before.port, ...options });
  const after = counts ? await service.settled(before, RECORDS_PER_ROUND) : await service.report();
  expect(after.lost).toBe(before.lost);
  return after.cpuMs - before.cpuMs;
}

for (const { protocol, batch, gzip = false, goal } of [
  { protocol: 'gRPC', batch: 1000, goal: 8 },
  { protocol: 'gRPC', batch: 100, goal: 6 },
  { protocol: 'gRPC', batch: 1000, gzip: true, goal: 5 },
  { protocol: 'HTTP', batch: 1000, goal: 8 },
  { protocol: 'HTTP', batch: 100, goal: 6 },
  { protocol: 'HTTP', batch: 1000, gzip: true, goal: 5 },
]) {
  const name = `end to end, ${protocol}, batch ${batch}${gzip ? ', gzip' : ''}`;
  test(name, async () => {
    const requests = Array.from({ length: SERVICES }, (_, i) =>
      buildRequest({ records: batch, service: `service-${i}`, seed: i + 1, startMs: Date.now() + AHEAD_MS }),
    );
    const options = { requests, count: RECORDS_PER_ROUND / batch, inFlight: IN_FLIGHT, gzip };
    const http = protocol === 'HTTP';
    const send = http ? sendHttpLoad : sendLoad;
    using ours = await MeasuredService.start('logdrift');
    using naive = await MeasuredService.start('naive');
    using floor = await MeasuredService.start('floor');
    using transport = await MeasuredService.start('transport');
    const sides = { ours, naive, ...(http ? {} : { floor }), transport };
    const cpuMs: Record<string, number[]> = { ours: [], naive: [], floor: [], transport: [] };
    for (let i = -1; i < ROUNDS; i++) {
      for (const [side, service] of Object.entries(sides)) {
        const ms = await round({ service, send, http, options, counts: side === 'ours' || side === 'naive' });
        if (i >= 0) cpuMs[side]!.push(ms);
      }
    }
    const perRecord = (side: string): string => `${((median(cpuMs[side]!) * 1000) / RECORDS_PER_ROUND).toFixed(2)} µs`;
    const ratios = cpuMs['naive']!.map((ms, i) => ms / cpuMs['ours']![i]!);
    const floorText = http
      ? ''
      : `; a grpc-js handler that does nothing ${perRecord('floor')}, ${(median(cpuMs['floor']!) / median(cpuMs['ours']!)).toFixed(2)} of ours`;
    process.stdout.write(
      `${name}: logdrift ${perRecord('ours')} CPU a record, naive ${perRecord('naive')}: ${spread(ratios)}x (goal ${goal}x)${floorText}; node:${http ? 'http' : 'http2'} that does nothing ${perRecord('transport')}\n`,
    );
    expect(median(ratios)).toBeGreaterThan(1);
  });
}
