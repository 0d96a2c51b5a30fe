/** The configuration file, key by key: type, bounds and default. A key without a value has its default. */
import * as v from 'valibot';
import { DETECTOR_NAMES, MAX_WEIGHT, type DetectorName, type DetectorWeights } from './config.ts';
import {
  choice,
  duration,
  endpoint,
  flag,
  httpUrl,
  integer,
  list,
  number,
  optionalDuration,
  optionalMib,
  pattern,
  section,
  sourceKey,
  text,
  wholeNumber,
} from './fields.ts';

/** Timers cannot wait longer than 24 days, so nothing periodic may exceed a day. */
const DAY_MS = 86_400_000;

/** `tls` of a receiver: all of its keys belong together, so the section is either there or not. */
function tls() {
  return v.optional(
    v.object({
      cert_file: v.optional(text()),
      key_file: v.optional(text()),
      client_ca_file: v.optional(text()),
      // Unquoted it is a number.
      min_version: v.optional(v.picklist(['1.2', '1.3', 1.2, 1.3], 'must be 1.2 or 1.3 – the default is 1.2'), '1.2'),
      reload_interval: duration('10s', { minMs: 50, maxMs: DAY_MS }),
    }),
    {},
  );
}

function auth() {
  return section({
    authenticator: v.optional(
      v.picklist(
        ['bearertokenauth', 'basicauth'],
        'must be bearertokenauth or basicauth – leave it out when everybody may send',
      ),
    ),
  });
}

const NO_DETECTOR = 'names no detector – leave it out for all of them; enabled: false switches the analysis off';

/** `[dmd, rate]`, each counts once; or `{dmd: 1, rate: 0.5}`, each as much as is said, those left out not at all. */
function detectors() {
  const names = v.pipe(
    v.array(v.picklist(DETECTOR_NAMES, `is not a detector – known: ${DETECTOR_NAMES.join(', ')}`)),
    v.minLength(1, NO_DETECTOR),
    v.check((given) => new Set(given).size === given.length, 'names a detector twice – keep one'),
    v.transform((given): DetectorWeights => Object.fromEntries(given.map((name) => [name, 1]))),
  );
  const message = `must be a number from 0 to ${MAX_WEIGHT} – 1 is the usual weight, 0 switches it off`;
  const weight = v.optional(
    v.pipe(
      v.number(message),
      v.check((value) => value >= 0 && value <= MAX_WEIGHT, message),
    ),
  );
  const weights = v.pipe(
    v.object(Object.fromEntries(DETECTOR_NAMES.map((name) => [name, weight])) as Record<DetectorName, typeof weight>),
    v.transform((given): DetectorWeights =>
      Object.fromEntries(Object.entries(given).filter(([, share]) => (share ?? 0) > 0)),
    ),
    v.check((given) => Object.keys(given).length > 0, NO_DETECTOR),
  );
  return v.optional(
    v.lazy((input): typeof names | typeof weights => (Array.isArray(input) ? names : weights)),
    [...DETECTOR_NAMES],
  );
}

