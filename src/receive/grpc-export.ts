/** `LogsService/Export` from a call's first header to its status. */
import { status as Grpc } from '@grpc/grpc-js';
import type { Budget, Reservation } from './budget.ts';
import { newDecodeSummary } from './decoded.ts';
import { encodeResponse } from './encode-response.ts';
import { exportLogs, type ExportOutcome } from './export.ts';
import { beginResponse, GrpcCall, sendMessage, sendOk, sendStatus, type GrpcMessage } from './grpc-message.ts';
import { IGNORING, type Http2Stream, type StreamListener } from './http2/stream.ts';
import { noteOddities } from './oddities.ts';
import { lostRecords, type ReceiverOptions } from './receiver.ts';
import { free } from './scratch.ts';
import { ReceiveError, toStatus } from './status.ts';
import { checkEncoding, isCompression, unpack } from './unpack.ts';

/** What is read of a call's headers. */
export interface CallHeaders {
  method: string;
  path: string;
  contentType: string;
  /** grpc-encoding, lower case; whether the message uses it, the message says. */
  encoding: string;
  authorization: string | undefined;
}

/** A call of `Export` begins. It is answered whatever happens. */
export function openExport(
  stream: Http2Stream,
  headers: CallHeaders,
  options: ReceiverOptions,
  budget: Budget,
): StreamListener {
  const call = new ExportCall(stream, headers.encoding, options);
  try {
    options.auth?.check(headers.authorization);
    const reservation = budget.open();
    return call.read(reservation);
  } catch (error) {
    call.fail(error);
    return IGNORING;
  }
}

class ExportCall {
  readonly #stream: Http2Stream;
  readonly #encoding: string;
  readonly #options: ReceiverOptions;
  readonly #summary = newDecodeSummary();
  /** Of the message, unpacked. */
  #bytes = 0;
  #reservation: Reservation | null = null;

  constructor(stream: Http2Stream, encoding: string, options: ReceiverOptions) {
    this.#stream = stream;
    this.#encoding = encoding;
    this.#options = options;
  }

  read(reservation: Reservation): StreamListener {
    this.#reservation = reservation;
    return new GrpcCall(this.#stream, this, { maxBytes: this.#options.maxRequestBytes, reservation });
  }

  message(call: GrpcCall, message: GrpcMessage): void {
    // What fails after the answer is no business of the client.
    this.#answer(call, message).catch((error: unknown) => this.#options.onFault?.(error));
  }

  failed(_call: GrpcCall, error: unknown): void {
    this.fail(error);
  }

  fail(error: unknown): void {
    // Its bytes are garbage by now, though the client may go on sending for a while.
    this.#reservation?.release();
    const { observe, onFault, onOddity } = this.#options;
    const status = toStatus(error);
    const { kind, grpcCode } = status;
    sendStatus(this.#stream, status);
    const lost = lostRecords(kind, this.#summary.records);
    observe?.({ transport: 'grpc', code: Grpc[grpcCode]!, acceptedRecords: 0, ...lost, bytes: this.#bytes });
    if (kind === 'unsupported_encoding') onOddity?.({ kind, transport: 'grpc', encoding: this.#encoding });
    if (kind === 'internal') onFault?.(error);
  }

  async #answer(call: GrpcCall, message: GrpcMessage): Promise<void> {
    const { target, observe, onOddity } = this.#options;
    const summary = this.#summary;
    let request = message.bytes;
    let outcome: ExportOutcome;
    let response: Buffer;
    try {
      request = await this.#unpack(message);
      this.#bytes = request.length;
      outcome = await exportLogs(request, 'protobuf', target, call, summary);
      response = encodeResponse(outcome, 'protobuf');
    } catch (error) {
      // Not the message itself, which zlib may still be reading.
      if (request !== message.bytes) free(request);
      return this.fail(error);
    }
    beginResponse(this.#stream);
    sendMessage(this.#stream, response);
    sendOk(this.#stream);
    this.#reservation!.release();
    const { records, rejectedLogRecords: refusedRecords } = outcome;
    const acceptedRecords = records - refusedRecords;
    observe?.({ transport: 'grpc', code: 'OK', acceptedRecords, refusedRecords, failedRecords: 0, bytes: this.#bytes });
    if (onOddity !== undefined) noteOddities({ request, encoding: 'protobuf', transport: 'grpc', summary }, onOddity);
    free(request);
  }

  /** @throws {ReceiveError} `missing_encoding`, `unsupported_encoding`, `too_large`, `overloaded`; {DecodeError} on broken compression */
  async #unpack({ bytes, compressed }: GrpcMessage): Promise<Uint8Array> {
    const encoding = this.#encoding;
    if (!compressed) return bytes;
    if (!isCompression(encoding)) {
      throw new ReceiveError(
        'missing_encoding',
        'the message says that it is compressed, and no grpc-encoding says how',
      );
    }
    checkEncoding(encoding);
    const { maxRequestBytes: maxBytes } = this.#options;
    const unpacked = await unpack(bytes, { encoding, maxBytes, reservation: this.#reservation! });
    free(bytes);
    return unpacked;
  }
}
