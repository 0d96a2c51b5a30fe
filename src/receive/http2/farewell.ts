import { CODE, FRAME, frame, goaway, MAX_STREAM_ID } from './frames.ts';

/** Of the ping behind the first GOAWAY: when it comes back, what the client sent before it heard of that is here. */
const PING_PAYLOAD = Buffer.from('farewell');
/** A client that does not answer it. */
const PING_MS = 1000;

/**
 * Telling a client to go (RFC 9113, section 6.8): a GOAWAY that names no last stream, and a round trip later one that does. What the client had
 * sent by then is answered and need not be repeated.
 */
export class Farewell {
  readonly #timer: NodeJS.Timeout;
  readonly #name: () => void;

  /** @param nameLast called once, to send the second GOAWAY */
  constructor(send: (bytes: Buffer) => void, nameLast: () => void) {
    send(goaway(MAX_STREAM_ID, CODE.noError, ''));
    send(frame(FRAME.ping, 0, 0, PING_PAYLOAD));
    this.#name = nameLast;
    this.#timer = setTimeout(nameLast, PING_MS);
  }

  /** A ping came back. */
  hear(payload: Buffer): void {
    if (!payload.equals(PING_PAYLOAD)) return;
    this.stop();
    this.#name();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
