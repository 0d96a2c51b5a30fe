/**
 * What an AnyValue says as text, by one rule for both wire formats (OpenTelemetry specification, "AnyValue representation for
 * non-OTLP protocols"): strings as they are, bytes as UTF-8, numbers and booleans printed, arrays and maps as JSON with sorted keys.
 */

export type PlainValue =
  string | number | bigint | boolean | null | Uint8Array | PlainValue[] | Map<string, PlainValue>;

/** Deeper values become null: a hostile body must not exhaust the stack. */
export const MAX_VALUE_DEPTH = 32;
/** Elements and entries looked at in one value; the rest is left out. Bounds memory and time of one body. */
export const MAX_VALUE_NODES = 4096;
/** Text taken from inside one array or map, some 2 ms of it; JSON's escapes can make six bytes of one. */
export const MAX_VALUE_BYTES = 262_144;
/** Longest attribute text kept, in bytes: identities are cut to 128 characters later anyway. */
export const MAX_ATTRIBUTE_BYTES = 8192;
/** Attributes of one resource that are kept. */
export const MAX_RESOURCE_ATTRIBUTES = 512;
/** Map-body fields that hold the message, best first (journald, Windows event log, structured loggers, Elastic). */
export const MESSAGE_FIELDS: readonly string[] = ['MESSAGE', 'message', 'msg', 'log', 'event.original'];
/** Attributes in which a sender hands over the template it already mined, best first. */
export const TEMPLATE_ATTRIBUTES: readonly string[] = [
  'log.record.template',
  '{OriginalFormat}',
  'message_template.text',
];
/** `event_name` of our own anomalies begins so: they must not be analysed when a Collector routes them back. */
export const OWN_EVENT_PREFIX = 'logdrift.';

/** What may still be read of one value. */
export interface ValueBudget {
  nodes: number;
  bytes: number;
}

export function newValueBudget(): ValueBudget {
  return { nodes: MAX_VALUE_NODES, bytes: MAX_VALUE_BYTES };
}

export function valueToText(value: PlainValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
  if (typeof value === 'object') return canonicalJson(value);
  return String(value);
}

/** As {@link valueToText}, but an array of byte values is the UTF-8 they spell: journald's form of a MESSAGE with control characters. */
export function messageToText(value: PlainValue): string {
  const isBytes =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((byte) => typeof byte === 'number' && Number.isInteger(byte) && byte >= 0 && byte <= 255);
  return valueToText(isBytes ? Uint8Array.from(value as number[]) : value);
}

/** JSON with keys in code-unit order, so that equal values give equal text whatever order the sender wrote. */
export function canonicalJson(value: PlainValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) {
    return `"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"`;
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const keys = [...value.keys()].sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value.get(key)!)}`).join(',')}}`;
}

/** An attribute's text, at most {@link MAX_ATTRIBUTE_BYTES} bytes. */
export function attributeText(value: PlainValue): string {
  const text = valueToText(value);
  if (text.length * 3 <= MAX_ATTRIBUTE_BYTES) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_ATTRIBUTE_BYTES) return text;
  let end = MAX_ATTRIBUTE_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
