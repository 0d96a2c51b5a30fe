/**
 * gRPC on an HTTP/2 stream, for a unary method (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): reading the one message,
 * writing the one message and the status.
 *
 *     message: 1 byte compressed? │ 4 bytes length, big endian │ bytes
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { status as Grpc } from '@grpc/grpc-js';
import type { Reservation } from './budget.ts';
import { encodeStatus } from './encode-response.ts';
import { Chunks, join } from './scratch.ts';
import { ReceiveError, type Status } from './status.ts';
import { ACCEPTED_ENCODINGS, tooLarge } from './unpack.ts';

const PREFIX_BYTES = 5;
/** A client that dribbles its message holds a stream no longer than this. */
const READ_TIMEOUT_MS = 300_000;

export interface GrpcMessage {
  /** To be given back to the scratch memory. */
  bytes: Uint8Array;
  /** By the encoding that the call's headers name. */
  compressed: boolean;
}

/**
 * Reads up to the end of the client's side of the stream. What arrives is counted as it arrives, and nothing is kept of a message that is
 * refused.
 * @throws {ReceiveError} `too_large`, `overloaded`, `too_slow`, `cancelled`, `not_one_message`
 */
export function readMessage(
  stream: ServerHttp2Stream,
  maxBytes: number,
  reservation: Reservation,
): Promise<GrpcMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<GrpcMessage>();
  let chunks = new Chunks();
  let received = 0;
  let length = -1;
  let whole = false;
  const refuse = (error: unknown): void => {
    stream.off('data', take);
    chunks = new Chunks();
    reject(error as Error);
  };
  const take = (chunk: Buffer): void => {
    try {
      reservation.take(chunk.length);
      chunks.add(chunk);
      received += chunk.length;
      if (length < 0 && received >= PREFIX_BYTES) length = headOf(chunks.list).readUInt32BE(1);
      if (length > maxBytes) throw tooLarge(maxBytes);
      if (length >= 0 && received > PREFIX_BYTES + length) throw notOneMessage('more than one');
    } catch (error) {
      refuse(error);
    }
  };
  const overdue = setTimeout(() => {
    refuse(new ReceiveError('too_slow', `the message was not complete after ${READ_TIMEOUT_MS / 1000} seconds`));
  }, READ_TIMEOUT_MS);
  overdue.unref();
  stream.on('data', take);
  stream.once('end', () => {
    clearTimeout(overdue);
    if (length < 0 || received < PREFIX_BYTES + length) return refuse(notOneMessage('no whole'));
    const framed = join(chunks.list, received);
    chunks = new Chunks();
    whole = true;
    resolve({ bytes: framed.subarray(PREFIX_BYTES), compressed: framed[0] !== 0 });
  });
  stream.once('close', () => {
    clearTimeout(overdue);
    if (!whole) refuse(new ReceiveError('cancelled', 'the client left before its message was complete'));
  });
  return promise;
}

/** The first bytes, in practice all in the first chunk. */
function headOf(chunks: readonly Buffer[]): Buffer {
  return chunks[0]!.length >= PREFIX_BYTES ? chunks[0]! : Buffer.concat(chunks);
}

function notOneMessage(what: string): ReceiveError {
  return new ReceiveError('not_one_message', `Export takes exactly one message; ${what} came`);
}

const RESPONSE_HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': `identity, ${ACCEPTED_ENCODINGS}`,
};
const OK_TRAILERS = { 'grpc-status': Grpc.OK };
const WITH_TRAILERS = { waitForTrailers: true };
const EMPTY_MESSAGE = Buffer.alloc(PREFIX_BYTES);

/** Status OK with one message. A stream that is gone is left alone. */
export function sendResponse(stream: ServerHttp2Stream, response: Buffer): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond(RESPONSE_HEADERS, WITH_TRAILERS);
  stream.once('wantTrailers', sendOk);
  stream.end(response.length === 0 ? EMPTY_MESSAGE : withPrefix(response));
}

function sendOk(this: ServerHttp2Stream): void {
  this.sendTrailers(OK_TRAILERS);
}

function withPrefix(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, PREFIX_BYTES);
  return framed;
}

/** A status without a message. A client that still sends would keep the stream, and with it its bytes, open for as long as it likes. */
export function sendStatus(stream: ServerHttp2Stream, status: Status): void {
  if (stream.destroyed || stream.closed) return;
  stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
  stream.respond(
    {
      ...RESPONSE_HEADERS,
      'grpc-status': status.grpcCode,
      'grpc-message': encodeURI(status.message.toWellFormed()),
      'grpc-status-details-bin': encodeStatus(status, 'protobuf').toString('base64'),
    },
    { endStream: true },
  );
}
