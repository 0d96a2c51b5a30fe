/** OTLP/gRPC: `LogsService/Export` and the health service, on an HTTP/2 of our own (docs/decisions/0041-own-http2.md). */
import { once } from 'node:events';
import { createServer as createPlainServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Connections } from './connections.ts';
import { openExport, type CallHeaders } from './grpc-export.ts';
import { READ_TIMEOUT_MS, sendStatus } from './grpc-message.ts';
import { createHealth, HEALTH_SERVICE, type Health } from './health.ts';
import { Http2Connection, type ConnectionOptions } from './http2/connection.ts';
import { encodeHeaders, type HeaderField } from './http2/hpack.ts';
import { IGNORING } from './http2/stream.ts';
import { openReceiver, type ListenerKeys } from './listener.ts';
import { budgetOf, type Receiver, type ReceiverOptions } from './receiver.ts';
import { ReceiveError, toStatus } from './status.ts';
import { readTls } from './tls.ts';

const KEYS: ListenerKeys = {
  transport: 'grpc',
  endpoint: 'receivers.otlp.protocols.grpc.endpoint',
  tls: 'receivers.otlp.protocols.grpc.tls',
};
const EXPORT_PATH = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

const HEALTH_PATH = `/${HEALTH_SERVICE}/`;
/** With a format of the messages or without; gRPC-Web is another protocol. */
const GRPC_TYPE = /^application\/grpc(?:$|[+; ])/i;
const NO_GRPC = encodeHeaders({ ':status': 415 });
const NO_POST = encodeHeaders({ ':status': 405, allow: 'POST' });

/** What a call keeps of its headers; nobody's encoding has a name as long. */
const MAX_ENCODING_CHARS = 40;
const TOO_LONG = 'of a name too long';

const DEFAULT_MAX_STREAMS = 100;
/** Connections are looked at so often for what depends on time. */
const MIN_TICK_MS = 10;
const MAX_TICK_MS = 1000;
/**
 * HTTP/2 flow control, of a stream and of the connection. HTTP/2's own 64 KiB let one connection carry 6 MiB a second at 10 ms round trip,
 * and each 32 KiB cost an update (docs/decisions/0016-http2-windows.md).
 */
const WINDOW_BYTES = 4_194_304;
/** Half-open connections (a sender's node died) are noticed after a minute and a half. */
const DEFAULT_KEEPALIVE: Keepalive = {
  timeMs: 60_000,
  timeoutMs: 20_000,
  maxConnectionIdleMs: null,
  maxConnectionAgeMs: null,
  maxConnectionAgeGraceMs: 30_000,
};

/** `keepalive.server_parameters`; null = no limit. */
export interface Keepalive {
  /** A connection without traffic is pinged after this time, and closed when no answer comes within `timeoutMs`. */
  timeMs: number;
  timeoutMs: number;
  maxConnectionIdleMs: number | null;
  /** Older connections are told to go elsewhere (±10 %), so that load balancers get to spread them anew. */
  maxConnectionAgeMs: number | null;
  maxConnectionAgeGraceMs: number;
}

export interface GrpcReceiverOptions extends ReceiverOptions {
  /** Calls at once on one connection. */
  maxConcurrentStreams?: number;
  keepalive?: Keepalive;
}

