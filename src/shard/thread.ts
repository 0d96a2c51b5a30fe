/** Entry of a shard's worker thread; the only code of the project that runs as one, beside the store's. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { createShard, type ShardOptions } from './core.ts';
import type { FromShard, ToShard } from './messages.ts';
import { warmUp } from './warm-up.ts';

const port = parentPort!;
const handle = createShard(
  workerData as ShardOptions,
  (message: FromShard) => port.postMessage(message),
  () => nextTurn(),
);

port.on('message', (message: ToShard) => {
  // An error here is a bug of ours: it ends the thread, and the pool reports it as fatal.
  void handle(message);
  if (message.type === 'stop') port.close();
});
warmUp(workerData as ShardOptions);
port.postMessage({ type: 'ready' } satisfies FromShard);
