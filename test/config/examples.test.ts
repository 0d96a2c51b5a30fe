import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments, parse } from 'yaml';
import { parseArguments } from '../../src/cli/arguments.ts';
import { parseEndpoint } from '../../src/net/endpoint.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { ConfigError } from '../../src/config/problem.ts';
import { configSchema } from '../../src/config/schema.ts';
import { keyPaths } from '../../src/config/shape.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const defaults = loadConfig({ env: {} });

/** Keys that hold a value, sections left out. */
const leafPaths = keyPaths(configSchema).filter((path, _, all) => !all.some((other) => other.startsWith(`${path}.`)));

describe('deploy/logdrift.example.yaml', () => {
  const text = read('deploy/logdrift.example.yaml');

  test('loads to exactly the defaults', () => {
    expect(loadConfig({ file: 'logdrift.example.yaml', text, env: {} })).toEqual(defaults);
  });

  test('names every key there is', () => {
    const paths: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (path !== '') paths.push(path);
      if (value === null || typeof value !== 'object' || Array.isArray(value)) return;
      for (const [key, child] of Object.entries(value)) visit(child, path === '' ? key : `${path}.${key}`);
    };
    visit(parse(text), '');
    expect(paths.toSorted()).toEqual(keyPaths(configSchema).toSorted());
  });

  test('has a comment beside every value', () => {
    const uncommented = text
      .split('\n')
      .filter((line) => /^\s*\w+: \S/.test(line) && !line.includes('#') && !line.includes('endpoint:'));
    expect(uncommented).toEqual([]);
  });
});

describe('docs/configuration.md', () => {
  const text = read('docs/configuration.md');

  test('lists every key with the default it has', () => {
    const documented = new Map<string, string>();
    let section = '';
    for (const line of text.split('\n')) {
      const heading = /^### (?:`([^`]+)`)?/.exec(line);
      if (heading !== null) section = heading[1] === undefined ? '' : `${heading[1]}.`;
      const row = /^\| `([\w.]+)` \|[^|]*\| (?:`([^`]*)`|–) \|/.exec(line);
      if (row !== null) documented.set(`${section}${row[1]}`, row[2] ?? '');
    }
    expect([...documented.keys()].toSorted()).toEqual(leafPaths.toSorted());
    // A key set to its documented default changes nothing; read as --set, so that no default can be a typing error.
    for (const [path, value] of documented) {
      expect(loadConfig({ env: {}, set: [`${path}=${value}`] }), path).toEqual(defaults);
    }
  });

  test('its defaults are not merely accepted: a key set to null says which one it has', () => {
    const example = parse(read('deploy/logdrift.example.yaml')) as Record<string, unknown>;
    for (const path of leafPaths) {
      const value = path
        .split('.')
        .reduce<unknown>((section, key) => (section as Record<string, unknown>)[key], example);
      const row = text
        .split('\n')
        .find((line) =>
          line.startsWith(
            `| \`${path.replace(/^(logs_config\.drift_detection|receivers\.otlp\.protocols|exporters\.otlp|sources)\./, '')}\``,
          ),
        );
      const shown =
        value === null
          ? '–'
          : Array.isArray(value)
            ? `\`[${value.join(', ')}]\``
            : `\`${typeof value === 'object' ? '{}' : String(value)}\``;
      expect(row, path).toContain(`| ${shown} |`);
    }
  });

  test('shows errors that really look so', () => {
    const shown = /```\n(logdrift\.yaml:[\s\S]*?)```/.exec(text)![1]!;
    const yaml = [
      ...['logs_config:', '  drift_detection:', '    window_sise: 120s', '    window_step: 60'],
      ...['# x', 'admin:', '  endpoint: 0.0.0.0:8090'],
    ].join('\n');
    try {
      loadConfig({ file: 'logdrift.yaml', text: yaml, set: ['clock=sun'], env: {} });
      expect.unreachable();
    } catch (error) {
      expect((error as ConfigError).message).toBe(shown.trimEnd());
    }
  });

  test('its commands and YAML examples are valid', () => {
    const env = { LOGDRIFT_TOKEN: 'x' };
    for (const [, block] of text.matchAll(/```yaml\n([\s\S]*?)```/g)) loadConfig({ text: block!, env });
    for (const [, line] of text.matchAll(/^logdrift (serve .*)$/gm)) {
      const command = parseArguments(splitShell(line!));
      if (command.name !== 'serve') throw new Error(line);
      loadConfig({ set: command.set, env });
    }
  });
});

