import { compileRules, SourceRuleError } from '../source/rules.ts';
import { formatDuration } from './duration.ts';
import { collide, isLoopback, parseEndpoint, reaches, type HostPort } from '../net/endpoint.ts';
import type { ConfigFile } from './schema.ts';
import { parseHttpUrl } from './fields.ts';

/** Two keys that do not go together. The line points at the first of `paths` that was written down. */
export interface Conflict {
  paths: string[];
  text: string;
  /** Put the value into the line, unless it came from the environment. */
  showsValue?: boolean;
}

/** A window is merged from its panes at every step: bounded work, and bounded open panes. */
const MAX_PANES = 16;
const DRIFT = 'logs_config.drift_detection';

/** Everything that a single key cannot know. */
export function findConflicts(config: ConfigFile): Conflict[] {
  return [
    ...checkWindows(config.logs_config.drift_detection),
    ...checkThresholds(config.logs_config.drift_detection),
    ...checkRedaction(config.logs_config.drift_detection.redact),
    ...checkRules(config.sources.rules),
    ...checkExporter(config),
    ...checkListeners(config),
    ...checkProtocols(config),
    ...checkMemory(config),
  ];
}

type DriftDetection = ConfigFile['logs_config']['drift_detection'];

function checkWindows(drift: DriftDetection): Conflict[] {
  const conflicts: Conflict[] = [];
  const { window_size: sizeMs, window_step: stepMs } = drift;
  const size = formatDuration(sizeMs);
  const step = formatDuration(stepMs);
  const paths = [`${DRIFT}.window_size`, `${DRIFT}.window_step`];
  if (sizeMs < stepMs) {
    conflicts.push({ paths, text: `window_size ${size} is below window_step ${step} – make it ${step} or a multiple` });
  } else if (sizeMs % stepMs !== 0) {
    const below = formatDuration(Math.floor(sizeMs / stepMs) * stepMs);
    const above = formatDuration(Math.ceil(sizeMs / stepMs) * stepMs);
    conflicts.push({
      paths,
      text: `window_size ${size} is not a multiple of window_step ${step} – use ${below} or ${above}`,
    });
  } else if (sizeMs / stepMs > MAX_PANES) {
    const smallest = smallestStep(sizeMs);
    conflicts.push({
      paths,
      text: `window_size ${size} is ${sizeMs / stepMs} steps of ${step}, at most ${MAX_PANES} are possible – raise window_step, to ${smallest} for example`,
    });
  }
  if (drift.max_idle_time < sizeMs) {
    conflicts.push({
      paths: [`${DRIFT}.max_idle_time`, `${DRIFT}.window_size`],
      text: `max_idle_time ${formatDuration(drift.max_idle_time)} is below window_size ${size} – a source would leave before its window is full; use ${size} or more`,
    });
  }
  if (drift.retention < drift.max_idle_time) {
    conflicts.push({
      paths: [`${DRIFT}.retention`, `${DRIFT}.max_idle_time`],
      text: `retention ${formatDuration(drift.retention)} is below max_idle_time ${formatDuration(drift.max_idle_time)} – use ${formatDuration(drift.max_idle_time)} or more`,
    });
  }
  return conflicts;
}

/** The smallest step that divides the window into at most {@link MAX_PANES} panes. */
function smallestStep(sizeMs: number): string {
  let panes = MAX_PANES;
  while (sizeMs % panes !== 0) panes--;
  return formatDuration(sizeMs / panes);
}

function checkThresholds(drift: DriftDetection): Conflict[] {
  const conflicts: Conflict[] = [];
  if (drift.critical_threshold < drift.warning_threshold) {
    conflicts.push({
      paths: [`${DRIFT}.critical_threshold`, `${DRIFT}.warning_threshold`],
      text: `critical_threshold ${drift.critical_threshold} is below warning_threshold ${drift.warning_threshold} – swap them or raise it`,
    });
  }
  if (drift.dmd_windows <= drift.dmd_time_delay + 1) {
    conflicts.push({
      paths: [`${DRIFT}.dmd_windows`, `${DRIFT}.dmd_time_delay`],
      text: `dmd_windows ${drift.dmd_windows} leaves no pair of delay vectors for dmd_time_delay ${drift.dmd_time_delay} – use more than ${drift.dmd_time_delay + 1} windows`,
    });
  }
  return conflicts;
}

function checkRedaction(patterns: string[]): Conflict[] {
  return patterns.flatMap((pattern, i) =>
    new RegExp(pattern, 'u').test('')
      ? [
          {
            paths: [`${DRIFT}.redact[${i}]`],
            text: `pattern ${pattern} matches nothing at all, so it matches everywhere – use + in place of *`,
          },
        ]
      : [],
  );
}

function checkRules(rules: ConfigFile['sources']['rules']): Conflict[] {
  return rules.flatMap((rule, i) => {
    const path = `sources.rules[${i}]`;
    try {
      compileRules([rule]);
    } catch (error) {
      if (!(error instanceof SourceRuleError)) throw error;
      return [{ paths: [`${path}.pattern`], text: error.message.slice(error.message.indexOf(': ') + 2) }];
    }
    const { groups = {}, length } = new RegExp(`${rule.pattern}|`).exec('')!;
    const used = [...rule.source.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!);
    const missing = used.find((name) => (/^\d+$/.test(name) ? Number(name) >= length : !Object.hasOwn(groups, name)));
    if (missing === undefined) return [];
    const text = `uses \${${missing}}, but ${rule.pattern} has no such group – put ( ) around the wanted part`;
    return [{ paths: [`${path}.source`], text }];
  });
}

