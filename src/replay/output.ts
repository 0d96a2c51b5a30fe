import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { InputError } from './read-error.ts';

export interface Output extends AsyncDisposable {
  /** Waits while the other side is slow. @throws InputError that names the file */
  write(text: string): Promise<void>;
}

/** `-` is standard output. A file is opened before anything is analysed, so that a bad name costs no time. */
export async function openOutput(path: string): Promise<Output> {
  const isStdout = path === '-';
  let failed: Error | null = null;
  const fail = (cause: Error): InputError => {
    const message = `${isStdout ? 'standard output' : path}: cannot be written (${cause.message})`;
    return new InputError('LOGDRIFT_OUTPUT_UNWRITABLE', message, cause);
  };
  const stream: Writable = isStdout ? process.stdout : createWriteStream(path);
  stream.on('error', (cause) => (failed ??= fail(cause)));
  if (!isStdout) {
    await once(stream, 'open').catch((cause: Error) => {
      throw fail(cause);
    });
  }
  return {
    write: async (text) => {
      if (failed !== null) throw failed;
      if (!stream.write(text)) await drained(stream);
    },
    async [Symbol.asyncDispose]() {
      // Standard output stays open for others; an empty write is called back once what went before is out.
      if (isStdout) await new Promise<void>((resolve) => stream.write('', () => resolve()));
      else {
        stream.end();
        await finished(stream).catch(() => undefined); // reported below with the path
      }
      if (failed !== null) throw failed;
    },
  };
}

/** Until there is room again, or will never be: the next write says what went wrong. */
async function drained(stream: Writable): Promise<void> {
  const done = new AbortController();
  const { signal } = done;
  await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]).catch(() => undefined);
  done.abort();
}
