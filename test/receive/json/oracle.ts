/**
 * OTLP/JSON the plain way, `JSON.parse` and a walk over its tree: what our reader is checked and measured against.
 */
import { newDecodedRecord, newDecodeSummary, type DecodeSummary } from '../../../src/receive/decoded.ts';
import { MAX_LISTED_KEYS, type Attributes, type DecodedRecord, type RecordSink } from '../../../src/receive/record.ts';
import { TextScratch } from '../../../src/receive/text-scratch.ts';
import {
  attributeText,
  canonicalJson,
  MAX_RESOURCE_ATTRIBUTES,
  MAX_VALUE_DEPTH,
  MESSAGE_FIELDS,
  messageToText,
  newValueBudget,
  OWN_EVENT_PREFIX,
  TEMPLATE_ATTRIBUTES,
  valueToText,
  type PlainValue,
  type ValueBudget,
} from '../../../src/receive/value-text.ts';
import { DecodeError } from '../../../src/receive/decode-error.ts';

type JsonObject = Record<string, unknown>;

/** Records between two turns given to the caller: about 1 ms. */
const YIELD_EVERY = 1000;
/** Trace id at 0, span id behind it. */
const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
/** Equal resources of one process come as one Map; the oldest leave first. */
const MAX_RESOURCES = 2048;
const MAX_RESOURCE_SIGNATURE = 4096;

/** All decodings share them: nothing in them outlives a `record` call. */
const scratch = new TextScratch();
const resources = new Map<string, Attributes>();

/**
 * Hands every record of `request` (UTF-8 JSON of one ExportLogsServiceRequest) to `sink`, in wire order; yields about every 1,000 records.
 * @param summary filled while decoding, and returned
 * @throws {DecodeError} when it is not JSON or a known field has a wrong type; what the sink got until then is to be dropped.
 */
export function* decodeParsedJson(
  request: Uint8Array,
  sink: RecordSink,
  summary: DecodeSummary = newDecodeSummary(),
): Generator<void, DecodeSummary> {
  const root = asObject(parse(request), '');
  if (root === null) throw wrongKind('an object', null, '');
  const record = newDecodedRecord(new Uint8Array(TRACE_BYTES + SPAN_BYTES));
  let current: JsonObject = {};
  record.attributeKeys = () => listKeys(current['attributes']);
  seen.strindex = seen.enumName = false;
  let untilYield = YIELD_EVERY;

  const allResourceLogs = asArray(root['resourceLogs'] ?? root['resource_logs'], 'resourceLogs');
  for (let r = 0; r < allResourceLogs.length; r++) {
    const resourceLogs = asObject(allResourceLogs[r], 'resourceLogs') ?? {};
    sink.resource(resourceOf(asObject(resourceLogs['resource'], 'resourceLogs.resource')));
    const allScopeLogs = asArray(resourceLogs['scopeLogs'] ?? resourceLogs['scope_logs'], 'resourceLogs.scopeLogs');
    for (let s = 0; s < allScopeLogs.length; s++) {
      const scopeLogs = asObject(allScopeLogs[s], 'resourceLogs.scopeLogs') ?? {};
      const name = asObject(scopeLogs['scope'], 'resourceLogs.scopeLogs.scope')?.['name'];
      sink.scope(typeof name === 'string' ? name : '');
      const records = asArray(scopeLogs['logRecords'] ?? scopeLogs['log_records'], 'resourceLogs.scopeLogs.logRecords');
      for (let i = 0; i < records.length; i++) {
        const source = asObject(records[i], 'resourceLogs.scopeLogs.logRecords');
        try {
          current = source ?? {};
          readRecord(current, record, sink);
        } catch (error) {
          throw withIndexes(error, r, s, i);
        }
        sink.record(record);
        summary.records++;
        if (--untilYield === 0) {
          untilYield = YIELD_EVERY;
          yield;
        }
      }
      if (--untilYield <= 0) {
        untilYield = YIELD_EVERY;
        yield;
      }
    }
    if (--untilYield <= 0) {
      untilYield = YIELD_EVERY;
      yield;
    }
  }
  summary.sawStrindex = seen.strindex;
  summary.sawEnumName = seen.enumName;
  return summary;
}

