/** OTLP/HTTP: POST /v1/logs, protobuf and JSON on one port (opentelemetry-proto docs/specification.md, "OTLP/HTTP"). */
import { once } from 'node:events';
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Budget } from './budget.ts';
import type { Connections } from './connections.ts';
import { newDecodeSummary } from './decoded.ts';
import { CONTENT_TYPES, encodeResponse, encodeStatus, type Encoding } from './encode-response.ts';
import { exportLogs } from './export.ts';
import { openReceiver, type ListenerKeys } from './listener.ts';
import { noteOddities } from './oddities.ts';
import { budgetOf, lostRecords, type ObservedRequest, type Receiver, type ReceiverOptions } from './receiver.ts';
import { readBody } from './request-body.ts';
import { giveBack } from './scratch.ts';
import { ReceiveError, toStatus, type Status } from './status.ts';
import { readTls } from './tls.ts';
import { ACCEPTED_ENCODINGS } from './unpack.ts';

const KEYS: ListenerKeys = {
  transport: 'http',
  endpoint: 'receivers.otlp.protocols.http.endpoint',
  tls: 'receivers.otlp.protocols.http.tls',
};
const LOGS_PATH = '/v1/logs';

/** A client that dribbles its headers or body holds a connection no longer than this. */
const DEFAULT_TIMEOUTS: HttpTimeouts = {
  readHeaderMs: 60_000,
  readMs: 300_000,
  // Longer than the 5-60 s batches of usual exporters, so that a quiet sender keeps its connection.
  idleMs: 65_000,
};
/** A refused body is read on for so long and so far that the client gets to read the answer instead of a reset. */
const DRAIN_MS = 1000;
const DRAIN_BYTES = 8_388_608;
const SWEEP_MS = 20;

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
    noDelay: true,
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    // What fails after the answer is no business of the client.
    answer(request, response, options, budget).catch((error: unknown) => options.onFault?.(error));
  };
  const server =
    tls === null
      ? createPlainServer(serverOptions, onRequest)
      : createTlsServer({ ...readTls(tls, KEYS.tls), ...serverOptions }, onRequest);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => answerUnreadable(error, socket, options));
  return openReceiver(server, options, KEYS, (graceMs, connections) => shutDown(server, graceMs, connections));
}

/** Connections whose request is being answered, and will be counted by that. */
const busy = new WeakSet<Duplex>();

