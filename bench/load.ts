/** Load for the benchmarks: ExportLogsServiceRequests as a Collector would send them, and a client that keeps K of them in flight. */
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Client, credentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { Pool } from 'undici';

export const PROTO_ROOT = new URL('../proto/', import.meta.url).pathname;
export const LOGS_SERVICE_PROTO = 'opentelemetry/proto/collector/logs/v1/logs_service.proto';
export const EXPORT_PATH = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

/** The vendored files by reflection. */
export function loadLogsProto(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => `${PROTO_ROOT}${target}`;
  return root.loadSync(LOGS_SERVICE_PROTO);
}

/** Deterministic: the same seed gives the same bytes (mulberry32). */
export function seededRandom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface LoadOptions {
  records: number;
  /** `service.name` of the one resource. */
  service?: string;
  seed?: number;
  /** Epoch ms of the records, which spread over the minute after it: a service on the wall clock leaves old ones out. */
  startMs?: number;
  /** Milliseconds over which the records spread. */
  spreadMs?: number;
}

/** One serialized request: one resource, one scope, `records` records with five attributes, ~120-byte bodies and trace context. */
export function buildRequest({
  records,
  service = 'checkout',
  seed = 1,
  startMs = Date.now(),
  spreadMs = 60_000,
}: LoadOptions): Buffer {
  const type = (loaded ??= loadLogsProto()).lookupType(
    'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest',
  );
  const random = seededRandom(seed);
  const attributes = [
    attribute('service.name', service),
    attribute('service.namespace', 'shop'),
    attribute('service.instance.id', '0f8a2c1e-7b1d-4e0e-9f52-5d1c6d1b8a11'),
    attribute('k8s.namespace.name', 'prod'),
    attribute('k8s.pod.name', `${service}-6c5d9f7b9c-x2x4z`),
    attribute('telemetry.sdk.language', 'nodejs'),
  ];
  const request = {
    resourceLogs: [
      {
        resource: { attributes },
        scopeLogs: [
          {
            scope: { name: 'shop.http', version: '1.4.2' },
            logRecords: Array.from({ length: records }, () => buildRecord(random, startMs, spreadMs)),
          },
        ],
      },
    ],
  };
  return Buffer.from(type.encode(type.fromObject(request)).finish());
}
let loaded: protobuf.Root | undefined;

/** Requests built for this one time (`startMs`, with `spreadMs` 0) can be moved to another one. */
export const MOVABLE_MS = 1_000_000;

/** A movable request at another time: building it anew takes a hundred times as long. */
export function at(request: Buffer, timeMs: number): Buffer {
  const moved = Buffer.from(request);
  for (const [built, delayNanos] of [
    [TIME_BUILT, 0n],
    [OBSERVED_BUILT, OBSERVED_AFTER_NANOS],
  ] as const) {
    for (let field = moved.indexOf(built); field >= 0; field = moved.indexOf(built, field + built.length))
      moved.writeBigUInt64LE(BigInt(timeMs) * 1_000_000n + delayNanos, field + 1);
  }
  return moved;
}
const OBSERVED_AFTER_NANOS = 1_000_000n;
/** time_unix_nano is field 1, observed_time_unix_nano field 11, both of 8 bytes. */
const TIME_BUILT = fixed64(1, BigInt(MOVABLE_MS) * 1_000_000n);
const OBSERVED_BUILT = fixed64(11, BigInt(MOVABLE_MS) * 1_000_000n + OBSERVED_AFTER_NANOS);

function fixed64(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (field << 3) | 1;
  bytes.writeBigUInt64LE(value, 1);
  return bytes;
}