function parse(request: Uint8Array): unknown {
  if (request.length === 0) throw new DecodeError('the body is empty; JSON needs at least {}', '', 0);
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  const hasByteOrderMark = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const text = bytes.toString('utf8', hasByteOrderMark ? 3 : 0);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJson(error as SyntaxError, text);
  }
}

/** V8 names a position in some messages and quotes the client's text in others; we want the first and not the second. */
function notJson(error: SyntaxError, text: string): DecodeError {
  const position = /at position (\d+)/.exec(error.message)?.[1];
  const offset =
    position !== undefined
      ? Buffer.byteLength(text.slice(0, Number(position)))
      : error.message.includes('end of JSON input')
        ? Buffer.byteLength(text)
        : -1;
  const problem = error.message.replace(/(, | )?"?\.{0,3}".*$/s, '').replace(/ (in JSON )?at position .*$/s, '');
  return new DecodeError(`not JSON (${problem})`, '', offset, { cause: error });
}

/** Says which record is meant; paths inside are written without indexes so that the quick path builds no strings. */
function withIndexes(error: unknown, resource: number, scope: number, record: number): unknown {
  if (!(error instanceof DecodeError)) return error;
  const path = `resourceLogs[${resource}].scopeLogs[${scope}].logRecords[${record}].${error.fieldPath}`;
  return new DecodeError(error.problem, path, -1, { cause: error });
}

function resourceOf(resource: JsonObject | null): Attributes {
  const attributes = new Map<string, string>();
  let signature = '';
  for (const element of asArray(resource?.['attributes'], 'resourceLogs.resource.attributes')) {
    const entry = asObject(element, 'resourceLogs.resource.attributes');
    const key = keyOf(entry, 'resourceLogs.resource.attributes');
    if (key === null || key === '' || attributes.has(key)) continue;
    if (attributes.size >= MAX_RESOURCE_ATTRIBUTES) break;
    const value = plainValue(entry!['value'], 'resourceLogs.resource.attributes');
    if (value === undefined) continue;
    const text = attributeText(value);
    attributes.set(key, text);
    signature += `${key.length}:${key}${text.length}:${text}`;
  }
  if (signature.length > MAX_RESOURCE_SIGNATURE) return attributes;
  const known = resources.get(signature);
  if (known !== undefined) return known;
  if (resources.size >= MAX_RESOURCES) resources.delete(resources.keys().next().value!);
  resources.set(signature, attributes);
  return attributes;
}

/** @throws {DecodeError} with a path that starts at the record */
function readRecord(source: JsonObject, record: DecodedRecord, sink: RecordSink): void {
  record.timeMs = readNanosAsMs(source['timeUnixNano'] ?? source['time_unix_nano'], 'timeUnixNano');
  record.observedTimeMs = readNanosAsMs(
    source['observedTimeUnixNano'] ?? source['observed_time_unix_nano'],
    'observedTimeUnixNano',
  );
  record.severityNumber = readSeverity(source['severityNumber'] ?? source['severity_number']);
  record.traceStart = readId(source['traceId'] ?? source['trace_id'], record.ids, 0, TRACE_BYTES) ? 0 : -1;
  record.spanStart = readId(source['spanId'] ?? source['span_id'], record.ids, TRACE_BYTES, SPAN_BYTES)
    ? TRACE_BYTES
    : -1;
  const eventName = source['eventName'] ?? source['event_name'];
  record.ownEvent = typeof eventName === 'string' && eventName.startsWith(OWN_EVENT_PREFIX);
  if (record.attributes.size > 0) record.attributes.clear();
  if (record.bodyFields.size > 0) record.bodyFields.clear();

  const template = readAttributes(source['attributes'], record.attributes, sink);
  const text = readBody(source['body'], record.bodyFields, sink);
  scratch.reset();
  record.textStart = 0;
  record.textEnd = record.templateStart = scratch.write(text);
  record.templateEnd = template === '' ? record.templateStart : scratch.write(template);
  record.text = record.template = scratch.bytes;
}

