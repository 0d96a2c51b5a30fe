/** A Collector that reads a file into its sending queue in front of logdrift, and what it says of it. */
import { join } from 'node:path';
import { sumOf, type Settings } from '../service/harness.ts';
import {
  exporterTo,
  freePort,
  startCollector,
  type Collector,
  type CollectorConfig,
  type Folder,
} from './collector.ts';

export interface Ports {
  grpc: number;
  http: number;
  /** Where the Collector takes logdrift's own metrics. */
  back: number;
}

export interface QueueOptions {
  transport: string;
  ports: Ports;
  /** Where the queue is kept. */
  queue: 'file' | 'memory';
  /** Records of one request. */
  batch?: number;
  /** Of the exporter, beside those of the queue. */
  exporter?: object;
}

/** Steps so long that no record is late, however long it was on its way. */
export const UNHURRIED = { window_step: '12h', window_size: '12h', max_idle_time: '24h' } satisfies Settings;

/** What it has done with the records it has read. */
export interface Sent {
  /** In requests that were answered as done, of which a `partial_success` is one. */
  sent: number;
  /** Given up. */
  failed: number;
  queued: number;
}

export interface QueueingCollector extends Collector {
  records(): Promise<Sent>;
}

/** Reads `orders.log` in `folder`; what it is told of logdrift's metrics it writes to `metrics.jsonl`. */
export async function queueInFront(folder: Folder, options: QueueOptions): Promise<QueueingCollector> {
  const { transport, ports, queue, batch = 200, exporter } = options;
  const exporters = exporterTo(ports, transport, {
    // A request given up in the middle may come twice; this is about those that are answered.
    timeout: '30s',
    retry_on_failure: { initial_interval: '100ms', max_interval: '1s' },
    sending_queue: {
      ...(queue === 'file' ? { storage: 'file_storage' } : {}),
      sizer: 'items',
      queue_size: 1_000_000,
      batch: { flush_timeout: '20ms', min_size: batch, max_size: batch },
    },
    ...exporter,
  });
  const port = await freePort();
  const collector = await startCollector(folder, {
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
      telemetry: {
        metrics: { level: 'normal', readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port } } } }] },
      },
    },
  } satisfies CollectorConfig);
  const [name] = Object.keys(exporters);
  return {
    ...collector,
    async records() {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const sum = (what: string): number => sumOf(text, `otelcol_exporter_${what}`, { exporter: name! });
      return {
        sent: sum('sent_log_records'),
        failed: sum('send_failed_log_records') + sum('enqueue_failed_log_records'),
        queued: sum('queue_size'),
      };
    },
  };
}
