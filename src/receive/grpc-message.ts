/**
 * A gRPC call with one message from the client (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): reading that message, writing
 * messages and the status.
 *
 *     message: 1 byte compressed? │ 4 bytes length, big endian │ bytes
 */
import { status as Grpc } from '@grpc/grpc-js';
import type { Reservation } from './budget.ts';
import { encodeStatus } from './encode-response.ts';
import { encodeHeaders } from './http2/hpack.ts';
import type { Http2Stream, StreamListener } from './http2/stream.ts';
import { Chunks } from './scratch.ts';
import { ReceiveError, type Status } from './status.ts';
import { ACCEPTED_ENCODINGS, tooLarge } from './unpack.ts';

const PREFIX_BYTES = 5;
/** A client that dribbles its message holds a stream no longer than this. */
export const READ_TIMEOUT_MS = 300_000;

export interface GrpcMessage {
  /** To be given back to the scratch memory. */
  bytes: Uint8Array;
  /** By the encoding that the call's headers name. */
  compressed: boolean;
}

/** What becomes of a call's message; one of the two is called, once. */
export interface MessageListener {
  message(call: GrpcCall, message: GrpcMessage): void;
  /** `too_large`, `overloaded`, `too_slow`, `cancelled`, `not_one_message` */
  failed(call: GrpcCall, error: unknown): void;
  /** The client has gone after its message. */
  left?(call: GrpcCall): void;
}

/**
 * Reads up to the end of the client's side of the stream. What arrives is counted as it arrives, and nothing is kept of a message that is
 * refused. Stands for the AbortSignal of its client, too: making one, and an AbortError, costs 15 µs a call.
 */
export class GrpcCall implements StreamListener {
  readonly stream: Http2Stream;
  readonly #maxBytes: number;
  readonly #reservation: Reservation | null;
  readonly #listener: MessageListener;
  readonly #chunks = new Chunks();
  /** What of the prefix has come, and what it says. */
  #prefixBytes = 0;
  #compressed = false;
  #length = 0;
  #settled = false;
  /** The client has gone. */
  aborted = false;

  constructor(
    stream: Http2Stream,
    listener: MessageListener,
    { maxBytes, reservation }: { maxBytes: number; reservation: Reservation | null },
  ) {
    this.stream = stream;
    this.#listener = listener;
    this.#maxBytes = maxBytes;
    this.#reservation = reservation;
  }

  data(chunk: Buffer): void {
    if (this.#settled) return;
    try {
      this.#reservation?.take(chunk.length);
      let start = 0;
      while (this.#prefixBytes < PREFIX_BYTES && start < chunk.length) this.#readPrefix(chunk[start++]!);
      if (this.#length > this.#maxBytes) throw tooLarge(this.#maxBytes);
      if (start < chunk.length) this.#chunks.copy(start === 0 ? chunk : chunk.subarray(start));
      if (this.#chunks.byteLength > this.#length) throw notOneMessage('more than one');
    } catch (error) {
      this.#fail(error);
    }
  }

  end(): void {
    if (this.#settled) return;
    if (this.#prefixBytes < PREFIX_BYTES || this.#chunks.byteLength < this.#length) {
      return this.#fail(notOneMessage('no whole'));
    }
    this.#settled = true;
    this.#listener.message(this, { bytes: this.#chunks.take(), compressed: this.#compressed });
  }

  overdue(): void {
    this.#fail(new ReceiveError('too_slow', `the message was not complete after ${READ_TIMEOUT_MS / 1000} seconds`));
  }

  left(): void {
    this.aborted = true;
    if (this.#settled) return this.#listener.left?.(this);
    this.#fail(new ReceiveError('cancelled', 'the client left before its message was complete'));
  }

  throwIfAborted(): void {
    if (this.aborted) throw new ReceiveError('cancelled', 'the client cancelled the request');
  }

  #readPrefix(byte: number): void {
    if (this.#prefixBytes++ === 0) this.#compressed = byte !== 0;
    else this.#length = this.#length * 256 + byte;
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#chunks.free();
    this.#listener.failed(this, error);
  }
}

function notOneMessage(what: string): ReceiveError {
  return new ReceiveError('not_one_message', `the method takes exactly one message; ${what} came`);
}

const RESPONSE_HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': `identity, ${ACCEPTED_ENCODINGS}`,
};
const RESPONSE_BLOCK = encodeHeaders(RESPONSE_HEADERS);
const OK_BLOCK = encodeHeaders({ 'grpc-status': Grpc.OK });

/** The headers before the first message. */
export function beginResponse(stream: Http2Stream): void {
  stream.respond(RESPONSE_BLOCK);
}

export function sendMessage(stream: Http2Stream, message: Buffer): void {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, PREFIX_BYTES);
  stream.write(framed);
}

/** Status OK behind the messages. */
export function sendOk(stream: Http2Stream): void {
  stream.end(OK_BLOCK);
}

/** A status without a message. */
export function sendStatus(stream: Http2Stream, status: Status): void {
  stream.end(
    encodeHeaders({
      ...RESPONSE_HEADERS,
      'grpc-status': status.grpcCode,
      'grpc-message': encodeURI(status.message.toWellFormed()),
      'grpc-status-details-bin': encodeStatus(status, 'protobuf').toString('base64'),
    }),
  );
}
