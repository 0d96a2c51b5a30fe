/** Anomalies as JSON lines on stdout, for when no OTLP destination is configured. */
import type { Writable } from 'node:stream';

export type DropReason = 'queue_full' | 'shutdown' | 'stdout_closed';

export interface LineWriterOptions {
  stream: Writable;
  /** Lines kept while the reader is slow; the oldest leave first. */
  capacity: number;
  onWritten: () => void;
  onDropped: (count: number, reason: DropReason) => void;
  /** Once, when the reader has gone (EPIPE) or the stream failed: from then on lines are only counted. */
  onBroken: (error: Error) => void;
}

export interface LineWriter extends AsyncDisposable {
  write(line: string): void;
  readonly size: number;
  /** Resolves with the number of lines still held when `signal` aborts, else with 0. */
  flush(signal: AbortSignal): Promise<number>;
}

/** An EPIPE may come after we are done, and unhandled it would end the process: one listener stays for the life of the stream. */
const guarded = new WeakSet<Writable>();

export function createLineWriter(options: LineWriterOptions): LineWriter {
  const { stream, capacity } = options;
  const waiting: string[] = [];
  let isFull = false;
  let isBroken = false;

  if (!guarded.has(stream)) {
    guarded.add(stream);
    stream.on('error', () => undefined);
  }
  stream.on('error', onError);
  stream.on('drain', onDrain);

  function onError(error: Error): void {
    if (isBroken) return;
    isBroken = true;
    options.onBroken(error);
    drop('stdout_closed');
  }

  function onDrain(): void {
    isFull = false;
    while (waiting.length > 0 && !isFull) put(waiting.shift()!);
  }
  function put(line: string): void {
    isFull = !stream.write(line);
    options.onWritten();
  }
  function drop(reason: DropReason): void {
    if (waiting.length > 0) options.onDropped(waiting.length, reason);
    waiting.length = 0;
  }

  return {
    get size() {
      return waiting.length;
    },
    write(line) {
      if (isBroken) options.onDropped(1, 'stdout_closed');
      else if (!isFull) put(line + '\n');
      else {
        waiting.push(line + '\n');
        if (waiting.length > capacity) {
          waiting.shift();
          options.onDropped(1, 'queue_full');
        }
      }
    },
    async flush(signal) {
      while (isFull && !isBroken && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const done = (): void => {
            stream.off('drain', done).off('error', done);
            signal.removeEventListener('abort', done);
            resolve();
          };
          stream.once('drain', done).once('error', done);
          signal.addEventListener('abort', done, { once: true });
        });
      }
      return waiting.length;
    },
    [Symbol.asyncDispose]() {
      stream.off('drain', onDrain).off('error', onError);
      drop('shutdown');
      return Promise.resolve();
    },
  };
}
