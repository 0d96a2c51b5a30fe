/** `POST /v1/logs` from a request's headers to its answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Budget, Reservation } from './budget.ts';
import { newDecodeSummary } from './decoded.ts';
import { CONTENT_TYPES, encodeResponse, type Encoding } from './encode-response.ts';
import { exportLogs, type ExportOutcome } from './export.ts';
import { readOver, send, sendStatus } from './http-answer.ts';
import { noteOddities } from './oddities.ts';
import { lostRecords, type ReceiverOptions } from './receiver.ts';
import type { Departure } from './record.ts';
import { Chunks, free } from './scratch.ts';
import { ReceiveError, toStatus } from './status.ts';
import { checkEncoding, isCompression, MAX_ON_THE_SPOT_BYTES, tooLarge, unpack, type UnpackOptions } from './unpack.ts';

const LOGS_PATH = '/v1/logs';

/** A request begins. It is answered whatever happens. */
export function openExport(
  request: IncomingMessage,
  response: ServerResponse,
  options: ReceiverOptions,
  budget: Budget,
): void {
  new HttpExport(request, response, options).begin(budget);
}

/** Stands for the AbortSignal of its client, too: making one costs as much as reading a body. */
class HttpExport implements Departure {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: ReceiverOptions;
  /** Null: another media type than our two. */
  readonly #encoding: Encoding | null;
  readonly #summary = newDecodeSummary();
  #reservation: Reservation | null = null;
  readonly #chunks = new Chunks();
  /** The body is complete, or nobody wants it any more. */
  #isRead = false;
  #isRefused = false;
  /** Of the body, unpacked. */
  #bytes = 0;
  /** The client has gone. */
  aborted = false;

