/**
 * One way from texts to vectors for all sources: cache, then batches to the embedder.
 *
 *     vectors(texts) ─► cache ─► quarantine ─► pending ─(linger, ≤ 32 a batch, ≤ 2 in flight)─► embedder
 *          ▲                                     │ ▲                                               │
 *          └──── all settled, or the deadline ───┘ └────────── failed: back off, again ◄───────────┤
 *                                                    onLate ◄── a deadline had passed ◄────────────┘
 *
 * A text stays pending after its deadline, because its vector repairs the history whenever it comes; what bounds this is
 * `maxPending`. While the service fails, one batch at a time tries it.
 */
import { VectorCache } from './cache.ts';
import { EmbeddingError, type Embedder, type EmbeddingObserver } from './embedder.ts';
import { Quarantine } from './quarantine.ts';

export interface EmbeddingOptions {
  embedder: Embedder;
  /** Vectors kept. */
  cacheSize?: number;
  /** How long a text waits for company before it is sent to a remote embedder; 0 = until the next turn of the event loop. */
  batchTimeoutMs?: number;
  /** Texts a request (remote embedders). */
  maxBatch?: number;
  /** Requests under way at once. */
  inFlight?: number;
  /** Texts waiting for their vector; beyond it those asked for longest ago leave. */
  maxPending?: number;
  /** Pause after the first failure; doubles up to `maxBackoffMs`, each shortened by up to half at random. */
  backoffMs?: number;
  maxBackoffMs?: number;
  /** How long a text that the service fails on is not asked for again. */
  quarantineMs?: number;
  observe?: Partial<EmbeddingObserver>;
  /** A vector arrived after the deadline of somebody who asked for it. It is in the cache already. */
  onLate?: (text: string, vector: Float32Array) => void;
}

export interface Embedding extends AsyncDisposable {
  /**
   * The vectors of `texts`, in their order; resolves when each has one or is known to get none (quarantined, dropped, a failure
   * that lasts), at the latest when `deadline` aborts. Missing ones are absent. Never rejects. The vectors are shared: read only.
   */
  vectors(texts: string[], deadline: AbortSignal): Promise<Map<string, Float32Array>>;
  /** Texts waiting for their vector. */
  readonly pending: number;
  /** Vectors in the cache. */
  readonly cached: number;
}

const MAX_QUARANTINED = 1_000;

/** Somebody inside `vectors`. */
interface Waiter {
  missing: number;
  /** The waiter's own: the cache may be smaller than what one call asks for. */
  found: Map<string, Float32Array>;
  done: () => void;
}

interface Pending {
  waiters: Set<Waiter>;
  /** Sent, not yet answered. */
  asked: boolean;
  /** Somebody's deadline passed. */
  late: boolean;
}

