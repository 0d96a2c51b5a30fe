/**
 * The ways a log line writes its time, read byte by byte at a given place: no string, no regular expression, no Date.
 *
 *     iso      2026-11-22T08:37:34.705+01:00   2026-11-22 08:37:34,705   2026/11/22 08:37:39   2026-11-22-08.37.34.705
 *     compact  20261122T083734
 *     dmy      22/Nov/2026:08:37:40 +0000   22 Nov 2026 08:37:34.749   22-Nov-2026 08:37:34
 *     mdy      Nov 22 08:37:40   Nov 22 08:37:40.123 2026   Nov 22 2026 08:37:40   Nov 22, 2026 8:37:40 PM
 *     klog     I1122 08:37:40.123456   I20261122 08:37:40.123456
 *     ymd      26/11/22 08:37:40
 *     epoch    1795336660   1795336660.225   1795336660225, also in micro- and nanoseconds
 *
 * Behind the clock: Z, UTC, GMT, +hh:mm, +hhmm, +hh or nothing.
 */

/** What a format found. One object is reused for every line. */
export interface Reading {
  /** Null where the format has none (syslog, klog). */
  year: number | null;
  /** 1..12 */
  month: number;
  day: number;
  /** Since midnight, fractions kept. For an epoch: since 1970. */
  timeMs: number;
  /** Null: local time of the machine that wrote it. */
  offsetMs: number | null;
  isEpoch: boolean;
  /** Index behind the last byte read. */
  next: number;
}

export type Format = (bytes: Uint8Array, at: number, end: number, reading: Reading) => boolean;

const SPACE = 0x20;
const COMMA = 0x2c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const UNDERSCORE = 0x5f;
const UPPER_T = 0x54;
const UPPER_Z = 0x5a;

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

export function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === UNDERSCORE;
}