  constructor(request: IncomingMessage, response: ServerResponse, options: ReceiverOptions) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    this.#encoding = encodingOf(request.headers['content-type']);
  }

  begin(budget: Budget): void {
    this.#response.on('close', () => this.#left());
    this.#response.on('error', () => {}); // 'close' follows
    try {
      this.#options.auth?.check(this.#request.headers.authorization);
      this.#checkRequest();
      this.#reservation = budget.open();
      this.#read(this.#reservation);
    } catch (error) {
      this.#fail(error);
    }
  }

  throwIfAborted(): void {
    if (this.aborted) throw new ReceiveError('cancelled', 'the client cancelled the request');
  }

  /** @throws {ReceiveError} when it is not a POST of a known type to our path */
  #checkRequest(): void {
    const { url = '', method, headers, httpVersion } = this.#request;
    if (headers.host === undefined && httpVersion === '1.1') {
      throw new ReceiveError('malformed', 'an HTTP/1.1 request needs a Host header');
    }
    const path = url === LOGS_PATH ? url : pathOf(url);
    if (path !== LOGS_PATH) {
      throw new ReceiveError('not_found', `there is nothing at ${path}; logs go to POST ${LOGS_PATH}`);
    }
    if (method !== 'POST') {
      throw new ReceiveError('method_not_allowed', `${method} is not allowed on ${LOGS_PATH}; use POST`);
    }
    if (this.#encoding === null) {
      const given = headers['content-type'] ?? 'missing';
      throw new ReceiveError(
        'unsupported_media_type',
        `Content-Type ${given} is not supported; use ${CONTENT_TYPES.protobuf} or ${CONTENT_TYPES.json}`,
      );
    }
  }

  /** @throws {ReceiveError} `unsupported_encoding`, `too_large`: what the headers say */
  #read(reservation: Reservation): void {
    const request = this.#request;
    const { headers, httpVersion } = request;
    const { maxRequestBytes: maxBytes } = this.#options;
    const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
    checkEncoding(encoding);
    const contentLength = Number(headers['content-length']);
    if (contentLength > maxBytes) throw tooLarge(maxBytes);
    // A client that waits for it sends its body only now, and after a refusal not at all.
    if (httpVersion === '1.1' && /\b100-continue\b/i.test(headers.expect ?? '')) this.#response.writeContinue();
    const options = { encoding, maxBytes, reservation };
    if (!isCompression(encoding)) return this.#gather(reservation, (body) => this.#take(body));
    if (contentLength <= MAX_ON_THE_SPOT_BYTES)
      return this.#gather(reservation, (packed) => this.#unpack(packed, options));
    // First, for what is read fails, too, when its client leaves.
    request.on('error', () => this.#left());
    this.#unpack(request, options);
  }

  #unpack(packed: IncomingMessage | Uint8Array, options: UnpackOptions): void {
    unpack(packed, options).then(
      (body) => {
        if (packed instanceof Uint8Array) free(packed);
        this.#take(body);
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** @param whole called with the body when it is complete */
  #gather(reservation: Reservation, whole: (bytes: Uint8Array) => void): void {
    this.#request.on('data', (chunk: Buffer) => this.#add(chunk, reservation));
    this.#request.on('end', () => {
      if (!this.#isRead) whole(this.#chunks.take());
    });
  }

  #add(chunk: Buffer, reservation: Reservation): void {
    if (this.#isRead) return;
    try {
      const { maxRequestBytes } = this.#options;
      if (this.#chunks.byteLength + chunk.length > maxRequestBytes) throw tooLarge(maxRequestBytes);
      reservation.take(chunk.length);
      this.#chunks.add(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  #left(): void {
    this.aborted = true;
    if (!this.#isRead) this.#fail(new ReceiveError('cancelled', 'the client left before its body was complete'));
  }

  #take(body: Uint8Array): void {
    if (this.#isRead) return void free(body);
    this.#isRead = true;
    // What fails after the answer is no business of the client.
    this.#answer(body).catch((error: unknown) => this.#options.onFault?.(error));
  }

  async #answer(body: Uint8Array): Promise<void> {
    const { target, observe, onOddity } = this.#options;
    const request = this.#request;
    const encoding = this.#encoding!;
    const summary = this.#summary;
    const bytes = (this.#bytes = body.length);
    let outcome: ExportOutcome;
    let response: Buffer;
    try {
      outcome = await exportLogs(body, encoding, target, this, summary);
      response = encodeResponse(outcome, encoding);
    } catch (error) {
      free(body);
      return this.#fail(error);
    }
    send(this.#response, { httpStatus: 200, encoding, body: response });
    // A compressed body may end before the request does.
    if (!request.complete) readOver(request);
    this.#reservation!.release();
    const { records, rejectedLogRecords: refusedRecords } = outcome;
    const acceptedRecords = records - refusedRecords;
    observe?.({ transport: 'http', code: '200', acceptedRecords, refusedRecords, failedRecords: 0, bytes });
    if (onOddity !== undefined) noteOddities({ request: body, encoding, transport: 'http', summary }, onOddity);
    free(body);
  }

  #fail(error: unknown): void {
    if (this.#isRefused) return;
    this.#isRefused = this.#isRead = true;
    this.#chunks.free();
    // Its bytes are garbage by now, though the client may go on sending for a while.
    this.#reservation?.release();
    this.#refuse(error).catch((error: unknown) => this.#options.onFault?.(error));
  }

  async #refuse(error: unknown): Promise<void> {
    const { auth, observe, onFault, onOddity } = this.#options;
    const status = toStatus(error);
    const { kind, httpStatus } = status;
    await sendStatus(this.#request, this.#response, status, { encoding: this.#encoding, challenge: auth?.challenge });
    const lost = lostRecords(kind, this.#summary.records);
    observe?.({ transport: 'http', code: String(httpStatus), acceptedRecords: 0, ...lost, bytes: this.#bytes });
    if (kind === 'internal') onFault?.(error);
    if (kind === 'unsupported_encoding') {
      onOddity?.({ kind, transport: 'http', encoding: this.#request.headers['content-encoding'] ?? '' });
    }
  }
}

/** Of a target with or without scheme and host: RFC 9112, section 3.2.2, wants both read. */
function pathOf(target: string): string {
  return target.split('?', 1)[0]!.replace(/^https?:\/\/[^/]*/i, '') || '/';
}

/** By the media type alone: parameters such as `charset=utf-8` change nothing. */
function encodingOf(contentType = ''): Encoding | null {
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();
  if (mediaType === CONTENT_TYPES.protobuf) return 'protobuf';
  return mediaType === CONTENT_TYPES.json ? 'json' : null;
}
