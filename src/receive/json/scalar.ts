/** The plain fields of a LogRecord in OTLP/JSON, from the value that a scanner has just gone over. */
import { NULL, NUMBER, STRING, wrongKind } from './lex.ts';
import type { JsonScanner } from './scan.ts';
import { hexDigit } from './text.ts';
import { OWN_EVENT_PREFIX } from '../value-text.ts';
import { DecodeError } from '../decode-error.ts';

/** Character → value; 16 when it is no digit. */
const HEX_DIGITS = Uint8Array.from({ length: 256 }, (_, code) => {
  const digit = hexDigit(code);
  return digit < 0 ? 16 : digit;
});
const OWN_EVENT = new Uint8Array(Buffer.from(OWN_EVENT_PREFIX));

/**
 * fixed64 nanoseconds, number or decimal string, as milliseconds; 0 when unset. Digits of a string are split at the millisecond, since a
 * double cannot hold today's nanoseconds.
 */
export function readNanosAsMs(scan: JsonScanner, path: string): number {
  if (scan.kind === NULL) return 0;
  if (scan.kind === STRING) {
    const ms = digitsAsMs(scan.bytes, scan.start + 1, scan.pos - 1);
    if (ms >= 0) return ms;
  }
  const nanos = scan.kind === NUMBER ? Number(scan.raw) : scan.kind === STRING ? Number(scan.text()) : NaN;
  if (!(nanos >= 0 && nanos < 2 ** 64)) {
    throw new DecodeError('expected nanoseconds since 1970 as a number or a decimal string', path, -1);
  }
  return nanos / 1e6;
}

/** Of 2^64 ns; a double tells no finer than 4 µs there. */
const MAX_MS = 2 ** 64 / 1e6;

/** -1 when it is not 1 to 20 decimal digits, or more than 64 bits hold. */
function digitsAsMs(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 20) return -1;
  const high = digits(bytes, start, end - 13);
  const low = digits(bytes, Math.max(start, end - 13), end - 6);
  const nanos = digits(bytes, Math.max(start, end - 6), end);
  const ms = high * 1e7 + low + nanos / 1e6;
  return (high | low | nanos) < 0 || ms > MAX_MS ? -1 : ms;
}

/** At most 9 digits; -1 when there is something else among them. */
function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

const SEVERITY_NAME = /^SEVERITY_NUMBER_(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)([234])?$/;
const SEVERITY_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** Number, decimal string or enum name; anything out of range is 0 (unspecified). */
export function readSeverity(scan: JsonScanner, path: string): number {
  if (scan.kind === NULL) return 0;
  if (scan.kind === NUMBER && scan.pos === scan.start + 1) return scan.bytes[scan.start]! - 48;
  if (scan.kind !== NUMBER && scan.kind !== STRING) throw wrongKind('a number', scan.kind, path);
  const text = scan.kind === STRING ? scan.text() : scan.raw;
  const name = SEVERITY_NAME.exec(text);
  if (name !== null) {
    scan.sawEnumName = true;
    return SEVERITY_LEVELS.indexOf(name[1]!) * 4 + Number(name[2] ?? 1);
  }
  const number = Number(text);
  return Number.isInteger(number) && number >= 0 && number <= 24 ? number : 0;
}

/** Hex of exactly `length` bytes, not all zero, in either case; anything else is no id and no error (logs.proto, trace_id). */
export function readId(scan: JsonScanner, into: Uint8Array, at: number, length: number): boolean {
  if (scan.kind !== STRING) return false;
  if (scan.escaped) {
    const text = Buffer.from(scan.text());
    return text.length === length * 2 && readHex(text, 0, into, at, length);
  }
  return scan.pos - scan.start - 2 === length * 2 && readHex(scan.bytes, scan.start + 1, into, at, length);
}

function readHex(hex: Uint8Array, start: number, into: Uint8Array, at: number, length: number): boolean {
  let any = 0;
  let bad = 0;
  for (let i = 0; i < length; i++) {
    const high = HEX_DIGITS[hex[start + 2 * i]!]!;
    const low = HEX_DIGITS[hex[start + 2 * i + 1]!]!;
    bad |= high | low;
    any |= into[at + i] = (high << 4) | low;
  }
  return bad < 16 && any !== 0;
}

/** Is it the `event_name` of one of our own anomalies? */
export function readOwnEvent(scan: JsonScanner): boolean {
  if (scan.kind !== STRING) return false;
  if (scan.escaped) return scan.text().startsWith(OWN_EVENT_PREFIX);
  const start = scan.start + 1;
  if (scan.pos - 1 - start < OWN_EVENT.length) return false;
  for (let i = 0; i < OWN_EVENT.length; i++) if (scan.bytes[start + i] !== OWN_EVENT[i]) return false;
  return true;
}