describe('collector-config.example.yaml', () => {
  const text = read('collector-config.example.yaml');
  interface Collector {
    receivers: Record<string, { protocols: { grpc: { endpoint: string }; http: { endpoint: string } } }>;
    exporters: Record<
      string,
      {
        endpoint: string;
        sending_queue?: { enabled: boolean; storage: string };
        retry_on_failure?: { enabled: boolean };
      }
    >;
    processors: Record<string, unknown>;
    extensions: Record<string, unknown>;
    service: {
      extensions: string[];
      pipelines: Record<string, Record<'receivers' | 'processors' | 'exporters', string[]>>;
    };
  }
  const collector = parse(text) as Collector;
  const command = /^# {3}(logdrift serve[\s\S]*?)\n\n/m.exec(text)![1]!.replaceAll(/\\\n#\s*/g, '');
  const parsed = parseArguments(splitShell(command.replace(/^logdrift /, '')));
  if (parsed.name !== 'serve') throw new Error(command);
  const logdrift = loadConfig({ set: parsed.set, env: {} });

  test('its exporters point at the ports that the logdrift command in its head opens', () => {
    const { grpc, http } = logdrift.receivers.otlp.protocols;
    expect(collector.exporters['otlp_grpc/logdrift']!.endpoint).toBe(grpc!.endpoint);
    expect(collector.exporters['otlp_http/logdrift']!.endpoint).toBe(`http://${http!.endpoint}`);
    for (const name of ['otlp_grpc/logdrift', 'otlp_http/logdrift']) {
      expect(collector.exporters[name]!.sending_queue).toMatchObject({ enabled: true, storage: 'file_storage' });
      expect(collector.exporters[name]!.retry_on_failure).toMatchObject({ enabled: true });
    }
  });

  test('anomalies come back and metrics are scraped where logdrift has them', () => {
    const back = collector.receivers['otlp/anomalies']!.protocols;
    expect(logdrift.exporters.otlp.endpoint).toBe(`http://${back.http.endpoint}`);
    expect(JSON.stringify(collector.receivers['prometheus/logdrift'])).toContain(
      `"targets":["${logdrift.telemetry.endpoint}"]`,
    );
  });

  test('anomalies do not run into the pipeline that feeds logdrift', () => {
    const { logs, 'logs/anomalies': anomalies } = collector.service.pipelines;
    expect(logs!.receivers).not.toContain('otlp/anomalies');
    expect(anomalies!.exporters.some((name) => name.includes('logdrift'))).toBe(false);
  });

  test('no port is used twice on the host', () => {
    const protocols = Object.values(collector.receivers).flatMap((receiver) => Object.values(receiver.protocols ?? {}));
    const taken = [
      ...protocols.map(({ endpoint }) => parseEndpoint(endpoint).port),
      8888,
      ...Object.values(logdrift.receivers.otlp.protocols).map((protocol) => parseEndpoint(protocol!.endpoint).port),
      parseEndpoint(logdrift.telemetry.endpoint).port,
      parseEndpoint(logdrift.admin.endpoint).port,
    ];
    expect(new Set(taken).size).toBe(taken.length);
    expect(text).toMatch(/port: 8888/);
  });

  test('pipelines name only components that exist', () => {
    for (const pipeline of Object.values(collector.service.pipelines)) {
      for (const kind of ['receivers', 'processors', 'exporters'] as const) {
        for (const name of pipeline[kind]) expect(Object.keys(collector[kind])).toContain(name);
      }
    }
    for (const name of collector.service.extensions) expect(Object.keys(collector.extensions)).toContain(name);
  });
});

