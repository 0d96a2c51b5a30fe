/** A real OpenTelemetry Collector, built by `ocb` from collector/builder.yaml, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { until, type TestService } from '../service/harness.ts';
import { go, GO_ENVIRONMENT, run, tool, TOOLBOX } from './toolbox.ts';

const MANIFEST = join(import.meta.dirname, 'collector/builder.yaml');
const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.161.0';
/** Ready and stopped within this, on a busy machine too. */
const COLLECTOR_TIMEOUT_MS = 60_000;

/** @returns path of the executable; the first time after a change of the manifest it is compiled, which takes minutes */
export async function buildCollector(): Promise<string> {
  const folder = await tool('collector', MANIFEST, async (folder) => {
    await go(['install', BUILDER]);
    const builder = [join(TOOLBOX, 'bin/builder'), '--config', MANIFEST];
    await run('nice', builder, { cwd: folder, env: GO_ENVIRONMENT });
  });
  return join(folder, 'build/otelcol');
}

export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'logdrift-interop-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A port that was free a moment ago, for a peer that has to be named before it listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface Collector extends AsyncDisposable {
  /** Everything it has logged so far. */
  readonly log: () => string;
  /** SIGTERM: it sends or stores what it holds, and leaves. */
  stop(): Promise<void>;
}

/** @param config a Collector configuration; its own metrics are off unless it says otherwise */
export async function startCollector(folder: Folder, config: CollectorConfig): Promise<Collector> {
  const path = join(folder.path, 'collector.yaml');
  const telemetry = { metrics: { level: 'none' } };
  await writeFile(path, stringify({ ...config, service: { telemetry, ...config.service } }));
  const child = spawn(await buildCollector(), ['--config', path], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const exited = once(child, 'close');
  const leave = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  await until(
    'the Collector is ready',
    () => {
      if (child.exitCode !== null) throw new Error(`the Collector left with ${child.exitCode}: ${log.slice(-4_000)}`);
      return log.includes('Everything is ready');
    },
    COLLECTOR_TIMEOUT_MS,
  );
  return { log: () => log, stop: () => leave('SIGTERM'), [Symbol.asyncDispose]: () => leave('SIGKILL') };
}

export interface CollectorConfig {
  extensions?: object;
  receivers: object;
  processors?: object;
  exporters: object;
  service: { extensions?: string[]; pipelines: Record<string, Pipeline>; telemetry?: object };
}

export interface Pipeline {
  receivers: string[];
  processors?: string[];
  exporters: string[];
}

/** One of the two ways into logdrift; what `options` do not say is as the Collector has it. */
export function exporterTo(
  ports: Pick<TestService['ports'], 'grpc' | 'http'>,
  transport: string,
  options: object = {},
): CollectorConfig['exporters'] {
  return transport === 'grpc'
    ? { otlp_grpc: { endpoint: `127.0.0.1:${ports.grpc}`, tls: { insecure: true }, ...options } }
    : { otlp_http: { endpoint: `http://127.0.0.1:${ports.http}`, ...options } };
}

/** What the file exporter has written so far: one OTLP/JSON request a line. */
export async function exported(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}
