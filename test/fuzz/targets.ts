/** What the fuzzer throws its inputs at, and which answers it takes. */
import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import { encodeStatus, type Encoding } from '../../src/receive/encode-response.ts';
import { exportLogs } from '../../src/receive/export.ts';
import { toStatus } from '../../src/receive/status.ts';
import type { ExportTarget } from '../../src/receive/record.ts';
import {
  frame,
  grpcReceiver,
  Http2Sender,
  httpReceiver,
  HttpSender,
  JSON_TYPE,
  type Listening,
} from '../receive/senders.ts';
import { protobufSeeds } from './corpus.ts';

/** `export-…` skip the transports and end in the same `Export`: ten times as many inputs in the same time. */
export const KINDS = [
  'export-json',
  'export-protobuf',
  'protobuf',
  'json',
  'compressed',
  'grpc',
  'grpc-frame',
  'http1',
  'http2',
] as const;
export type Kind = (typeof KINDS)[number];

const MAX_BODY_BYTES = 1_572_864;
const HTTP_ALLOWED = new Set([200, 400, 413, 415]);
const GRPC_ALLOWED = new Set<number>([
  status.OK,
  status.INVALID_ARGUMENT,
  status.RESOURCE_EXHAUSTED,
  status.UNIMPLEMENTED,
]);
/** Bytes that are no HTTP/2 or no message any more: the stream or the connection just ends. */
const FRAME_ALLOWED = new Set<number>([...GRPC_ALLOWED, status.CANCELLED, -1]);
const SETTLE_MS = 20;

const wantedAttributes = new Set(['service.name', 'n', 'k', 'list']);
const wantedBodyFields = new Set(['msg', 'MESSAGE', 'unit']);

/** Takes everything in and keeps nothing. */
const bottomless: ExportTarget = {
  begin: () => ({
    sink: { wantedAttributes, wantedBodyFields, resource: () => {}, scope: () => {}, record: () => {} },
    commit: () => Promise.resolve({ rejectedLogRecords: 0, errorMessage: '' }),
  }),
};

/** What one input is thrown at. */
export interface Targets {
  grpc: Listening;
  http: Listening;
  poster: HttpSender;
  caller: () => Http2Sender;
}

/** @returns what was answered; throws on an answer that is not allowed */
export async function deliver(kind: Kind, bytes: Buffer, pick: number, targets: Targets): Promise<string> {
  const { poster, caller, grpc, http } = targets;
  const post = async (headers: Record<string, string>): Promise<string> => {
    const { status, body } = await poster.send(bytes, headers);
    if (!HTTP_ALLOWED.has(status)) throw new Error(`HTTP ${status}`);
    return `${status} ${body.toString('latin1').replace(/\d+/g, '#').slice(0, 200)}`;
  };
  const call = async (message: Buffer, headers: Record<string, string>, allowed: Set<number>): Promise<string> => {
    const code = await caller().send(message, headers);
    if (!allowed.has(code)) throw new Error(`gRPC ${code}`);
    return `${code}`;
  };
  const encoding = ['gzip', 'deflate', 'zstd'][pick % 3]!;
  switch (kind) {
    case 'export-json':
      return exportDirectly(bytes, 'json');
    case 'export-protobuf':
      return exportDirectly(bytes, 'protobuf');
    case 'protobuf':
      return post({});
    case 'json':
      return post({ 'content-type': JSON_TYPE });
    case 'compressed':
      if (pick % 2 === 0) return post({ 'content-encoding': encoding });
      return call(frame(bytes, 1), { 'grpc-encoding': encoding }, GRPC_ALLOWED);
    case 'grpc':
      return call(frame(bytes), {}, GRPC_ALLOWED);
    case 'grpc-frame':
      return call(bytes, { 'grpc-encoding': encoding }, FRAME_ALLOWED);
    case 'http1':
      return throwAt(http.port, bytes);
    case 'http2':
      return throwAt(grpc.port, bytes);
  }
}

const NEVER = new AbortController().signal;

async function exportDirectly(bytes: Buffer, encoding: Encoding): Promise<string> {
  try {
    const { records } = await exportLogs(bytes, encoding, bottomless, NEVER);
    return `200 ${Math.min(records, 3)}`;
  } catch (error) {
    const status = toStatus(error);
    if (status.kind === 'internal' || !HTTP_ALLOWED.has(status.httpStatus)) throw error;
    return `${status.httpStatus} ${encodeStatus(status, encoding).toString('latin1').replace(/\d+/g, '#').slice(0, 200)}`;
  }
}

/** Writes bytes on a connection of their own; the start of what comes back says how they were taken. */
async function throwAt(port: number, bytes: Buffer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  const settle = setTimeout(resolve, SETTLE_MS);
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => {});
  socket.on('close', resolve);
  socket.write(bytes);
  await promise;
  clearTimeout(settle);
  socket.destroy();
  const [, code] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
  if (code !== undefined && Number(code) >= 500) throw new Error(`HTTP ${code}`);
  return `${code ?? 'closed'} ${answer.replace(/\d+/g, '#').slice(0, 40)}`;
}

export async function openTargets(): Promise<Targets & AsyncDisposable> {
  const grpc = await grpcReceiver({ target: bottomless, maxRequestBytes: MAX_BODY_BYTES });
  const http = await httpReceiver({ target: bottomless, maxRequestBytes: MAX_BODY_BYTES });
  const poster = new HttpSender(http.port);
  let current = new Http2Sender(grpc.port);
  return {
    grpc,
    http,
    poster,
    caller: () =>
      current.session.closed || current.session.destroyed ? (current = new Http2Sender(grpc.port)) : current,
    async [Symbol.asyncDispose]() {
      current[Symbol.dispose]();
      await poster[Symbol.asyncDispose]();
      await grpc.close(0);
      await http.close(0);
    },
  };
}

/** Throws one input at fresh receivers. @throws when the answer is not allowed, or they do not live on */
export async function replayInput(kind: Kind, bytes: Buffer): Promise<void> {
  await using targets = await openTargets();
  for (let pick = 0; pick < 6; pick++) await deliver(kind, bytes, pick, targets);
  await deliver('protobuf', protobufSeeds[0]!, 0, targets);
  await deliver('grpc', protobufSeeds[0]!, 0, targets);
  const [fault] = [...targets.grpc.faults, ...targets.http.faults];
  if (fault !== undefined) throw fault as Error;
}
