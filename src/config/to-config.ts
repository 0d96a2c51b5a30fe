import type { Config } from './config.ts';
import type { ConfigFile } from './schema.ts';

/** snake_case to camelCase, key by key: the one place where the file's names meet ours. */
export function toConfig(file: ConfigFile): Config {
  const drift = file.logs_config.drift_detection;
  const { grpc, http } = file.receivers.otlp.protocols;
  const { exporters, sources, storage, admin, telemetry } = file;
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
    },
    receivers: {
      otlp: {
        protocols: {
          grpc:
            grpc === undefined
              ? null
              : { endpoint: grpc.endpoint, maxRequestBytes: grpc.max_recv_msg_size_mib * 1024 * 1024 },
          http: http === undefined ? null : { endpoint: http.endpoint, maxRequestBytes: http.max_request_body_size },
        },
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
    sources: {
      granularity: sources.granularity,
      nameAttributes: sources.name_attributes,
      rules: sources.rules,
      exclude: sources.exclude,
      muted: sources.muted,
    },
    detectors: [...file.detectors],
    storage: { directory: storage.directory ?? null },
    admin: { endpoint: admin.endpoint, tokenFile: admin.token_file ?? null },
    telemetry: {
      endpoint: telemetry.endpoint,
      sourceLabel: telemetry.source_label,
      otlpEndpoint: telemetry.otlp_endpoint ?? null,
      otlpIntervalMs: telemetry.otlp_interval,
    },
    clock: file.clock,
  };
}
