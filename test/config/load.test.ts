import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';

const badFiles = join(import.meta.dirname, '../testdata/config/bad');
const env = { LOGDRIFT_TEST_SECRET: 'hunter2' };

/** The problems of a configuration that must not load. */
function problemsOf(input: Parameters<typeof loadConfig>[0]): readonly string[] {
  try {
    loadConfig(input);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

function load(text: string, variables: NodeJS.ProcessEnv = {}, set: string[] = []) {
  return loadConfig({ text, env: variables, set });
}

describe('receiving safely', () => {
  const grpc = (keys: string, rest = '') =>
    problemsOf({ text: `receivers: {otlp: {protocols: {grpc: {${keys}}}}}\n${rest}`, env: {} });

  test('certificate, key and client CA come together', () => {
    expect(grpc('tls: {cert_file: a.crt}')[0]).toMatch(/grpc\.tls\.cert_file: has no key_file beside it/);
    expect(grpc('tls: {key_file: a.key}')[0]).toMatch(/grpc\.tls\.key_file: has no cert_file beside it/);
    expect(grpc('tls: {client_ca_file: ca.crt}')[0]).toMatch(/client_ca_file: does nothing without a certificate/);
  });

  test('min_version may stand unquoted, as a number', () => {
    const text = 'receivers: {otlp: {protocols: {http: {tls: {cert_file: a, key_file: b, min_version: 1.3}}}}}';
    expect(load(text).receivers.otlp.protocols.http!.tls).toEqual({
      certFile: 'a',
      keyFile: 'b',
      clientCaFile: null,
      minVersion: '1.3',
      reloadIntervalMs: 10_000,
    });
  });

  test('an authenticator needs its credentials', () => {
    expect(grpc('auth: {authenticator: bearertokenauth}')[0]).toMatch(/set extensions\.bearertokenauth\.filename/);
    expect(grpc('auth: {authenticator: basicauth}')[0]).toMatch(/set extensions\.basicauth\.htpasswd\.file/);
    load(
      'receivers: {otlp: {protocols: {grpc: {auth: {authenticator: basicauth}}}}}\nextensions: {basicauth: {htpasswd: {file: x}}}',
    );
  });

  test('what all requests may hold is not less than what one may', () => {
    expect(grpc('max_recv_msg_size_mib: 300')[0]).toMatch(
      /256 MiB for all requests is below max_recv_msg_size_mib of grpc/,
    );
  });

  test('the spike limit leaves something of the limit', () => {
    const text = 'processors: {memory_limiter: {limit_mib: 100, spike_limit_mib: 100}}';
    expect(problemsOf({ text, env: {} })[0]).toMatch(/spike_limit_mib 100 leaves nothing of limit_mib 100/);
  });
});

describe('defaults', () => {
  test('no file at all, an empty file, comments alone and null sections all give the defaults', () => {
    const defaults = loadConfig({ env: {} });
    for (const text of [
      '',
      '\n',
      '# nothing\n',
      '---\n',
      'null',
      'admin:\nlogs_config:\n  drift_detection:\n    window_size:\n',
    ]) {
      expect(load(text), JSON.stringify(text)).toEqual(defaults);
    }
    expect(defaults.driftDetection).toEqual({
      enabled: true,
      embeddingUrl: null,
      embeddingModel: 'embeddinggemma',
      cleanupIntervalMs: 300_000,
      maxIdleMs: 1_800_000,
      windowSizeMs: 120_000,
      windowStepMs: 60_000,
      entropyThreshold: 2.5,
      warningThreshold: 2,
      criticalThreshold: 3,
      alertBudget: 1,
      refractoryMs: 600_000,
      dmdTimeDelay: 5,
      dmdRank: 50,
      batchTimeoutMs: 100,
      templateWorkers: null,
      dmdWindows: 120,
      snapshot: 'log_sum',
      embedWaitMs: 30_000,
      retentionMs: 604_800_000,
      allowedLatenessMs: 10_000,
      maxSources: 2000,
      redact: [],
      keepSamples: true,
    });
    const common = { maxRequestBytes: 64 * 1024 * 1024, maxConnections: 1000, tls: null, authenticator: null };
    expect(defaults.receivers.otlp).toEqual({
      protocols: {
        grpc: {
          endpoint: '127.0.0.1:4317',
          ...common,
          maxConcurrentStreams: 100,
          keepalive: {
            timeMs: 60_000,
            timeoutMs: 20_000,
            maxConnectionIdleMs: null,
            maxConnectionAgeMs: null,
            maxConnectionAgeGraceMs: 30_000,
          },
        },
        http: {
          endpoint: '127.0.0.1:4318',
          ...common,
          timeouts: { readHeaderMs: 60_000, readMs: 300_000, idleMs: 65_000 },
        },
      },
      requestLimitBytes: 256 * 1024 * 1024,
    });
  });

  test('two loads share no list', () => {
    const first = loadConfig({ env: {} });
    first.driftDetection.redact.push('x');
    first.sources.nameAttributes.length = 0;
    first.exporters.otlp.headers['x'] = 'y';
    const second = loadConfig({ env: {} });
    expect(second.driftDetection.redact).toEqual([]);
    expect(second.sources.nameAttributes).toContain('event.dataset');
    expect(second.exporters.otlp.headers).toEqual({});
  });
});

describe('detectors', () => {
  const detectors = (text: string) => load(`detectors: ${text}`).detectors;

  test('all count once by default, of a list those that it names', () => {
    const weights = Object.values(loadConfig({ env: {} }).detectors);
    expect(weights).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect(detectors('[dmd, rate]')).toEqual({ dmd: 1, rate: 1 });
  });

  test('a map says how much each counts; left out or 0 is off', () => {
    expect(detectors('{dmd: 1, rate: 2, values: .5, silence: 0}')).toEqual({ dmd: 1, rate: 2, values: 0.5 });
    expect(loadConfig({ env: {}, set: ['detectors={dmd: 1, values: 0.5}'] }).detectors).toEqual({
      dmd: 1,
      values: 0.5,
    });
    expect(loadConfig({ env: {}, set: ['detectors.rate=3'] }).detectors).toEqual({ rate: 3 });
  });

  test.each([
    ['{dmd: 1, rates: 1}', 'a.yaml:1:21: detectors.rates: unknown key – did you mean rate?'],
    [
      '{rate: 11}',
      'a.yaml:1:19: detectors.rate: must be a number from 0 to 10 (11) – 1 is the usual weight, 0 switches it off',
    ],
    [
      '{rate: loud}',
      'a.yaml:1:19: detectors.rate: must be a number from 0 to 10 (loud) – 1 is the usual weight, 0 switches it off',
    ],
    [
      '{rate: 0}',
      'a.yaml:1:12: detectors: names no detector – leave it out for all of them; enabled: false switches the analysis off',
    ],
    ['rate', 'a.yaml:1:12: detectors: must be a list (rate) – write [a, b], or one entry a line after "- "'],
    [
      '[rate, noise]',
      'a.yaml:1:19: detectors[1]: is not a detector (noise) – known: dmd, rate, novelty, severity, silence, distance, values',
    ],
  ])('%s is refused', (text, problem) => {
    expect(problemsOf({ file: 'a.yaml', text: `detectors: ${text}`, env: {} })).toEqual([problem]);
  });
});

describe('files', () => {
  test("the seed's block works verbatim", () => {
    const { driftDetection } = load(`
logs_config:
  drift_detection:
    enabled: true
    embedding_url: "http://localhost:11434"
    embedding_model: "nomic-embed-text"
    cleanup_interval: 2m
    max_idle_time: 1h30m
    window_size: 2m0s
    window_step: 60s
    entropy_threshold: 2.5
    warning_threshold: 2.0
    critical_threshold: 3.0
    dmd_time_delay: 5
    dmd_rank: 50
    batch_timeout: 250ms
`);
    expect(driftDetection).toMatchObject({
      embeddingUrl: 'http://localhost:11434',
      embeddingModel: 'nomic-embed-text',
      cleanupIntervalMs: 120_000,
      maxIdleMs: 5_400_000,
      windowSizeMs: 120_000,
      batchTimeoutMs: 250,
    });
  });

  test('protocols that are not named are off, and naming one without a value is enough', () => {
    const { grpc, http } = load('receivers: {otlp: {protocols: {grpc: }}}').receivers.otlp.protocols;
    expect(grpc?.endpoint).toBe('127.0.0.1:4317');
    expect(http).toBeNull();
    expect(load('receivers: {otlp: {protocols: }}').receivers.otlp.protocols.http).not.toBeNull();
  });

  test('sixteen panes, steps of 50 ms and ports of one number on separate addresses are fine', () => {
    load('logs_config: {drift_detection: {window_size: 800ms, window_step: 50ms}}');
    load('admin: {endpoint: "127.0.0.1:9000"}\ntelemetry: {endpoint: "10.0.0.1:9000"}');
    load('admin: {endpoint: "127.0.0.1:0"}\ntelemetry: {endpoint: "127.0.0.1:0"}');
    load('admin: {endpoint: "[::1]:9000"}');
  });

  test('one pane more than sixteen, one millisecond below the smallest step or one window too few is refused', () => {
    const drift = (keys: string) => problemsOf({ text: `logs_config: {drift_detection: {${keys}}}`, env });
    expect(drift('window_size: 850ms, window_step: 50ms')[0]).toMatch(/17 steps of 50ms, at most 16/);
    expect(drift('window_step: 49ms')[0]).toMatch(/too short \(49ms\) – at least 50ms/);
    expect(drift('dmd_windows: 1001')[0]).toMatch(/whole number from 3 to 1000/);
    expect(drift('dmd_windows: 8, dmd_time_delay: 7')[0]).toMatch(/use more than 8 windows/);
    load('logs_config: {drift_detection: {dmd_windows: 9, dmd_time_delay: 7}}');
  });

  test('off loopback, the admin port is allowed with a token file', () => {
    const { admin } = load('admin: {endpoint: 0.0.0.0:8090, token_file: /run/secrets/admin}');
    expect(admin).toEqual({ endpoint: '0.0.0.0:8090', tokenFile: '/run/secrets/admin' });
  });

  test('anchors may share values', () => {
    expect(load('admin: {token_file: &path /tmp/x}\nstorage: {directory: *path}').storage.directory).toBe('/tmp/x');
  });
});

describe('every bad file is refused with its exact problems', () => {
  // The lines a file must cause stand in its head after #>, without the file's name.
  const names = readdirSync(badFiles).filter((name) => name.endsWith('.yaml'));
  test.each(names)('%s', (name) => {
    const text = readFileSync(join(badFiles, name), 'utf8');
    const expected = [...text.matchAll(/^#> (.*)$/gm)].map(([, line]) => `${name}:${line}`);
    expect(expected).not.toEqual([]);
    const problems = problemsOf({ file: name, text, env });
    expect(problems).toEqual(expected);
    expect(problems.join('\n')).not.toMatch(/hunter/);
  });

  test('the message of the error is its problems, one a line, with a stable code', () => {
    const error = new ConfigError([
      { place: { label: '--set a=b', order: 9 }, path: 'a', text: 'unknown key' },
      { place: { label: 'x.yaml:1:1', order: 0 }, path: '', text: 'not valid YAML' },
    ]);
    expect(error.message).toBe('x.yaml:1:1: not valid YAML\n--set a=b: a: unknown key');
    expect(error.code).toBe('LOGDRIFT_CONFIG_INVALID');
  });

  test('a thousand problems are cut to fifty lines', () => {
    const text = Array.from({ length: 1000 }, (_, i) => `nonsense${i}: 1`).join('\n');
    try {
      load(text);
      expect.unreachable();
    } catch (error) {
      const lines = (error as ConfigError).message.split('\n');
      expect(lines).toHaveLength(51);
      expect(lines.at(-1)).toBe('… and 950 more');
    }
  });

  test('no text can do more than be refused', () => {
    for (const text of [
      '['.repeat(50_000),
      '{'.repeat(5000),
      `a: ${'- '.repeat(3000)}`,
      '\0',
      '&a [*a]',
      '__proto__: {x: 1}',
      'constructor: 1',
    ]) {
      expect(() => load(text), JSON.stringify(text.slice(0, 20))).toThrow(ConfigError);
    }
  });
});

describe('the file on disk', () => {
  test('problems carry its path; missing, unreadable, binary and huge files are said to be so', () => {
    const directory = mkdtempSync(join(tmpdir(), 'logdrift-config-'));
    try {
      const path = (name: string, content: string | Buffer): string => {
        writeFileSync(join(directory, name), content);
        return join(directory, name);
      };
      expect(loadConfig({ file: path('good.yaml', '\uFEFFclock: event\n'), env: {} }).clock).toBe('event');
      const bad = path('bad.yaml', 'clock: sun\n');
      expect(problemsOf({ file: bad, env: {} })).toEqual([
        `${bad}:1:8: clock: must be wall or event (sun) – the default is wall`,
      ]);
      expect(problemsOf({ file: join(directory, 'none.yaml'), env: {} })).toEqual([
        `${join(directory, 'none.yaml')}: no such file – check --config`,
      ]);
      expect(problemsOf({ file: directory, env: {} })[0]).toMatch(/cannot be read \(EISDIR\)/);
      expect(problemsOf({ file: path('latin1.yaml', Buffer.from([0x61, 0xe9])), env: {} })[0]).toMatch(
        /is not UTF-8 text/,
      );
      expect(problemsOf({ file: path('huge.yaml', '#'.repeat(1024 * 1024 + 1)), env: {} })[0]).toMatch(
        /has 1048577 bytes/,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('values from the environment', () => {
  test('an unquoted whole value takes the type its text has, a quoted one stays text', () => {
    const variables = { RANK: '20', ON: 'false', LIST: '[a]' };
    const { driftDetection } = load('logs_config:\n  drift_detection:\n    dmd_rank: ${env:RANK}', variables);
    expect(driftDetection.dmdRank).toBe(20);
    expect(load('telemetry:\n  source_label: ${env:ON}', variables).telemetry.sourceLabel).toBe(false);
    expect(problemsOf({ text: 'telemetry: {source_label: "${env:ON}"}', env: variables })[0]).toMatch(
      /must be true or false/,
    );
    expect(load('storage:\n  directory: ${env:LIST}', variables).storage.directory).toBe('[a]');
  });

  test('text stays as it is: a numeric token keeps its zero', () => {
    const { headers } = load('exporters:\n  otlp:\n    headers:\n      a: ${env:T}\n      b: Bearer ${env:T}', {
      T: '0123',
    }).exporters.otlp;
    expect(headers).toEqual({ a: '0123', b: 'Bearer 0123' });
  });

  test('a default stands in for an unset variable only; empty means: the default of the key', () => {
    const text = 'storage:\n  directory: ${env:DIR:-/tmp/logdrift}';
    expect(load(text).storage.directory).toBe('/tmp/logdrift');
    expect(load(text, { DIR: '/srv' }).storage.directory).toBe('/srv');
    expect(load(text, { DIR: '' }).storage.directory).toBeNull();
    expect(load('storage:\n  directory: ${env:DIR:-}').storage.directory).toBeNull();
  });

  test('$$ is a dollar, and ${1} is left to the rules', () => {
    expect(load('storage: {directory: "a$$b$${env:X}"}').storage.directory).toBe('a$b${env:X}');
    const { rules } = load("sources: {rules: [{attribute: a, pattern: '(\\w+)$', source: 'file:${1}'}]}").sources;
    expect(rules).toEqual([{ attribute: 'a', pattern: '(\\w+)$', source: 'file:${1}' }]);
    const named = load("sources: {rules: [{attribute: a, pattern: '(?<app>\\w+)', source: 'file:$${app}'}]}").sources
      .rules;
    expect(named[0]!.source).toBe('file:${app}');
  });
});

describe('--set', () => {
  test('goes over the file, later ones over earlier ones, with the types of YAML', () => {
    const set = [
      'logs_config.drift_detection.window_step=30s',
      'clock=wall',
      'clock=event',
      'telemetry.source_label=false',
      'sources.muted=[file:cron, otlp:batch-*]',
      'exporters.otlp.headers.x-tenant="7"',
      'storage.directory=${env:DIR}',
    ];
    const config = load(
      'clock: wall\nlogs_config: {drift_detection: {window_step: 10s, dmd_rank: 7}}',
      { DIR: '/srv' },
      set,
    );
    expect(config.driftDetection.windowStepMs).toBe(30_000);
    expect(config.driftDetection.dmdRank).toBe(7);
    expect(config.clock).toBe('event');
    expect(config.telemetry.sourceLabel).toBe(false);
    expect(config.sources.muted).toEqual(['file:cron', 'otlp:batch-*']);
    expect(config.exporters.otlp.headers).toEqual({ 'x-tenant': '7' });
    expect(config.storage.directory).toBe('/srv');
  });

  test('moving one protocol does not switch the other off, replacing the map does', () => {
    const moved = load('', {}, ['receivers.otlp.protocols.grpc.endpoint=127.0.0.1:14317']).receivers.otlp.protocols;
    expect(moved.grpc?.endpoint).toBe('127.0.0.1:14317');
    expect(moved.http?.endpoint).toBe('127.0.0.1:4318');
    const replaced = load('', {}, ['receivers.otlp.protocols={http: }']).receivers.otlp.protocols;
    expect(replaced.grpc).toBeNull();
  });

  test('what is not YAML is text, and nothing after = is the default', () => {
    expect(load('', {}, ['admin.endpoint=[::1]:8090']).admin.endpoint).toBe('[::1]:8090');
    expect(load('clock: event', {}, ['clock=']).clock).toBe('wall');
  });

  test.each([
    ['clock', '--set clock: has no value – write --set a.b=value'],
    ['.clock=wall', '--set .clock=wall: is not a path of keys – write --set a.b=value'],
    ['clock.x=wall', '--set clock.x=wall: clock: is a value, it has no keys – set clock as a whole'],
    ['clok=wall', '--set clok=wall: clok: unknown key – did you mean clock?'],
    [
      'logs_config.drift_detection.window_size=90s',
      '--set logs_config.drift_detection.window_size=90s: logs_config.drift_detection.window_size: window_size 1m30s is not a multiple of window_step 1m – use 1m or 2m',
    ],
    [
      'exporters.otlp.headers.authorization={a: hunter2}',
      '--set exporters.otlp.headers.authorization=…: exporters.otlp.headers.authorization: must be a single value – not a list or a section',
    ],
    [
      'exporters={otlp: {headers: {a: hunter2}, x: 1}}',
      '--set exporters=…: exporters.otlp.x: unknown key – known here: endpoint, protocol, headers, timeout, queue_size',
    ],
    [
      'telemetry.otlp_endpoint=ftp://me:hunter2@host',
      '--set telemetry.otlp_endpoint=ftp://***@host: telemetry.otlp_endpoint: must be an http:// or https:// URL (ftp://***@host) – write for example http://127.0.0.1:4318',
    ],
    [
      'storage.directory=${env:NO}',
      '--set storage.directory=${env:NO}: storage.directory: environment variable NO is not set (${env:NO}) – set it, or give a default: ${env:NO:-default}',
    ],
  ])('--set %s is refused', (assignment, problem) => {
    expect(problemsOf({ text: 'clock: wall', env: {}, set: [assignment] })).toEqual([problem]);
  });

  test('problems of the file come before those of --set, and all are told at once', () => {
    const problems = problemsOf({ file: 'a.yaml', text: 'clock: sun', env: {}, set: ['x=1', 'detectors=[]'] });
    expect(problems.map((problem) => problem.split(': ')[0])).toEqual([
      'a.yaml:1:8',
      '--set x=1',
      '--set detectors=[]',
    ]);
  });
});
