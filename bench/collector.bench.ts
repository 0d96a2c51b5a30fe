import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { freePort, needsCollector, startCollector, temporaryFolder } from '../test/interop/collector.ts';
import { scrape, taken } from '../test/interop/counting.ts';
import { startServe, sumOf } from '../test/service/harness.ts';
import { buildRequest, EXPORT_PATH } from './load.ts';

/**
 * logdrift beside a real OpenTelemetry Collector, each in a process of its own, in turn, under the same client: (a) the Collector's OTLP
 * receiver into the nop exporter, (b) the same with a Drain processor between, (c) logdrift, which mines, counts and keeps history.
 *
 * (b) is not contrib's drainprocessor but a stand-in around the same library: see test/interop/collector/drain/drain.go.
 */
const ROUNDS = 5;
const SERVICES = 8;
const IN_FLIGHT = 4;
/** Of the paced run, whose latencies are compared: well below what each of the three can do. */
const PACED_RECORDS_PER_SECOND = 20_000;
const PACED_SECONDS = 5;
/** Of /proc: USER_HZ, 100 on every Linux that Node runs on. */
const TICK_MS = 10;

interface Side extends AsyncDisposable {
  name: string;
  port: number;
  pid: number;
  /** Everything that was answered is worked off, too. */
  settled(): Promise<void>;
  /** Log records it says that it took in; null when it does not say. */
  accepted(): Promise<number | null>;
}

async function collector(name: string, processors: string[]): Promise<Side> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const endpoint = `127.0.0.1:${port}`;
  const running = await startCollector(
    folder,
    {
      receivers: { otlp: { protocols: { grpc: { endpoint, max_recv_msg_size_mib: 64 } } } },
      processors: Object.fromEntries(processors.map((processor) => [processor, {}])),
      exporters: { nop: {} },
      service: { pipelines: { logs: { receivers: ['otlp'], processors, exporters: ['nop'] } } },
    },
    'gateway',
  );
  return {
    name,
    port,
    pid: running.pid,
    settled: () => Promise.resolve(),
    accepted: () => Promise.resolve(null),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function logdrift(): Promise<Side> {
  const serve = await startServe();
  return {
    name: 'logdrift',
    port: serve.ports.grpc,
    pid: serve.process.pid!,
    async settled() {
      while (sumOf(await scrape(serve), 'logdrift_receiver_inflight_bytes') > 0) await delay(20);
    },
    async accepted() {
      const { grpc, dropped, refused } = await taken(serve);
      expect({ dropped, refused }).toEqual({ dropped: 0, refused: 0 });
      return grpc;
    },
    [Symbol.asyncDispose]: () => serve[Symbol.asyncDispose](),
  };
}

interface Load {
  requests: readonly Buffer[];
  count: number;
  /** Requests a second; left out: as soon as one of the lanes is free. */
  rate?: number;
}

/** @returns milliseconds from sending to the answer, of each request */
async function send(side: Side, { requests, count, rate }: Load): Promise<number[]> {
  const client = new Client(`127.0.0.1:${side.port}`, credentials.createInsecure(), {
    'grpc-node.flow_control_window': 4_194_304,
  });
  const latencies: number[] = [];
  const call = async (k: number): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const startMs = performance.now();
    const pass = (bytes: Buffer): Buffer => bytes;
    client.makeUnaryRequest(EXPORT_PATH, pass, pass, requests[k % requests.length]!, (error) => {
      if (error) reject(error);
      else resolve();
    });
    await promise;
    latencies.push(performance.now() - startMs);
  };
  try {
    if (rate === undefined) {
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < count) await call(next++);
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
    } else {
      const beginMs = performance.now();
      const calls: Promise<void>[] = [];
      for (let k = 0; k < count; k++) {
        const waitMs = beginMs + (k * 1000) / rate - performance.now();
        if (waitMs > 1) await delay(waitMs);
        calls.push(call(k));
      }
      await Promise.all(calls);
    }
  } finally {
    client.close();
  }
  return latencies;
}

async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

async function rssMib(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);
const median = (values: readonly number[]): number => sorted(values)[values.length >> 1]!;
const quantile = (values: readonly number[], share: number): string =>
  sorted(values)[Math.floor(values.length * share)]!.toFixed(1);
const range = (values: readonly number[], digits: number): string =>
  `${median(values).toFixed(digits)} (${sorted(values)[0]!.toFixed(digits)}-${sorted(values).at(-1)!.toFixed(digits)})`;

needsCollector('gateway');

test.for([
  { batch: 1000, records: 400_000 },
  { batch: 100, records: 200_000 },
])('beside the Collector, batch $batch', async ({ batch, records }) => {
  // Not late, however long this takes.
  const startMs = Date.now() + 3_600_000;
  const requests = Array.from({ length: SERVICES }, (_, i) =>
    buildRequest({ records: batch, service: `service-${i}`, seed: i + 1, startMs }),
  );
  await using nop = await collector('Collector, otlp to nop', []);
  await using drain = await collector('Collector, otlp to drain stand-in to nop', ['drain']);
  await using ours = await logdrift();
  const sides = [nop, drain, ours];
  const perCpuSecond = new Map(sides.map((side) => [side, [] as number[]]));
  const latency = new Map(sides.map((side) => [side, [] as number[]]));
  const rss = new Map(sides.map((side) => [side, [] as number[]]));

  for (let round = -1; round < ROUNDS; round++) {
    for (const side of sides) {
      const before = { cpu: await cpuMs(side.pid), accepted: await side.accepted() };
      await send(side, { requests, count: records / batch });
      await side.settled();
      const used = (await cpuMs(side.pid)) - before.cpu;
      if (before.accepted !== null) expect(await side.accepted()).toBe(before.accepted + records);
      // The first round only warms up.
      if (round < 0) continue;
      perCpuSecond.get(side)!.push(records / (used / 1000));
      rss.get(side)!.push(await rssMib(side.pid));
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of sides) {
      const rate = PACED_RECORDS_PER_SECOND / batch;
      latency.get(side)!.push(...(await send(side, { requests, count: rate * PACED_SECONDS, rate })));
      await side.settled();
    }
  }

  for (const side of sides) {
    process.stdout.write(
      `batch ${batch}, ${side.name}: ${range(perCpuSecond.get(side)!, 0)} records a CPU second, ` +
        `Export at ${PACED_RECORDS_PER_SECOND} records/s p50 ${quantile(latency.get(side)!, 0.5)} ms, ` +
        `p99 ${quantile(latency.get(side)!, 0.99)} ms, RSS ${range(rss.get(side)!, 0)} MiB\n`,
    );
  }
  const ratios = (other: Side): number[] =>
    perCpuSecond.get(ours)!.map((value, k) => value / perCpuSecond.get(other)![k]!);
  process.stdout.write(
    `batch ${batch}: logdrift does ${range(ratios(nop), 2)} of the Collector into nop (goal 0.5), ` +
      `${range(ratios(drain), 2)} of the Collector with Drain (goal above 1)\n`,
  );
  expect(median(ratios(drain))).toBeGreaterThan(0);
});