/** @throws {ListenError} when the endpoint cannot be listened on; {TlsError} when the certificate cannot be used */
export async function openGrpcReceiver(options: GrpcReceiverOptions): Promise<Receiver> {
  const { tls = null, keepalive = DEFAULT_KEEPALIVE, maxConcurrentStreams = DEFAULT_MAX_STREAMS } = options;
  const health = createHealth();
  const connectionOptions: ConnectionOptions = {
    maxConcurrentStreams,
    windowBytes: WINDOW_BYTES,
    readMs: READ_TIMEOUT_MS,
    pingMs: keepalive.timeMs,
    pingTimeoutMs: keepalive.timeoutMs,
    idleMs: keepalive.maxConnectionIdleMs,
    ageMs: keepalive.maxConnectionAgeMs,
    ageGraceMs: keepalive.maxConnectionAgeGraceMs,
    onStream: callOpener(options, health),
    onFault: (error) => options.onFault?.(error),
  };
  const open = new Set<Http2Connection>();
  const accept = (socket: Socket): void => {
    socket.setNoDelay(true);
    const connection = new Http2Connection(socket, connectionOptions);
    // Its TLS handshake took longer than we listened.
    if (!listener.listening) connection.close(keepalive.maxConnectionAgeGraceMs);
    open.add(connection);
    socket.once('close', () => open.delete(connection));
  };
  const listener =
    tls === null
      ? createPlainServer(accept)
      : createTlsServer({ ...readTls(tls, KEYS.tls), ALPNProtocols: ['h2'] }, accept);
  const ticking = setInterval(() => {
    const nowMs = performance.now();
    for (const connection of open) connection.tick(nowMs);
  }, tickOf(keepalive));
  listener.once('close', () => clearInterval(ticking));
  try {
    return await openReceiver(listener, options, KEYS, (graceMs, connections) =>
      shutDown({ listener, open, connections, health }, graceMs),
    );
  } catch (error) {
    clearInterval(ticking);
    throw error;
  }
}

/** Often enough for the shortest of the times. */
function tickOf({ timeMs, timeoutMs, maxConnectionIdleMs, maxConnectionAgeMs }: Keepalive): number {
  const shortestMs = Math.min(timeMs, timeoutMs, maxConnectionIdleMs ?? Infinity, maxConnectionAgeMs ?? Infinity);
  return Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, shortestMs / 4));
}

function callOpener(options: ReceiverOptions, health: Health): ConnectionOptions['onStream'] {
  const budget = budgetOf(options);
  const { observe } = options;
  const count = (code: string): void =>
    observe?.({ transport: 'grpc', code, acceptedRecords: 0, refusedRecords: 0, failedRecords: 0, bytes: 0 });
  return (stream, fields) => {
    const headers = headersOf(fields);
    if (headers.method !== 'POST' || !GRPC_TYPE.test(headers.contentType)) {
      // gRPC's protocol has it so; its clients take an HTTP error for UNKNOWN.
      stream.end(headers.method === 'POST' ? NO_GRPC : NO_POST);
      count('UNKNOWN');
      return IGNORING;
    }
    if (headers.path === EXPORT_PATH) return openExport(stream, headers, options, budget);
    if (headers.path.startsWith(HEALTH_PATH)) {
      const listener = health.open(stream, headers.path.slice(HEALTH_PATH.length));
      if (listener !== null) return listener;
    }
    sendStatus(stream, toStatus(new ReceiveError('not_found', `there is no method ${headers.path}`)));
    count('UNIMPLEMENTED');
    return IGNORING;
  };
}

function headersOf(headers: readonly HeaderField[]): CallHeaders {
  const read: CallHeaders = { method: '', path: '', contentType: '', encoding: '', authorization: undefined };
  for (const { name, value } of headers) {
    switch (name) {
      case ':method':
        read.method = value;
        break;
      case ':path':
        read.path = value;
        break;
      case 'content-type':
        read.contentType = value;
        break;
      case 'grpc-encoding':
        read.encoding = value.length > MAX_ENCODING_CHARS ? TOO_LONG : value.trim().toLowerCase();
        break;
      case 'authorization':
        read.authorization = value;
    }
  }
  return read;
}

interface Open {
  listener: NetServer;
  open: ReadonlySet<Http2Connection>;
  connections: Connections;
  health: Health;
}

async function shutDown({ listener, open, connections, health }: Open, graceMs: number): Promise<void> {
  // First, so that whoever watches sends elsewhere before connections end.
  health.stop();
  // Every connection is told to go, and does once its calls have ended; our listener closes after the last one.
  const closed = once(listener, 'close');
  listener.close();
  for (const connection of open) connection.close(graceMs);
  const force = setTimeout(() => connections.cut(), graceMs);
  await closed;
  clearTimeout(force);
}
