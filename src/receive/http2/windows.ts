import {
  CODE,
  DEFAULT_WINDOW_BYTES,
  FRAME,
  MAX_WINDOW_BYTES,
  numberFrame,
  protocolError,
  requireWindow,
} from './frames.ts';
import type { Http2Stream } from './stream.ts';
import type { Streams } from './streams.ts';

/** Flow control of one connection (RFC 9113, section 5.2), both ways. */
export class Windows {
  readonly #streams: Streams;
  readonly #send: (bytes: Buffer) => void;
  /** A client gets an update for so much: half of what it may have under way. */
  readonly #halfBytes: number;
  /** DATA since the last update of the connection. */
  #received = 0;
  /** What we may send on all streams together. */
  sendBytes = DEFAULT_WINDOW_BYTES;
  /** What a new stream may send, by the client's SETTINGS. */
  newStreamBytes = DEFAULT_WINDOW_BYTES;

  /** @param windowBytes of the connection and of each stream: what a client may have under way; SETTINGS tell it of the latter */
  constructor(windowBytes: number, streams: Streams, send: (bytes: Buffer) => void) {
    this.#streams = streams;
    this.#send = send;
    this.#halfBytes = windowBytes / 2;
    const more = windowBytes - DEFAULT_WINDOW_BYTES;
    if (more > 0) send(numberFrame(FRAME.windowUpdate, 0, more));
  }

  /** DATA came. It is taken at once and bounded by the byte budget, so the windows never close. */
  receive(bytes: number): void {
    this.#received += bytes;
    if (this.#received < this.#halfBytes) return;
    this.#send(numberFrame(FRAME.windowUpdate, 0, this.#received));
    this.#received = 0;
  }

  /** It came on a stream that goes on. */
  receiveOn(stream: Http2Stream, bytes: number): void {
    stream.received += bytes;
    if (stream.received < this.#halfBytes) return;
    this.#send(numberFrame(FRAME.windowUpdate, stream.id, stream.received));
    stream.received = 0;
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE; also of the streams that are open, whose window may become negative (section 6.9.2). @throws {Http2Error} */
  resize(bytes: number): void {
    const change = bytes - this.newStreamBytes;
    this.newStreamBytes = bytes;
    for (const stream of this.#streams) {
      stream.sendWindow += change;
      requireWindow(stream.sendWindow);
      if (change > 0) stream.flush();
    }
  }

  /** WINDOW_UPDATE of the connection. @throws {Http2Error} */
  widen(bytes: number): void {
    if (bytes === 0) throw protocolError('a window grows by nothing');
    const wasClosed = this.sendBytes <= 0;
    this.sendBytes += bytes;
    requireWindow(this.sendBytes);
    // Else nobody waits for it.
    if (wasClosed) for (const stream of this.#streams) stream.flush();
  }

  /** WINDOW_UPDATE of a stream. */
  widenOn(stream: Http2Stream, bytes: number): void {
    if (bytes === 0) return this.#streams.reset(stream, CODE.protocolError);
    stream.sendWindow += bytes;
    if (stream.sendWindow > MAX_WINDOW_BYTES) return this.#streams.reset(stream, CODE.flowControlError);
    stream.flush();
  }
}