/** Opens the shared batcher; the embedder stays the caller's to dispose, after this. */
export function createEmbedding(options: EmbeddingOptions): Embedding {
  const {
    embedder,
    cacheSize = 20_000,
    batchTimeoutMs = 100,
    maxBatch = 32,
    inFlight = 2,
    maxPending = 10_000,
    backoffMs = 500,
    maxBackoffMs = 15_000,
    quarantineMs = 600_000,
    observe = {},
    onLate,
  } = options;
  const cache = new VectorCache(cacheSize);
  const quarantine = new Quarantine(quarantineMs, MAX_QUARANTINED);
  /** Those asked for longest ago first. */
  const pending = new Map<string, Pending>();
  const closing = new AbortController();
  const running = new Set<Promise<void>>();
  // A local embedder gains nothing from batches or from company.
  const batchSize = embedder.remote ? maxBatch : Infinity;
  let unasked = 0;
  let failures = 0;
  /** Set while lingering or backing off; in the second case nothing is sent before it fires. */
  let timer: NodeJS.Timeout | undefined;
  let backingOff = false;
  let lingered = !embedder.remote;
  // Its failure shows in the first request, too.
  const warmedUp = embedder.warmUp?.(closing.signal).catch(() => undefined);

  async function vectors(texts: string[], deadline: AbortSignal): Promise<Map<string, Float32Array>> {
    const wanted = new Set(texts);
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter: Waiter = { missing: 0, found: new Map(), done: resolve };
    const nowMs = performance.now();
    for (const text of wanted) {
      const vector = cache.get(embedder.fingerprint, text);
      if (vector !== undefined) waiter.found.set(text, vector);
      else if (!quarantine.has(text, nowMs) && !closing.signal.aborted) wait(text, waiter);
    }
    const hits = waiter.found.size;
    observe.cache?.(hits, wanted.size - hits, 0);
    limitPending();
    if (waiter.missing > 0) {
      schedule();
      if (deadline.aborted) resolve();
      deadline.addEventListener('abort', waiter.done, { once: true });
      await promise;
      deadline.removeEventListener('abort', waiter.done);
      if (waiter.missing > 0) giveUp(wanted, waiter);
    }
    const result = new Map<string, Float32Array>();
    for (const text of wanted) {
      const vector = waiter.found.get(text);
      if (vector !== undefined) result.set(text, vector);
    }
    return result;
  }

  function wait(text: string, waiter: Waiter): void {
    let entry = pending.get(text);
    if (entry === undefined) {
      entry = { waiters: new Set(), asked: false, late: false };
      unasked++;
    }
    pending.delete(text);
    pending.set(text, entry);
    entry.waiters.add(waiter);
    waiter.missing++;
  }

  function giveUp(wanted: Set<string>, waiter: Waiter): void {
    for (const text of wanted) {
      const entry = pending.get(text);
      if (entry?.waiters.delete(waiter)) entry.late = true;
    }
  }

  /** Ends the wait for `text`, with a vector or without. */
  function settle(text: string, vector: Float32Array | null): void {
    const entry = pending.get(text);
    if (entry === undefined) return;
    pending.delete(text);
    if (!entry.asked) unasked--;
    for (const waiter of entry.waiters) {
      if (vector !== null) waiter.found.set(text, vector);
      if (--waiter.missing === 0) waiter.done();
    }
    if (vector !== null && entry.late) onLate?.(text, vector);
  }

  function limitPending(): void {
    let dropped = 0;
    for (const [text, entry] of pending) {
      if (pending.size <= maxPending) break;
      if (entry.asked) continue;
      settle(text, null);
      dropped++;
    }
    if (dropped > 0) observe.dropped?.(dropped);
  }

  function schedule(): void {
    if (closing.signal.aborted || backingOff) return;
    send();
    if (unasked > 0 && !lingered) timer ??= setTimeout(waitIsOver, batchTimeoutMs);
  }

  function waitIsOver(): void {
    timer = undefined;
    backingOff = false;
    lingered = true;
    send();
  }

  /** Full batches at once, the rest when it has lingered. */
  function send(): void {
    // Whether the service is back is found out by one request.
    const allowed = failures > 0 ? 1 : inFlight;
    while (running.size < allowed && (unasked >= batchSize || (lingered && unasked > 0))) track(ask(takeBatch()));
    if (unasked > 0) return;
    clearTimeout(timer);
    timer = undefined;
    lingered = !embedder.remote;
  }

  /** Texts somebody waits for first, then those that only repair histories. */
  function takeBatch(): string[] {
    const batch: string[] = [];
    for (const waitedFor of [true, false]) {
      for (const [text, entry] of pending) {
        if (batch.length >= batchSize) break;
        if (entry.asked || entry.waiters.size > 0 !== waitedFor) continue;
        entry.asked = true;
        batch.push(text);
      }
    }
    unasked -= batch.length;
    return batch;
  }

  async function ask(batch: string[]): Promise<void> {
    let answers: (Float32Array | null)[];
    try {
      answers = await embedder.embed(batch, closing.signal);
    } catch (error) {
      return fail(batch, error);
    }
    failures = 0;
    const poison: string[] = [];
    let evictions = 0;
    for (const [index, text] of batch.entries()) {
      const vector = answers[index] ?? null;
      if (vector !== null) evictions += cache.set(embedder.fingerprint, text, vector);
      else {
        quarantine.add(text, performance.now());
        poison.push(text);
      }
      settle(text, vector);
    }
    if (evictions > 0) observe.cache?.(0, 0, evictions);
    if (poison.length > 0) observe.quarantined?.(poison);
  }

  function fail(batch: string[], error: unknown): void {
    if (closing.signal.aborted) return;
    const { retryable, retryAfterMs } = error instanceof EmbeddingError ? error : { retryable: true, retryAfterMs: 0 };
    failures++;
    for (const text of batch) {
      const entry = pending.get(text)!;
      entry.asked = false;
      unasked++;
      // Waiting does not help before somebody changes something; whoever needs the text asks again with the next step.
      if (!retryable) settle(text, null);
    }
    const doubledMs = Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(failures - 1, 20));
    const delayMs = Math.max(retryAfterMs, doubledMs * (0.5 + Math.random() / 2));
    clearTimeout(timer);
    backingOff = true;
    timer = setTimeout(waitIsOver, delayMs);
  }

  function track(work: Promise<void>): void {
    const ended = work.finally(() => {
      running.delete(ended);
      schedule();
    });
    running.add(ended);
  }

  return {
    vectors,
    get pending() {
      return pending.size;
    },
    get cached() {
      return cache.size;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      clearTimeout(timer);
      for (const text of [...pending.keys()]) settle(text, null);
      await Promise.all([...running, warmedUp]);
    },
  };
}
