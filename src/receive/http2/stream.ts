import { FLAG, FRAME, frame, MAX_FRAME_BYTES } from './frames.ts';
import type { HeaderField } from './hpack.ts';

/** What a request does, in the order in which it comes over the wire; nothing follows {@link StreamListener.left}. */
export interface StreamListener {
  /** A range of what the socket gave: to be copied by whoever keeps it. */
  data(chunk: Buffer): void;
  end(): void;
  /** The request was not complete in time. */
  overdue(): void;
  /** The client took it back, or its connection is gone: nobody reads the answer any more. */
  left(): void;
}

/** What still comes of a request that was answered at once. */
export const IGNORING: StreamListener = { data: () => {}, end: () => {}, overdue: () => {}, left: () => {} };

/** What a stream needs of its connection. */
export interface StreamCarrier {
  /** `sendBytes`: what may be sent on all streams together. */
  readonly windows: { sendBytes: number };
  send(bytes: Buffer): void;
  /** Nothing more will be said on the stream. */
  finished(stream: Http2Stream): void;
}

/** Our side of one request: headers, messages, trailers. What the client's windows have no room for waits. */
export class Http2Stream {
  /** Its connection. */
  readonly carrier: StreamCarrier;
  readonly id: number;
  readonly openedMs: number;
  listener: StreamListener = IGNORING;
  clientEnded = false;
  sendWindow: number;
  /** Of the body, by content-length; NaN = it was not said, as by all gRPC clients. */
  missingBytes: number;
  /** Bytes since the last WINDOW_UPDATE. */
  received = 0;
  #waiting: Buffer[] = [];
  #trailers: Buffer | null = null;
  #state: 'open' | 'left' | 'finished' = 'open';

  constructor(
    carrier: StreamCarrier,
    id: number,
    headers: readonly HeaderField[],
    { openedMs, sendWindow }: { openedMs: number; sendWindow: number },
  ) {
    this.carrier = carrier;
    this.id = id;
    this.openedMs = openedMs;
    this.sendWindow = sendWindow;
    this.missingBytes = Number(headers.find(({ name }) => name === 'content-length')?.value);
  }

  /** @param block from `encodeHeaders`, at most 16 KiB */
  respond(block: Buffer): void {
    if (this.#state === 'open') this.carrier.send(frame(FRAME.headers, FLAG.endHeaders, this.id, block));
  }

  write(bytes: Buffer): void {
    if (this.#state !== 'open' || bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.flush();
  }

  /** The answer ends with these headers. To be called once for every stream, also for one whose client left. */
  end(trailers: Buffer): void {
    this.#trailers = trailers;
    if (this.#state === 'left') this.#finish();
    else this.flush();
  }

  /** All that is to be said waits for the windows. */
  get isAnswered(): boolean {
    return this.#trailers !== null;
  }

  /** Sends what the windows have room for. */
  flush(): void {
    if (this.#state !== 'open') return;
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0]!;
      const length = Math.min(next.length, this.sendWindow, this.carrier.windows.sendBytes, MAX_FRAME_BYTES);
      if (length <= 0) return;
      this.sendWindow -= length;
      this.carrier.windows.sendBytes -= length;
      this.carrier.send(frame(FRAME.data, 0, this.id, next.subarray(0, length)));
      if (length < next.length) this.#waiting[0] = next.subarray(length);
      else this.#waiting.shift();
    }
    if (this.#trailers === null) return;
    this.carrier.send(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, this.id, this.#trailers));
    this.#finish();
  }

  /** For the connection: the client has gone. */
  leave(): void {
    this.#state = 'left';
    this.#waiting = [];
    if (this.#trailers === null) this.listener.left();
    else this.#finish();
  }

  #finish(): void {
    this.#state = 'finished';
    this.carrier.finished(this);
  }
}

const PSEUDO_HEADERS = [':method', ':scheme', ':path', ':authority'];
/** Bits of the first three, which every request has. */
const REQUIRED = 0b111;
const CONNECTION_HEADERS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);
const UPPER_CASE = /[A-Z]/;

/** RFC 9113, 8.3.1: pseudo-headers first, each once, all that a request needs; 8.2: no capitals, nothing of HTTP/1.1's connections. */
export function isRequest(fields: readonly HeaderField[]): boolean {
  let seen = 0;
  let isRegular = false;
  for (const { name, value } of fields) {
    if (name.charCodeAt(0) === 0x3a) {
      const index = PSEUDO_HEADERS.indexOf(name);
      if (isRegular || index < 0 || (seen & (1 << index)) !== 0 || value === '') return false;
      seen |= 1 << index;
      continue;
    }
    isRegular = true;
    if (UPPER_CASE.test(name) || CONNECTION_HEADERS.has(name) || (name === 'te' && value !== 'trailers')) return false;
  }
  return (seen & REQUIRED) === REQUIRED;
}
