/** The real service on free ports, and real senders: grpc-js and fetch with bodies that protobufjs encoded. */
import { STRIP_TYPES_SAFELY } from '../strip-types.ts';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import type { Anomaly } from '../../src/alert/anomaly.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Verdict } from '../../src/detect/verdict.ts';
import type { JudgedStep } from '../../src/pipeline/step.ts';
import { startService, type Service } from '../../src/service.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startHttpReceiver, type ReceivedRecord } from '../alert/otlp-receiver.ts';
import { encodeRequest, Response, stringAttribute } from '../receive/oracle.ts';

export const MINUTE_MS = 60_000;
/** A step's end, in the past of whoever runs the tests and not of the records. */
export const START_MS = 1_800_000_000_000;
const DETECTION = 'logs_config.drift_detection';

const FREE_PORTS = [
  'receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0',
  'receivers.otlp.protocols.http.endpoint=127.0.0.1:0',
  'admin.endpoint=127.0.0.1:0',
  'telemetry.endpoint=127.0.0.1:0',
];

/** `{clock: 'event', window_step: '1s'}`; keys without a dot are those of the seed's block. */
export type Settings = Record<string, string | number | boolean>;

export function assignments(settings: Settings): string[] {
  const own = Object.entries(settings).map(([key, value]) => {
    const isTop = key === 'clock' || key === 'detectors' || key.includes('.');
    return `${isTop ? key : `${DETECTION}.${key}`}=${String(value)}`;
  });
  return [...FREE_PORTS, ...own];
}

export interface Line {
  text: string;
  /** Left out: no time of its own. */
  timeMs?: number;
  severityNumber?: number;
  traceId?: string;
  spanId?: string;
  /** Of the record. */
  attributes?: Record<string, string>;
}

/** One ResourceLogs as protobufjs takes it. */
export function resourceLogs(resource: Record<string, string>, lines: readonly Line[], scope = 'app'): object {
  const logRecords = lines.map(({ text, timeMs, severityNumber = 9, traceId = '', spanId = '', attributes = {} }) => ({
    ...(timeMs === undefined ? {} : { timeUnixNano: String(BigInt(Math.round(timeMs)) * 1_000_000n) }),
    severityNumber,
    body: { stringValue: text },
    attributes: Object.entries(attributes).map(([key, value]) => stringAttribute(key, value)),
    traceId: Buffer.from(traceId, 'hex'),
    spanId: Buffer.from(spanId, 'hex'),
  }));
  const identity = Object.entries(resource).map(([key, value]) => stringAttribute(key, value));
  return { resource: { attributes: identity }, scopeLogs: [{ scope: { name: scope }, logRecords }] };
}

/** What a Collector's filelog receiver sends of `nginx.log`: source `file:nginx`. */
export function fileLogs(service: string, lines: readonly Line[]): object {
  return resourceLogs({ 'service.name': service, 'log.file.name': `${service}.log` }, lines);
}

export interface Answer {
  rejected: number;
  message: string;
}

/** A gRPC connection to a receiver. */
export class Sender implements Disposable {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
    });
  }

  /** @throws the call's ServiceError */
  send(...logs: object[]): Promise<Answer> {
    return this.sendBytes(encodeRequest({ resourceLogs: logs }));
  }

  sendBytes(request: Buffer): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const raw = (bytes: Buffer): Buffer => bytes;
    const path = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
    this.#client.makeUnaryRequest(path, raw, raw, request, (error, answer) => {
      if (error === null) resolve(readAnswer(answer!));
      else reject(error);
    });
    return promise;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

export async function sendHttp(port: number, ...logs: object[]): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-protobuf' },
    body: new Uint8Array(encodeRequest({ resourceLogs: logs })),
  });
  if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
  return readAnswer(Buffer.from(await response.arrayBuffer()));
}

function readAnswer(bytes: Buffer): Answer {
  const { partialSuccess } = Response.toObject(Response.decode(bytes), { longs: Number }) as {
    partialSuccess?: { rejectedLogRecords?: number; errorMessage?: string };
  };
  return { rejected: partialSuccess?.rejectedLogRecords ?? 0, message: partialSuccess?.errorMessage ?? '' };
}

