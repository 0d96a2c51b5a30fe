/** A real OpenTelemetry Collector, built by `ocb` from collector/agent.yaml or collector/gateway.yaml, in a process of its own. */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { until, type TestService } from '../service/harness.ts';
import { go, GO_ENVIRONMENT, needs, run, tool, TOOLBOX } from './toolbox.ts';

const RECIPES = join(import.meta.dirname, 'collector');
const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.161.0';
/** Beside the sources of records, on the hosts; or between them and us. */
export type Build = 'agent' | 'gateway';

/** @returns path of the executable; the first time after a change of what it is made of it is compiled, which takes minutes */
export async function buildCollector(build: Build): Promise<string> {
  const files = build === 'agent' ? ['agent.yaml'] : ['gateway.yaml', 'drain/go.mod', 'drain/go.sum', 'drain/drain.go'];
  const recipes = files.map((file) => join(RECIPES, file));
  const folder = await tool(`collector-${build}`, recipes, async (folder) => {
    await go(['install', BUILDER]);
    await cp(RECIPES, folder, { recursive: true });
    const builder = [join(TOOLBOX, 'bin/builder'), '--config', `${build}.yaml`];
    await run('nice', builder, { cwd: folder, env: GO_ENVIRONMENT });
  });
  return join(folder, 'build/otelcol');
}

/** The tests of this file need it. */
export function needsCollector(build: Build): void {
  needs(`the Collector (${build})`, () => buildCollector(build));
}

export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'logdrift-interop-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Below those that systems give to outgoing connections and to port 0 (Linux from 32768 on, IANA from 49152): such a port was free, and then a
 * Collector's own connection had it.
 */
const GIVEN_PORTS = { from: 20_000, to: 32_000 };

/** Named and perhaps not listened on yet: of twenty that are drawn two are the same once in sixty times. */
const given = new Set<number>();

/** For a peer that has to be named before it listens, or that comes back to the same port. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(GIVEN_PORTS.from, GIVEN_PORTS.to);
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer().listen(port, '127.0.0.1');
    const free = await once(server, 'listening').then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EADDRINUSE') throw error;
        return false;
      },
    );
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

export interface Collector extends AsyncDisposable {
  readonly pid: number;
  /** Everything it has logged so far. */
  readonly log: () => string;
  /** SIGTERM: it sends or stores what it holds, and leaves. */
  stop(): Promise<void>;
}

/** @param config a Collector configuration; its own metrics are off unless it says otherwise */
export async function startCollector(
  folder: Folder,
  config: CollectorConfig,
  build: Build = 'agent',
): Promise<Collector> {
  const path = join(folder.path, 'collector.yaml');
  const telemetry = { metrics: { level: 'none' } };
  await writeFile(path, stringify({ ...config, service: { telemetry, ...config.service } }));
  const child = spawn(await buildCollector(build), ['--config', path], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const exited = once(child, 'close');
  const leave = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  await until('the Collector is ready', () => {
    if (child.exitCode !== null) throw new Error(`the Collector left with ${child.exitCode}: ${log.slice(-4_000)}`);
    return log.includes('Everything is ready');
  }).catch(async (error: unknown) => {
    await leave('SIGKILL');
    throw error;
  });
  return {
    pid: child.pid!,
    log: () => log,
    stop: () => leave('SIGTERM'),
    [Symbol.asyncDispose]: () => leave('SIGKILL'),
  };
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