/** Whatever happens becomes the answer. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ReceiverOptions,
  budget: Budget,
): Promise<void> {
  busy.add(request.socket);
  const gone = new AbortController();
  response.on('close', () => {
    busy.delete(request.socket);
    if (!response.writableFinished) gone.abort();
  });
  response.on('error', () => gone.abort());
  // Errors before the content type is known are told in JSON: a person with curl can read it.
  const encoding = encodingOf(request);
  const { target, auth, maxRequestBytes, onOddity } = options;
  const summary = newDecodeSummary();
  const observed: ObservedRequest = {
    transport: 'http',
    code: '200',
    acceptedRecords: 0,
    refusedRecords: 0,
    failedRecords: 0,
    bytes: 0,
  };
  let release = (): void => {};
  let body: Uint8Array | null = null;
  try {
    auth?.check(request.headers.authorization);
    checkRequest(request, encoding);
    const reservation = budget.open();
    release = () => reservation.release();
    body = await readBody(request, maxRequestBytes, reservation);
    observed.bytes = body.length;
    const outcome = await exportLogs(body, encoding!, target, gone.signal, summary);
    send(response, 200, encodeResponse(outcome, encoding!), encoding!);
    if (!request.complete) drainRest(request);
    observed.refusedRecords = outcome.rejectedLogRecords;
    observed.acceptedRecords = outcome.records - outcome.rejectedLogRecords;
  } catch (error) {
    // Its bytes are garbage by now; the drain below keeps none.
    release();
    const status = toStatus(error);
    observed.code = String(status.httpStatus);
    Object.assign(observed, lostRecords(status.kind, summary.records));
    setHeaders(response, status, auth?.challenge);
    const told = encodeStatus(status, encoding ?? 'json');
    // A body that came along with the headers is complete a turn later, and its connection may live on.
    if (!request.complete && !request.destroyed) await nextTurn();
    if (request.complete || request.destroyed) send(response, status.httpStatus, told, encoding ?? 'json');
    else await sendEarly(request, response, status.httpStatus, told, encoding ?? 'json');
    if (status.kind === 'internal') options.onFault?.(error);
    if (status.kind === 'unsupported_encoding') {
      const given = request.headers['content-encoding'] ?? '';
      onOddity?.({ kind: 'unsupported_encoding', transport: 'http', encoding: given });
    }
  }
  release();
  options.observe?.(observed);
  if (body === null) return;
  if (observed.code === '200' && onOddity !== undefined) {
    noteOddities({ request: body, encoding: encoding!, transport: 'http', summary }, onOddity);
  }
  giveBack(body);
}

function setHeaders(response: ServerResponse, { kind, retryAfterMs }: Status, challenge: string | undefined): void {
  if (response.headersSent) return;
  if (retryAfterMs !== null) {
    response.setHeader('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  }
  if (kind === 'method_not_allowed') response.setHeader('Allow', 'POST');
  if (kind === 'unsupported_encoding') response.setHeader('Accept-Encoding', ACCEPTED_ENCODINGS);
  if (kind === 'unauthenticated') response.setHeader('WWW-Authenticate', challenge!);
}

/** @throws {ReceiveError} when it is not a POST of a known type to our path */
function checkRequest(request: IncomingMessage, encoding: Encoding | null): void {
  const path = request.url?.split('?', 1)[0] ?? '';
  if (path !== LOGS_PATH) {
    throw new ReceiveError('not_found', `there is nothing at ${path}; logs go to POST ${LOGS_PATH}`);
  }
  if (request.method !== 'POST') {
    throw new ReceiveError('method_not_allowed', `${request.method} is not allowed on ${LOGS_PATH}; use POST`);
  }
  if (encoding === null) {
    const given = request.headers['content-type'] ?? 'missing';
    throw new ReceiveError(
      'unsupported_media_type',
      `Content-Type ${given} is not supported; use ${CONTENT_TYPES.protobuf} or ${CONTENT_TYPES.json}`,
    );
  }
}

/** By the media type alone: parameters such as `charset=utf-8` change nothing. */
function encodingOf(request: IncomingMessage): Encoding | null {
  const mediaType = request.headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase();
  if (mediaType === CONTENT_TYPES.protobuf) return 'protobuf';
  return mediaType === CONTENT_TYPES.json ? 'json' : null;
}

function send(response: ServerResponse, httpStatus: number, body: Buffer, encoding: Encoding): void {
  if (response.destroyed) return;
  response.statusCode = httpStatus;
  response.setHeader('Content-Type', CONTENT_TYPES[encoding]);
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

/** A compressed body may end before the request does. What follows is read over, or its connection would never come to the next request. */
function drainRest(request: IncomingMessage): void {
  let left = DRAIN_BYTES;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.resume();
}

/**
 * An answer to a body that is still coming. Closing on a client that still writes resets the connection and takes the answer with it: write
 * the answer, read on a little, then close.
 */
async function sendEarly(
  request: IncomingMessage,
  response: ServerResponse,
  httpStatus: number,
  body: Buffer,
  encoding: Encoding,
): Promise<void> {
  response.writeHead(httpStatus, {
    'Content-Type': CONTENT_TYPES[encoding],
    'Content-Length': body.length,
    Connection: 'close',
  });
  response.write(body);
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = DRAIN_BYTES;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) resolve();
  });
  request.on('end', resolve);
  request.on('close', resolve);
  const timer = setTimeout(resolve, DRAIN_MS);
  request.resume();
  await promise;
  clearTimeout(timer);
  response.end();
}

/** What is no HTTP, or did not come in time: Node has no request for it, so the answer is written by hand. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex, { observe }: ReceiverOptions): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = toStatus(
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new ReceiveError('too_slow', 'the request was not complete in time')
      : new ReceiveError('malformed', 'this is not HTTP/1.1'),
  );
  const body = encodeStatus(status, 'json');
  socket.end(
    `HTTP/1.1 ${status.httpStatus} Refused\r\nContent-Type: ${CONTENT_TYPES.json}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.toString()}`,
  );
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