/** Fills `into` with the wanted attributes and returns the sender's template, '' when there is none. */
function readAttributes(attributes: unknown, into: Map<string, string>, sink: RecordSink): string {
  let template = '';
  if (attributes === undefined || attributes === null) return template;
  let rank = TEMPLATE_ATTRIBUTES.length;
  const entries = asArray(attributes, 'attributes');
  for (let i = 0; i < entries.length; i++) {
    const entry = asObject(entries[i], 'attributes');
    const key = keyOf(entry, 'attributes');
    if (key === null) continue;
    const templateIndex = TEMPLATE_ATTRIBUTES.indexOf(key);
    const wanted = sink.wantedAttributes.has(key) && !into.has(key);
    if (!wanted && templateIndex < 0) continue;
    const value = plainValue(entry!['value'], 'attributes');
    if (value === undefined) continue;
    if (templateIndex >= 0 && templateIndex < rank && typeof value === 'string' && value !== '') {
      rank = templateIndex;
      template = value;
    }
    if (wanted) into.set(key, attributeText(value));
  }
  return template;
}

function listKeys(attributes: unknown): string[] {
  const entries = Array.isArray(attributes) ? attributes.slice(0, MAX_LISTED_KEYS) : [];
  return entries.flatMap((entry) => keyOf(asObject(entry, 'attributes'), 'attributes') ?? []);
}

/** The body's text; the wanted fields of a map body go to `into`. */
function readBody(body: unknown, into: Map<string, string>, sink: RecordSink): string {
  if (body === undefined || body === null) return '';
  const text = (body as JsonObject)['stringValue'];
  if (typeof text === 'string') return text;
  const value = plainValue(body, 'body');
  if (value === undefined) return '';
  if (!(value instanceof Map)) return valueToText(value);
  for (const [key, field] of value) {
    if (field !== null && sink.wantedBodyFields.has(key)) into.set(key, attributeText(field));
  }
  for (const name of MESSAGE_FIELDS) {
    const message = value.get(name);
    if (message !== undefined && message !== null) return messageToText(message);
  }
  return canonicalJson(value);
}

/**
 * fixed64 nanoseconds, number or decimal string, as milliseconds; 0 when unset. Digits of a string are split at the millisecond, since a
 * double cannot hold today's nanoseconds.
 */
function readNanosAsMs(value: unknown, path: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'string') {
    const ms = digitsAsMs(value);
    if (ms >= 0) return ms;
  }
  const nanos = typeof value === 'string' ? Number(value) : value;
  if (typeof nanos !== 'number' || !(nanos >= 0 && nanos < 2 ** 64)) {
    throw new DecodeError('expected nanoseconds since 1970 as a number or a decimal string', path, -1);
  }
  return nanos / 1e6;
}

/** -1 when it is not 1 to 20 decimal digits. */
function digitsAsMs(text: string): number {
  const length = text.length;
  if (length === 0 || length > 20) return -1;
  let ms = 0;
  let nanos = 0;
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    if (i < length - 6) ms = ms * 10 + digit;
    else nanos = nanos * 10 + digit;
  }
  return ms + nanos / 1e6 > 2 ** 64 / 1e6 ? -1 : ms + nanos / 1e6;
}

const SEVERITY_NAME = /^SEVERITY_NUMBER_(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)([234])?$/;
const SEVERITY_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** Number, decimal string or enum name; anything out of range is 0 (unspecified). */
function readSeverity(value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'string') {
    const name = SEVERITY_NAME.exec(value);
    if (name !== null) {
      seen.enumName = true;
      return SEVERITY_LEVELS.indexOf(name[1]!) * 4 + Number(name[2] ?? 1);
    }
  } else if (typeof value !== 'number') throw wrongKind('a number', value, 'severityNumber');
  const number = Number(value);
  return Number.isInteger(number) && number >= 0 && number <= 24 ? number : 0;
}

/** Hex of exactly `length` bytes, not all zero, in either case; anything else is no id and no error (logs.proto, trace_id). */
function readId(value: unknown, into: Uint8Array, at: number, length: number): boolean {
  if (typeof value !== 'string' || value.length !== length * 2) return false;
  let any = 0;
  for (let i = 0; i < length; i++) {
    const byte = (hexDigit(value.charCodeAt(2 * i)) << 4) | hexDigit(value.charCodeAt(2 * i + 1));
    if (byte < 0) return false;
    into[at + i] = byte;
    any |= byte;
  }
  return any !== 0;
}

/** -1 when it is not one. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** What decoding met and a person should hear of once. Shared by all requests: whichever of those under way says it, it is said. */
const seen = { strindex: false, enumName: false };

/** `null` is unset. @throws DecodeError */
function asObject(value: unknown, path: string): JsonObject | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw wrongKind('an object', value, path);
  return value as JsonObject;
}

