import type { Config, GrpcProtocolConfig, HttpProtocolConfig, TlsConfig } from './config.ts';
import type { ConfigFile } from './schema.ts';

type Protocols = ConfigFile['receivers']['otlp']['protocols'];
type GrpcFile = NonNullable<Protocols['grpc']>;
type HttpFile = NonNullable<Protocols['http']>;

const MIB = 1_048_576;

/** snake_case to camelCase, key by key: the one place where the file's names meet ours. */
export function toConfig(file: ConfigFile): Config {
  const drift = file.logs_config.drift_detection;
  const { grpc, http } = file.receivers.otlp.protocols;
  const { exporters, sources, storage, admin, telemetry, extensions } = file;
  const memoryLimiter = file.processors.memory_limiter;
  return {
    driftDetection: {
      enabled: drift.enabled,
      embeddingUrl: drift.embedding_url ?? null,
      embeddingModel: drift.embedding_model,
      cleanupIntervalMs: drift.cleanup_interval,
      maxIdleMs: drift.max_idle_time,
      windowSizeMs: drift.window_size,
      windowStepMs: drift.window_step,
      entropyThreshold: drift.entropy_threshold,
      warningThreshold: drift.warning_threshold,
      criticalThreshold: drift.critical_threshold,
      alertBudget: drift.alert_budget,
      refractoryMs: drift.refractory_period,
      dmdTimeDelay: drift.dmd_time_delay,
      dmdRank: drift.dmd_rank,
      batchTimeoutMs: drift.batch_timeout,
      templateWorkers: drift.template_workers ?? null,
      dmdWindows: drift.dmd_windows,
      snapshot: drift.snapshot,
      embedWaitMs: drift.embed_wait,
      retentionMs: drift.retention,
      allowedLatenessMs: drift.allowed_lateness,
      maxSources: drift.max_sources,
      redact: drift.redact,
      keepSamples: drift.keep_samples,
    },
    receivers: {
      otlp: {
        protocols: {
          grpc: grpc === undefined ? null : toGrpc(grpc),
          http: http === undefined ? null : toHttp(http),
        },
        requestLimitBytes: file.receivers.otlp.admission.request_limit_mib * MIB,
      },
    },
    extensions: {
      bearertokenauth:
        extensions.bearertokenauth.filename === undefined ? null : { filename: extensions.bearertokenauth.filename },
      basicauth:
        extensions.basicauth.htpasswd.file === undefined ? null : { htpasswdFile: extensions.basicauth.htpasswd.file },
    },
    processors: {
      memoryLimiter: {
        checkIntervalMs: memoryLimiter.check_interval,
        limitMib: memoryLimiter.limit_mib ?? null,
        limitPercentage: memoryLimiter.limit_percentage,
        spikeLimitMib: memoryLimiter.spike_limit_mib ?? null,
      },
    },
    exporters: {
      otlp: {
        endpoint: exporters.otlp.endpoint ?? null,
        protocol: exporters.otlp.protocol,
        headers: { ...exporters.otlp.headers },
        timeoutMs: exporters.otlp.timeout,
        queueSize: exporters.otlp.queue_size,
      },
    },
    anomaly: file.anomaly,
    sources: {
      granularity: sources.granularity,
      nameAttributes: sources.name_attributes,
      rules: sources.rules,
      exclude: sources.exclude,
      muted: sources.muted,
    },
    detectors: file.detectors,
    storage: { directory: storage.directory ?? null },
    admin: { endpoint: admin.endpoint, tokenFile: admin.token_file ?? null },
    telemetry: {
      endpoint: telemetry.endpoint,
      sourceLabel: telemetry.source_label,
      channelScores: telemetry.channel_scores,
      otlpEndpoint: telemetry.otlp_endpoint ?? null,
      otlpIntervalMs: telemetry.otlp_interval,
    },
    clock: file.clock,
  };
}

function toGrpc(grpc: GrpcFile): GrpcProtocolConfig {
  const { time, timeout, max_connection_idle, max_connection_age, max_connection_age_grace } =
    grpc.keepalive.server_parameters;
  return {
    endpoint: grpc.endpoint,
    maxRequestBytes: grpc.max_recv_msg_size_mib * MIB,
    maxConnections: grpc.max_connections,
    maxConcurrentStreams: grpc.max_concurrent_streams,
    keepalive: {
      timeMs: time,
      timeoutMs: timeout,
      maxConnectionIdleMs: max_connection_idle ?? null,
      maxConnectionAgeMs: max_connection_age ?? null,
      maxConnectionAgeGraceMs: max_connection_age_grace,
    },
    tls: toTls(grpc.tls),
    authenticator: grpc.auth.authenticator ?? null,
  };
}

function toHttp(http: HttpFile): HttpProtocolConfig {
  return {
    endpoint: http.endpoint,
    maxRequestBytes: http.max_request_body_size,
    maxConnections: http.max_connections,
    timeouts: { readHeaderMs: http.read_header_timeout, readMs: http.read_timeout, idleMs: http.idle_timeout },
    tls: toTls(http.tls),
    authenticator: http.auth.authenticator ?? null,
  };
}

/** Null without a certificate; that certificate and key come together is checked before. */
function toTls(tls: GrpcFile['tls']): TlsConfig | null {
  if (tls.cert_file === undefined || tls.key_file === undefined) return null;
  return {
    certFile: tls.cert_file,
    keyFile: tls.key_file,
    clientCaFile: tls.client_ca_file ?? null,
    minVersion: String(tls.min_version) as TlsConfig['minVersion'],
    reloadIntervalMs: tls.reload_interval,
  };
}
