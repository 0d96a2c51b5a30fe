/**
 * The bytes that all requests together may hold: those being read, unpacked, decoded and committed, and the records that wait for their
 * shard. One {@link Budget} serves both transports, so this is the one place where overload is decided.
 */
import { ReceiveError } from './status.ts';

/** When a refused client may come back: spread, so that all of them do not come back at once. */
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 5000;
/** Adding up what waits touches every source; a shard mines about a megabyte in this time. */
const WAITING_KNOWN_MS = 10;

export interface BudgetOptions {
  limitBytes: number;
  /** Bytes taken in and not mined yet. */
  waitingBytes?: () => number;
  /** Why nothing may be taken in now, null = it may (`memory-limiter.ts`). */
  memoryShortage?: () => string | null;
}

export class Budget {
  readonly #options: BudgetOptions;
  #reservedBytes = 0;
  #waitingBytes = 0;
  #waitingKnownMs = -Infinity;

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /** Bytes of requests under way and of records that wait. */
  get inflightBytes(): number {
    this.#lookWhoWaits();
    return this.#reservedBytes + this.#waitingBytes;
  }

  /**
   * Admits a request before anything of it is read.
   * @throws {ReceiveError} `overloaded`
   */
  open(): Reservation {
    const shortage = this.#options.memoryShortage?.() ?? null;
    if (shortage !== null) throw overloaded(shortage);
    if (this.inflightBytes >= this.#options.limitBytes) throw this.#full();
    return new Reservation(this);
  }

  /** For {@link Reservation} only. A request that is alone is never refused for its size: waiting would not help it. */
  grow(bytes: number, ownBytes: number): void {
    const isAlone = this.#reservedBytes === ownBytes;
    if (!isAlone && this.inflightBytes + bytes > this.#options.limitBytes) throw this.#full();
    this.#reservedBytes += bytes;
  }

  /** For {@link Reservation} only. */
  shrink(bytes: number): void {
    this.#reservedBytes -= bytes;
  }

  #lookWhoWaits(): void {
    const nowMs = performance.now();
    if (nowMs - this.#waitingKnownMs < WAITING_KNOWN_MS) return;
    this.#waitingKnownMs = nowMs;
    this.#waitingBytes = this.#options.waitingBytes?.() ?? 0;
  }

  #full(): ReceiveError {
    return overloaded(
      `requests under way hold ${this.inflightBytes} of ${this.#options.limitBytes} bytes; send again later`,
    );
  }
}

/** What one request holds. It must be released, once it is answered. */
export class Reservation {
  readonly #budget: Budget;
  #bytes = 0;
  #released = false;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** @throws {ReceiveError} `overloaded`; the request is then dropped whole */
  take(bytes: number): void {
    if (this.#released) return;
    this.#budget.grow(bytes, this.#bytes);
    this.#bytes += bytes;
  }

  /** Twice is once; what comes after it is not counted. */
  release(): void {
    this.#released = true;
    this.#budget.shrink(this.#bytes);
    this.#bytes = 0;
  }
}

function overloaded(message: string): ReceiveError {
  const retryAfterMs = Math.round(RETRY_MIN_MS + Math.random() * (RETRY_MAX_MS - RETRY_MIN_MS));
  return new ReceiveError('overloaded', message, { retryAfterMs });
}
