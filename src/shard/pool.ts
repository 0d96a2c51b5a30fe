import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ROW_BYTES, type RecordFrame } from '../detect/frame.ts';
import type { Verdict, WindowExplanation } from '../detect/verdict.ts';
import { createShard, type ShardOptions } from './core.ts';
import type { PackedDeltas } from './packed-deltas.ts';
import type { Evictions } from '../detect/evictions.ts';
import type { FromShard, Pace, ToShard, ToThread } from './messages.ts';
import { createSlabMemory, SlabWriter } from './slabs.ts';
import type { ThreadData } from './thread.ts';

type Closed = Extract<FromShard, { type: 'closed' }>;

/** What a shard says of a step. */
export interface Scored {
  verdicts: Verdict[];
  deltas: PackedDeltas[];
  evictions: Evictions;
}

/** The shards as the main thread sees them. Each keeps the order of what is posted to it. */
export interface ShardPool extends AsyncDisposable {
  readonly size: number;
  /** Resolves when every shard runs: before, records would wait for a thread to load its code and be refused. */
  ready(): Promise<void>;
  post(shard: number, message: ToShard): void;
  /** Hands a frame over; its memory is the caller's again on return. */
  postFrame(shard: number, frame: RecordFrame): void;
  /** Closes the pane everywhere; resolves with the answer of every shard, in shard order. */
  tick(message: Extract<ToShard, { type: 'tick' }>): Promise<Closed[]>;
  /** Judges the windows that ended then; resolves with what every shard says, in shard order. One step after another. */
  score(stepEndMs: number, pace?: Pace | null): Promise<Scored[]>;
  /** Shutdown is near: no shard pauses while it scores any more. */
  hurry(): void;
  explain(shard: number, handle: number, windowId: number): Promise<WindowExplanation | null>;
}

/** What carries messages to one shard: a thread, or the shard itself. */
interface Link {
  readonly ready: Promise<void>;
  post(message: ToShard): void;
  postFrame(frame: RecordFrame): void;
  close(): Promise<void>;
}

export interface InlinePoolOptions extends ShardOptions {
  size: number;
  /** Stored state of a source could not be used: it starts cold. */
  onRestoreFailed?: (key: string, error: Error) => void;
}

export interface PoolOptions extends InlinePoolOptions {
  /** A thread died: the service cannot go on. */
  onFatal(error: Error): void;
}

/**
 * Frames of several requests gather in one slab for this long: waking a shard for each took as much CPU as mining them
 * (docs/decisions/0018-gathered-frames.md). Whatever else is posted takes them along, so their place among ticks stays.
 */
const GATHER_MS = 20;

/** Shards in worker threads. */
export function openShardThreads(options: PoolOptions): ShardPool {
  const { onFatal, onRestoreFailed, size, detector, waiting, persist } = options;
  return new Pool(size, onRestoreFailed, (receive, fail) => {
    const slabs = createSlabMemory();
    const writer = new SlabWriter(slabs);
    const workerData: ThreadData = { detector, waiting, persist, slabs };
    const worker = new Worker(new URL(`./thread${extname(import.meta.filename)}`, import.meta.url), {
      workerData,
      name: 'shard',
    });
    const ready = Promise.withResolvers<void>();
    const exited = Promise.withResolvers<void>();
    let closing = false;
    let dead = false;
    const die = (error: Error): void => {
      if (closing || dead) return;
      dead = true;
      fail(error);
      ready.reject(error);
      onFatal(error);
    };
    ready.promise.catch(() => undefined); // onFatal was told
    worker.on('message', (message: FromShard) => (message.type === 'ready' ? ready.resolve() : receive(message)));
    worker.on('error', (cause) => die(new Error('a template worker died', { cause })));
    worker.on('exit', (code) => {
      exited.resolve();
      die(new Error(`a template worker exited with code ${code}`));
    });
    let gathering: NodeJS.Timeout | null = null;
    const flush = (): void => {
      const filled = writer.take();
      if (filled !== null) worker.postMessage({ type: 'slab', ...filled } satisfies ToThread);
    };
    const gather = (): void => {
      gathering ??= setTimeout(() => {
        gathering = null;
        flush();
      }, GATHER_MS);
    };
    const post = (message: ToShard): void => {
      flush();
      worker.postMessage(message);
    };
    return {
      ready: ready.promise,
      post,
      postFrame: (frame) => {
        if (!writer.append(frame)) {
          flush();
          if (!writer.append(frame)) return postCopy(worker, frame);
        }
        if (writer.isFull) flush();
        else gather();
      },
      close: async () => {
        closing = true;
        post({ type: 'stop' });
        await exited.promise;
        if (gathering !== null) clearTimeout(gathering);
      },
    };
  });
}

/** The same shards in this thread: for the library and for a replay, where another thread would only add hops. */
export function openInlineShards(options: InlinePoolOptions): ShardPool {
  return new Pool(options.size, options.onRestoreFailed, (receive, fail) => {
    const handle = createShard(options, receive, null);
    const post = (message: ToShard): void => {
      handle(message)?.catch((error: unknown) => fail(error instanceof Error ? error : new Error(String(error))));
    };
    return {
      ready: Promise.resolve(),
      post,
      postFrame: (frame) => post({ type: 'records', frame }),
      close: async () => undefined,
    };
  });
}

