/** The metrics pipeline: SDK instruments and per-source series, read by the scrape endpoint and (optionally) an OTLP push. */
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { ExportResultCode } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type IMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { createInstruments, observeValues, type Instruments, type ObservedValues } from './instruments.ts';
import type { Log } from './log.ts';
import { createPerSourceProducer, type SourceMetrics } from './per-source-producer.ts';

export interface TelemetryOptions {
  /** The live sources; iterated at every scrape and push. */
  sources: Iterable<SourceMetrics>;
  sourceLabel: boolean;
  channelScores: boolean;
  /** Base URL of an OTLP/HTTP receiver (`/v1/metrics` is appended unless it is there); null = pull only. */
  otlpEndpoint: string | null;
  otlpIntervalMs: number;
  observed?: ObservedValues;
  version: string;
  /** `service.instance.id` of what is pushed. */
  instanceId: string;
  log: Log;
  now?: () => number;
}

export interface Telemetry extends AsyncDisposable {
  instruments: Instruments;
  /** The Prometheus text exposition (format 0.0.4) of this moment. */
  prometheusText(): Promise<string>;
  /** Must be called with every source that leaves `sources`; see `PerSourceProducer.retire`. */
  retire(source: SourceMetrics): void;
  /** Pushes what there is now; resolves at once without a push endpoint. */
  flush(): Promise<void>;
}

const PUSH_TIMEOUT_MS = 10_000;
/** A push endpoint that is away may not hold up the shutdown. */
const SHUTDOWN_TIMEOUT_MS = 2_000;

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const scope = { name: 'logdrift', version: options.version };
  const producer = createPerSourceProducer({ ...options, scope });
  const metricProducers = [producer];
  // Only its reader side is used: the listening is done by server.ts, beside /livez and /readyz.
  const scrape = new PrometheusExporter({ preventServerStart: true, metricProducers });
  const serializer = new PrometheusSerializer('', false, undefined, true, true);
  const readers: IMetricReader[] = [scrape];
  if (options.otlpEndpoint !== null) {
    readers.push(
      new PeriodicExportingMetricReader({
        exporter: pushExporter(options.otlpEndpoint, options.log),
        exportIntervalMillis: options.otlpIntervalMs,
        exportTimeoutMillis: Math.min(PUSH_TIMEOUT_MS, options.otlpIntervalMs),
        metricProducers,
      }),
    );
  }
  const provider = new MeterProvider({
    resource: resourceFromAttributes({
      'service.name': 'logdrift',
      'service.version': options.version,
      'service.instance.id': options.instanceId,
    }),
    readers,
  });
  const meter = provider.getMeter(scope.name, scope.version);
  observeValues(meter, options.observed ?? {}, { version: options.version });

  return {
    instruments: createInstruments(meter),
    retire: (source) => producer.retire(source),
    async prometheusText() {
      const { resourceMetrics, errors } = await scrape.collect();
      for (const error of errors) {
        options.log.warnLimited('metrics-collect', 'A metric could not be read', { error: String(error) });
      }
      return serializer.serialize(resourceMetrics);
    },
    flush: () => provider.forceFlush({ timeoutMillis: PUSH_TIMEOUT_MS }),
    async [Symbol.asyncDispose]() {
      try {
        await provider.shutdown({ timeoutMillis: SHUTDOWN_TIMEOUT_MS });
      } catch (error) {
        options.log.warn('Last metrics push did not finish', { error: String(error) });
      }
    },
  };
}

/** `http://host:4318` and `http://host:4318/v1/metrics` mean the same. */
export function metricsUrl(endpoint: string): string {
  const base = endpoint.replace(/\/+$/, '');
  return base.endsWith('/v1/metrics') ? base : `${base}/v1/metrics`;
}

/** The SDK reports a failed push to a process-wide handler that nobody listens to; here it becomes one log line. */
function pushExporter(endpoint: string, log: Log): PushMetricExporter {
  const url = metricsUrl(endpoint);
  const exporter = new OTLPMetricExporter({ url, timeoutMillis: PUSH_TIMEOUT_MS });
  return {
    export(metrics, done) {
      exporter.export(metrics, (result) => {
        if (result.code !== ExportResultCode.SUCCESS) {
          log.warnLimited('metrics-push', 'Metrics push failed', { url, error: result.error?.message ?? 'unknown' });
        }
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    selectAggregation: (type) => exporter.selectAggregation(type),
    selectAggregationTemporality: (type) => exporter.selectAggregationTemporality(type),
    shutdown: () => exporter.shutdown(),
  };
}
