import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { startServe, sumOf, until, type Settings } from '../service/harness.ts';
import { checkpoint } from './checkpoint.ts';
import { exported, freePort, needsCollector, temporaryFolder, type Folder } from './collector.ts';
import { numbered, scrape, taken, untilAccepted, type Serve } from './counting.ts';
import { queueInFront, UNHURRIED, type Ports, type QueueingCollector } from './queue.ts';

needsCollector('agent');

/** The metric that every logdrift pushes a last time when it stops, through the Collector into a file. */
const ACCEPTED = 'logdrift_receiver_accepted_log_records';
/** Records that the Collector has on their way at once: its ten senders with a request each. */
const ON_THEIR_WAY = 10 * 200;

async function freePorts(): Promise<Ports> {
  return { grpc: await freePort(), http: await freePort(), back: await freePort() };
}

/** Always on the same ports, for it is to be found again after it was restarted. */
function startOn(ports: Ports, folder: Folder, settings: Settings = {}): Promise<Serve> {
  return startServe({
    'receivers.otlp.protocols.grpc.endpoint': `127.0.0.1:${ports.grpc}`,
    'receivers.otlp.protocols.http.endpoint': `127.0.0.1:${ports.http}`,
    'storage.directory': join(folder.path, 'logdrift'),
    'telemetry.otlp_endpoint': `http://127.0.0.1:${ports.back}`,
    ...settings,
  });
}

/** The file that the Collector reads, written to at an even pace. */
class OrdersLog {
  written = 0;
  readonly #path: string;

  constructor(folder: Folder) {
    this.#path = join(folder.path, 'orders.log');
  }

