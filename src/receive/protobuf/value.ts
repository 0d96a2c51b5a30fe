/** AnyValue, KeyValue and friends (opentelemetry/proto/common/v1/common.proto) for the records whose body or attribute is not a plain string. */
import {
  attributeText,
  MAX_ATTRIBUTE_BYTES,
  MAX_RESOURCE_ATTRIBUTES,
  MAX_VALUE_DEPTH,
  newValueBudget,
  type PlainValue,
  type ValueBudget,
} from '../value-text.ts';
import type { WireReader } from './wire.ts';

/** AnyValue's field numbers. 8 (`string_value_strindex`) is for profiles; in logs it means absent. */
export const STRING_VALUE = 1;
export const BYTES_VALUE = 7;
export const KVLIST_VALUE = 6;
const BOOL_VALUE = 2;
const INT_VALUE = 3;
const DOUBLE_VALUE = 4;
const ARRAY_VALUE = 5;
const ANY_VALUE_FIELDS = 0b1111_1110;
const TAG_STRING_STRINDEX = (8 << 3) | 0;
const TAG_KEY_STRINDEX = (3 << 3) | 0;

/** KeyValue: key = 1, value = 2. 3 (`key_strindex`) means absent. */
export const KEY_VALUE_FIELDS = 0b110;

const TAG_STRING = (STRING_VALUE << 3) | 2;
const TAG_ARRAY = (ARRAY_VALUE << 3) | 2;
const TAG_KVLIST = (KVLIST_VALUE << 3) | 2;
const TAG_BYTES = (BYTES_VALUE << 3) | 2;

/** An AnyValue has one field and a KeyValue two; what follows so many is not looked at. */
const MAX_FIELDS = 1024;
/** Fields looked at in one map body or resource, those of its values included; the rest is left out. About 2 ms. */
export const MAX_FIELDS_IN_ALL = 32_768;

/** What an AnyValue holds, without having read it: the field that is set (0 = none) and the range of its payload. */
export interface ValueRange {
  field: number;
  start: number;
  end: number;
}

/** Finds the field that counts (the last of a oneof). Numbers are left unread: their range is the value's. @throws DecodeError */
export function locateValue(reader: WireReader, start: number, end: number, path: string, into: ValueRange): void {
  into.field = 0;
  into.start = into.end = start;
  reader.pos = start;
  for (let fields = 0; reader.pos < end && fields < MAX_FIELDS; fields++) {
    const tag = reader.tag(end, path);
    const valueStart = reader.pos;
    switch (tag) {
      case TAG_STRING:
      case TAG_ARRAY:
      case TAG_KVLIST:
      case TAG_BYTES:
        into.end = reader.payload(end, path);
        into.start = reader.pos;
        reader.pos = into.end;
        into.field = tag >>> 3;
        break;
      case (BOOL_VALUE << 3) | 0:
      case (INT_VALUE << 3) | 0:
      case (DOUBLE_VALUE << 3) | 1:
        reader.skip(tag, end, path);
        into.field = tag >>> 3;
        into.start = valueStart;
        into.end = reader.pos;
        break;
      default:
        if (tag === TAG_STRING_STRINDEX) reader.sawStrindex = true;
        reader.skipUnknown(tag, ANY_VALUE_FIELDS, end, path);
    }
  }
}

/** The value in a located range; what exceeds {@link newValueBudget} is left out. @throws DecodeError */
export function readValue(reader: WireReader, range: ValueRange, path: string): PlainValue {
  return readBounded(reader, range, path, newValueBudget(), 0);
}

function readBounded(
  reader: WireReader,
  range: ValueRange,
  path: string,
  budget: ValueBudget,
  depth: number,
): PlainValue {
  const { field, start, end } = range;
  reader.pos = start;
  switch (field) {
    case STRING_VALUE:
      budget.bytes -= end - start;
      return reader.string(start, end, end - start + Math.min(budget.bytes, 0));
    case BOOL_VALUE:
      return reader.varint(end, path) !== 0;
    case INT_VALUE:
      return reader.int64(end, path);
    case DOUBLE_VALUE:
      return reader.double(end, path);
    case BYTES_VALUE:
      budget.bytes -= end - start;
      return reader.bytes.subarray(start, end + Math.min(budget.bytes, 0));
    case ARRAY_VALUE:
      return depth < MAX_VALUE_DEPTH ? readArray(reader, start, end, path, budget, depth + 1) : null;
    case KVLIST_VALUE:
      return depth < MAX_VALUE_DEPTH ? readMap(reader, start, end, path, budget, depth + 1) : null;
    default:
      return null;
  }
}

