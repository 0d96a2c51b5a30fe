/** OTLP/gRPC: `opentelemetry.proto.collector.logs.v1.LogsService/Export`. Other services answer UNIMPLEMENTED by themselves. */
import { once } from 'node:events';
import type { Http2Server } from 'node:http2';
import { createServer as createPlainServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import {
  logVerbosity,
  setLogVerbosity,
  Server,
  ServerCredentials,
  status as Grpc,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { listen } from '../net/listen.ts';
import { trackConnections, type Connections } from './connections.ts';
import { newDecodeSummary } from './decoded.ts';
import { encodeResponse } from './encode-response.ts';
import { exportLogs } from './export.ts';
import { callInterceptor, exportCall, statusObject, unpackMessage } from './grpc-call.ts';
import { addHealthService, type Health } from './health.ts';
import { noteOddities } from './oddities.ts';
import { budgetOf, DEFAULT_MAX_CONNECTIONS, lostRecords, type Receiver, type ReceiverOptions } from './receiver.ts';
import { toStatus } from './status.ts';
import { keepTlsFresh, readTls } from './tls.ts';

export const GRPC_ENDPOINT_KEY = 'receivers.otlp.protocols.grpc.endpoint';
const TLS_KEY = 'receivers.otlp.protocols.grpc.tls';

const DEFAULT_GRACE_MS = 5000;
const DEFAULT_MAX_STREAMS = 100;
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

/**
 * Bytes in, bytes out: a deserializer that throws makes grpc-js answer INTERNAL where the specification wants INVALID_ARGUMENT, so the
 * handler decodes.
 */
const EXPORT_PATH = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
const LOGS_SERVICE: ServiceDefinition = {
  Export: {
    path: EXPORT_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};

function identity(bytes: Buffer): Buffer {
  return bytes;
}

/** @throws {ListenError} when the endpoint cannot be listened on; {TlsError} when the certificate cannot be used */
export async function openGrpcReceiver(options: GrpcReceiverOptions): Promise<Receiver> {
  const { maxRequestBytes, tls = null, onOddity, keepalive = DEFAULT_KEEPALIVE } = options;
  const server = new Server({
    // Of the message as sent; beyond it grpc-js answers RESOURCE_EXHAUSTED before it buffers any of it.
    'grpc.max_receive_message_length': maxRequestBytes,
    'grpc.max_concurrent_streams': options.maxConcurrentStreams ?? DEFAULT_MAX_STREAMS,
    'grpc.keepalive_time_ms': keepalive.timeMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    'grpc.max_connection_age_grace_ms': keepalive.maxConnectionAgeGraceMs,
    ...(keepalive.maxConnectionIdleMs === null ? {} : { 'grpc.max_connection_idle_ms': keepalive.maxConnectionIdleMs }),
    ...(keepalive.maxConnectionAgeMs === null ? {} : { 'grpc.max_connection_age_ms': keepalive.maxConnectionAgeMs }),
    interceptors: [
      callInterceptor({
        path: EXPORT_PATH,
        auth: options.auth ?? null,
        budget: budgetOf(options),
        onUnhandled: (code) =>
          options.observe?.({
            transport: 'grpc',
            code,
            acceptedRecords: 0,
            refusedRecords: 0,
            failedRecords: 0,
            bytes: 0,
          }),
      }),
    ],
  });
  server.addService(LOGS_SERVICE, {
    Export: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
      void answer(call, callback, options);
    },
  });
  const health = addHealthService(server);

  // Sockets of our own, handed to grpc-js: it cannot bound connections, choose a TLS version or change a certificate.
  quieten();
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const http2Server = http2ServerOf(server);
  http2Server.updateSettings({ initialWindowSize: WINDOW_BYTES });
  http2Server.on('session', (session) => session.setLocalWindowSize(WINDOW_BYTES));
  const accept = (socket: Socket): void => {
    socket.on('error', () => {});
    injector.injectConnection(socket);
  };
  const listener =
    tls === null
      ? createPlainServer(accept)
      : createTlsServer({ ...readTls(tls, TLS_KEY), ALPNProtocols: ['h2'] }, accept);
  const limit = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  const connections = trackConnections(listener, limit, () =>
    onOddity?.({ kind: 'connection_limit', transport: 'grpc', limit }),
  );
  const { port } = await listen(listener, options.endpoint, GRPC_ENDPOINT_KEY);
  const freshness =
    tls === null
      ? null
      : keepTlsFresh(listener as ReturnType<typeof createTlsServer>, {
          files: tls,
          configKey: TLS_KEY,
          transport: 'grpc',
          onOddity,
        });

  let closing: Promise<void> | undefined;
  const close = (graceMs: number): Promise<void> => {
    freshness?.[Symbol.dispose]();
    return (closing ??= shutDown({ server, listener, connections, health }, graceMs));
  };
  return {
    port,
    get connections() {
      return connections.size;
    },
    close,
    [Symbol.asyncDispose]: () => close(DEFAULT_GRACE_MS),
  };
}

/** The node:http2 server behind the injector: grpc-js has no option for its windows (docs/decisions/0016-http2-windows.md). */
function http2ServerOf(server: Server): Http2Server {
  const [http2Server] = (server as unknown as { http2Servers: ReadonlyMap<Http2Server, unknown> }).http2Servers.keys();
  return http2Server!;
}

/** grpc-js writes lines of its own to stderr about what we tell in our own words. */
function quieten(): void {
  if (process.env['GRPC_VERBOSITY'] === undefined && process.env['GRPC_NODE_VERBOSITY'] === undefined) {
    setLogVerbosity(logVerbosity.NONE);
  }
}

/** Never rejects: whatever happens becomes the call's status. */
async function answer(
  call: ServerUnaryCall<Buffer, Buffer>,
  callback: sendUnaryData<Buffer>,
  { maxRequestBytes, target, observe, onFault, onOddity }: ReceiverOptions,
): Promise<void> {
  const state = exportCall(call.metadata);
  const gone = new AbortController();
  // grpc-js says it of every call whose stream closes; making an AbortError costs 15 µs, so those already answered are left alone.
  call.on('cancelled', () => state.answered || gone.abort());
  const summary = newDecodeSummary();
  let bytes = 0;
  try {
    const request = await unpackMessage(call.request, state, maxRequestBytes);
    bytes = request.length;
    const outcome = await exportLogs(request, 'protobuf', target, gone.signal, summary);
    state.answered = true;
    callback(null, encodeResponse(outcome, 'protobuf'));
    const refusedRecords = outcome.rejectedLogRecords;
    const acceptedRecords = outcome.records - refusedRecords;
    observe?.({ transport: 'grpc', code: 'OK', acceptedRecords, refusedRecords, failedRecords: 0, bytes });
    if (onOddity !== undefined) noteOddities({ request, encoding: 'protobuf', transport: 'grpc', summary }, onOddity);
  } catch (error) {
    const { kind, grpcCode } = toStatus(error);
    state.answered = true;
    callback(statusObject(error));
    const code = Grpc[grpcCode]!;
    observe?.({ transport: 'grpc', code, acceptedRecords: 0, ...lostRecords(kind, summary.records), bytes });
    if (kind === 'unsupported_encoding') onOddity?.({ kind, transport: 'grpc', encoding: state.encoding });
    if (kind === 'internal') onFault?.(error);
  } finally {
    state.reservation.release();
  }
}

interface Open {
  server: Server;
  listener: NetServer;
  connections: Connections;
  health: Health;
}

async function shutDown({ server, listener, connections, health }: Open, graceMs: number): Promise<void> {
  // First, so that whoever watches sends elsewhere before connections end.
  health.stop();
  // Every connection is told to go, and does once its calls have ended; our listener closes after the last one.
  const closed = once(listener, 'close');
  listener.close();
  server.tryShutdown(() => {});
  const force = setTimeout(() => {
    server.forceShutdown();
    connections.cut();
  }, graceMs);
  await closed;
  clearTimeout(force);
}
