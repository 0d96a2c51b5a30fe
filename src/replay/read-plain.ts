/**
 * Plain log files: one record a line, its time found in the line.
 *
 * A line without a time takes that of the line before; lines at the beginning of the file that of the first one that has a time. Lines that go on with the
 * record before (indented, `at …`, `Caused by: …`, `... 12 more`, a closing bracket) belong to its text, up to a bound: a stack trace is one record.
 */
import { InputError } from './read-error.ts';
import { readLines } from './read-lines.ts';
import type { TimestampFinder } from './timestamps.ts';

export const MAX_LINE_BYTES = 1024 * 1024;
/** A file that shows no time in so many lines, or bytes, does not write any. */
const MAX_LINES_WITHOUT_TIME = 10_000;
const MAX_BYTES_WITHOUT_TIME = 32 * 1024 * 1024;
/** What of a stack trace stays; the miner reads its first line and top frame. */
const MAX_CONTINUATION_LINES = 64;
const MAX_RECORD_BYTES = 16 * 1024;

export interface LineItem {
  kind: 'line';
  timeMs: number;
  /** UTF-8, without the last line end. */
  text: Uint8Array;
  source: string;
  file: string;
  /** Of its first line, from 1. */
  line: number;
}

export interface PlainOptions {
  file: string;
  source: string;
  timestamps: TimestampFinder;
  stats: { lines: number; cutLines: number; continuationLines: number; linesWithoutTime: number };
}

/** Yields the records of one chunk at a time. @throws InputError LOGDRIFT_INPUT_NO_TIME */
export async function* readPlain(chunks: AsyncIterable<Buffer>, options: PlainOptions): AsyncGenerator<LineItem[]> {
  const { file, source, timestamps, stats } = options;
  let number = 0;
  let timeMs = NaN;
  // Records from before the first time, waiting for it.
  let waiting: LineItem[] = [];
  let waitingBytes = 0;
  let done: LineItem[] = [];
  // The newest record: lines that go on with it may still come.
  let current: LineItem | null = null;
  let rest: Uint8Array[] = [];
  let recordBytes = 0;

  const finish = () => {
    if (current === null) return;
    if (rest.length > 0) current.text = joinLines([current.text, ...rest]);
    rest = [];
    if (!Number.isNaN(current.timeMs)) done.push(current);
    else {
      waiting.push(current);
      waitingBytes += current.text.length;
    }
    current = null;
  };
  const firstTime = (found: number) => {
    for (const item of waiting) item.timeMs = found;
    done.push(...waiting);
    waiting = [];
    if (current !== null) current.timeMs = found;
  };
  const noTime = () =>
    new InputError(
      'LOGDRIFT_INPUT_NO_TIME',
      `${file}: no timestamp in its first ${number} lines; replay needs one in the lines (ISO 8601, syslog, Apache/nginx, epoch, …)`,
    );

  const take = (whole: Buffer) => {
    number++;
    stats.lines++;
    // The hole that copytruncate leaves stands before a line's text.
    const line = whole[0] === 0 ? whole.subarray(whole.findIndex((byte) => byte !== 0)) : whole;
    if (line.length === 0) return;
    const indent = indentation(line);
    if (indent === line.length) return;
    // An indented line with its own time at its beginning is a record of its own.
    let found = indent > 0 ? timestamps.findAtStart(line, indent) : NaN;
    if (Number.isNaN(found) && current !== null && (indent > 0 || continuesRecord(line))) {
      stats.continuationLines++;
      recordBytes += line.length;
      if (rest.length < MAX_CONTINUATION_LINES && recordBytes <= MAX_RECORD_BYTES) rest.push(line);
      return;
    }
    if (indent === 0) found = timestamps.find(line);
    if (Number.isNaN(found)) stats.linesWithoutTime++;
    else {
      if (Number.isNaN(timeMs)) firstTime(found);
      timeMs = found;
    }
    finish();
    current = { kind: 'line', timeMs, text: line, source, file, line: number };
    recordBytes = line.length;
    if (Number.isNaN(timeMs) && (number >= MAX_LINES_WITHOUT_TIME || waitingBytes > MAX_BYTES_WITHOUT_TIME))
      throw noTime();
  };

  const limit = { maxLineBytes: MAX_LINE_BYTES, onTooLong: () => void stats.cutLines++ };
  for await (const lines of readLines(chunks, limit)) {
    for (const line of lines) take(line);
    if (done.length > 0) yield done;
    done = [];
  }
  if (current !== null && Number.isNaN(timeMs)) throw noTime();
  finish();
  if (done.length > 0) yield done;
}

function indentation(line: Buffer): number {
  let i = 0;
  while (i < line.length && (line[i] === 0x20 || line[i] === 0x09)) i++;
  return i;
}

const CONTINUATIONS = ['at ', 'Caused by: ', '... ', '}', ')', ']'].map((text) => Buffer.from(text));

function continuesRecord(line: Buffer): boolean {
  return CONTINUATIONS.some((start) => line[0] === start[0] && line.subarray(0, start.length).equals(start));
}

function joinLines(lines: Uint8Array[]): Uint8Array {
  const newline = Buffer.from('\n');
  return Buffer.concat(lines.flatMap((line, i) => (i === 0 ? [line] : [newline, line])));
}
