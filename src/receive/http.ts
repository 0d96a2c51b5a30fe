/** OTLP/HTTP: POST /v1/logs, protobuf and JSON on one port (opentelemetry-proto docs/specification.md, "OTLP/HTTP"). */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { listen } from '../net/listen.ts';
import { CONTENT_TYPES, encodeResponse, encodeStatus, type Encoding } from './encode-response.ts';
import { exportLogs, type ExportOutcome } from './export.ts';
import type { Receiver, ReceiverOptions } from './receiver.ts';
import { ACCEPTED_ENCODINGS, readBody } from './request-body.ts';
import { ReceiveError, toStatus } from './status.ts';

export const HTTP_ENDPOINT_KEY = 'receivers.otlp.protocols.http.endpoint';
const LOGS_PATH = '/v1/logs';

/** A client that dribbles its headers or body holds a connection no longer than this. */
const HEADERS_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 300_000;
/** Longer than the 5-60 s batches of usual exporters, so that a quiet sender keeps its connection. */
const KEEP_ALIVE_MS = 65_000;
/** A refused body is read on for so long and so far that the client gets to read the answer instead of a reset. */
const DRAIN_MS = 1000;
const DRAIN_BYTES = 8_388_608;
const DEFAULT_GRACE_MS = 5000;
const SWEEP_MS = 20;

/** @throws {ListenError} when the endpoint cannot be listened on */
export async function openHttpReceiver(options: ReceiverOptions): Promise<Receiver> {
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => void answer(request, response, options),
  );
  const { port } = await listen(server, options.endpoint, HTTP_ENDPOINT_KEY);

  let closing: Promise<void> | undefined;
  const close = (graceMs: number): Promise<void> => (closing ??= shutDown(server, graceMs));
  return { port, close, [Symbol.asyncDispose]: () => close(DEFAULT_GRACE_MS) };
}

/** Never rejects: whatever happens becomes the answer. */
async function answer(request: IncomingMessage, response: ServerResponse, options: ReceiverOptions): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  response.on('error', () => gone.abort());
  // Errors before the content type is known are told in JSON: a person with curl can read it.
  const encoding = encodingOf(request);
  let bytes = 0;
  let httpStatus = 200;
  let outcome: ExportOutcome | null = null;
  try {
    checkRequest(request, response, encoding);
    const body = await readBody(request, options.maxRequestBytes);
    bytes = body.length;
    outcome = await exportLogs(body, encoding!, options.target, gone.signal);
    send(response, httpStatus, encodeResponse(outcome, encoding!), encoding!);
  } catch (error) {
    const status = toStatus(error);
    httpStatus = status.httpStatus;
    if (status.retryAfterMs !== null) {
      response.setHeader('Retry-After', String(Math.max(1, Math.ceil(status.retryAfterMs / 1000))));
    }
    if (httpStatus === 415) response.setHeader('Accept-Encoding', ACCEPTED_ENCODINGS);
    const body = encodeStatus(status, encoding ?? 'json');
    // A body that came along with the headers is complete a turn later, and its connection may live on.
    if (!request.complete && !request.destroyed) await nextTurn();
    if (request.complete || request.destroyed) send(response, httpStatus, body, encoding ?? 'json');
    else await sendEarly(request, response, httpStatus, body, encoding ?? 'json');
    if (status.kind === 'internal') options.onFault?.(error);
  }
  const refusedRecords = outcome?.rejectedLogRecords ?? 0;
  options.observe?.({
    transport: 'http',
    code: String(httpStatus),
    acceptedRecords: (outcome?.records ?? 0) - refusedRecords,
    refusedRecords,
    bytes,
  });
}

/** @throws {ReceiveError} when it is not a POST of a known type to our path */
function checkRequest(request: IncomingMessage, response: ServerResponse, encoding: Encoding | null): void {
  const path = request.url?.split('?', 1)[0] ?? '';
  if (path !== LOGS_PATH) {
    throw new ReceiveError('not_found', `there is nothing at ${path}; logs go to POST ${LOGS_PATH}`);
  }
  if (request.method !== 'POST') {
    response.setHeader('Allow', 'POST');
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

async function shutDown(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // `close` ends the connections that are idle now; one that is busy goes idle after its answer and would wait for its keep-alive time.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
}
