import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { RecordFrame } from '../detect/frame.ts';
import type { WindowExplanation } from '../detect/verdict.ts';
import { createShard, type ShardOptions } from './core.ts';
import type { FromShard, ToShard } from './messages.ts';

type Closed = Extract<FromShard, { type: 'closed' }>;
type Scored = Extract<FromShard, { type: 'scored' }>;

/** The shards as the main thread sees them. Each keeps the order of what is posted to it. */
export interface ShardPool extends AsyncDisposable {
  readonly size: number;
  post(shard: number, message: ToShard): void;
  /** Moves the frame's memory to the shard. */
  postFrame(shard: number, frame: RecordFrame): void;
  /** Closes the pane everywhere; resolves with the answer of every shard, in shard order. */
  tick(message: Extract<ToShard, { type: 'tick' }>): Promise<Closed[]>;
  score(stepEndMs: number): Promise<Scored[]>;
  explain(shard: number, handle: number, windowId: number): Promise<WindowExplanation | null>;
}

/** What carries messages to one shard: a thread, or the shard itself. */
interface Link {
  post(message: ToShard, transfer?: ArrayBuffer[]): void;
  close(): Promise<void>;
}

export interface PoolOptions extends ShardOptions {
  size: number;
  /** A thread died: the service cannot go on. */
  onFatal(error: Error): void;
}

/** Shards in worker threads. */
export function openShardThreads(options: PoolOptions): ShardPool {
  return new Pool(options.size, (_shard, receive) => {
    const { onFatal, size: _size, ...workerData } = options;
    const worker = new Worker(new URL(`./thread${extname(import.meta.filename)}`, import.meta.url), { workerData });
    let closing = false;
    worker.on('message', receive);
    worker.on('error', (cause) => onFatal(new Error('a template worker died', { cause })));
    worker.on('exit', (code) => {
      if (!closing) onFatal(new Error(`a template worker exited with code ${code}`));
    });
    return {
      post: (message, transfer) => worker.postMessage(message, transfer),
      close: async () => {
        closing = true;
        const exited = once(worker, 'exit');
        worker.postMessage({ type: 'stop' } satisfies ToShard);
        await exited;
      },
    };
  });
}

/** The same shards in this thread: for the library and for a replay, where another thread would only add hops. */
export function openInlineShards(options: ShardOptions & { size: number }): ShardPool {
  return new Pool(options.size, (_shard, receive) => {
    const handle = createShard(options, receive, null);
    return { post: (message) => void handle(message), close: async () => undefined };
  });
}

/** Sends a shard those of `texts` that have a vector. */
export function postVectors(pool: ShardPool, shard: number, texts: readonly string[], vectors: ReadonlyMap<string, Float32Array>): void {
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
  /** Who waits for which answer: `type:stepEndMs:shard` or `explained:id`. */
  readonly #waiters = new Map<string, (message: FromShard) => void>();
  #nextId = 0;

  constructor(size: number, connect: (shard: number, receive: (message: FromShard) => void) => Link) {
    this.size = size;
    this.#links = Array.from({ length: size }, (_, shard) => connect(shard, (message) => this.#receive(shard, message)));
  }

  post(shard: number, message: ToShard): void {
    this.#links[shard]!.post(message);
  }

  postFrame(shard: number, frame: RecordFrame): void {
    this.#links[shard]!.post({ type: 'records', frame }, [frame.rows, frame.text]);
  }

  tick(message: Extract<ToShard, { type: 'tick' }>): Promise<Closed[]> {
    return this.#ask<Closed>('closed', message.stepEndMs, message);
  }

  score(stepEndMs: number): Promise<Scored[]> {
    return this.#ask<Scored>('scored', stepEndMs, { type: 'score', stepEndMs });
  }

  async explain(shard: number, handle: number, windowId: number): Promise<WindowExplanation | null> {
    const id = this.#nextId++;
    const answer = this.#wait(`explained:${id}`);
    this.post(shard, { type: 'explain', id, handle, windowId });
    return ((await answer) as Extract<FromShard, { type: 'explained' }>).explanation;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
  }

  #ask<T extends FromShard>(type: T['type'], stepEndMs: number, message: ToShard): Promise<T[]> {
    const answers = this.#links.map((_, shard) => this.#wait(`${type}:${stepEndMs}:${shard}`));
    for (const link of this.#links) link.post(message);
    return Promise.all(answers) as Promise<T[]>;
  }

  #wait(key: string): Promise<FromShard> {
    return new Promise((resolve) => this.#waiters.set(key, resolve));
  }

  #receive(shard: number, message: FromShard): void {
    if (message.type === 'stopped') return;
    const key = message.type === 'explained' ? `explained:${message.id}` : `${message.type}:${message.stepEndMs}:${shard}`;
    this.#waiters.get(key)?.(message);
    this.#waiters.delete(key);
  }
}
