/**
 * What `replay` reads: OTLP/JSON lines and plain log files, `.gz` and `.zst` of both, merged into one stream in the order of time. Streaming; memory is a few
 * chunks a file.
 *
 * Files are in time order themselves (what is not comes as it is); between files the smaller time goes first, at equal times the file named first.
 */
import { resolve } from 'node:path';
import { fileStem, joinId, normaliseIdPart } from '../source/id.ts';
import { openBytes, type ByteInput } from './read-bytes.ts';
import { InputError } from './read-error.ts';
import { isOtlpJson, readOtlp, type OtlpItem } from './read-otlp.ts';
import { readPlain, type LineItem } from './read-plain.ts';
import { createLocalToUtc, type LocalToUtc } from './time-zone.ts';
import { createTimestampFinder } from './timestamps.ts';

export type InputItem = OtlpItem | LineItem;

export interface InputOptions {
  /** Source of every plain file; null: each is `file:<stem>` of its own name, standard input `file:stdin`. OTLP files say their sources themselves. */
  source: string | null;
  /** Zone of timestamps without one: IANA name or ±hh:mm; null = UTC. */
  timezone: string | null;
}

/** Counts over all files, growing while they are read. */
export interface InputStats {
  /** As stored, so that progress is `bytesRead / totalBytes`. */
  bytesRead: number;
  /** 0 when a size is unknown (a pipe). */
  totalBytes: number;
  /** Lines of plain files, blank ones included. */
  lines: number;
  /** Longer than 1 MiB, the rest cut. */
  cutLines: number;
  /** Joined to the record before. */
  continuationLines: number;
  /** Records that took the time of the line before. */
  linesWithoutTime: number;
}

export interface Inputs extends AsyncIterable<InputItem> {
  readonly stats: Readonly<InputStats>;
}

/**
 * Opens nothing before it is iterated; then all files first, so that a bad name is reported before anything is replayed.
 * @param paths `-` is standard input
 */
export function openInputs(paths: readonly string[], options: InputOptions): Inputs {
  const counters = { lines: 0, cutLines: 0, continuationLines: 0, linesWithoutTime: 0 };
  const opened: ByteInput[] = [];
  return {
    get stats() {
      const sizes = opened.map((input) => input.sizeBytes);
      return {
        ...counters,
        bytesRead: opened.reduce((sum, input) => sum + input.bytesRead(), 0),
        totalBytes: sizes.includes(0) ? 0 : sizes.reduce((sum, size) => sum + size, 0),
      };
    },
    async *[Symbol.asyncIterator]() {
      const localToUtc = createLocalToUtc(options.timezone);
      assertDistinct(paths);
      try {
        for (const path of paths) opened.push(await openBytes(path));
        const readers = opened.map((input, i) => readerOf(input, paths[i]!, { options, localToUtc, counters }));
        if (readers.length === 1) {
          // Not yield*: that wraps every record once more, a third of the time of reading plain lines.
          for await (const items of readers[0]!) for (const item of items) yield item;
        } else yield* mergeByTime(readers);
      } finally {
        for (const input of opened) input.close();
      }
    },
  };
}

function assertDistinct(paths: readonly string[]): void {
  const seen = new Set<string>();
  for (const path of paths) {
    const key = path === '-' ? path : resolve(path);
    if (seen.has(key))
      throw new InputError('LOGDRIFT_INPUT_TWICE', `${path}: is named twice; its records would count twice`);
    seen.add(key);
  }
}

interface ReaderContext {
  options: InputOptions;
  localToUtc: LocalToUtc;
  counters: { lines: number; cutLines: number; continuationLines: number; linesWithoutTime: number };
}

function readerOf(input: ByteInput, path: string, context: ReaderContext): AsyncGenerator<InputItem[]> {
  if (isOtlpJson(input.head, input.name)) return readOtlp(input.name, input.chunks);
  const { localToUtc, options, counters } = context;
  return readPlain(input.chunks, {
    file: input.name,
    source: plainSource(path, options.source),
    timestamps: createTimestampFinder({ localToUtc, modifiedMs: input.modifiedMs }),
    stats: counters,
  });
}

function plainSource(path: string, source: string | null): string {
  if (source === null) return `file:${joinId([normaliseIdPart(path === '-' ? 'stdin' : fileStem(path))])}`;
  return source.includes(':') ? source : `file:${source}`;
}

interface Head {
  reader: AsyncGenerator<InputItem[]>;
  items: InputItem[];
  next: number;
  /** Of the next item; a time that is not known yet goes first. */
  timeMs: number;
}

async function* mergeByTime(readers: AsyncGenerator<InputItem[]>[]): AsyncGenerator<InputItem> {
  const heads: Head[] = [];
  for (const reader of readers) {
    const head = { reader, items: [], next: 0, timeMs: -Infinity };
    if (await refill(head)) heads.push(head);
  }
  while (heads.length > 0) {
    // The earliest file goes on until another one is due: a scan over the files per run, not per record.
    let first = 0;
    for (let i = 1; i < heads.length; i++) if (heads[i]!.timeMs < heads[first]!.timeMs) first = i;
    const head = heads[first]!;
    let othersMs = Infinity;
    let tiesGoToOther = false;
    heads.forEach((other, i) => {
      if (i === first || other.timeMs > othersMs) return;
      tiesGoToOther = other.timeMs < othersMs ? i < first : tiesGoToOther || i < first;
      othersMs = other.timeMs;
    });
    let isAlive = true;
    do {
      yield head.items[head.next++]!;
      if (head.next < head.items.length) head.timeMs = timeOf(head.items[head.next]!);
      else isAlive = await refill(head);
    } while (isAlive && (head.timeMs < othersMs || (head.timeMs === othersMs && !tiesGoToOther)));
    if (!isAlive) heads.splice(first, 1);
  }
}

async function refill(head: Head): Promise<boolean> {
  const { done, value } = await head.reader.next();
  if (done) return false;
  head.items = value;
  head.next = 0;
  head.timeMs = timeOf(value[0]!);
  return true;
}

function timeOf(item: InputItem): number {
  return Number.isNaN(item.timeMs) ? -Infinity : item.timeMs;
}
