import { CODE, FRAME, Http2Error, numberFrame, protocolError } from './frames.ts';
import { NewestIds } from './newest-ids.ts';
import type { Http2Stream } from './stream.ts';

/** The streams of one connection: those that are open, those that are only worked on, and what is remembered of those that are over. */
export class Streams {
  readonly #send: (bytes: Buffer) => void;
  readonly #losePatience: () => void;
  readonly #open = new Map<number, Http2Stream>();
  /** Streams whose client left while they are still being worked on; they count as open. */
  #orphans = 0;
  /** Streams that we ended before their client did, the newest of them: what it still sends is no fault of its. */
  readonly #endedEarly = new NewestIds();
  /** The newest that a client opened. */
  lastId = 0;

  constructor(send: (bytes: Buffer) => void, losePatience: () => void) {
    this.#send = send;
    this.#losePatience = losePatience;
  }

  /** Requests that are not answered. */
  get busy(): number {
    return this.#open.size + this.#orphans;
  }

  get(id: number): Http2Stream | undefined {
    return this.#open.get(id);
  }

  [Symbol.iterator](): MapIterator<Http2Stream> {
    return this.#open.values();
  }

  add(stream: Http2Stream): void {
    this.#open.set(stream.id, stream);
  }

  /**
   * Its answer is complete.
   * @returns whether its client has more to send, which it need not
   */
  finish(stream: Http2Stream): boolean {
    const isOpen = this.#open.delete(stream.id);
    if (!isOpen) this.#orphans--;
    if (!isOpen || stream.clientEnded) return false;
    this.#endedEarly.add(stream.id);
    return true;
  }

  /** Nobody waits for its answer any more. */
  drop(stream: Http2Stream): void {
    this.#open.delete(stream.id);
    this.#orphans++;
    stream.leave();
  }

  /** A stream breaks the rules: it ends, the others go on. @throws {Http2Error} when that comes too often */
  reset(stream: Http2Stream, code: number): void {
    this.drop(stream);
    this.refuse(stream.id, code, stream.clientEnded);
  }

  /** The same for one that was not taken. @throws {Http2Error} */
  refuse(id: number, code: number, clientEnded: boolean): void {
    if (!clientEnded) this.#endedEarly.add(id);
    this.#losePatience();
    this.#send(numberFrame(FRAME.rstStream, id, code));
  }

  /** Its client has no room for the answer. */
  giveUp(stream: Http2Stream): void {
    if (!stream.clientEnded) this.#endedEarly.add(stream.id);
    this.#send(numberFrame(FRAME.rstStream, stream.id, CODE.cancel));
    this.drop(stream);
  }

  /**
   * Its client has ended it, too.
   * @returns whether we had ended it first
   */
  forget(id: number): boolean {
    return this.#endedEarly.delete(id);
  }

  /** A frame for a stream that is closed is all right only until its client has heard of that. @throws {Http2Error} */
  requireEndedEarly(id: number): void {
    if (this.#endedEarly.has(id) || id > this.lastId) return;
    throw new Http2Error(CODE.streamClosed, `stream ${id} is closed`);
  }

  /** @param isAccepting no last stream was named yet; after that there may be some that we never took. @throws {Http2Error} */
  requireOpened(id: number, isAccepting: boolean): void {
    if (id === 0) throw protocolError('a frame of a stream names none');
    if (id > this.lastId && isAccepting) throw protocolError(`stream ${id} is not open`);
  }
}
