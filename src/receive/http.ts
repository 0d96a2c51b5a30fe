/** OTLP/HTTP: POST /v1/logs, protobuf and JSON on one port (opentelemetry-proto docs/specification.md, "OTLP/HTTP"). */
import { once } from 'node:events';
import {
  createServer as createPlainServer,
  maxHeaderSize,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Connections } from './connections.ts';
import { isClosing, sendByHand, takeNoMore } from './http-answer.ts';
import { openExport } from './http-export.ts';
import { openReceiver, type ListenerKeys } from './listener.ts';
import { budgetOf, type Receiver, type ReceiverOptions } from './receiver.ts';
import { ReceiveError, toStatus } from './status.ts';
import { readTls } from './tls.ts';

const KEYS: ListenerKeys = {
  transport: 'http',
  endpoint: 'receivers.otlp.protocols.http.endpoint',
  tls: 'receivers.otlp.protocols.http.tls',
};

/** A client that dribbles its headers or body holds a connection no longer than this. */
const DEFAULT_TIMEOUTS: HttpTimeouts = {
  readHeaderMs: 60_000,
  readMs: 300_000,
  // Longer than the 5-60 s batches of usual exporters, so that a quiet sender keeps its connection.
  idleMs: 65_000,
};
const SWEEP_MS = 20;
/** A client may read why its connection ends for so long. */
const LINGER_MS = 1000;

export interface HttpTimeouts {
  readHeaderMs: number;
  /** Of a whole request. */
  readMs: number;
  idleMs: number;
}

export interface HttpReceiverOptions extends ReceiverOptions {
  timeouts?: HttpTimeouts;
}

/** @throws {ListenError} when the endpoint cannot be listened on; {TlsError} when the certificate cannot be used */
export async function openHttpReceiver(options: HttpReceiverOptions): Promise<Receiver> {
  const { tls = null, timeouts = DEFAULT_TIMEOUTS } = options;
  const budget = budgetOf(options);
  const serverOptions = {
    headersTimeout: timeouts.readHeaderMs,
    requestTimeout: timeouts.readMs,
    keepAliveTimeout: timeouts.idleMs,
    // Both timeouts are looked at this often.
    connectionsCheckingInterval: Math.min(30_000, Math.max(50, timeouts.readHeaderMs / 2)),
    // Node's own answer has no Status.
    requireHostHeader: false,
    noDelay: true,
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    // Pipelined behind one that was told `Connection: close`: its client sends it again elsewhere (RFC 9112, section 9.6).
    if (isClosing(socket)) return;
    busy.set(socket, response);
    // Not the one that came behind it, pipelined.
    response.on('close', () => busy.get(socket) === response && busy.delete(socket));
    openExport(request, response, options, budget);
  };
  const server =
    tls === null
      ? createPlainServer(serverOptions, onRequest)
      : createTlsServer({ ...readTls(tls, KEYS.tls), ...serverOptions }, onRequest);
  // A client may close its side behind a request and wait for the answer; one that has gone altogether resets what it is sent. Over TLS both sides end at
  // once: kept half open, one that leaves during its handshake, as a TCP probe does, would hold its connection to the end of its time (11 s, measured).
  Object.assign(server, { httpAllowHalfOpen: true });
  // Whether its body is wanted is said when its headers have been looked at; of another expectation nothing need be done.
  server.on('checkContinue', onRequest).on('checkExpectation', onRequest);
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => {}); // Node leaves the socket to us
    refuseInTurn(socket, new ReceiveError('method_not_allowed', 'CONNECT is not allowed; use POST'), options);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET') socket.destroy();
    // Else it is more of what was refused.
    else if (!isClosing(socket)) refuseInTurn(socket, unreadable(error), options);
  });
  return openReceiver(server, options, KEYS, (graceMs, connections) => shutDown(server, graceMs, connections));
}

/** Connections whose newest request is being answered, and will be counted by that. */
const busy = new WeakMap<Duplex, ServerResponse>();

function unreadable({ code }: NodeJS.ErrnoException): ReceiveError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new ReceiveError('too_slow', 'the request was not complete in time');
  if (code === 'HPE_HEADER_OVERFLOW')
    return new ReceiveError('headers_too_large', `the headers are larger than ${maxHeaderSize} bytes`);
  if (code === 'HPE_INVALID_EOF_STATE')
    return new ReceiveError('malformed', 'the connection ended in the middle of a request');
  return new ReceiveError('malformed', 'this is not HTTP/1.1');
}

/** What is no HTTP or none of ours, or did not come in time. Behind a whole request it waits for the answer to that one. */
function refuseInTurn(socket: Duplex, error: ReceiveError, options: ReceiverOptions): void {
  takeNoMore(socket);
  const due = busy.get(socket);
  if (due?.req.complete) due.on('close', () => socket.writable && refuseUnrequested(socket, error, options));
  else if (socket.writable) refuseUnrequested(socket, error, options);
  else socket.destroy();
}

/** Node has no response for it, so the answer is written by hand. */
function refuseUnrequested(socket: Duplex, error: ReceiveError, { observe }: ReceiverOptions): void {
  const status = toStatus(error);
  sendByHand(socket, status);
  // Node looks after it no more, and a client that does not close its side would hold it, and its bytes, for ever.
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.on('close', () => clearTimeout(cut));
  if (busy.has(socket)) return;
  const code = String(status.httpStatus);
  observe?.({ transport: 'http', code, acceptedRecords: 0, refusedRecords: 0, failedRecords: 0, bytes: 0 });
}

async function shutDown(server: Server, graceMs: number, connections: Connections): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // `close` ends the connections that are idle now; one that is busy goes idle after its answer and would wait for its keep-alive time.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const force = setTimeout(() => connections.cut(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
}