function checkExporter({ receivers, exporters }: ConfigFile): Conflict[] {
  const { endpoint, protocol } = exporters.otlp;
  if (endpoint === undefined) return [];
  const paths = ['exporters.otlp.endpoint'];
  let destination: HostPort;
  try {
    if (protocol === 'http/protobuf' || endpoint.includes('://')) {
      const { hostname, port, protocol: scheme, username, password } = parseHttpUrl(endpoint);
      if (username !== '' || password !== '') {
        const text =
          'holds a user or a password – put an authorization header into exporters.otlp.headers in its place';
        return [{ paths, text }];
      }
      const host = hostname.replace(/^\[(.*)\]$/, '$1');
      destination = { host, port: port === '' ? (scheme === 'https:' ? 443 : 80) : Number(port) };
    } else {
      destination = parseEndpoint(endpoint);
    }
  } catch (error) {
    return [{ paths, text: `${(error as Error).message}, as protocol is ${protocol}`, showsValue: true }];
  }
  const { grpc, http } = receivers.otlp.protocols;
  const own = [grpc, http].find((receiver) => receiver && reaches(destination, parseEndpoint(receiver.endpoint)));
  if (own === undefined) return [];
  const text = `is where logdrift itself receives logs (${own.endpoint}), anomalies would be dropped there – name the Collector or backend they are meant for, or move the receiver`;
  return [{ paths, text }];
}

function checkListeners(config: ConfigFile): Conflict[] {
  const conflicts: Conflict[] = [];
  const { grpc, http } = config.receivers.otlp.protocols;
  const listeners = [
    { path: 'receivers.otlp.protocols.grpc.endpoint', text: grpc?.endpoint },
    { path: 'receivers.otlp.protocols.http.endpoint', text: http?.endpoint },
    { path: 'admin.endpoint', text: config.admin.endpoint },
    { path: 'telemetry.endpoint', text: config.telemetry.endpoint },
  ].flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text, at: parseEndpoint(text) }]));
  for (const [i, a] of listeners.entries()) {
    for (const b of listeners.slice(i + 1)) {
      if (!collide(a.at, b.at)) continue;
      conflicts.push({
        paths: [b.path, a.path],
        text: `${b.text} collides with ${a.path} ${a.text} – give one of them another port`,
      });
    }
  }
  if (!isLoopback(parseEndpoint(config.admin.endpoint).host) && config.admin.token_file === undefined) {
    conflicts.push({
      paths: ['admin.endpoint'],
      text: `${config.admin.endpoint} can be reached from other machines without a password – set admin.token_file, or listen on 127.0.0.1`,
    });
  }
  return conflicts;
}

const PROTOCOLS = 'receivers.otlp.protocols';
const MIB = 1_048_576;

function checkProtocols({ receivers, extensions }: ConfigFile): Conflict[] {
  const conflicts: Conflict[] = [];
  const credentials = {
    bearertokenauth: { file: extensions.bearertokenauth.filename, key: 'extensions.bearertokenauth.filename' },
    basicauth: { file: extensions.basicauth.htpasswd.file, key: 'extensions.basicauth.htpasswd.file' },
  };
  const { protocols, admission } = receivers.otlp;
  const limits = {
    grpc: (protocols.grpc?.max_recv_msg_size_mib ?? 0) * MIB,
    http: protocols.http?.max_request_body_size ?? 0,
  };
  for (const name of ['grpc', 'http'] as const) {
    const protocol = protocols[name];
    if (protocol === undefined) continue;
    const { tls, auth } = protocol;
    const key = `${PROTOCOLS}.${name}`;
    if ((tls.cert_file === undefined) !== (tls.key_file === undefined)) {
      const [given, missing] = tls.cert_file === undefined ? ['key_file', 'cert_file'] : ['cert_file', 'key_file'];
      conflicts.push({
        paths: [`${key}.tls.${given}`],
        text: `has no ${missing} beside it – certificate and key come together`,
      });
    } else if (tls.client_ca_file !== undefined && tls.cert_file === undefined) {
      conflicts.push({
        paths: [`${key}.tls.client_ca_file`],
        text: 'does nothing without a certificate of our own – set cert_file and key_file too',
      });
    }
    if (auth.authenticator !== undefined && credentials[auth.authenticator].file === undefined) {
      const file = credentials[auth.authenticator].key;
      conflicts.push({
        paths: [`${key}.auth.authenticator`],
        text: `${auth.authenticator} has no credentials – set ${file}`,
      });
    }
    if (limits[name] > admission.request_limit_mib * MIB) {
      const largest = name === 'grpc' ? 'max_recv_msg_size_mib' : 'max_request_body_size';
      conflicts.push({
        paths: ['receivers.otlp.admission.request_limit_mib', `${key}.${largest}`],
        text: `${admission.request_limit_mib} MiB for all requests is below ${largest} of ${name} – raise it, four times that is a good measure`,
      });
    }
  }
  return conflicts;
}

function checkMemory({ processors: { memory_limiter: limiter } }: ConfigFile): Conflict[] {
  const { limit_mib: limit, spike_limit_mib: spike } = limiter;
  if (limit === undefined || spike === undefined || spike < limit) return [];
  const paths = ['processors.memory_limiter.spike_limit_mib', 'processors.memory_limiter.limit_mib'];
  return [{ paths, text: `spike_limit_mib ${spike} leaves nothing of limit_mib ${limit} – use a fifth of it` }];
}
