import type { SourceRule } from '../source/rules.ts';

/** The whole configuration after loading: camelCase, durations in milliseconds, every default filled in. Who sees all of it: docs/architecture.md. */
export interface Config {
  driftDetection: DriftDetectionConfig;
  receivers: { otlp: OtlpReceiverConfig };
  extensions: ExtensionsConfig;
  processors: { memoryLimiter: MemoryLimiterConfig };
  exporters: { otlp: OtlpExporterConfig };
  /** Whose Resource an anomaly has: that of its source, or of logdrift. */
  anomaly: { resource: 'source' | 'self' };
  sources: SourcesConfig;
  detectors: DetectorWeights;
  storage: { directory: string | null };
  admin: { endpoint: string; tokenFile: string | null };
  telemetry: TelemetryConfig;
  clock: 'wall' | 'event';
}

/** Channels of the score that can be switched on; `dmd` alone makes `score` equal `normalized_error`. */
export const DETECTOR_NAMES = ['dmd', 'rate', 'novelty', 'severity', 'silence', 'distance', 'values'] as const;
export type DetectorName = (typeof DETECTOR_NAMES)[number];
/** Those that are switched on, with how much of their nats counts, in (0, {@link MAX_WEIGHT}]. */
export type DetectorWeights = Readonly<Partial<Record<DetectorName, number>>>;
export const MAX_WEIGHT = 10;

/** Those that are switched on; all where nothing is said. */
export function detectorsIn(weights: DetectorWeights | undefined): readonly DetectorName[] {
  return weights === undefined ? DETECTOR_NAMES : DETECTOR_NAMES.filter((name) => weights[name] !== undefined);
}
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
  /** Warnings a source may give in 24 h before its bar rises. */
  alertBudget: number;
  /** How long after an episode's end a warning begins no other. */
  refractoryMs: number;
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
  /** False: no log line is kept or sent, only templates and counts. */
  keepSamples: boolean;
}

/** `receivers.otlp`; a protocol that is null is switched off. */
export interface OtlpReceiverConfig {
  protocols: { grpc: GrpcProtocolConfig | null; http: HttpProtocolConfig | null };
  /** `admission.request_limit_mib`: what all requests under way may hold. */
  requestLimitBytes: number;
}

/** What both protocols have. */
interface OtlpEndpoint {
  /** host:port */
  endpoint: string;
  maxRequestBytes: number;
  maxConnections: number;
  tls: TlsConfig | null;
  /** Which of `extensions` says who may send; null = everybody. */
  authenticator: AuthenticatorName | null;
}

export interface GrpcProtocolConfig extends OtlpEndpoint {
  maxConcurrentStreams: number;
  /** `keepalive.server_parameters`; null = never. */
  keepalive: {
    timeMs: number;
    timeoutMs: number;
    maxConnectionIdleMs: number | null;
    maxConnectionAgeMs: number | null;
    maxConnectionAgeGraceMs: number;
  };
}

export interface HttpProtocolConfig extends OtlpEndpoint {
  timeouts: { readHeaderMs: number; readMs: number; idleMs: number };
}

export interface TlsConfig {
  certFile: string;
  keyFile: string;
  /** Clients must show a certificate signed by one of these; null = they are not asked. */
  clientCaFile: string | null;
  minVersion: '1.2' | '1.3';
  reloadIntervalMs: number;
}

export type AuthenticatorName = 'bearertokenauth' | 'basicauth';

/** Files of credentials; null = not configured. */
export interface ExtensionsConfig {
  bearertokenauth: { filename: string } | null;
  basicauth: { htpasswdFile: string } | null;
}

/** `processors.memory_limiter` */
export interface MemoryLimiterConfig {
  checkIntervalMs: number;
  limitMib: number | null;
  limitPercentage: number;
  spikeLimitMib: number | null;
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
  /** Show `logdrift_channel_score{source,channel}`. */
  channelScores: boolean;
  /** Base URL of an OTLP/HTTP receiver for metrics (`…/v1/metrics` is appended); null = pull only. */
  otlpEndpoint: string | null;
  otlpIntervalMs: number;
}

/** `sources` */
export interface SourcesConfig {
  granularity: 'service' | 'container' | 'instance';
  /** Attribute keys tried, in order, for the source name where there is no `service.name`. */
  nameAttributes: string[];
  rules: SourceRule[];
  /** Never analysed: records are accepted, counted and dropped. */
  exclude: string[];
  /** Scored, never alerted. */
  muted: string[];
}
