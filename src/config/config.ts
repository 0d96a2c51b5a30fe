/** The whole configuration after loading: camelCase, durations in milliseconds, every default filled in. Only `service.ts` and `replay/` see all of it. */
export interface Config {
  driftDetection: DriftDetectionConfig;
  receivers: { otlp: { protocols: { grpc: OtlpEndpoint | null; http: OtlpEndpoint | null } } };
  exporters: { otlp: OtlpExporterConfig };
  sources: SourcesConfig;
  detectors: DetectorName[];
  storage: { directory: string | null };
  admin: { endpoint: string; tokenFile: string | null };
  telemetry: TelemetryConfig;
  clock: 'wall' | 'event';
}

/** More channels come with their own issue; `dmd` alone makes `score` equal `normalized_error`. */
export type DetectorName = 'dmd';
export type SnapshotKind = 'log_sum' | 'log_mean' | 'mean';

/** `logs_config.drift_detection` */
export interface DriftDetectionConfig {
  enabled: boolean;
  embeddingUrl: string | null;
  embeddingModel: string;
  cleanupIntervalMs: number;
  maxIdleMs: number;
  windowSizeMs: number;
  windowStepMs: number;
  entropyThreshold: number;
  warningThreshold: number;
  criticalThreshold: number;
  dmdTimeDelay: number;
  dmdRank: number;
  batchTimeoutMs: number;
  /** null = min(4, cores - 1), at least 1. */
  templateWorkers: number | null;
  dmdWindows: number;
  snapshot: SnapshotKind;
  embedWaitMs: number;
  retentionMs: number;
  allowedLatenessMs: number;
  maxSources: number;
  /** JavaScript regular expressions whose matches become `<redacted>` before mining. */
  redact: string[];
}

/** `receivers.otlp.protocols.{grpc,http}`; null switches the protocol off. */
export interface OtlpEndpoint {
  /** host:port */
  endpoint: string;
  maxRequestBytes: number;
}

/** `exporters.otlp`: where anomalies go; endpoint null = JSON lines on stdout. */
export interface OtlpExporterConfig {
  endpoint: string | null;
  protocol: 'http/protobuf' | 'grpc';
  headers: Record<string, string>;
  timeoutMs: number;
  /** Anomaly records waiting for delivery; the oldest leave first, counted. */
  queueSize: number;
}

/** `telemetry` */
export interface TelemetryConfig {
  endpoint: string;
  /** Put the `source` label on the per-source series. */
  sourceLabel: boolean;
  /** Base URL of an OTLP/HTTP receiver for metrics (`…/v1/metrics` is appended); null = pull only. */
  otlpEndpoint: string | null;
  otlpIntervalMs: number;
}

/** `sources` */
export interface SourcesConfig {
  granularity: 'service' | 'container' | 'instance';
  /** Attribute keys tried, in order, for the source name (checklist section 6, 3b). */
  nameAttributes: string[];
  rules: SourceRule[];
  /** Never analysed: records are accepted, counted and dropped. */
  exclude: string[];
  /** Scored, never alerted. */
  muted: string[];
}

/** First match wins. `${1}` in `source` is the first capture group. */
export interface SourceRule {
  attribute: string;
  pattern: string;
  source: string;
}