export const configSchema = v.object({
  logs_config: section({
    drift_detection: section({
      enabled: flag(true),
      embedding_url: v.optional(httpUrl('http://127.0.0.1:11434')),
      embedding_model: v.optional(text(), 'embeddinggemma'),
      cleanup_interval: duration('5m', { minMs: 50, maxMs: DAY_MS }),
      max_idle_time: duration('30m', { minMs: 50, maxMs: 30 * DAY_MS }),
      window_size: duration('120s', { minMs: 50, maxMs: DAY_MS }),
      window_step: duration('60s', { minMs: 50, maxMs: DAY_MS }),
      entropy_threshold: number(2.5, 0, 64),
      warning_threshold: number(2, 0, 1000),
      critical_threshold: number(3, 0, 1000),
      alert_budget: integer(1, 0, 1000),
      refractory_period: duration('10m', { minMs: 0, maxMs: DAY_MS }),
      dmd_time_delay: integer(5, 1, 100),
      dmd_rank: integer(50, 1, 1000),
      batch_timeout: duration('100ms', { minMs: 0, maxMs: 60_000 }),
      template_workers: v.optional(
        wholeNumber(1, 64, 'must be a whole number from 1 to 64 – leave it out to fit the machine'),
      ),
      dmd_windows: integer(120, 3, 1000),
      snapshot: choice(['log_sum', 'log_mean', 'mean'], 'log_sum'),
      embed_wait: duration('30s', { minMs: 0, maxMs: DAY_MS }),
      retention: duration('168h', { minMs: 50, maxMs: 3650 * DAY_MS }),
      allowed_lateness: duration('10s', { minMs: 0, maxMs: DAY_MS }),
      max_sources: integer(2000, 1, 100_000),
      redact: list(pattern()),
      keep_samples: flag(true),
    }),
  }),
  receivers: section({
    otlp: section({
      // Absent: both. Present: those named, as in the Collector. The loader fills this in before validation.
      protocols: section({
        grpc: v.optional(
          v.object({
            endpoint: endpoint('127.0.0.1:4317'),
            max_recv_msg_size_mib: integer(64, 1, 1024),
            max_concurrent_streams: integer(100, 1, 100_000),
            max_connections: integer(1000, 1, 100_000),
            keepalive: section({
              server_parameters: section({
                time: duration('60s', { minMs: 1000, maxMs: DAY_MS }),
                timeout: duration('20s', { minMs: 100, maxMs: DAY_MS }),
                max_connection_idle: optionalDuration({ minMs: 1000, maxMs: DAY_MS }),
                max_connection_age: optionalDuration({ minMs: 1000, maxMs: DAY_MS }),
                max_connection_age_grace: duration('30s', { minMs: 50, maxMs: DAY_MS }),
              }),
            }),
            tls: tls(),
            auth: auth(),
          }),
        ),
        http: v.optional(
          v.object({
            endpoint: endpoint('127.0.0.1:4318'),
            max_request_body_size: integer(67_108_864, 1024, 1_073_741_824),
            max_connections: integer(1000, 1, 100_000),
            read_header_timeout: duration('60s', { minMs: 50, maxMs: DAY_MS }),
            read_timeout: duration('300s', { minMs: 50, maxMs: DAY_MS }),
            idle_timeout: duration('65s', { minMs: 50, maxMs: DAY_MS }),
            tls: tls(),
            auth: auth(),
          }),
        ),
      }),
      admission: section({ request_limit_mib: integer(256, 1, 1_048_576) }),
    }),
  }),
  processors: section({
    memory_limiter: section({
      check_interval: duration('1s', { minMs: 50, maxMs: 60_000 }),
      limit_mib: optionalMib('limit_percentage'),
      limit_percentage: integer(90, 1, 100),
      spike_limit_mib: optionalMib('a fifth of the limit'),
    }),
  }),
  extensions: section({
    bearertokenauth: section({ filename: v.optional(text()) }),
    basicauth: section({ htpasswd: section({ file: v.optional(text()) }) }),
  }),
  exporters: section({
    otlp: section({
      endpoint: v.optional(text()),
      protocol: choice(['http/protobuf', 'grpc'], 'http/protobuf'),
      headers: v.optional(
        v.record(
          v.pipe(
            v.string(),
            v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is not a header name – letters, digits and - only'),
          ),
          v.pipe(
            v.string('must be text – put numbers, true and false in quotes'),
            v.regex(
              /^[\x20-\x7e]*$/,
              'holds characters that a header cannot carry – ASCII only, no tabs and line breaks',
            ),
          ),
        ),
        {},
      ),
      timeout: duration('10s', { minMs: 50, maxMs: 600_000 }),
      queue_size: integer(1000, 1, 1_000_000),
    }),
  }),
  anomaly: section({ resource: choice(['source', 'self'], 'source') }),
  sources: section({
    granularity: choice(['service', 'container', 'instance'], 'service'),
    name_attributes: list(text(), [
      'logdrift.source.name',
      'event.dataset',
      'data_stream.dataset',
      'ddsource',
      'source',
    ]),
    // Patterns are checked by the code that runs them, see checks.ts.
    rules: list(v.object({ attribute: text(), pattern: text(), source: text() })),
    exclude: list(sourceKey()),
    muted: list(sourceKey()),
  }),
  detectors: detectors(),
  storage: section({ directory: v.optional(text()) }),
  admin: section({ endpoint: endpoint('127.0.0.1:8090'), token_file: v.optional(text()) }),
  telemetry: section({
    endpoint: endpoint('0.0.0.0:8888'),
    source_label: flag(true),
    channel_scores: flag(false),
    otlp_endpoint: v.optional(httpUrl('http://127.0.0.1:4318')),
    otlp_interval: duration('60s', { minMs: 50, maxMs: DAY_MS }),
  }),
  clock: choice(['wall', 'event'], 'wall'),
});

/** The file's own shape with every default filled in and durations in milliseconds. */
export type ConfigFile = v.InferOutput<typeof configSchema>;
