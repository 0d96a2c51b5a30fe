/** Receivers on free ports and the ways to talk to them: the official gRPC client, undici, and bare HTTP/2 for what no client sends. */
import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { Client, credentials, Metadata, type ChannelCredentials, type ServiceError } from '@grpc/grpc-js';
import { Agent, request } from 'undici';
import { openGrpcReceiver, type GrpcReceiverOptions } from '../../src/receive/grpc.ts';
import { openHttpReceiver, type HttpReceiverOptions } from '../../src/receive/http.ts';
import type { ObservedRequest, Oddity, Receiver } from '../../src/receive/receiver.ts';
import { recordingTarget } from './recording-target.ts';
import { Status } from './oracle.ts';

export const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';

const MIB = 1_048_576;

function listening() {
  const target = recordingTarget();
  const observed: ObservedRequest[] = [];
  const oddities: Oddity[] = [];
  const faults: unknown[] = [];
  const options = {
    endpoint: '127.0.0.1:0',
    maxRequestBytes: 64 * MIB,
    target,
    observe: (request: ObservedRequest) => void observed.push(request),
    onOddity: (oddity: Oddity) => void oddities.push(oddity),
    onFault: (error: unknown) => void faults.push(error),
  };
  return { target, observed, oddities, faults, options };
}

export type Listening = Receiver & Omit<ReturnType<typeof listening>, 'options'>;

export async function grpcReceiver(more: Partial<GrpcReceiverOptions> = {}): Promise<Listening> {
  const { options, ...seen } = listening();
  return withSeen(await openGrpcReceiver({ ...options, ...more }), seen);
}

export async function httpReceiver(more: Partial<HttpReceiverOptions> = {}): Promise<Listening> {
  const { options, ...seen } = listening();
  return withSeen(await openHttpReceiver({ ...options, ...more }), seen);
}

/** Not by Object.assign: `connections` is a getter. */
function withSeen<T extends object>(receiver: Receiver, seen: T): Receiver & T {
  return Object.defineProperties(seen, Object.getOwnPropertyDescriptors(receiver)) as Receiver & T;
}

export interface GrpcAnswer {
  code: number;
  details: string;
  /** The response's bytes; empty on an error. */
  response: Buffer;
  /** Short type names of the google.rpc.Status details. */
  statusDetails: string[];
  metadata: Metadata;
}

/** A connection of the official client; never rejects. */
export class GrpcSender implements Disposable {
  readonly #client: Client;

  constructor(port: number, options: object = {}, channel: ChannelCredentials = credentials.createInsecure()) {
    this.#client = new Client(`127.0.0.1:${port}`, channel, {
      'grpc.max_send_message_length': -1,
      'grpc.ssl_target_name_override': 'localhost',
      ...options,
    });
  }

  send(message: Buffer, headers: Record<string, string> = {}, path = EXPORT): Promise<GrpcAnswer> {
    const { promise, resolve } = Promise.withResolvers<GrpcAnswer>();
    const same = (bytes: Buffer): Buffer => bytes;
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    this.#client.makeUnaryRequest(path, same, same, message, metadata, (error, response) => {
      const failed: Partial<ServiceError> = error ?? {};
      resolve({
        code: failed.code ?? 0,
        details: failed.details ?? '',
        response: response ?? Buffer.alloc(0),
        statusDetails: detailsOf(failed.metadata),
        metadata: failed.metadata ?? new Metadata(),
      });
    });
    return promise;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function detailsOf(metadata: Metadata | undefined): string[] {
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  if (bytes === undefined) return [];
  const { details = [] } = Status.toObject(Status.decode(bytes as Buffer)) as { details?: { type_url: string }[] };
  return details.map(({ type_url }) => type_url.slice(type_url.lastIndexOf('.') + 1));
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

export class HttpSender implements AsyncDisposable {
  readonly #agent: Agent;
  readonly #base: string;

  constructor(port: number, connect?: { ca?: Buffer; cert?: Buffer; key?: Buffer }) {
    this.#agent = new Agent(connect === undefined ? {} : { connect: { ...connect, servername: 'localhost' } });
    // Not localhost: of a name with two addresses Node gives up the first after 250 ms, and nobody listens on the other.
    this.#base = `${connect === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  }

  async send(
    body: Buffer | string | null,
    headers: Record<string, string> = {},
    { path = '/v1/logs', method = 'POST' } = {},
  ): Promise<HttpAnswer> {
    const {
      statusCode,
      headers: answered,
      body: content,
    } = await request(this.#base + path, {
      method,
      body,
      headers: { 'content-type': PROTOBUF, ...headers },
      dispatcher: this.#agent,
    });
    return { status: statusCode, headers: answered, body: Buffer.from(await content.arrayBuffer()) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
  }
}

/** A gRPC message as it goes over the wire. */
export function frame(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** Calls over bare HTTP/2, with any headers and bytes. */
export class Http2Sender implements Disposable {
  readonly session: ClientHttp2Session;

  constructor(port: number) {
    this.session = connect(`http://127.0.0.1:${port}`);
    this.session.on('error', () => {});
  }

  /** @returns grpc-status, or -1 when the stream ended without one */
  send(bytes: Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const stream = this.session.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let status = -1;
    const look = (answer: { 'grpc-status'?: unknown }): void => {
      if (answer['grpc-status'] !== undefined) status = Number(answer['grpc-status']);
    };
    stream.on('response', look);
    stream.on('trailers', look);
    stream.on('error', () => {});
    stream.on('close', () => resolve(status));
    stream.resume();
    stream.end(bytes);
    return promise;
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}
