import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Calls `changed` after any of `paths` changed. Asks every `intervalMs`: Kubernetes swaps a symbolic link above a secret's files, which
 * watching by events misses.
 */
export function watchFiles(paths: readonly string[], intervalMs: number, changed: () => void): Disposable {
  const stop = new AbortController();
  void watch(paths, intervalMs, changed, stop.signal);
  return { [Symbol.dispose]: () => stop.abort() };
}

async function watch(
  paths: readonly string[],
  intervalMs: number,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  let known = await signatureOf(paths);
  for (;;) {
    await delay(intervalMs, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) return;
    const current = await signatureOf(paths);
    if (current === known || signal.aborted) continue;
    known = current;
    changed();
  }
}

/** A file that cannot be read has a signature too: its return is a change. */
async function signatureOf(paths: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    paths.map((path) =>
      stat(path, { bigint: true }).then(
        ({ ino, size, mtimeNs }) => `${ino}:${size}:${mtimeNs}`,
        () => 'gone',
      ),
    ),
  );
  return parts.join(' ');
}
