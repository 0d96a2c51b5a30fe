import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { startServe, type Settings } from '../service/harness.ts';
import {
  buildCollector,
  exported,
  exporterTo,
  freePort,
  startCollector,
  temporaryFolder,
  type Collector,
  type Folder,
} from './collector.ts';
import { numbered, taken, untilAccepted, type Serve } from './counting.ts';

beforeAll(async () => {
  await buildCollector();
}, 3_000_000);

/** The metric that every logdrift pushes a last time when it stops, through the Collector into a file. */
const ACCEPTED = 'logdrift_receiver_accepted_log_records';

/** A Collector that reads orders.log into a persistent queue in front of logdrift, and writes down logdrift's own metrics. */
async function queueInFront(folder: Folder, transport: string, ports: Ports): Promise<Collector> {
  const exporters = exporterTo(ports, transport, {
    timeout: '5s',
    retry_on_failure: { initial_interval: '100ms', max_interval: '1s' },
    sending_queue: {
      storage: 'file_storage',
      sizer: 'items',
      queue_size: 1_000_000,
      batch: { flush_timeout: '20ms', min_size: 200, max_size: 200 },
    },
  });
  return startCollector(folder, {
    extensions: { file_storage: { directory: join(folder.path, 'queue'), create_directory: true } },
    receivers: {
      file_log: { include: [join(folder.path, 'orders.log')], start_at: 'beginning', poll_interval: '20ms' },
      otlp: { protocols: { http: { endpoint: `127.0.0.1:${ports.back}` } } },
    },
    exporters: { ...exporters, file: { path: join(folder.path, 'metrics.jsonl'), flush_interval: '100ms' } },
    service: {
      extensions: ['file_storage'],
      pipelines: {
        logs: { receivers: ['file_log'], exporters: Object.keys(exporters) },
        metrics: { receivers: ['otlp'], exporters: ['file'] },
      },
    },
  });
}

interface Ports {
  grpc: number;
  http: number;
  /** Where the Collector takes logdrift's metrics. */
  back: number;
}

test.for(['grpc', 'http'])(
  "a restart of logdrift in the middle of traffic loses and doubles nothing of a Collector's queue, over %s",
  async (transport) => {
    await using folder = await temporaryFolder();
    const ports = { grpc: await freePort(), http: await freePort(), back: await freePort() };
    const log = join(folder.path, 'orders.log');
    await writeFile(log, '');
    await using _collector = await queueInFront(folder, transport, ports);
    const serve = (): Promise<Serve> =>
      startServe({
        'receivers.otlp.protocols.grpc.endpoint': `127.0.0.1:${ports.grpc}`,
        'receivers.otlp.protocols.http.endpoint': `127.0.0.1:${ports.http}`,
        'storage.directory': join(folder.path, 'logdrift'),
        'telemetry.otlp_endpoint': `http://127.0.0.1:${ports.back}`,
      } satisfies Settings);
    let written = 0;
    const write = async (lines: number, forMs: number): Promise<void> => {
      for (const bursts = 20, end = written + lines; written < end; written += lines / bursts) {
        await appendFile(log, numbered(written, written + lines / bursts));
        await delay(forMs / bursts);
      }
    };

    {
      await using first = await serve();
      await write(20_000, 1_000);
      const writing = write(20_000, 1_000);
      await untilAccepted(first, 10_000);
      first.process.kill('SIGTERM');
      expect(await first.exited).toEqual({ code: 0, signal: null });
      await writing;
    }
    await write(20_000, 500);
    await using second = await serve();
    await write(20_000, 500);

    const before = await lastCount(folder);
    expect(before).toBeGreaterThanOrEqual(10_000);
    await untilAccepted(second, written - before);
    // Whatever came twice would still be on its way.
    await delay(2_000);
    const { grpc, http, dropped, failed } = await taken(second);
    expect({ records: before + grpc + http, dropped, failed }).toEqual({ records: written, dropped: 0, failed: 0 });
  },
);

/** Accepted in all by the logdrift that pushed last. */
async function lastCount(folder: Folder): Promise<number> {
  const request = (await exported(join(folder.path, 'metrics.jsonl'))).at(-1) as unknown as Metrics;
  const metrics = request.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  const points = metrics.find(({ name }) => name === ACCEPTED)!.sum.dataPoints;
  return points.reduce((sum, { asInt, asDouble }) => sum + Number(asInt ?? asDouble), 0);
}

interface Metrics {
  resourceMetrics: {
    scopeMetrics: { metrics: { name: string; sum: { dataPoints: { asInt?: string; asDouble?: number }[] } }[] }[];
  }[];
}
