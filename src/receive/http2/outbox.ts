import type { Duplex } from 'node:stream';

/** So much may wait for a write: what a socket takes before it says that it is full. */
const FULL_BYTES = 65_536;

/** Gathers what one turn of the event loop sends: a write costs as much as all else of a small answer. */
export class Outbox {
  readonly #socket: Duplex;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #scheduled = false;

  /** @param onRoom the client has read what made us pause the socket */
  constructor(socket: Duplex, onRoom: () => void) {
    this.#socket = socket;
    socket.on('drain', onRoom);
  }

  /** Time to stop: fourteen bytes that ask for a method we do not have are answered by five thousand. */
  get isFull(): boolean {
    return this.#waitingBytes >= FULL_BYTES;
  }

  send(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => this.flush());
  }

  /** @returns whether more may follow at once; else `onRoom` tells when */
  flush(): boolean {
    this.#scheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (waiting.length === 0 || !this.#socket.writable) return true;
    const hasRoom = this.#socket.write(waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting));
    // A client that does not read is not read either: nothing piles up.
    if (!hasRoom) this.#socket.pause();
    return hasRoom;
  }
}
