/** Entry of the store's thread: answers the main side's calls in order. SQLite blocks, so it blocks here. */
import { parentPort } from 'node:worker_threads';
import { openDatabase, StoreError, type Database } from './database.ts';
import { unpackDeltas } from '../shard/packed-deltas.ts';
import type { SourceDelta } from '../detect/persist.ts';
import type { Commit, FromStore, OpenOptions, StoreCalls, ToStore } from './messages.ts';

const port = parentPort!;
let database: Database;
let path = '';
let staged: SourceDelta[] = [];

const calls: StoreCalls = {
  open: (options: OpenOptions) => {
    const found = openDatabase(options);
    database = found.database;
    path = options.path;
    return found.opened;
  },
  stage: (packed) => {
    for (const delta of unpackDeltas(packed)) staged.push(delta);
  },
  commit: (commit: Omit<Commit, 'deltas'>) => {
    const deltas = staged;
    staged = [];
    return database.commit({ ...commit, deltas });
  },
  load: (key) => database.load(key),
  sources: () => database.sources(),
  service: () => database.service(),
  prune: (beforeMs) => database.prune(beforeMs),
  close: () => database.close(),
};

port.on('message', ({ id, call, argument }: ToStore) => {
  let answer: FromStore;
  try {
    answer = { id, ok: true, value: (calls[call] as (argument: unknown) => unknown)(argument) };
  } catch (error) {
    const { message } = error as Error;
    answer =
      error instanceof StoreError
        ? { id, ok: false, code: error.code, message }
        : {
            id,
            ok: false,
            code: 'LOGDRIFT_STORAGE_FAILED',
            message: `storage.directory: ${call} failed in ${path}: ${message}`,
          };
  }
  port.postMessage(answer);
});
