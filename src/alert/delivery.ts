/**
 * A bounded queue in front of a destination that may be slow or away.
 *
 *     push -> [ oldest … newest ] -> send(batch) -> delivered | rejected: the batch leaves
 *                                                -> retry: it stays at the head, backoff, again
 *
 * Full: the oldest record that is not on the wire leaves, counted. One batch is on the wire at a time, so order is kept.
 * A record may arrive twice (the answer was lost); its `log.record.uid` is the same both times.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export type SendResult =
  /** `rejected` of them refused in a partial success, for good. `unlike`: what came in place of an OTLP answer, null when it was one. */
  | { kind: 'delivered'; rejected: number; message: string; unlike: string | null }
  /** `afterMs`: what the destination asked for, null when it did not. */
  | { kind: 'retry'; afterMs: number | null; reason: string }
  | { kind: 'rejected'; reason: string };

export interface DeliveryOptions<T> {
  capacity: number;
  /** Never rejects; aborts what it does when `signal` does. */
  send: (batch: readonly T[], signal: AbortSignal) => Promise<SendResult>;
  onResult: (result: SendResult, batchSize: number) => void;
  onDropped: (count: number, reason: 'queue_full' | 'shutdown') => void;
  /** First pause after a failure; doubles up to `maxBackoffMs`, jittered by a fifth. */
  initialBackoffMs?: number;
  maxBackoffMs?: number;
}

const MAX_BATCH = 256;
/** A destination may ask for more patience than our own backoff has, but not for ever. */
const MAX_RETRY_AFTER_MS = 60_000;

export class DeliveryQueue<T> implements AsyncDisposable {
  readonly #options: Required<DeliveryOptions<T>>;
  readonly #closed = new AbortController();
  readonly #queue: T[] = [];
  /** The first so many of the queue are on the wire. */
  #onWire = 0;
  #running: Promise<void> | null = null;
  /** Ends the pause between two attempts. */
  #pause: AbortController | null = null;

  constructor(options: DeliveryOptions<T>) {
    this.#options = { initialBackoffMs: 1_000, maxBackoffMs: 30_000, ...options };
  }

  get size(): number {
    return this.#queue.length;
  }

  push(record: T): void {
    if (this.#closed.signal.aborted) {
      this.#options.onDropped(1, 'shutdown');
      return;
    }
    this.#queue.push(record);
    if (this.#queue.length > this.#options.capacity) {
      this.#queue.splice(this.#onWire, 1);
      this.#options.onDropped(1, 'queue_full');
    }
    this.#start();
  }

  /** Delivers what is queued, trying again at once; resolves with what is left when `signal` aborts, else with 0. */
  async flush(signal: AbortSignal): Promise<number> {
    this.#pause?.abort();
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    while (this.#queue.length > 0 && !signal.aborted && !this.#closed.signal.aborted) {
      this.#start();
      await Promise.race([this.#running, aborted]);
    }
    return this.#queue.length;
  }

  /** Gives up on what is left, counted as dropped. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#pause?.abort();
    await this.#running;
    if (this.#queue.length > 0) this.#options.onDropped(this.#queue.length, 'shutdown');
    this.#queue.length = 0;
  }

  #start(): void {
    if (this.#queue.length === 0) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      // Pushed between the loop's last look and here.
      if (!this.#closed.signal.aborted) this.#start();
    });
  }

  async #run(): Promise<void> {
    // A step's anomalies are pushed in one turn: let them share a request.
    await Promise.resolve();
    let failures = 0;
    while (this.#queue.length > 0 && !this.#closed.signal.aborted) {
      const batch = this.#queue.slice(0, MAX_BATCH);
      this.#onWire = batch.length;
      const result = await this.#options.send(batch, this.#closed.signal);
      this.#onWire = 0;
      if (this.#closed.signal.aborted && result.kind === 'retry') return;
      if (result.kind !== 'retry') {
        this.#queue.splice(0, batch.length);
        failures = 0;
      }
      this.#options.onResult(result, batch.length);
      if (result.kind === 'retry') await this.#wait(failures++, result.afterMs);
    }
  }

  async #wait(failures: number, afterMs: number | null): Promise<void> {
    const { initialBackoffMs, maxBackoffMs } = this.#options;
    const backoffMs = Math.min(initialBackoffMs * 2 ** failures, maxBackoffMs) * (0.8 + 0.4 * Math.random());
    // `Retry-After: 0` may not make us spin, hence the larger of the two.
    const pauseMs = Math.max(backoffMs, Math.min(afterMs ?? 0, MAX_RETRY_AFTER_MS));
    this.#pause = new AbortController();
    await sleep(pauseMs, undefined, { signal: this.#pause.signal }).catch(() => {});
    this.#pause = null;
  }
}
