/** A real OTLP receiver for tests: node:http or grpc-js in front of protobufjs and the vendored .proto files, none of our code. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(import.meta.dirname, '../../proto', target);
root.loadSync('opentelemetry/proto/collector/logs/v1/logs_service.proto');
const Request = root.lookupType('opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest');
const Response = root.lookupType('opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse');

export interface ReceivedRecord {
  resource: Record<string, unknown>;
  scope: { name: string; version: string };
  record: {
    timeUnixNano: string;
    observedTimeUnixNano: string;
    severityNumber: number;
    severityText: string;
    eventName: string;
    body: { stringValue: string };
    traceId: string;
    spanId: string;
  };
  attributes: Record<string, unknown>;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer;
}

/** Decoded with protobufjs, ids as hex, attributes as plain values. */
export function decodeRequest(bytes: Uint8Array): ReceivedRecord[] {
  const request = Request.toObject(Request.decode(bytes), { longs: String, defaults: true }) as WireRequest;
  return request.resourceLogs.flatMap((resourceLogs) =>
    resourceLogs.scopeLogs.flatMap((scopeLogs) =>
      scopeLogs.logRecords.map((record) => ({
        resource: plain(resourceLogs.resource.attributes),
        scope: scopeLogs.scope,
        record: {
          ...record,
          traceId: Buffer.from(record.traceId).toString('hex'),
          spanId: Buffer.from(record.spanId).toString('hex'),
        },
        attributes: plain(record.attributes),
      })),
    ),
  );
}

export function partialSuccess(rejectedLogRecords: number, errorMessage: string): Buffer {
  return Buffer.from(Response.encode({ partialSuccess: { rejectedLogRecords, errorMessage } }).finish());
}

/** `answers`: one each in turn, then 200 for ever. */
export async function startHttpReceiver(answers: Answer[] = []) {
  const received: ReceivedRecord[] = [];
  const requests: { path: string; headers: IncomingHttpHeaders; status: number; atMs: number }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = answers.shift() ?? { status: 200 };
      requests.push({ path: request.url!, headers: request.headers, status: answer.status, atMs: performance.now() });
      if (answer.status === 200) received.push(...decodeRequest(Buffer.concat(chunks)));
      response.writeHead(answer.status, { 'Content-Type': 'application/x-protobuf', ...answer.headers });
      response.end(answer.body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** `failures`: passed to the callback one each in turn, then success. */
export async function startGrpcReceiver(failures: Parameters<sendUnaryData<Buffer>>[0][] = []) {
  const received: ReceivedRecord[] = [];
  const calls: { metadata: Record<string, unknown> }[] = [];
  const server = new Server();
  const raw = (bytes: Buffer): Buffer => bytes;
  server.addService(
    {
      Export: {
        path: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
        requestStream: false,
        responseStream: false,
        requestSerialize: raw,
        requestDeserialize: raw,
        responseSerialize: raw,
        responseDeserialize: raw,
      },
    },
    {
      Export: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        calls.push({ metadata: call.metadata.getMap() });
        const failure = failures.shift();
        if (failure) return callback(failure);
        received.push(...decodeRequest(call.request));
        callback(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return {
    endpoint: `127.0.0.1:${port}`,
    received,
    calls,
    [Symbol.asyncDispose]() {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

interface WireRequest {
  resourceLogs: {
    resource: { attributes: WireAttribute[] };
    scopeLogs: {
      scope: { name: string; version: string };
      logRecords: (Omit<ReceivedRecord['record'], 'traceId' | 'spanId'> & {
        traceId: Uint8Array;
        spanId: Uint8Array;
        attributes: WireAttribute[];
      })[];
    }[];
  }[];
}

interface WireAttribute {
  key: string;
  value: WireValue;
}
interface WireValue {
  stringValue?: string;
  intValue?: string;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values: WireValue[] };
}

function plain(attributes: WireAttribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: WireValue): unknown {
  if (value.arrayValue) return value.arrayValue.values.map(plainValue);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue;
}
