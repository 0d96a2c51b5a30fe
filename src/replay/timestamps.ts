/**
 * Finds when a log line was written.
 *
 * The first timestamp of a line counts, within its first 256 bytes (a JSON line: the value of a key like `time` or `ts` within 4 KiB). A file's lines
 * put it in the same format, mostly at the same place, so the last hit is tried first.
 */
import type { LocalToUtc } from './time-zone.ts';
import {
  compact,
  dmy,
  epoch,
  iso,
  isDigit,
  isWordByte,
  klog,
  mdy,
  ymd,
  type Format,
  type Reading,
} from './timestamp-formats.ts';

const MAX_SCANNED_BYTES = 256;
const MAX_SCANNED_JSON_BYTES = 4096;
const MAX_KEY_BYTES = 16;
const DAY_MS = 86_400_000;
const OPEN_BRACE = 0x7b;
/** A timestamp this near to the beginning of the line is its first: tried at once, without looking at what stands before it. */
const MAX_SURE_BYTES = 1;

export interface TimestampFinder {
  /** When the line was written, in milliseconds since 1970 with fractions; NaN when it does not say. */
  find(line: Uint8Array): number;
  /** The same, looking only at the very beginning from `start` on: does an indented line begin with its own time? */
  findAtStart(line: Uint8Array, start: number): number;
}

export interface TimestampOptions {
  localToUtc: LocalToUtc;
  /**
   * The file's modification time. Where the format has no year, the first line gets the latest year that does not put it more than a day behind this; every
   * further line the year that puts it nearest to the line before, so New Year's Eve is no jump.
   */
  modifiedMs: number;
}

/** One per file: it remembers the format and place that fitted last. */
export function createTimestampFinder({ localToUtc, modifiedMs }: TimestampOptions): TimestampFinder {
  const reading: Reading = { year: null, month: 1, day: 1, timeMs: 0, offsetMs: null, isEpoch: false, next: 0 };
  let lastFormat: Format | null = null;
  let lastAt = 0;
  let previousMs = NaN;
  let suspectMs = NaN;
  let hit: Format | null = null;
  // The date of the line before, so that most lines do without Date.UTC.
  let dateKey = -1;
  let dateMs = 0;

  function midnight(year: number, month: number, day: number): number {
    const key = (year * 16 + month) * 32 + day;
    if (key !== dateKey) {
      dateKey = key;
      dateMs = Date.UTC(year, month - 1, day);
    }
    return dateMs;
  }

  function inYear(year: number): number {
    const localMs = midnight(year, reading.month, reading.day) + reading.timeMs;
    return reading.offsetMs === null ? localToUtc(localMs, previousMs) : localMs - reading.offsetMs;
  }

  function toUtcMs(): number {
    if (reading.isEpoch) return reading.timeMs;
    return reading.year === null ? withoutYear() : inYear(reading.year);
  }

  function withoutYear(): number {
    const known = Number.isNaN(previousMs) ? modifiedMs : previousMs;
    const year = new Date(known).getUTCFullYear();
    if (Number.isNaN(previousMs))
      return inYear(inYear(year + 1) <= known + DAY_MS ? year + 1 : inYear(year) <= known + DAY_MS ? year : year - 1);
    const same = inYear(year);
    if (Math.abs(same - known) < 180 * DAY_MS) return same;
    return inYear(same < known ? year + 1 : year - 1);
  }

  /**
   * A timestamp in another format or place than usual may be one that the message speaks of: it is believed within a day of the line before, or when
   * the next one agrees with it.
   */
  function accept(format: Format, at: number): number {
    const timeMs = toUtcMs();
    const usual = lastFormat === null || (format === lastFormat && at === lastAt);
    if (!usual && !(Math.abs(timeMs - previousMs) <= DAY_MS) && !(Math.abs(timeMs - suspectMs) <= DAY_MS)) {
      suspectMs = timeMs;
      return NaN;
    }
    lastFormat = format;
    lastAt = at;
    suspectMs = NaN;
    return (previousMs = timeMs);
  }

  /** Place of the first timestamp in [from, to), its format in `hit`; -1 when there is none. */
  function scan(line: Uint8Array, from: number, to: number, underKey: boolean): number {
    let before = from > 0 ? line[from - 1] : undefined;
    for (let at = from; at < to; at++) {
      const byte = line[at]!;
      if (!isWordByte(before) && isWordByte(byte)) {
        const format = formatAt(line, at, from, reading);
        if (format !== null && (!underKey || isTimeKey(line, at))) {
          hit = format;
          return at;
        }
      }
      before = byte;
    }
    return -1;
  }

  function find(line: Uint8Array): number {
    if (lastAt <= MAX_SURE_BYTES && lastFormat?.(line, lastAt, line.length, reading)) return accept(lastFormat, lastAt);
    let at = -1;
    if (line[0] === OPEN_BRACE) at = scan(line, 0, Math.min(line.length, MAX_SCANNED_JSON_BYTES), true);
    if (at === -1) at = scan(line, 0, Math.min(line.length, MAX_SCANNED_BYTES), false);
    return at === -1 ? NaN : accept(hit!, at);
  }

  return {
    find,
    findAtStart(line, start) {
      const at = scan(line, start, Math.min(line.length, start + 2), false);
      return at === -1 ? NaN : accept(hit!, at);
    },
  };
}

/** Which format begins at `at`, by its first byte; null when none does. */
function formatAt(line: Uint8Array, at: number, from: number, reading: Reading): Format | null {
  const end = line.length;
  if (!isDigit(line[at])) {
    if (mdy(line, at, end, reading)) return mdy;
    const level = line[at];
    const isLevel = level === 0x49 || level === 0x57 || level === 0x45 || level === 0x46;
    return isLevel && at === from && klog(line, at, end, reading) ? klog : null;
  }
  if (iso(line, at, end, reading)) return iso;
  if (dmy(line, at, end, reading)) return dmy;
  if (compact(line, at, end, reading)) return compact;
  if (ymd(line, at, end, reading)) return at - from <= 1 ? ymd : null;
  // A bare number is a time only where times stand: at the beginning, or under a key that says so.
  return epoch(line, at, end, reading) && (at - from <= 2 || isTimeKey(line, at)) ? epoch : null;
}

const TIME_KEYS = new Set([
  't',
  'ts',
  'time',
  'timestamp',
  '@timestamp',
  '@t',
  'date',
  '$date',
  'datetime',
  'epoch',
  'epochsecond',
  'eventtime',
  'event_time',
  'logtime',
  'log_time',
  'asctime',
  'timemillis',
  'time_local',
  'time_iso8601',
  'msec',
  'audit',
]);

/** Is the value at `at` that of a key like `"time":`, `ts=` or `audit(`? */
function isTimeKey(line: Uint8Array, at: number): boolean {
  let i = at - 1;
  if (line[i] === 0x22) i--;
  while (line[i] === 0x20) i--;
  if (line[i] !== 0x3a && line[i] !== 0x3d && line[i] !== 0x28) return false;
  i--;
  while (line[i] === 0x20) i--;
  if (line[i] === 0x22) i--;
  const end = i + 1;
  while (i >= 0 && end - i <= MAX_KEY_BYTES && (isWordByte(line[i]) || line[i] === 0x40 || line[i] === 0x24)) i--;
  let key = '';
  for (let j = i + 1; j < end; j++) key += String.fromCharCode(line[j]!);
  return TIME_KEYS.has(key.toLowerCase());
}
