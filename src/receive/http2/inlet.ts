import type { Duplex } from 'node:stream';
import { free } from '../scratch.ts';

const NOTHING = Buffer.alloc(0);

/** What a socket gives, to a reader that may have enough for now; the rest waits until the client has read our answers. */
export class Inlet {
  readonly #socket: Duplex;
  readonly #read: (chunk: Buffer) => number;
  readonly #flush: () => boolean;
  #unread: Buffer = NOTHING;

  /**
   * @param read returns how many bytes it took, and keeps none of them
   * @param flush whether more may be read at once; else {@link goOn} is called
   */
  constructor(socket: Duplex, read: (chunk: Buffer) => number, flush: () => boolean) {
    this.#socket = socket;
    this.#read = read;
    this.#flush = flush;
  }

  receive(chunk: Buffer): void {
    const bytes = this.#read(chunk);
    if (bytes === chunk.length) return free(chunk);
    this.#unread = chunk.subarray(bytes);
    this.#socket.pause();
    if (this.#flush()) this.goOn();
  }

  /** In a turn of its own, so that other connections have theirs. */
  goOn(): void {
    if (this.#unread.length === 0) return void this.#socket.resume();
    setImmediate(() => {
      const rest = this.#unread;
      this.#unread = NOTHING;
      this.receive(rest);
      if (this.#unread.length === 0) this.#socket.resume();
    });
  }
}