/** All slabs are taken, or the frame is larger than one. */
function postCopy(worker: Worker, { count, rows, text, textBytes }: RecordFrame): void {
  const copy = { count, rows: rows.slice(0, count * ROW_BYTES), text: text.slice(0, textBytes), textBytes };
  worker.postMessage({ type: 'records', frame: copy } satisfies ToThread, [
    copy.rows as ArrayBuffer,
    copy.text as ArrayBuffer,
  ]);
}

/** Sends a shard those of `texts` that have a vector. */
export function postVectors(
  pool: ShardPool,
  shard: number,
  texts: readonly string[],
  vectors: ReadonlyMap<string, Float32Array>,
): void {
  const known = texts.filter((text) => vectors.has(text));
  if (known.length === 0) return;
  const dimensions = vectors.get(known[0]!)!.length;
  const matrix = new Float32Array(known.length * dimensions);
  for (const [i, text] of known.entries()) matrix.set(vectors.get(text)!, i * dimensions);
  pool.post(shard, { type: 'vectors', texts: known, dimensions, matrix });
}

class Pool implements ShardPool {
  readonly size: number;
  readonly #links: Link[];
  readonly #onRestoreFailed: ((key: string, error: Error) => void) | undefined;
  /** Who waits for which answer: `type:stepEndMs:shard` or `explained:id`. */
  readonly #waiters = new Map<string, PromiseWithResolvers<FromShard>>();
  /** By shard: what it has judged of the step that is scored. */
  readonly #judged: { verdicts: Verdict[]; deltas: PackedDeltas[] }[];
  #failed: Error | null = null;
  #nextId = 0;

  constructor(
    size: number,
    onRestoreFailed: ((key: string, error: Error) => void) | undefined,
    connect: (receive: (message: FromShard) => void, fail: (error: Error) => void) => Link,
  ) {
    this.size = size;
    this.#onRestoreFailed = onRestoreFailed;
    this.#judged = Array.from({ length: size }, () => ({ verdicts: [], deltas: [] }));
    this.#links = Array.from({ length: size }, (_, shard) =>
      connect(
        (message) => this.#receive(shard, message),
        (error) => this.#fail(error),
      ),
    );
  }

  async ready(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.ready));
  }

  post(shard: number, message: ToShard): void {
    this.#links[shard]!.post(message);
  }

  postFrame(shard: number, frame: RecordFrame): void {
    this.#links[shard]!.postFrame(frame);
  }

  tick(message: Extract<ToShard, { type: 'tick' }>): Promise<Closed[]> {
    return this.#ask<Closed>('closed', message.stepEndMs, message);
  }

  async score(stepEndMs: number, pace: Pace | null = null): Promise<Scored[]> {
    type Answer = Extract<FromShard, { type: 'scored' }>;
    const answers = await this.#ask<Answer>('scored', stepEndMs, { type: 'score', stepEndMs, pace });
    return answers.map(({ evictions }, shard) => {
      const { verdicts, deltas } = this.#judged[shard]!;
      this.#judged[shard] = { verdicts: [], deltas: [] };
      return { verdicts, deltas, evictions };
    });
  }

  hurry(): void {
    for (const link of this.#links) link.post({ type: 'hurry' });
  }

  async explain(shard: number, handle: number, windowId: number): Promise<WindowExplanation | null> {
    const id = this.#nextId++;
    const answer = this.#wait(`explained:${id}`);
    this.post(shard, { type: 'explain', id, handle, windowId });
    return ((await answer) as Extract<FromShard, { type: 'explained' }>).explanation;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
    this.#fail(new Error('the shards are closed'));
  }

  #ask<T extends FromShard>(type: T['type'], stepEndMs: number, message: ToShard): Promise<T[]> {
    const answers = this.#links.map((_, shard) => this.#wait(`${type}:${stepEndMs}:${shard}`));
    const all = Promise.all(answers) as Promise<unknown> as Promise<T[]>;
    for (const link of this.#links) link.post(message);
    return all;
  }

  #wait(key: string): Promise<FromShard> {
    if (this.#failed !== null) return Promise.reject(this.#failed);
    const waiter = Promise.withResolvers<FromShard>();
    this.#waiters.set(key, waiter);
    return waiter.promise;
  }

  /** A shard that died answers nobody any more: whoever waits must not wait for ever. */
  #fail(error: Error): void {
    this.#failed ??= error;
    for (const waiter of this.#waiters.values()) waiter.reject(error);
    this.#waiters.clear();
  }

  #receive(shard: number, message: FromShard): void {
    switch (message.type) {
      case 'ready':
      case 'stopped':
        return;
      case 'judged':
        // Without threads all of a step come at once, too many for the arguments of a call.
        for (const verdict of message.verdicts) this.#judged[shard]!.verdicts.push(verdict);
        for (const part of message.deltas) this.#judged[shard]!.deltas.push(part);
        return;
      case 'restore-failed':
        return this.#onRestoreFailed?.(message.key, new Error(message.reason));
      default: {
        const key =
          message.type === 'explained' ? `explained:${message.id}` : `${message.type}:${message.stepEndMs}:${shard}`;
        this.#waiters.get(key)?.resolve(message);
        this.#waiters.delete(key);
      }
    }
  }
}