/** The number in `count` digits at `at`, -1 when they are not all digits. */
function number(bytes: Uint8Array, at: number, count: number, end: number): number {
  if (at + count > end) return -1;
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH_BY_LETTERS = new Map(
  MONTHS.map((name, i) => [letters(name.charCodeAt(0), name.charCodeAt(1), name.charCodeAt(2)), i + 1]),
);

function letters(a: number, b: number, c: number): number {
  return (a << 16) | (b << 8) | c;
}

/** Month 1..12 of the three letters at `at` in any case, 0 when they are none. */
function monthName(bytes: Uint8Array, at: number, end: number): number {
  if (at + 3 > end) return 0;
  return MONTH_BY_LETTERS.get(letters(bytes[at]! | 0x20, bytes[at + 1]! | 0x20, bytes[at + 2]! | 0x20)) ?? 0;
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Takes the date over when it exists (29 February always does: the year may not be known yet). */
function date(reading: Reading, year: number | null, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1 || day > DAYS[month - 1]!) return false;
  if (year !== null && (year < 1970 || year > 2200)) return false;
  reading.year = year;
  reading.month = month;
  reading.day = day;
  reading.isEpoch = false;
  return true;
}

/** `hh:mm:ss`, fractions behind a dot or comma, AM or PM where the hour has one digit or they follow; then the zone. */
function clock(bytes: Uint8Array, at: number, end: number, reading: Reading, separator = COLON): boolean {
  let hour = number(bytes, at, 2, end);
  let i = at + 2;
  if (hour === -1) {
    hour = number(bytes, at, 1, end);
    i = at + 1;
  }
  const minute = number(bytes, i + 1, 2, end);
  const second = number(bytes, i + 4, 2, end);
  if (hour === -1 || minute === -1 || second === -1 || bytes[i] !== separator || bytes[i + 3] !== separator)
    return false;
  if (hour > 23 || minute > 59 || second > 60) return false;
  i += 6;
  if (isDigit(bytes[i]) && i < end) return false;

  let fractionMs = 0;
  if ((bytes[i] === DOT || bytes[i] === COMMA) && i + 1 < end && isDigit(bytes[i + 1])) {
    let scale = 100;
    for (i++; i < end && isDigit(bytes[i]); i++, scale /= 10)
      if (scale > 1e-7) fractionMs += (bytes[i]! - 0x30) * scale;
  }
  const half = bytes[i] === SPACE ? bytes[i + 1]! | 0x20 : 0;
  if (
    i + 3 <= end &&
    (half === 0x61 || half === 0x70) &&
    (bytes[i + 2]! | 0x20) === 0x6d &&
    !(i + 3 < end && isWordByte(bytes[i + 3]))
  ) {
    hour = (hour % 12) + (half === 0x70 ? 12 : 0);
    i += 3;
  }
  reading.timeMs = ((hour * 60 + minute) * 60 + second) * 1000 + fractionMs;
  reading.offsetMs = null;
  reading.next = i;
  zone(bytes, i, end, reading);
  return true;
}

/** Zone at `at`, with a space before it or not. A sign behind a space needs all four digits: ` - ` and ` -5` are no zones. */
function zone(bytes: Uint8Array, at: number, end: number, reading: Reading): void {
  let i = at;
  const spaced = bytes[i] === SPACE;
  if (spaced) i++;
  if (i >= end) return;
  if (bytes[i] === UPPER_Z) {
    if (!(i + 1 < end && isWordByte(bytes[i + 1]))) {
      reading.offsetMs = 0;
      reading.next = i + 1;
    }
    return;
  }
  if (i + 3 <= end && isUtcName(bytes, i)) {
    reading.offsetMs = 0;
    reading.next = i += 3;
  }
  const sign = bytes[i] === PLUS ? 1 : bytes[i] === MINUS ? -1 : 0;
  if (i >= end || sign === 0) return;
  const hours = number(bytes, i + 1, 2, end);
  if (hours === -1 || hours > 14) return;
  const colon = bytes[i + 3] === COLON ? 1 : 0;
  let minutes = number(bytes, i + 3 + colon, 2, end);
  let next = i + 5 + colon;
  if (minutes === -1 && !spaced && colon === 0) {
    minutes = 0;
    next = i + 3;
  }
  if (minutes === -1 || minutes % 15 !== 0 || minutes > 45 || (next < end && isWordByte(bytes[next]))) return;
  reading.offsetMs = sign * (hours * 60 + minutes) * 60_000;
  reading.next = next;
}

function isUtcName(bytes: Uint8Array, at: number): boolean {
  const name = letters(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!);
  return name === letters(0x55, 0x54, 0x43) || name === letters(0x47, 0x4d, 0x54);
}

export const iso: Format = (bytes, at, end, reading) => {
  const year = number(bytes, at, 4, end);
  const separator = bytes[at + 4];
  if (year === -1 || (separator !== MINUS && separator !== SLASH) || bytes[at + 7] !== separator) return false;
  const month = number(bytes, at + 5, 2, end);
  const day = number(bytes, at + 8, 2, end);
  if (month === -1 || day === -1 || !date(reading, year, month, day)) return false;
  const between = bytes[at + 10];
  if (between === MINUS) return clock(bytes, at + 11, end, reading, DOT);
  if (between !== UPPER_T && between !== 0x74 && between !== SPACE && between !== UNDERSCORE) return false;
  return clock(bytes, at + 11, end, reading);
};

export const compact: Format = (bytes, at, end, reading) => {
  const day = number(bytes, at, 8, end);
  const time = number(bytes, at + 9, 6, end);
  if (day === -1 || time === -1 || bytes[at + 8] !== UPPER_T) return false;
  if (!date(reading, Math.floor(day / 10_000), Math.floor(day / 100) % 100, day % 100)) return false;
  const hour = Math.floor(time / 10_000);
  const minute = Math.floor(time / 100) % 100;
  const second = time % 100;
  if (hour > 23 || minute > 59 || second > 60) return false;
  reading.timeMs = ((hour * 60 + minute) * 60 + second) * 1000;
  reading.offsetMs = null;
  reading.next = at + 15;
  zone(bytes, at + 15, end, reading);
  return true;
};

export const dmy: Format = (bytes, at, end, reading) => {
  const digits = number(bytes, at, 2, end) === -1 ? 1 : 2;
  const day = number(bytes, at, digits, end);
  const i = at + digits;
  const separator = bytes[i];
  if (day === -1 || (separator !== SLASH && separator !== SPACE && separator !== MINUS)) return false;
  const month = monthName(bytes, i + 1, end);
  const year = number(bytes, i + 5, 4, end);
  if (month === 0 || year === -1 || bytes[i + 4] !== separator || !date(reading, year, month, day)) return false;
  const between = bytes[i + 9];
  return (between === COLON || between === SPACE) && clock(bytes, i + 10, end, reading);
};

export const mdy: Format = (bytes, at, end, reading) => {
  const month = monthName(bytes, at, end);
  if (month === 0 || bytes[at + 3] !== SPACE) return false;
  let i = at + 4;
  // RFC 3164 pads the day with a space.
  if (bytes[i] === SPACE) i++;
  const digits = number(bytes, i, 2, end) === -1 ? 1 : 2;
  const day = number(bytes, i, digits, end);
  i += digits;
  if (bytes[i] === COMMA) i++;
  if (day === -1 || bytes[i] !== SPACE || !date(reading, null, month, day)) return false;
  i++;
  const year = number(bytes, i, 4, end);
  if (year !== -1 && (bytes[i + 4] === SPACE || bytes[i + 4] === COMMA)) {
    i += bytes[i + 4] === COMMA ? 6 : 5;
    return date(reading, year, month, day) && clock(bytes, i, end, reading);
  }
  if (!clock(bytes, i, end, reading)) return false;
  // Apache's error log and ctime put the year last; a process id or a port is in brackets or glued to something.
  const { next } = reading;
  const last = bytes[next] === SPACE ? number(bytes, next + 1, 4, end) : -1;
  if (last >= 1970 && last <= 2200 && (next + 5 >= end || !isWordByte(bytes[next + 5]))) {
    reading.year = last;
    reading.next = next + 5;
  }
  return true;
};

export const klog: Format = (bytes, at, end, reading) => {
  const digits = number(bytes, at + 1, 8, end) === -1 ? 4 : 8;
  const day = number(bytes, at + 1, digits, end);
  if (day === -1 || bytes[at + 1 + digits] !== SPACE) return false;
  const year = digits === 8 ? Math.floor(day / 10_000) : null;
  return date(reading, year, Math.floor(day / 100) % 100, day % 100) && clock(bytes, at + 2 + digits, end, reading);
};

export const ymd: Format = (bytes, at, end, reading) => {
  const year = number(bytes, at, 2, end);
  const month = number(bytes, at + 3, 2, end);
  const day = number(bytes, at + 6, 2, end);
  if (year === -1 || month === -1 || day === -1 || bytes[at + 2] !== SLASH || bytes[at + 5] !== SLASH) return false;
  return bytes[at + 8] === SPACE && date(reading, 2000 + year, month, day) && clock(bytes, at + 9, end, reading);
};

/** September 2001 (the first of ten digits) to 2100: a number outside it is something else. */
const MIN_EPOCH_SECONDS = 1_000_000_000;
const MAX_EPOCH_SECONDS = 4_102_444_800;
const EPOCH_DIGITS_TO_MS = new Map([
  [10, 1000],
  [13, 1],
  [16, 1e-3],
  [19, 1e-6],
]);

export const epoch: Format = (bytes, at, end, reading) => {
  let i = at;
  let value = 0;
  while (i < end && isDigit(bytes[i]) && i - at < 20) value = value * 10 + (bytes[i++]! - 0x30);
  const toMs = EPOCH_DIGITS_TO_MS.get(i - at);
  if (toMs === undefined) return false;
  let timeMs = toMs < 1 ? value / (1 / toMs) : value * toMs;
  if (timeMs < MIN_EPOCH_SECONDS * 1000 || timeMs > MAX_EPOCH_SECONDS * 1000) return false;
  if (i + 1 < end && bytes[i] === DOT && isDigit(bytes[i + 1])) {
    let scale = toMs / 10;
    for (i++; i < end && isDigit(bytes[i]); i++, scale /= 10) if (scale > 1e-7) timeMs += (bytes[i]! - 0x30) * scale;
  }
  if (i < end && isWordByte(bytes[i])) return false;
  reading.timeMs = timeMs;
  reading.isEpoch = true;
  reading.offsetMs = 0;
  reading.next = i;
  return true;
};
