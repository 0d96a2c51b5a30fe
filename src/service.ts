import { randomInt, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { createAnomalyExporter, type AnomalyExporter } from './alert/otlp-export.ts';
import type { Config } from './config/config.ts';
import { openEmbedder } from './embed/open.ts';
import { pipelineEvents } from './pipeline/events.ts';
import { openPipeline, type Pipeline } from './pipeline/pipeline.ts';
import type { JudgedStep } from './pipeline/step.ts';
import { createTurns } from './pipeline/turns.ts';
import { openCheckpoint } from './service/checkpoint.ts';
import { Feed, openAdmin } from './service/page.ts';
import { openReceivers, type Receivers } from './service/receivers.ts';
import { lowerBackgroundThreads } from './service/thread-priority.ts';
import { embeddingObserver } from './telemetry/embedding-events.ts';
import type { Instruments } from './telemetry/instruments.ts';
import type { Log } from './telemetry/log.ts';
import { startTelemetryServer } from './telemetry/server.ts';
import { createTelemetry, type Telemetry } from './telemetry/telemetry.ts';
import { VERSION } from './version.ts';

export interface ServiceOptions {
  config: Config;
  log: Log;
  /** Something broke that the service cannot go on without. */
  onFatal(error: Error): void;
  /** Every judged step, for a program that runs the service in its own process (demo, tests). */
  onJudged?: (step: JudgedStep) => void;
}

export interface Service {
  /** Bound ports; null where a receiver is switched off. */
  readonly ports: { grpc: number | null; http: number | null; admin: number; telemetry: number };
  readonly pipeline: Pipeline;
  /** Stops accepting, judges what is closed, flushes what leaves; within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** How long an HTTP or gRPC call in flight may take to end at shutdown; the rest of the grace is for judging and exporting. */
const CALLS_SHARE = 0.4;
const EXPORT_SHARE = 0.3;

/**
 * The composition root: opens the parts in the order in which a record meets them last, so that nothing is accepted before it can be
 * analysed, and closes them in reverse. A start that fails half way closes what it had opened.
 */
export async function startService({ config, log, onFatal, onJudged }: ServiceOptions): Promise<Service> {
  const { driftDetection: detection, exporters, telemetry: telemetryConfig } = config;
  const startedMs = performance.now();
  // Else 64 MiB of passing request buffers cost a marking of the whole heap (docs/decisions/0011-gc-flag.md). The flag is of V8 13.
  if (process.versions.v8.startsWith('13.')) setFlagsFromString('--external-memory-accounted-in-global-limit');
  await using parts = new AsyncDisposableStack();
  const instanceId = `${hostname()}-${randomUUID().slice(0, 8)}`;
  let ready = false;
  let stalled = false;
  let pipeline: Pipeline | null = null;
  let receivers: Receivers | null = null;

  const telemetry: Telemetry = parts.use(
    createTelemetry({
      sources: { [Symbol.iterator]: () => (pipeline === null ? [] : [...pipeline.registry])[Symbol.iterator]() },
      sourceLabel: telemetryConfig.sourceLabel,
      channelScores: telemetryConfig.channelScores,
      otlpEndpoint: telemetryConfig.otlpEndpoint,
      otlpIntervalMs: telemetryConfig.otlpIntervalMs,
      observed: {
        activeSources: () => pipeline?.registry.size ?? 0,
        receiverInflightBytes: () => receivers?.inflightBytes ?? 0,
        receiverConnections: (transport) => receivers?.[transport]?.connections ?? null,
        exporterQueueSize: () => exporter.queueSize,
        exporterQueueCapacity: () => exporters.otlp.queueSize,
        ingestStalled: () => stalled,
      },
      version: VERSION,
      instanceId,
      log,
    }),
  );
  const instruments: Instruments = telemetry.instruments;
  const telemetryServer = parts.use(
    await startTelemetryServer({
      endpoint: telemetryConfig.endpoint,
      prometheusText: () => telemetry.prometheusText(),
      ready: () => ready,
      log,
    }),
  );
  const exporter: AnomalyExporter = parts.use(
    createAnomalyExporter({
      otlp: exporters.otlp,
      resource: config.anomaly.resource,
      version: VERSION,
      instanceId,
      log,
      metrics: instruments.exporter,
    }),
  );
  const observeEmbedding = embeddingObserver(instruments, log);
  const embedder = parts.use(
    openEmbedder({ url: detection.embeddingUrl, model: detection.embeddingModel, observe: observeEmbedding }),
  );
  const store = parts.use(await openCheckpoint(config, embedder.identity, log));
  const feed = new Feed();

  const events = pipelineEvents({
    log,
    instruments,
    judged: async (step) => {
      const turns = createTurns();
      for (const verdict of step.verdicts) {
        await turns();
        feed.verdict(verdict);
      }
      for (const anomaly of step.anomalies) {
        await turns();
        feed.anomaly(anomaly);
        const { handle } = anomaly.verdict;
        exporter.send(anomaly, pipeline?.registry.at(handle)?.identity ?? new Map(), step.lost.get(handle));
      }
      feed.step(step);
      onJudged?.(step);
    },
    removed: (entry) => {
      feed.recent.remove(entry.key);
      telemetry.retire(entry);
    },
    outage: (silentSources, stepEndMs) => {
      stalled = silentSources > 0;
      if (stalled) exporter.sendStalled({ silentSources, stepEndMs });
    },
    fatal: onFatal,
  });
  pipeline = parts.use(
    await openPipeline({
      detection,
      sources: config.sources,
      detectors: config.detectors,
      clock: config.clock,
      shards: 'threads',
      hashSeed: randomInt(2 ** 31),
      embedder,
      observeEmbedding,
      store,
      live: true,
      events,
    }),
  );
  const refused = lowerBackgroundThreads();
  if (refused !== null) log.info('background threads keep the priority of the main thread', { reason: refused });
  const opened = pipeline;
  const admin = parts.use(await openAdmin(config, { pipeline, feed, log }));
  receivers = parts.use(
    await openReceivers(config, {
      target: pipeline.target,
      waitingRecords: () => opened.waitingRecords(),
      instruments,
      log,
    }),
  );
  const open = receivers;
  ready = true;
  const ports = {
    grpc: receivers.grpc?.port ?? null,
    http: receivers.http?.port ?? null,
    admin: admin.port,
    telemetry: telemetryServer.port,
  };
  const { grpc, http } = config.receivers.otlp.protocols;
  log.info('logdrift started', {
    version: VERSION,
    otlp_grpc: grpc === null ? 'off' : withPort(grpc.endpoint, ports.grpc!),
    otlp_http: http === null ? 'off' : withPort(http.endpoint, ports.http!),
    page: `http://${withPort(config.admin.endpoint, admin.port)}/`,
    metrics: `http://${withPort(telemetryConfig.endpoint, telemetryServer.port)}/metrics`,
    anomalies_to: exporters.otlp.endpoint ?? 'stdout',
    embedder: embedder.identity,
    storage: config.storage.directory ?? 'memory',
    sources: pipeline.registry.size,
    start_ms: Math.round(performance.now() - startedMs),
  });
  if (!detection.enabled)
    log.warn('Drift detection is switched off: records are received and answered, nothing is analysed');

  const running = parts.move();
  return {
    ports,
    pipeline,
    close: async (graceMs) => {
      const closingMs = performance.now();
      ready = false;
      opened.hurry();
      let left = 0;
      try {
        await open.close(graceMs * CALLS_SHARE);
        await opened[Symbol.asyncDispose]();
        left = await exporter.flush(AbortSignal.timeout(graceMs * EXPORT_SHARE));
      } finally {
        await running.disposeAsync();
      }
      log.info('logdrift stopped', { undelivered: left, stop_ms: Math.round(performance.now() - closingMs) });
    },
  };
}

function withPort(endpoint: string, port: number): string {
  return endpoint.replace(/:\d+$/, `:${port}`);
}