function buildRecord(random: () => number, startMs: number, spreadMs: number): object {
  const nanos = BigInt(startMs) * 1_000_000n + BigInt(Math.floor(random() * spreadMs * 1e6));
  const pick = (n: number): number => Math.floor(random() * n);
  const user = pick(100_000);
  const durationMs = pick(900);
  const bodies = [
    `GET /api/v2/products/${pick(5000)} HTTP/1.1 200 ${pick(20_000)} "-" "Mozilla/5.0 (X11; Linux x86_64)" rt=${durationMs} urt=${durationMs} upstream=10.0.${pick(255)}.${pick(255)}:8080`,
    `order ${hex(random, 8)} of user ${user} accepted: ${pick(9)} items, ${pick(400)}.99 EUR, payment authorised by provider in ${durationMs} ms`,
    `cache miss for key cart:${user}, loading from primary at 10.1.${pick(255)}.${pick(255)}:5432 took ${durationMs} ms (pool 12/20 busy, 0 waiting)`,
    `consumer group billing rebalanced: partition ${pick(64)} assigned to worker-${pick(12)}, last committed offset ${pick(1e9)}, lag ${pick(2000)}`,
    `connection 0x${hex(random, 6)} closed by peer after ${durationMs} s: read ${pick(1e6)} bytes, wrote ${pick(1e6)} bytes, keep-alive timeout reached`,
  ];
  return {
    timeUnixNano: Number(nanos),
    observedTimeUnixNano: Number(nanos + OBSERVED_AFTER_NANOS),
    severityNumber: 9,
    severityText: 'INFO',
    body: { stringValue: bodies[pick(bodies.length)] },
    attributes: [
      attribute('http.request.method', 'GET'),
      attribute('url.path', `/api/v2/products/${pick(5000)}`),
      { key: 'http.response.status_code', value: { intValue: 200 } },
      attribute('thread.name', `http-worker-${pick(16)}`),
      attribute('code.function.name', 'com.shop.catalog.ProductController.get'),
    ],
    flags: 1,
    traceId: Buffer.from(hex(random, 16), 'hex').toString('base64'),
    spanId: Buffer.from(hex(random, 8), 'hex').toString('base64'),
  };
}

function attribute(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}

function hex(random: () => number, bytes: number): string {
  let text = '';
  for (let i = 0; i < bytes; i++) text += (Math.floor(random() * 255) + 1).toString(16).padStart(2, '0');
  return text;
}

export interface SendOptions {
  port: number;
  /** Serialized requests, sent in turn. */
  requests: readonly Buffer[];
  /** Requests to send in all. */
  count: number;
  inFlight: number;
  gzip?: boolean;
}

/** Sends `count` requests over one gRPC connection, `inFlight` at a time. Resolves when all are answered. @throws the first error */
export async function sendLoad({ port, requests, count, inFlight, gzip = false }: SendOptions): Promise<void> {
  const client = openClient(port, gzip);
  try {
    await inLanes(inFlight, count, (i) => call(client, requests[i % requests.length]!));
  } finally {
    client.close();
  }
}

/** The same over OTLP/HTTP, a connection for each request in flight. */
export async function sendHttpLoad({ port, requests, count, inFlight, gzip = false }: SendOptions): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: inFlight });
  const bodies = gzip ? requests.map((request) => gzipSync(request)) : requests;
  const headers = { 'content-type': 'application/x-protobuf', ...(gzip ? { 'content-encoding': 'gzip' } : {}) };
  try {
    await inLanes(inFlight, count, async (i) => {
      const body = bodies[i % bodies.length]!;
      const answer = await pool.request({ path: '/v1/logs', method: 'POST', headers, body });
      if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
      await answer.body.dump();
    });
  } finally {
    await pool.close();
  }
}

async function inLanes(lanes: number, count: number, send: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await send(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

export interface PacedOptions {
  port: number;
  requests: readonly Buffer[];
  perSecond: number;
  seconds: number;
}

/** A request sent on time, whatever became of those before it. */
export interface PacedCall {
  /** Epoch ms when it was due. */
  dueMs: number;
  /** From then to its answer: waiting for a late client counts. */
  latencyMs: number;
  /** `partial_success` came back, or an error. */
  refused: boolean;
}

/** Sends at a fixed rate over one gRPC connection, however slow the answers are (an open loop). Resolves when all are answered. */
export async function sendPaced({ port, requests, perSecond, seconds }: PacedOptions): Promise<PacedCall[]> {
  const client = openClient(port, false);
  const calls: Promise<PacedCall>[] = [];
  const count = perSecond * seconds;
  const startMs = performance.timeOrigin + performance.now();
  while (calls.length < count) {
    const nowMs = performance.timeOrigin + performance.now();
    while (calls.length < count && startMs + (calls.length * 1000) / perSecond <= nowMs) {
      const dueMs = startMs + (calls.length * 1000) / perSecond;
      const answer = call(client, requests[calls.length % requests.length]!);
      calls.push(
        answer.then(
          (response) => ended(dueMs, response.length > 0),
          () => ended(dueMs, true),
        ),
      );
    }
    await delay(1);
  }
  const done = await Promise.all(calls);
  client.close();
  return done;
}

function ended(dueMs: number, refused: boolean): PacedCall {
  return { dueMs, latencyMs: performance.timeOrigin + performance.now() - dueMs, refused };
}

function openClient(port: number, gzip: boolean): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': gzip ? 2 : 0,
    'grpc-node.flow_control_window': 4_194_304,
  });
}

function call(client: Client, request: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  client.makeUnaryRequest(EXPORT_PATH, identity, identity, request, (error, response) => {
    if (error) reject(error);
    else resolve(response!);
  });
  return promise;
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}