/** `null` is unset. @throws DecodeError */
function asArray(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongKind('an array', value, path);
  return value;
}

function wrongKind(expected: string, value: unknown, path: string): DecodeError {
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  return new DecodeError(`expected ${expected}, found ${found}`, path, -1);
}

/** The value an AnyValue holds, undefined when it holds none (`{}`, null, strindex). What exceeds {@link newValueBudget} is left out. */
function plainValue(value: unknown, path: string): PlainValue | undefined {
  return readBounded(value, path, newValueBudget(), 0);
}

function readBounded(value: unknown, path: string, budget: ValueBudget, depth: number): PlainValue | undefined {
  const any = asObject(value, path);
  if (any === null) return undefined;
  for (const name in any) {
    const content = any[name];
    if (content === null) continue;
    switch (name) {
      case 'stringValue':
      case 'string_value':
        if (typeof content !== 'string') throw wrongKind('a string', content, `${path}.${name}`);
        budget.bytes -= content.length;
        return budget.bytes >= 0 ? content : content.slice(0, budget.bytes);
      case 'boolValue':
      case 'bool_value':
        if (typeof content === 'boolean') return content;
        if (content === 'true' || content === 'false') return content === 'true';
        throw wrongKind('a boolean', content, `${path}.${name}`);
      case 'intValue':
      case 'int_value':
        return readInt(content, `${path}.${name}`);
      case 'doubleValue':
      case 'double_value':
        return readDouble(content, `${path}.${name}`);
      case 'bytesValue':
      case 'bytes_value':
        if (typeof content !== 'string') throw wrongKind('base64', content, `${path}.${name}`);
        budget.bytes -= content.length;
        return Buffer.from(budget.bytes >= 0 ? content : content.slice(0, budget.bytes), 'base64');
      case 'arrayValue':
      case 'array_value':
        if (depth >= MAX_VALUE_DEPTH) return null;
        return readArray(content, `${path}.${name}`, budget, depth + 1);
      case 'kvlistValue':
      case 'kvlist_value':
        if (depth >= MAX_VALUE_DEPTH) return null;
        return readMap(content, `${path}.${name}`, budget, depth + 1);
      case 'stringValueStrindex':
      case 'string_value_strindex':
        seen.strindex = true;
    }
  }
  return undefined;
}

function readInt(content: unknown, path: string): number | bigint {
  if (typeof content === 'number' && Number.isFinite(content)) return content;
  if (typeof content === 'string' && /^-?\d{1,19}$/.test(content)) {
    const number = Number(content);
    return Number.isSafeInteger(number) ? number : BigInt(content);
  }
  throw wrongKind('an integer or a decimal string', content, path);
}

function readDouble(content: unknown, path: string): number {
  if (typeof content === 'number') return content;
  if (typeof content === 'string' && content !== '') {
    const number = Number(content);
    if (content === 'NaN' || !Number.isNaN(number)) return number;
  }
  throw wrongKind('a number', content, path);
}

function readArray(content: unknown, path: string, budget: ValueBudget, depth: number): PlainValue[] {
  const values: PlainValue[] = [];
  for (const element of asArray(asObject(content, path)?.['values'], path)) {
    if (budget.nodes-- <= 0 || budget.bytes <= 0) break;
    values.push(readBounded(element, path, budget, depth) ?? null);
  }
  return values;
}

function readMap(content: unknown, path: string, budget: ValueBudget, depth: number): Map<string, PlainValue> {
  const values = new Map<string, PlainValue>();
  for (const element of asArray(asObject(content, path)?.['values'], path)) {
    if (budget.nodes-- <= 0 || budget.bytes <= 0) break;
    const entry = asObject(element, path);
    const key = keyOf(entry, path);
    if (key === null || values.has(key)) continue;
    values.set(key, readBounded(entry!['value'], path, budget, depth) ?? null);
  }
  return values;
}

/** A KeyValue's key; null when it has none. @throws DecodeError */
function keyOf(entry: JsonObject | null, path: string): string | null {
  const key = entry?.['key'];
  if (key === undefined || key === null) {
    if (entry !== null && ('keyStrindex' in entry || 'key_strindex' in entry)) seen.strindex = true;
    return null;
  }
  if (typeof key !== 'string') throw wrongKind('a string', key, `${path}.key`);
  return key;
}
