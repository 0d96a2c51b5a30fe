/** Entry of a shard's worker thread; the only code of the project that runs as one, beside the store's. */
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { createShard, type ShardOptions } from './core.ts';
import type { FromShard, ToThread } from './messages.ts';
import { freeSlab, slabFrame, type SlabMemory } from './slabs.ts';
import { warmUp } from './warm-up.ts';

export interface ThreadData extends ShardOptions {
  slabs: SlabMemory;
}

const port = parentPort!;
const data = workerData as ThreadData;
const handle = createShard(
  data,
  (message: FromShard) => port.postMessage(message),
  (pauseMs) => (pauseMs > 0 ? delay(pauseMs) : nextTurn()),
);

port.on('message', (message: ToThread) => {
  // An error here is a bug of ours: it ends the thread, and the pool reports it as fatal.
  if (message.type === 'slab') {
    const { slab, count, textBytes } = message;
    void handle({ type: 'records', frame: slabFrame(data.slabs, slab, count, textBytes) });
    return freeSlab(data.slabs, slab);
  }
  void handle(message);
  if (message.type === 'stop') port.close();
});
warmUp(data);
port.postMessage({ type: 'ready' } satisfies FromShard);
