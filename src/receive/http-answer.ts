/** Answers over HTTP/1.1: the response, a Status, and what becomes of a body that is still coming. */
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CONTENT_TYPES, encodeStatus, type Encoding } from './encode-response.ts';
import type { Status } from './status.ts';
import { ACCEPTED_ENCODINGS } from './unpack.ts';

/** A refused body is read on for so long and so far that the client gets to read the answer instead of a reset. */
const DRAIN_MS = 1000;
const DRAIN_BYTES = 8_388_608;

/** What all answers share; `more` headers are names and values in turn. */
interface Answer {
  httpStatus: number;
  encoding: Encoding;
  body: Buffer;
  more?: readonly string[];
}

export function send(response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return;
  writeHead(response, answer);
  // A string goes out in one piece with the headers; Latin-1 has one character a byte, so any bytes can be one.
  response.end(answer.body.toString('latin1'), 'latin1');
}

function writeHead(response: ServerResponse, { httpStatus, encoding, body, more = [] }: Answer): void {
  const type = ['Content-Type', CONTENT_TYPES[encoding], 'Content-Length', String(body.length)];
  response.writeHead(httpStatus, [...type, ...more]);
}

export interface StatusOptions {
  /** Null: not known, and so told in JSON, which a person with curl can read. */
  encoding: Encoding | null;
  /** What `WWW-Authenticate` says. */
  challenge: string | undefined;
}

/** Resolves when the client had its chance to read it. */
export async function sendStatus(
  request: IncomingMessage,
  response: ServerResponse,
  status: Status,
  { encoding, challenge }: StatusOptions,
): Promise<void> {
  const known = encoding ?? 'json';
  const body = encodeStatus(status, known);
  const answer = { httpStatus: status.httpStatus, encoding: known, body, more: headersOf(status, challenge) };
  // A body that came along with the headers is complete a turn later, and its connection may live on.
  if (!request.complete && !request.destroyed) await nextTurn();
  if (request.complete || request.destroyed) send(response, answer);
  else await sendEarly(request, response, answer);
}

/** In JSON, on a connection that is not used any further. */
export function sendByHand(socket: Duplex, status: Status): void {
  const body = encodeStatus(status, 'json');
  const type = ['Content-Type', CONTENT_TYPES.json, 'Content-Length', String(body.length), 'Connection', 'close'];
  const headers = [...type, ...headersOf(status, undefined)].map((part, i) =>
    i % 2 === 0 ? `${part}: ` : `${part}\r\n`,
  );
  const { httpStatus } = status;
  socket.end(`HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus]}\r\n${headers.join('')}\r\n${body.toString()}`);
}

function headersOf({ kind, retryAfterMs }: Status, challenge: string | undefined): string[] {
  const headers: string[] = [];
  if (retryAfterMs !== null) headers.push('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  if (kind === 'method_not_allowed') headers.push('Allow', 'POST');
  if (kind === 'unsupported_encoding') headers.push('Accept-Encoding', ACCEPTED_ENCODINGS);
  if (kind === 'unauthenticated') headers.push('WWW-Authenticate', challenge!);
  return headers;
}

/** What follows of a request that is answered is read over, or its connection would never come to the next one. */
export function readOver(request: IncomingMessage): void {
  let left = DRAIN_BYTES;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.resume();
}

const closing = new WeakSet<Duplex>();

/** Its client is told that it closes: what still comes on it is not taken. */
export function takeNoMore(socket: Duplex): void {
  closing.add(socket);
}

export function isClosing(socket: Duplex): boolean {
  return closing.has(socket);
}

/**
 * An answer to a body that is still coming. Closing on a client that still writes resets the connection and takes the answer with it: write
 * the answer, read on a little, then close.
 */
async function sendEarly(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  takeNoMore(request.socket);
  writeHead(response, { ...answer, more: [...answer.more!, 'Connection', 'close'] });
  response.write(answer.body);
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