describe('deploy/kustomize', () => {
  const files = readdirSync(join(root, 'deploy/kustomize'));
  const manifest = (name: string) => parse(read(`deploy/kustomize/${name}`));

  test('every file parses and every resource that kustomization.yaml names is there', () => {
    for (const file of files)
      for (const document of parseAllDocuments(read(`deploy/kustomize/${file}`))) expect(document.errors).toEqual([]);
    const { resources, configMapGenerator } = manifest('kustomization.yaml');
    expect([...resources, ...configMapGenerator[0].files, 'kustomization.yaml'].toSorted()).toEqual(files.toSorted());
  });

  const daemonSet = manifest('daemonset.yaml').spec.template;
  const [container] = daemonSet.spec.containers;
  const config = loadConfig({
    file: 'logdrift.yaml',
    text: read('deploy/kustomize/logdrift.yaml'),
    env: { ANOMALY_ENDPOINT: '' },
  });

  test('the configuration in the ConfigMap is valid, with and without a destination', () => {
    expect(config.exporters.otlp.endpoint).toBeNull();
    const env = { ANOMALY_ENDPOINT: 'http://otel-collector.observability:4318' };
    expect(loadConfig({ text: read('deploy/kustomize/logdrift.yaml'), env }).exporters.otlp.endpoint).toBe(
      env.ANOMALY_ENDPOINT,
    );
    expect(container.env.map(({ name }: { name: string }) => name)).toEqual(['ANOMALY_ENDPOINT']);
  });

  test('the container starts with that file, writes to a mounted directory, and its ports are those of the configuration', () => {
    const mounts = container.volumeMounts as { name: string; mountPath: string }[];
    const mounted = mounts.find(({ name }) => name === 'config')!.mountPath;
    expect(parseArguments(container.args)).toMatchObject({ name: 'serve', configFile: `${mounted}/logdrift.yaml` });
    expect(mounts.map(({ mountPath }) => mountPath)).toContain(config.storage.directory);
    const port = (text: string): number => parseEndpoint(text).port;
    const { grpc, http } = config.receivers.otlp.protocols;
    expect(container.ports).toEqual([
      { name: 'otlp-grpc', containerPort: port(grpc!.endpoint) },
      { name: 'otlp-http', containerPort: port(http!.endpoint) },
      { name: 'telemetry', containerPort: port(config.telemetry.endpoint) },
    ]);
    expect(daemonSet.metadata.annotations['prometheus.io/port']).toBe(String(port(config.telemetry.endpoint)));
    const { ports } = manifest('service.yaml').spec;
    expect(ports.map((entry: { port: number; targetPort: string }) => [entry.targetPort, entry.port])).toEqual([
      ['otlp-grpc', port(grpc!.endpoint)],
      ['otlp-http', port(http!.endpoint)],
    ]);
  });

  test('pods run with as little as they can', () => {
    expect(manifest('service.yaml').spec.internalTrafficPolicy).toBe('Local');
    expect(daemonSet.spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000 },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources.limits.memory).toBeDefined();
    expect(container.livenessProbe.httpGet).toEqual({ path: '/livez', port: 'telemetry' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'telemetry' });
  });
});

test('the alert rules ask for metrics that docs/operations.md describes', () => {
  const { groups } = parse(read('deploy/prometheus/logdrift.rules.yaml')) as {
    groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  const table = read('docs/operations.md').split('\n## Alerts')[0]!;
  for (const { alert, expr, annotations } of rules) {
    const asked = expr.match(/\blogdrift_\w+/g) ?? [];
    expect(asked, alert).not.toEqual([]);
    for (const name of asked) expect(table, alert).toContain(`\`${name}\``);
    expect(Object.keys(annotations)).toEqual(['summary', 'description']);
  }
});

test('the Dockerfile starts a command that exists, on every interface, as the user it gives its directory to', () => {
  const dockerfile = read('deploy/Dockerfile');
  const argv = JSON.parse(/^CMD (\[[\s\S]*?\])$/m.exec(dockerfile)![1]!.replaceAll('\\\n', '')) as string[];
  const command = parseArguments(argv);
  if (command.name !== 'serve') throw new Error('not serve');
  const { receivers, storage, telemetry } = loadConfig({ set: command.set, env: {} });
  const endpoints = [
    receivers.otlp.protocols.grpc!.endpoint,
    receivers.otlp.protocols.http!.endpoint,
    telemetry.endpoint,
  ];
  expect(endpoints.map((endpoint) => parseEndpoint(endpoint).host)).toEqual(['0.0.0.0', '0.0.0.0', '0.0.0.0']);
  expect(dockerfile).toContain(`EXPOSE ${endpoints.map((endpoint) => parseEndpoint(endpoint).port).join(' ')}\n`);
  expect(dockerfile).toContain(`chown 1000:1000 ${storage.directory}`);
  expect(dockerfile).toMatch(/^USER 1000:1000$/m);
});

/** Enough of a shell for the examples: words, single quotes around parts of them. */
function splitShell(line: string): string[] {
  return (line.match(/(?:[^\s']+|'[^']*')+/g) ?? []).map((word) => word.replaceAll("'", ''));
}