function readArray(
  reader: WireReader,
  start: number,
  end: number,
  path: string,
  budget: ValueBudget,
  depth: number,
): PlainValue[] {
  const values: PlainValue[] = [];
  const range: ValueRange = { field: 0, start: 0, end: 0 };
  reader.pos = start;
  while (reader.pos < end && budget.nodes > 0 && budget.bytes > 0) {
    budget.nodes--;
    const tag = reader.tag(end, path);
    if (tag !== 0x0a) {
      reader.skipUnknown(tag, 0b10, end, path);
      continue;
    }
    const valueEnd = reader.payload(end, path);
    locateValue(reader, reader.pos, valueEnd, path, range);
    values.push(readBounded(reader, range, path, budget, depth));
    reader.pos = valueEnd;
  }
  return values;
}

function readMap(
  reader: WireReader,
  start: number,
  end: number,
  path: string,
  budget: ValueBudget,
  depth: number,
): Map<string, PlainValue> {
  const values = new Map<string, PlainValue>();
  const range: ValueRange = { field: 0, start: 0, end: 0 };
  const entry = newKeyValueRange();
  reader.pos = start;
  while (reader.pos < end && budget.nodes > 0 && budget.bytes > 0) {
    budget.nodes--;
    const tag = reader.tag(end, path);
    if (tag !== 0x0a) {
      reader.skipUnknown(tag, 0b10, end, path);
      continue;
    }
    const entryEnd = reader.payload(end, path);
    locateKeyValue(reader, reader.pos, entryEnd, path, entry);
    const key = reader.string(entry.keyStart, entry.keyEnd, MAX_ATTRIBUTE_BYTES);
    if (!values.has(key)) {
      locateValue(reader, entry.valueStart, entry.valueEnd, path, range);
      values.set(key, readBounded(reader, range, path, budget, depth));
    }
    reader.pos = entryEnd;
  }
  return values;
}

export interface KeyValueRange {
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
}

export function newKeyValueRange(): KeyValueRange {
  return { keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 };
}

/** Finds key and value of a KeyValue; either may be empty. @throws DecodeError */
export function locateKeyValue(
  reader: WireReader,
  start: number,
  end: number,
  path: string,
  into: KeyValueRange,
): void {
  into.keyStart = into.keyEnd = into.valueStart = into.valueEnd = start;
  reader.pos = start;
  for (let fields = 0; reader.pos < end && fields < MAX_FIELDS; fields++) {
    const tag = reader.tag(end, path);
    if (tag === 0x0a) {
      into.keyEnd = reader.payload(end, path);
      into.keyStart = reader.pos;
      reader.pos = into.keyEnd;
    } else if (tag === 0x12) {
      into.valueEnd = reader.payload(end, path);
      into.valueStart = reader.pos;
      reader.pos = into.valueEnd;
    } else {
      if (tag === TAG_KEY_STRINDEX) reader.sawStrindex = true;
      reader.skipUnknown(tag, KEY_VALUE_FIELDS, end, path);
    }
  }
}

/** Attribute text of the AnyValue in `[start, end)`; null when it holds nothing. @throws DecodeError */
export function readAttributeText(reader: WireReader, start: number, end: number, path: string): string | null {
  const range: ValueRange = { field: 0, start: 0, end: 0 };
  locateValue(reader, start, end, path, range);
  if (range.field === 0) return null;
  if (range.field === STRING_VALUE || range.field === BYTES_VALUE) {
    return reader.string(range.start, range.end, MAX_ATTRIBUTE_BYTES);
  }
  return attributeText(readValue(reader, range, path));
}

/** `Resource.attributes`: first of duplicate keys wins, values that hold nothing are left out. @throws DecodeError */
export function readResource(reader: WireReader, start: number, end: number, path: string): Map<string, string> {
  const attributes = new Map<string, string>();
  const entry = newKeyValueRange();
  const most = reader.fields + MAX_FIELDS_IN_ALL;
  reader.pos = start;
  while (reader.pos < end && reader.fields < most) {
    const tag = reader.tag(end, path);
    if (tag !== 0x0a) {
      reader.skipUnknown(tag, 0b10, end, path);
      continue;
    }
    const entryEnd = reader.payload(end, path);
    locateKeyValue(reader, reader.pos, entryEnd, path, entry);
    if (entry.keyEnd > entry.keyStart && attributes.size < MAX_RESOURCE_ATTRIBUTES) {
      const key = reader.string(entry.keyStart, entry.keyEnd, MAX_ATTRIBUTE_BYTES);
      const text = attributes.has(key) ? null : readAttributeText(reader, entry.valueStart, entry.valueEnd, path);
      if (text !== null) attributes.set(key, text);
    }
    reader.pos = entryEnd;
  }
  return attributes;
}
