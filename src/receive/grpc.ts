/**
 * OTLP/gRPC. grpc-js has the connections (keepalive, age, shutdown), the health service and every other method; the streams of
 * `LogsService/Export` are answered on node:http2 as they are (docs/decisions/0017-export-on-http2.md).
 */
import { once } from 'node:events';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { createServer as createPlainServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { logVerbosity, setLogVerbosity, Server, ServerCredentials, status as Grpc } from '@grpc/grpc-js';
import type { Connections } from './connections.ts';
import { answerExport } from './grpc-export.ts';
import { addHealthService, HEALTH_SERVICE, type Health } from './health.ts';
import { openReceiver, type ListenerKeys } from './listener.ts';
import { budgetOf, type Receiver, type ReceiverOptions } from './receiver.ts';
import { readTls } from './tls.ts';

const KEYS: ListenerKeys = {
  transport: 'grpc',
  endpoint: 'receivers.otlp.protocols.grpc.endpoint',
  tls: 'receivers.otlp.protocols.grpc.tls',
};
const EXPORT_PATH = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

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

/** @throws {ListenError} when the endpoint cannot be listened on; {TlsError} when the certificate cannot be used */
export async function openGrpcReceiver(options: GrpcReceiverOptions): Promise<Receiver> {
  const { tls = null, keepalive = DEFAULT_KEEPALIVE, maxConcurrentStreams = DEFAULT_MAX_STREAMS } = options;
  quieten();
  const server = new Server({
    'grpc.enable_channelz': 0,
    'grpc.keepalive_time_ms': keepalive.timeMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    'grpc.max_connection_age_grace_ms': keepalive.maxConnectionAgeGraceMs,
    ...(keepalive.maxConnectionAgeMs === null ? {} : { 'grpc.max_connection_age_ms': keepalive.maxConnectionAgeMs }),
  });
  const health = addHealthService(server);

  // Sockets of our own, handed to grpc-js: it cannot bound connections, choose a TLS version or change a certificate.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const http2Server = http2ServerOf(server);
  http2Server.updateSettings({ maxConcurrentStreams, initialWindowSize: WINDOW_BYTES });
  http2Server.on('session', (session) => {
    session.setLocalWindowSize(WINDOW_BYTES);
    if (keepalive.maxConnectionIdleMs !== null) closeWhenIdle(session, keepalive.maxConnectionIdleMs);
  });
  takeExportStreams(http2Server, options);

  const accept = (socket: Socket): void => {
    socket.on('error', () => {});
    injector.injectConnection(socket);
  };
  const listener =
    tls === null
      ? createPlainServer(accept)
      : createTlsServer({ ...readTls(tls, KEYS.tls), ALPNProtocols: ['h2'] }, accept);
  return openReceiver(listener, options, KEYS, (graceMs, connections) =>
    shutDown({ server, listener, connections, health }, graceMs),
  );
}

/** The node:http2 server behind the injector: grpc-js has no option for its windows and its streams. */
function http2ServerOf(server: Server): Http2Server {
  const [http2Server] = (server as unknown as { http2Servers: ReadonlyMap<Http2Server, unknown> }).http2Servers.keys();
  return http2Server!;
}

type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: string[],
) => void;

/** Export is ours; what else is called goes to grpc-js, and is counted by the status that it sends. */
function takeExportStreams(http2Server: Http2Server, options: GrpcReceiverOptions): void {
  const budget = budgetOf(options);
  const [others] = http2Server.listeners('stream') as StreamListener[];
  http2Server.removeAllListeners('stream');
  http2Server.on('stream', (stream, headers, flags, rawHeaders) => {
    const path = headers[':path'] ?? '';
    if (path === EXPORT_PATH && headers['content-type']?.startsWith('application/grpc') === true) {
      void answerExport(stream, headers, options, budget);
      return;
    }
    if (!path.startsWith(`/${HEALTH_SERVICE}/`)) stream.once('close', () => count(sentCode(stream), options));
    others!(stream, headers, flags, rawHeaders);
  });
}

function count(code: string, { observe }: ReceiverOptions): void {
  observe?.({ transport: 'grpc', code, acceptedRecords: 0, refusedRecords: 0, failedRecords: 0, bytes: 0 });
}

/** grpc-status as it went out. A client takes an HTTP error for UNKNOWN; without any answer it has gone. */
function sentCode({ sentTrailers, sentHeaders }: ServerHttp2Stream): string {
  const headers = sentHeaders as typeof sentHeaders | undefined;
  const code = sentTrailers?.['grpc-status'] ?? headers?.['grpc-status'];
  if (code === undefined) return headers === undefined ? 'CANCELLED' : 'UNKNOWN';
  return Grpc[Number(code)] ?? 'UNKNOWN';
}

/** grpc-js does it for the streams that it answers, which Export's are not. */
function closeWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  let open = 0;
  const timer = setTimeout(() => {
    if (open === 0) session.close();
  }, idleMs);
  timer.unref();
  session.once('close', () => clearTimeout(timer));
  session.on('stream', (stream) => {
    open++;
    stream.once('close', () => {
      if (--open === 0) timer.refresh();
    });
  });
}

/** grpc-js writes lines of its own to stderr about what we tell in our own words. */
function quieten(): void {
  if (process.env['GRPC_VERBOSITY'] === undefined && process.env['GRPC_NODE_VERBOSITY'] === undefined) {
    setLogVerbosity(logVerbosity.NONE);
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
