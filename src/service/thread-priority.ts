import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Nice values over that of the process, by the name a thread has on Linux; the main thread, which answers requests, keeps its own. */
const LOWER_BY: Readonly<Record<string, number>> = { shard: 5, store: 5, V8Worker: 10 };
const LOWEST = 19;
const THREADS = '/proc/self/task';

/**
 * Shards, store and V8's garbage collecting threads make room for the main thread: while a thousand sources close a step, requests waited for a core that
 * these held (docs/decisions/0043). Linux has priorities by thread and tells their ids; elsewhere nothing is done. Call it when the threads are there.
 *
 * @returns why it could not be done: a sandbox may refuse it; null when it was, or where there is nothing to do
 */
export function lowerBackgroundThreads(): string | null {
  if (process.platform !== 'linux') return null;
  try {
    const own = getPriority();
    for (const id of readdirSync(THREADS)) {
      const by = LOWER_BY[readFileSync(`${THREADS}/${id}/comm`, 'utf8').trim()];
      if (by !== undefined) setPriority(Number(id), Math.min(own + by, LOWEST));
    }
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