export interface TestService extends AsyncDisposable {
  readonly service: Service;
  readonly grpc: Sender;
  readonly ports: { grpc: number; http: number; admin: number; telemetry: number };
  /** Level and message of every log line so far, without its time. */
  readonly lines: string[];
  readonly steps: JudgedStep[];
  readonly verdicts: Verdict[];
  readonly anomalies: Anomaly[];
  /** What arrived at the receiver that anomalies are sent to; empty when `settings` name another one. */
  readonly received: ReceivedRecord[];
  verdictsOf(source: string): Verdict[];
  /** The scrape. */
  metrics(): Promise<string>;
  /** Sum of the samples of a metric whose labels include `labels`. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  /** Parsed JSON of the admin API. */
  api(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startTestService(settings: Settings = {}): Promise<TestService> {
  const lines: string[] = [];
  const steps: JudgedStep[] = [];
  const receiver = await startHttpReceiver();
  const service = await startService({
    config: loadConfig({ set: assignments({ 'exporters.otlp.endpoint': receiver.endpoint, ...settings }), env: {} }),
    log: createLog({ write: (line) => lines.push(line.slice(line.indexOf(' ') + 1).trimEnd()) }),
    onFatal: (error) => {
      throw error;
    },
    onJudged: (step) => steps.push(step),
  }).catch(async (error: unknown) => {
    await receiver[Symbol.asyncDispose]();
    throw error;
  });
  const ports = service.ports as TestService['ports'];
  const grpc = new Sender(ports.grpc);
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    grpc[Symbol.dispose]();
    return (stopped ??= service.close(5_000).finally(() => receiver[Symbol.asyncDispose]()));
  };
  const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${ports.telemetry}/metrics`)).text();
  return {
    service,
    grpc,
    ports,
    lines,
    steps,
    received: receiver.received,
    get verdicts() {
      return steps.flatMap((step) => step.verdicts);
    },
    get anomalies() {
      return steps.flatMap((step) => step.anomalies);
    },
    verdictsOf: (source) => steps.flatMap((step) => step.verdicts).filter((verdict) => verdict.source === source),
    metrics,
    metric: async (name, labels) => sumOf(await metrics(), name, labels),
    api: async (path) => (await fetch(`http://127.0.0.1:${ports.admin}${path}`)).json(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** @param text Prometheus exposition */
export function sumOf(text: string, name: string, labels: Record<string, string> = {}): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const [, metric, set = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (metric !== name) continue;
    if (Object.entries(labels).every(([key, want]) => set.includes(`${key}="${want}"`))) sum += Number(value);
  }
  return sum;
}

/** Longest wait for what has to come, on a machine that many share; below the time that a test may take. */
const UNTIL_MS = 60_000;

/** Asks until the answer is truthy; a claim that never comes true fails with `what`. */
export async function until<T>(what: string, ask: () => T | Promise<T>, withinMs = UNTIL_MS): Promise<NonNullable<T>> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(10);
  }
}

/**
 * Traffic of one minute on event time, a little different every minute, always the same for the same minute. `newest` of the lines is
 * 30 s into the minute, so the pane before closes (10 s of allowed lateness are over).
 */
export function usualMinute(minute: number): Line[] {
  const at = (k: number): number => START_MS + minute * MINUTE_MS + 1_000 + k * 500;
  const gets = 20 + ((minute * 7) % 5);
  const posts = 6 + ((minute * 5) % 3);
  return [
    ...Array.from({ length: gets }, (_, k) => ({
      timeMs: at(k),
      text: `GET /product/${k * 31 + minute} 200 in ${k + 3} ms`,
    })),
    ...Array.from({ length: posts }, (_, k) => ({
      timeMs: at(k),
      text: `POST /cart/${k} accepted for customer ${minute * 13 + k}`,
    })),
    { timeMs: at(58), text: `heartbeat ${minute} from worker ok` },
  ];
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

/** A minute in which the usual traffic has nearly stopped and errors nobody has seen come instead. */
export function brokenMinute(minute: number): Line[] {
  const at = (k: number): number => START_MS + minute * MINUTE_MS + 1_000 + k * 500;
  return [
    ...Array.from({ length: 58 }, (_, k) => ({
      timeMs: at(k),
      text: `upstream database connection refused while reading response header, attempt ${k}`,
      severityNumber: 17,
      traceId: TRACE,
      spanId: SPAN,
    })),
    ...Array.from({ length: 40 }, (_, k) => ({
      timeMs: at(k),
      text: `circuit breaker opened for payments after ${k} failures`,
    })),
    { timeMs: at(58), text: `heartbeat ${minute} from worker ok` },
  ];
}

export const EXEMPLAR = { traceId: TRACE, spanId: SPAN };

/** Sends minutes `from` to `to` (exclusive) of one file source, one request a minute. Event time only: judged when it returns. */
export async function sendMinutes(
  sender: Sender,
  service: string,
  from: number,
  to: number,
  minuteOf = usualMinute,
): Promise<void> {
  for (let minute = from; minute < to; minute++) await sender.send(fileLogs(service, minuteOf(minute)));
}

/** A record 30 s into `minute`: everything before that minute is closed and judged. */
export async function passTime(sender: Sender, minute: number): Promise<void> {
  await sender.send(fileLogs('clock', [{ timeMs: START_MS + minute * MINUTE_MS + 30_000, text: 'tick' }]));
}

export interface Cli extends AsyncDisposable {
  readonly process: ChildProcess;
  /** All of it so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** The real command line in a process of its own. */
export function startCli(
  args: readonly string[],
  options: { cwd?: string; stdin?: string; env?: Record<string, string> } = {},
): Cli {
  const child = spawn(
    process.execPath,
    [...STRIP_TYPES_SAFELY, new URL('../../src/cli.ts', import.meta.url).pathname, ...args],
    {
      stdio: 'pipe',
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(options.stdin ?? '');
  const exited = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Runs a command to its end. */
export async function runCli(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  await using cli = startCli(args);
  const { code } = await cli.exited;
  return { code, stdout: cli.stdout(), stderr: cli.stderr() };
}

/** `logdrift serve` on free ports, once it says that it has started. */
export async function startServe(settings: Settings = {}): Promise<Cli & { ports: TestService['ports'] }> {
  const cli = startCli(['serve', ...assignments(settings).flatMap((assignment) => ['--set', assignment])]);
  const line = await until('logdrift started', () => {
    if (cli.process.exitCode !== null) throw new Error(`logdrift left with ${cli.process.exitCode}: ${cli.stderr()}`);
    return /logdrift started .*\n/.exec(cli.stderr())?.[0];
  }).catch(async (error: unknown) => {
    await cli[Symbol.asyncDispose]();
    throw error;
  });
  const port = (field: string): number => Number(new RegExp(`${field}=\\S*?:(\\d+)(?:/|\\s)`).exec(line)?.[1]);
  const ports = { grpc: port('otlp_grpc'), http: port('otlp_http'), admin: port('page'), telemetry: port('metrics') };
  return Object.assign(cli, { ports });
}