  async write(lines: number, forMs: number): Promise<void> {
    for (const bursts = 20, end = this.written + lines; this.written < end; this.written += lines / bursts) {
      await appendFile(this.#path, numbered(this.written, this.written + lines / bursts));
      await delay(forMs / bursts);
    }
  }
}

async function allSent(collector: QueueingCollector, records: number): Promise<void> {
  await until('the queue is empty', async () => (await collector.records()).sent >= records, 120_000);
}

test.concurrent.for(['grpc', 'http'])(
  "a restart of logdrift in the middle of traffic loses and doubles nothing of a Collector's queue, over %s",
  async (transport, { expect }) => {
    await using folder = await temporaryFolder();
    const ports = await freePorts();
    await using collector = await queueInFront(folder, { transport, ports, queue: 'file' });
    const log = new OrdersLog(folder);

    {
      await using first = await startOn(ports, folder, UNHURRIED);
      await log.write(20_000, 1_000);
      const writing = log.write(20_000, 1_000);
      await untilAccepted(first, 10_000);
      first.process.kill('SIGTERM');
      expect(await first.exited).toEqual({ code: 0, signal: null });
      await writing;
    }
    // Not one record was answered for that was not counted, nor counted without an answer.
    const { sent: before } = await until('both have counted the same', async () => {
      const records = await collector.records();
      return records.sent === (await lastCount(folder)) ? records : null;
    });
    expect(before).toBeGreaterThanOrEqual(10_000);
    await log.write(20_000, 500);
    await using second = await startOn(ports, folder, UNHURRIED);
    await log.write(20_000, 500);

    await allSent(collector, log.written);
    // Whatever came twice would still be on its way.
    await delay(1_000);
    expect(await collector.records()).toEqual({ sent: log.written, failed: 0, queued: 0 });
    const { grpc, http, dropped, failed } = await taken(second);
    expect({ records: before + grpc + http, dropped, failed }).toEqual({ records: log.written, dropped: 0, failed: 0 });
  },
);

test.concurrent(
  'kill -9 costs what was accepted since the last checkpoint ended, and nothing of the queue',
  async ({ expect, skip }) => {
    await using folder = await temporaryFolder();
    const ports = await freePorts();
    const stepMs = 5_000;
    const pace = { window_step: `${stepMs}ms`, window_size: `${stepMs}ms` } satisfies Settings;
    await using collector = await queueInFront(folder, { transport: 'grpc', ports, queue: 'file' });
    const log = new OrdersLog(folder);
    const samples: { atMs: number; sent: number }[] = [];
    let committedMs = 0;
    // On a busy machine some may be under way for longer than a step: accepted, and not analysed.
    let tooLate = 0;
    let missedSteps = 0;
    {
      await using first = await startOn(ports, folder, pace);
      const writing = log.write(40_000, 12_000);
      await until(
        'it is late in a step, when there is most to lose, and every step before is committed',
        async () => {
          const { sent } = await collector.records();
          // Not before: by then they were sent.
          samples.push({ atMs: Date.now(), sent });
          const { steps, commits, endMs, late, missed } = await judged(first);
          [tooLate, missedSteps] = [late, missed];
          const isWorth = samples.some(({ atMs, sent }) => atMs <= endMs && sent > 0);
          if (!isWorth || commits < steps || Date.now() - endMs < stepMs * 0.75) return false;
          committedMs = endMs;
          return true;
        },
        120_000,
      );
      first.process.kill('SIGKILL');
      await first.exited;
      await writing;
    }
    if (missedSteps > 0) skip('this machine is too busy: a step was missed, and its records are a gap');
    // The file as it was left, not as it is repaired.
    await cp(join(folder.path, 'logdrift'), join(folder.path, 'copy'), { recursive: true });
    const saved = checkpoint(join(folder.path, 'copy'));
    const savedMs = saved.newestWindow! * stepMs;
    expect(savedMs).toBeGreaterThanOrEqual(committedMs);
    // Everything answered before the end of its last window is in the checkpoint. What came after is the price.
    const sentByThen = samples.findLast(({ atMs }) => atMs <= savedMs)!.sent;
    expect(saved.records).toBeGreaterThanOrEqual(sentByThen - tooLate);
    const { sent } = await collector.records();
    expect(saved.records).toBeLessThanOrEqual(sent + ON_THEIR_WAY);

    await using second = await startOn(ports, folder, pace);
    await log.write(5_000, 500);
    await allSent(collector, log.written);
    // Whatever came twice would still be on its way.
    await delay(1_000);
    expect(await collector.records()).toEqual({ sent: log.written, failed: 0, queued: 0 });
    // All that the killed one had not answered, once.
    expect(await taken(second)).toMatchObject({ grpc: log.written - sent, refused: 0, failed: 0 });
  },
);

interface Judged {
  steps: number;
  missed: number;
  commits: number;
  /** End of the last one. */
  endMs: number;
  late: number;
}

async function judged(serve: Serve): Promise<Judged> {
  const text = await scrape(serve);
  return {
    steps: sumOf(text, 'logdrift_steps_total'),
    commits: sumOf(text, 'logdrift_store_commit_duration_seconds_count'),
    endMs: sumOf(text, 'logdrift_last_step_timestamp_seconds') * 1000,
    late: sumOf(text, 'logdrift_dropped_records_total', { reason: 'late' }),
    missed: sumOf(text, 'logdrift_missed_steps_total'),
  };
}

/** Accepted in all by the logdrift that pushed last. */
async function lastCount(folder: Folder): Promise<number> {
  const path = join(folder.path, 'metrics.jsonl');
  const request = (await until('its metrics are written', async () => (await exported(path)).at(-1))) as unknown;
  const metrics = (request as Metrics).resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) => metrics),
  );
  const points = metrics.find(({ name }) => name === ACCEPTED)!.sum.dataPoints;
  return points.reduce((sum, { asInt, asDouble }) => sum + Number(asInt ?? asDouble), 0);
}

interface Metrics {
  resourceMetrics: {
    scopeMetrics: { metrics: { name: string; sum: { dataPoints: { asInt?: string; asDouble?: number }[] } }[] }[];
  }[];
}
