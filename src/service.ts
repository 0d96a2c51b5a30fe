import { randomInt, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { startAdminServer } from './admin/server.ts';
import type { AdminEvent } from './admin/events.ts';
import type { SourceSummary } from './admin/json.ts';
import { Recent } from './admin/recent.ts';
import { anomalyLine } from './alert/anomaly-line.ts';
import { createAnomalyExporter, type AnomalyExporter } from './alert/otlp-export.ts';
import type { AuthenticatorName, Config } from './config/config.ts';
import { STATE_VERSION } from './detect/persist.ts';
import { openEmbedder } from './embed/open.ts';
import { openPipeline, type Pipeline } from './pipeline/pipeline.ts';
import { pipelineEvents } from './pipeline/events.ts';
import type { JudgedStep } from './pipeline/step.ts';
import { createTurns } from './pipeline/turns.ts';
import { openGrpcReceiver } from './receive/grpc.ts';
import { openHttpReceiver } from './receive/http.ts';
import { openAuthenticator, type Authenticator } from './receive/auth.ts';
import { Budget } from './receive/budget.ts';
import { createMemoryLimiter } from './receive/memory-limiter.ts';
import type { ObservedRequest, Oddity, Receiver } from './receive/receiver.ts';
import { createKeyMatcher } from './source/rules.ts';
import { openStore, type Store } from './store/checkpoint.ts';
import type { Instruments } from './telemetry/instruments.ts';
import type { Log } from './telemetry/log.ts';
import { oddityObserver, requestObserver } from './telemetry/receiver-events.ts';
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

/** More of a record does not travel to its shard. */
const MAX_WAITING_BYTES = 8192;

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
  let budget: Budget | null = null;
  let receivers: { grpc: Receiver | null; http: Receiver | null } | null = null;

  const telemetry: Telemetry = parts.use(
    createTelemetry({
      sources: { [Symbol.iterator]: () => (pipeline === null ? [] : [...pipeline.registry])[Symbol.iterator]() },
      sourceLabel: telemetryConfig.sourceLabel,
      channelScores: telemetryConfig.channelScores,
      otlpEndpoint: telemetryConfig.otlpEndpoint,
      otlpIntervalMs: telemetryConfig.otlpIntervalMs,
      observed: {
        activeSources: () => pipeline?.registry.size ?? 0,
        receiverInflightBytes: () => budget?.inflightBytes ?? 0,
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
    createAnomalyExporter({ otlp: exporters.otlp, version: VERSION, instanceId, log, metrics: instruments.exporter }),
  );
  const observeEmbedding = embeddingObserver(instruments, log);
  const embedder = parts.use(
    openEmbedder({ url: detection.embeddingUrl, model: detection.embeddingModel, observe: observeEmbedding }),
  );
  const store =
    config.storage.directory === null ? null : parts.use(await openCheckpoint(config, embedder.identity, log));
  const recent = new Recent();
  const subscribers = new Set<(event: AdminEvent) => void>();

  const events = pipelineEvents({
    log,
    instruments,
    judged: async (step) => {
      const turns = createTurns();
      for (const verdict of step.verdicts) {
        await turns();
        recent.observe(verdict);
      }
      for (const anomaly of step.anomalies) {
        await turns();
        recent.anomaly(anomaly);
        exporter.send(anomaly, pipeline?.registry.at(anomaly.verdict.handle)?.identity ?? new Map());
        for (const send of subscribers) send({ event: 'anomaly', data: anomalyLine(anomaly) });
      }
      const summary = { step_end_unix_ms: step.stepEndMs, windows: step.verdicts.length, gap: step.gap };
      for (const send of subscribers) send({ event: 'step', data: summary });
      onJudged?.(step);
    },
    removed: (entry) => {
      recent.remove(entry.key);
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
  const { registry, target } = pipeline;
  const opened = pipeline;

  const isMuted = createKeyMatcher(config.sources.muted);
  const summary = (key: string): SourceSummary | null => {
    const entry = registry.get(key);
    if (entry === undefined) return null;
    return {
      ...entry,
      muted: isMuted(key),
      recent: recent.source(key),
      episode: opened.episode(key),
      alertRaisedBy: opened.alertRaisedBy(key),
    };
  };
  const admin = parts.use(
    await startAdminServer({
      endpoint: config.admin.endpoint,
      tokenFile: config.admin.tokenFile,
      log,
      stats: () => ({
        enabled: detection.enabled,
        activeDetectors: registry.size,
        sources: [...registry].map((entry) => entry.key),
      }),
      sources: () => [...registry].map((entry) => summary(entry.key)!),
      source: summary,
      explain: (key, windowId) => opened.explain(key, windowId),
      anomalies: () => recent.anomalies(),
      subscribe: (send) => {
        subscribers.add(send);
        return () => subscribers.delete(send);
      },
    }),
  );

  const recordSize = meanSize();
  const observeRequest = requestObserver(instruments);
  const onOddity = oddityObserver(instruments, log);
  budget = new Budget({
    limitBytes: config.receivers.otlp.requestLimitBytes,
    waitingBytes: () => opened.waitingRecords() * recordSize.mean,
    memoryShortage: createMemoryLimiter(config.processors.memoryLimiter),
  });
  const receiving = {
    budget,
    target,
    observe: (request: ObservedRequest) => {
      const { bytes, acceptedRecords } = request;
      if (acceptedRecords > 0) recordSize.add(Math.min(bytes / acceptedRecords, MAX_WAITING_BYTES));
      observeRequest(request);
    },
    onFault: (error: unknown) => logFault(log, error),
    onOddity,
  };
  const { grpc, http } = config.receivers.otlp.protocols;
  const authenticators = new Map<AuthenticatorName, Authenticator>();
  const authOf = (name: AuthenticatorName | null): Authenticator | null => {
    if (name === null) return null;
    const auth = authenticators.get(name) ?? parts.use(openConfiguredAuth(config, name, onOddity));
    authenticators.set(name, auth);
    return auth;
  };
  const grpcReceiver =
    grpc === null
      ? null
      : parts.use(await openGrpcReceiver({ ...grpc, ...receiving, auth: authOf(grpc.authenticator) }));
  const httpReceiver =
    http === null
      ? null
      : parts.use(await openHttpReceiver({ ...http, ...receiving, auth: authOf(http.authenticator) }));
  receivers = { grpc: grpcReceiver, http: httpReceiver };
  ready = true;
  const ports = {
    grpc: grpcReceiver?.port ?? null,
    http: httpReceiver?.port ?? null,
    admin: admin.port,
    telemetry: telemetryServer.port,
  };
  log.info('logdrift started', {
    version: VERSION,
    otlp_grpc: grpc === null ? 'off' : withPort(grpc.endpoint, grpcReceiver!.port),
    otlp_http: http === null ? 'off' : withPort(http.endpoint, httpReceiver!.port),
    page: `http://${withPort(config.admin.endpoint, admin.port)}/`,
    metrics: `http://${withPort(telemetryConfig.endpoint, telemetryServer.port)}/metrics`,
    anomalies_to: exporters.otlp.endpoint ?? 'stdout',
    embedder: embedder.identity,
    storage: config.storage.directory ?? 'memory',
    sources: registry.size,
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
      const open = [grpcReceiver, httpReceiver].filter((receiver): receiver is Receiver => receiver !== null);
      opened.hurry();
      let left = 0;
      try {
        await Promise.all(open.map((receiver) => receiver.close(graceMs * CALLS_SHARE)));
        await opened[Symbol.asyncDispose]();
        left = await exporter.flush(AbortSignal.timeout(graceMs * EXPORT_SHARE));
      } finally {
        await running.disposeAsync();
      }
      log.info('logdrift stopped', { undelivered: left, stop_ms: Math.round(performance.now() - closingMs) });
    },
  };
}

function openConfiguredAuth(
  { extensions }: Config,
  name: AuthenticatorName,
  onOddity: (oddity: Oddity) => void,
): Authenticator {
  if (name === 'bearertokenauth') {
    const configKey = 'extensions.bearertokenauth.filename';
    return openAuthenticator({ kind: 'bearer', file: extensions.bearertokenauth!.filename, configKey, onOddity });
  }
  const configKey = 'extensions.basicauth.htpasswd.file';
  return openAuthenticator({ kind: 'basic', file: extensions.basicauth!.htpasswdFile, configKey, onOddity });
}

/** Bytes a record takes in recent requests: what is waiting is counted in records. */
function meanSize(): { readonly mean: number; add(bytes: number): void } {
  let mean = 0;
  return {
    get mean() {
      return mean;
    },
    add(bytes) {
      mean = mean === 0 ? bytes : mean + (bytes - mean) / 32;
    },
  };
}

async function openCheckpoint(config: Config, embedder: string, log: Log): Promise<Store> {
  const { windowSizeMs, windowStepMs, dmdWindows, dmdTimeDelay, dmdRank, snapshot } = config.driftDetection;
  const { store, cold } = await openStore({
    directory: config.storage.directory!,
    fingerprint: {
      schema: String(STATE_VERSION),
      embedder,
      parameters: JSON.stringify({
        ...{ windowSizeMs, windowStepMs, dmdWindows, dmdTimeDelay, dmdRank, snapshot },
        detectors: config.detectors.toSorted(),
      }),
    },
  });
  if (cold !== null) log.warn(cold);
  return store;
}

function embeddingObserver({ embedding }: Instruments, log: Log) {
  return {
    request: (durationMs: number, error: (Error & { reason?: string }) | null) => {
      embedding.requests.add(1);
      embedding.requestDurationSeconds.record(durationMs / 1000);
      if (error === null) return;
      embedding.errors.add(1, { reason: error.reason ?? 'unknown' });
      log.warnLimited('embedding', 'Embedding service failed; windows are kept and judged degraded', {
        error: error.message,
      });
    },
    cache: (hits: number, misses: number) => {
      embedding.cacheHits.add(hits);
      embedding.cacheMisses.add(misses);
    },
    quarantined: (texts: string[]) => {
      embedding.quarantinedTexts.add(texts.length);
      log.warnLimited('embedding-poison', 'Embedding service fails on some templates; they are left out', {
        templates: texts.length,
      });
    },
    dropped: (texts: number) =>
      log.warnLimited('embedding-dropped', 'Too many templates wait for the embedding service', { dropped: texts }),
    fingerprint: (fingerprint: string) => log.info('Embedding space', { fingerprint }),
  };
}

function logFault(log: Log, error: unknown): void {
  log.error('A request failed by a fault of ours', {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}

function withPort(endpoint: string, port: number): string {
  return endpoint.replace(/:\d+$/, `:${port}`);
}
