/**
 * Every Export call from its first header to the end of its stream: who sends it, whether there is room for it, what it was answered.
 *
 * grpc-js reads, unpacks and buffers a message before a handler runs, and answers some failures by itself, unseen by interceptors. Two
 * private fields of its call object are used for what it does not offer (docs/decisions/0013-grpc-js-fields.md): `stream`, to count bytes
 * as they arrive and to read the status that was sent, and `incomingEncoding`, so that messages reach us as they were sent and are unpacked by
 * our own rules: within the byte budget, INVALID_ARGUMENT when broken, zstd as well.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import {
  Metadata,
  ServerInterceptingCall,
  status as Grpc,
  type ServerInterceptor,
  type StatusObject,
} from '@grpc/grpc-js';
import type { Authenticator } from './auth.ts';
import type { Budget, Reservation } from './budget.ts';
import { encodeStatus } from './encode-response.ts';
import { toStatus, ReceiveError } from './status.ts';
import { ACCEPTED_ENCODINGS, checkEncoding, collect, isCompression } from './unpack.ts';

/** A client that dribbles its message holds a stream no longer than this. */
const READ_TIMEOUT_MS = 300_000;

export interface CallOptions {
  /** Other methods (health) are let through as they are. */
  path: string;
  auth: Authenticator | null;
  budget: Budget;
  /** A call that ended without its handler having answered: refused here, failed in grpc-js, or left by its client. */
  onUnhandled: (code: string) => void;
}

/** What is known of a call beside its message. */
export class ExportCall {
  /** grpc-encoding; whether the message uses it says `compressed`. */
  encoding = '';
  /** The first byte of the message's frame. */
  compressed = false;
  /** The handler has told how it ended. */
  answered = false;
  readonly reservation: Reservation;

  constructor(reservation: Reservation) {
    this.reservation = reservation;
  }
}

/** The calls whose handler may run, by the metadata that the handler gets to see. */
const calls = new WeakMap<Metadata, ExportCall>();

export function exportCall(metadata: Metadata): ExportCall {
  return calls.get(metadata)!;
}

interface PrivateFields {
  readonly stream: ServerHttp2Stream;
  incomingEncoding: string;
}

export function callInterceptor(options: CallOptions): ServerInterceptor {
  return (method, call) => {
    if (method.path !== options.path) return new ServerInterceptingCall(call);
    const inner = call as unknown as PrivateFields;
    const { stream } = inner;
    const encoding = inner.incomingEncoding.trim().toLowerCase();
    inner.incomingEncoding = 'identity';
    let current: ExportCall | null = null;

    // A client that still sends when it is refused would keep the stream, and with it the call, open for as long as its connection lasts.
    const refuse = (error: unknown): void => {
      current?.reservation.release();
      stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
      call.sendStatus(statusObject(error));
    };
    stream.once('close', () => {
      current?.reservation.release();
      if (current?.answered !== true) options.onUnhandled(sentCode(stream));
    });
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, next) => {
            try {
              options.auth?.check(metadata.get('authorization')[0]?.toString());
              current = new ExportCall(options.budget.open());
            } catch (error) {
              refuse(error);
              return;
            }
            current.encoding = encoding;
            watchArrival(stream, current, refuse);
            calls.set(metadata, current);
            next(metadata);
          },
        }),
    });
  };
}

/** Counts the message as it comes in. Before grpc-js sees a chunk, so that a refused one is not buffered any more. */
function watchArrival(stream: ServerHttp2Stream, call: ExportCall, refuse: (error: unknown) => void): void {
  const overdue = setTimeout(() => {
    refuse(new ReceiveError('too_slow', `the message was not complete after ${READ_TIMEOUT_MS / 1000} seconds`));
  }, READ_TIMEOUT_MS);
  overdue.unref();
  let isFirst = true;
  const count = (chunk: Buffer): void => {
    if (isFirst) call.compressed = chunk[0] !== 0;
    isFirst = false;
    try {
      call.reservation.take(chunk.length);
    } catch (error) {
      stream.off('data', count);
      refuse(error);
    }
  };
  // Not by `on`, which would start the flow that grpc-js starts when it wants to read.
  stream.prependListener('data', count);
  const arrived = (): void => clearTimeout(overdue);
  stream.once('end', arrived).once('close', arrived);
}

/** grpc-status as it went out; without one the client has gone, or we were shut down before there was one. */
function sentCode({ sentTrailers, sentHeaders }: ServerHttp2Stream): string {
  const code = sentTrailers?.['grpc-status'] ?? (sentHeaders as typeof sentHeaders | undefined)?.['grpc-status'];
  return code === undefined ? 'CANCELLED' : (Grpc[Number(code)] ?? 'UNKNOWN');
}

/** @throws {ReceiveError} `too_large`, `overloaded`, `unsupported_encoding`; {DecodeError} */
export async function unpackMessage(message: Buffer, call: ExportCall, maxBytes: number): Promise<Uint8Array> {
  if (!call.compressed || !isCompression(call.encoding)) return message;
  checkEncoding(call.encoding);
  const { encoding, reservation } = call;
  return collect(message, { encoding, maxBytes, reservation });
}

export function statusObject(error: unknown): StatusObject {
  const status = toStatus(error);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encodeStatus(status, 'protobuf'));
  if (status.kind === 'unsupported_encoding') metadata.set('grpc-accept-encoding', `identity, ${ACCEPTED_ENCODINGS}`);
  return { code: status.grpcCode, details: status.message, metadata };
}
