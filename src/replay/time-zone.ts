/** Local time to UTC for log lines that name no zone. */
import { InputError } from './read-error.ts';

const HOUR_MS = 3_600_000;
/** Zones change their offset at whole quarter hours of local time, so inside one bucket nothing changes. */
const BUCKET_MS = 900_000;
/** A file jumps between few buckets; the map is emptied when it grows beyond this. */
const MAX_BUCKETS = 4096;

/** Lines of a file may be a little out of order without the clock having been set back. */
const DISORDER_MS = 10_000;

/**
 * `localMs`: the wall clock's reading written as if it were UTC. Where clocks are set back one reading names two instants: the earlier one is meant unless
 * that would go back behind `previousMs`, the time of the line before (NaN: none).
 */
export type LocalToUtc = (localMs: number, previousMs: number) => number;

/**
 * @param zone IANA name (`Europe/Berlin`), `+02:00`, `-0530`, `UTC`, or null for UTC
 * @throws InputError LOGDRIFT_INPUT_TIMEZONE
 */
export function createLocalToUtc(zone: string | null): LocalToUtc {
  if (zone === null || /^(?:utc|gmt|z)$/i.test(zone)) return (localMs) => localMs;
  const fixed = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (fixed) {
    const offsetMs = (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000;
    return (localMs) => localMs - offsetMs;
  }
  return namedZone(zone);
}

function namedZone(zone: string): LocalToUtc {
  const offsetAt = offsetReader(zone);
  // Offsets that are possible in a bucket: one, or two where clocks are set back, the earlier instant's first.
  const buckets = new Map<number, readonly number[]>();
  let lastBucket = NaN;
  let offsets: readonly number[] = [0];

  return (localMs, previousMs) => {
    const bucket = Math.floor(localMs / BUCKET_MS);
    if (bucket !== lastBucket) {
      let known = buckets.get(bucket);
      if (known === undefined) {
        if (buckets.size >= MAX_BUCKETS) buckets.clear();
        buckets.set(bucket, (known = possibleOffsets(bucket * BUCKET_MS, offsetAt)));
      }
      lastBucket = bucket;
      offsets = known;
    }
    const first = localMs - offsets[0]!;
    if (offsets.length === 1) return first;
    return first < previousMs - DISORDER_MS ? localMs - offsets[1]! : first;
  };
}

function possibleOffsets(localMs: number, offsetAt: (utcMs: number) => number): number[] {
  const before = offsetAt(localMs - 24 * HOUR_MS);
  const after = offsetAt(localMs + 24 * HOUR_MS);
  if (before === after) return [before];
  const valid = [before, after].filter((offset) => offsetAt(localMs - offset) === offset);
  // A reading that clocks skip when they are set forward does not exist; with the old offset it falls right behind the change.
  return valid.length > 0 ? valid : [before];
}

function offsetReader(zone: string): (utcMs: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    const message = `--timezone ${zone} is not known; give an IANA name like Europe/Berlin or an offset like +02:00`;
    throw new InputError('LOGDRIFT_INPUT_TIMEZONE', message, cause);
  }
  return (utcMs) => {
    const wholeMs = Math.floor(utcMs / 1000) * 1000;
    const fields: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(wholeMs)) fields[type] = Number(value);
    const { year, month, day, hour, minute, second } = fields as Record<
      'year' | 'month' | 'day' | 'hour' | 'minute' | 'second',
      number
    >;
    return Date.UTC(year, month - 1, day, hour, minute, second) - wholeMs;
  };
}
