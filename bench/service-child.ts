/**
 * One service in a process of its own, so that its CPU can be told from the load generator's: `logdrift` (then `key=value` settings), `naive`,
 * `floor`, a grpc-js handler that does nothing at all, or `transport`, the same on bare node:http2 and node:http. Answers every message
 * of the parent with what it has counted and the CPU it used; `close` ends it.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import { loadConfig } from '../src/config/load.ts';
import { startService } from '../src/service.ts';
import { createLog } from '../src/telemetry/log.ts';
import { EXPORT_PATH } from './load.ts';
import { startNaiveService } from './naive/service.ts';

const WINDOW_BYTES = 4_194_304;
const EMPTY_MESSAGE = Buffer.alloc(5);

export interface ServiceReport {
  port: number;
  httpPort: number;
  /** Records whose template is counted. */
  counted: number;
  /** Records that were not analysed, for whatever reason. */
  lost: number;
  /** Epoch ms: steps, from their tick to their last verdict. */
  steps: { startMs: number; endMs: number; windows: number }[];
  /** CPU of the process, ten times a second. */
  cpu: [atMs: number, cpuMs: number][];
  cpuMs: number;
  rssMiB: number;
}

type Counts = Omit<ServiceReport, 'cpu' | 'cpuMs' | 'rssMiB'>;

let stop = async (): Promise<void> => undefined;

const sides: Record<string, (settings: string[]) => Promise<() => Counts>> = { logdrift, naive, floor, transport };

async function logdrift(settings: string[]): Promise<() => Counts> {
  const endpoints = [
    'telemetry.endpoint',
    'admin.endpoint',
    'receivers.otlp.protocols.grpc.endpoint',
    'receivers.otlp.protocols.http.endpoint',
  ];
  const steps: Counts['steps'] = [];
  const service = await startService({
    config: loadConfig({ env: {}, set: [...endpoints.map((key) => `${key}=127.0.0.1:0`), ...settings] }),
    log: createLog({ level: 'error' }),
    onFatal: (error) => {
      throw error;
    },
    onJudged: ({ stepEndMs, verdicts }) =>
      steps.push({ startMs: stepEndMs, endMs: Date.now(), windows: verdicts.length }),
  });
  stop = () => service.close(20_000);
  return () => {
    let handedOver = 0;
    let lost = 0;
    for (const entry of service.pipeline.registry) {
      handedOver += entry.received;
      lost += entry.late;
      for (const records of entry.dropped.values()) lost += records;
    }
    const counted = handedOver - service.pipeline.waitingRecords();
    return { port: service.ports.grpc!, httpPort: service.ports.http!, counted, lost, steps };
  };
}

async function naive(): Promise<() => Counts> {
  const { port, httpPort, counted } = await startNaiveService();
  return () => ({ port, httpPort, counted: counted().records, lost: 0, steps: [] });
}

async function floor(): Promise<() => Counts> {
  const server = new Server({ 'grpc.max_receive_message_length': 67_108_864 });
  const bytes = (message: Buffer): Buffer => message;
  const empty = Buffer.alloc(0);
  const method = {
    path: EXPORT_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  server.addService(
    { Export: method },
    { Export: (_call: unknown, callback: sendUnaryData<Buffer>) => callback(null, empty) },
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  );
  const port = await promise;
  return () => ({ port, httpPort: 0, counted: 0, lost: 0, steps: [] });
}

/** node:http2 and node:http themselves: the bytes come in and are thrown away, a constant answer goes out. */
async function transport(): Promise<() => Counts> {
  const grpc = createHttp2Server({ settings: { initialWindowSize: WINDOW_BYTES } });
  grpc.on('session', (session) => session.setLocalWindowSize(WINDOW_BYTES));
  grpc.on('stream', (stream) => {
    stream.resume();
    stream.once('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }));
      stream.end(EMPTY_MESSAGE);
    });
  });
  const http = createHttpServer((request, response) => {
    request.resume();
    request.once('end', () => {
      response.writeHead(200, { 'Content-Type': 'application/x-protobuf', 'Content-Length': 0 });
      response.end();
    });
  });
  const [port, httpPort] = await Promise.all([grpc, http].map(listeningPort));
  return () => ({ port: port!, httpPort: httpPort!, counted: 0, lost: 0, steps: [] });
}

async function listeningPort(server: NetServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const [side = 'logdrift', ...settings] = process.argv.slice(2);
const counts = await sides[side]!(settings);
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const cpu: ServiceReport['cpu'] = [];
setInterval(() => cpu.push([Date.now(), cpuMs()]), 100).unref();
process.on('message', (asked) => {
  if (asked === 'close') return void stop().then(() => process.exit(0));
  process.send!({
    ...counts(),
    cpu,
    cpuMs: cpuMs(),
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
  } satisfies ServiceReport);
});
process.on('disconnect', () => process.exit(0));
process.send!('ready');
