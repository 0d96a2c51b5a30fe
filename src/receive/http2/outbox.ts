import type { Duplex } from 'node:stream';

/** Gathers what one turn of the event loop sends: a write costs as much as all else of a small answer. */
export class Outbox {
  readonly #socket: Duplex;
  #waiting: Buffer[] = [];
  #scheduled = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('drain', () => socket.resume());
  }

  send(bytes: Buffer): void {
    this.#waiting.push(bytes);
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => this.flush());
  }

  flush(): void {
    this.#scheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0 || !this.#socket.writable) return;
    const hasRoom = this.#socket.write(waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting));
    // A client that does not read is not read either: nothing piles up.
    if (!hasRoom) this.#socket.pause();
  }
}
