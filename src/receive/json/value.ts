/** AnyValue and KeyValue in OTLP/JSON (opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding"). */
import { Names } from './names.ts';
import { ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, wrongKind } from './lex.ts';
import { type JsonScanner } from './scan.ts';
import { END, enter, nextElement, nextName } from './walk.ts';
import {
  attributeText,
  MAX_ATTRIBUTE_BYTES,
  MAX_RESOURCE_ATTRIBUTES,
  MAX_VALUE_DEPTH,
  newValueBudget,
  type PlainValue,
  type ValueBudget,
} from '../value-text.ts';

export const KEY_VALUE = new Names('key', 'value', 'keyStrindex');
export const KEY = 0;
export const VALUE = 1;
export const KEY_STRINDEX = 2;

export const ANY_VALUE = new Names(
  'stringValue',
  'boolValue',
  'intValue',
  'doubleValue',
  'bytesValue',
  'arrayValue',
  'kvlistValue',
  'stringValueStrindex',
);
const STRING_VALUE = 0;
const BOOL_VALUE = 1;
const INT_VALUE = 2;
const DOUBLE_VALUE = 3;
const BYTES_VALUE = 4;
const ARRAY_VALUE = 5;
export const KVLIST_VALUE = 6;
const STRING_STRINDEX = 7;

export const VALUES = new Names('values');
const ATTRIBUTES = new Names('attributes');
const NAME = new Names('name');
const FIRST = 0;

/**
 * The value that the AnyValue at `scan` holds, undefined when it holds none (`{}`, null, strindex). Of several the last one counts. To be
 * called inside a revisit, which bounds its bytes; what exceeds the budget of nodes is left out, too.
 * @throws {DecodeError} with a path that begins with `path`
 */
export function readAny(
  scan: JsonScanner,
  path: string,
  budget: ValueBudget = newValueBudget(),
  depth = 0,
): PlainValue | undefined {
  let value: PlainValue | undefined;
  if (!enter(scan, OBJECT, path)) return undefined;
  for (let name = nextName(scan, ANY_VALUE); name !== END; name = nextName(scan, ANY_VALUE)) {
    value = readField(scan, name, path, budget, depth) ?? value;
  }
  return value;
}

/** The value of the field `name` at `scan`; undefined when it is null, or no value. @throws {DecodeError} */
export function readField(
  scan: JsonScanner,
  name: number,
  path: string,
  budget: ValueBudget,
  depth: number,
): PlainValue | undefined {
  const isNested = name === ARRAY_VALUE || name === KVLIST_VALUE;
  if (isNested && depth < MAX_VALUE_DEPTH) {
    return name === ARRAY_VALUE
      ? readArray(scan, `${path}.arrayValue`, budget, depth + 1)
      : readMap(scan, `${path}.kvlistValue`, budget, depth + 1);
  }
  // Half a text is a text, half a number is none.
  const isWhole = scan.value() || name === STRING_VALUE || name === BYTES_VALUE;
  if (scan.kind === NULL || !isWhole) return undefined;
  switch (name) {
    case STRING_VALUE:
      if (scan.kind !== STRING) throw wrongKind('a string', scan.kind, `${path}.stringValue`);
      return scan.text();
    case BOOL_VALUE:
      return readBool(scan, `${path}.boolValue`);
    case INT_VALUE:
      return readInt(scan, `${path}.intValue`);
    case DOUBLE_VALUE:
      return readDouble(scan, `${path}.doubleValue`);
    case BYTES_VALUE:
      if (scan.kind !== STRING) throw wrongKind('base64', scan.kind, `${path}.bytesValue`);
      return Buffer.from(scan.text(), 'base64');
    case STRING_STRINDEX:
      scan.sawStrindex = true;
  }
  return undefined;
}

function readBool(scan: JsonScanner, path: string): boolean {
  const text = scan.kind === STRING ? scan.text() : scan.kind === BOOLEAN ? scan.raw : '';
  if (text !== 'true' && text !== 'false') throw wrongKind('a boolean', scan.kind, path);
  return text === 'true';
}

function readInt(scan: JsonScanner, path: string): number | bigint {
  if (scan.kind === NUMBER) {
    const number = Number(scan.raw);
    if (Number.isFinite(number)) return number;
  }
  if (scan.kind === STRING) {
    const text = scan.text();
    if (/^-?\d{1,19}$/.test(text)) {
      const number = Number(text);
      return Number.isSafeInteger(number) ? number : BigInt(text);
    }
  }
  throw wrongKind('an integer or a decimal string', scan.kind, path);
}

function readDouble(scan: JsonScanner, path: string): number {
  if (scan.kind === NUMBER) return Number(scan.raw);
  if (scan.kind === STRING) {
    const text = scan.text();
    const number = Number(text);
    if (text !== '' && (text === 'NaN' || !Number.isNaN(number))) return number;
  }
  throw wrongKind('a number', scan.kind, path);
}

function readArray(scan: JsonScanner, path: string, budget: ValueBudget, depth: number): PlainValue[] | undefined {
  const values: PlainValue[] = [];
  const isSet = readElements(scan, VALUES, path, () => {
    if (budget.nodes-- > 0) values.push(readAny(scan, path, budget, depth) ?? null);
    else scan.value();
  });
  return isSet ? values : undefined;
}

export function readMap(
  scan: JsonScanner,
  path: string,
  budget: ValueBudget,
  depth: number,
): Map<string, PlainValue> | undefined {
  const values = new Map<string, PlainValue>();
  const isSet = readElements(scan, VALUES, path, () => {
    if (budget.nodes-- > 0) {
      const entry = readKeyValue(scan, path, budget, depth);
      if (entry !== null && !values.has(entry.key)) values.set(entry.key, entry.value ?? null);
    } else scan.value();
  });
  return isSet ? values : undefined;
}

/**
 * Calls `read` at each element of the array that is the object's one member of interest.
 * @returns false when the object is null
 */
export function readElements(scan: JsonScanner, list: Names, path: string, read: () => void): boolean {
  if (!enter(scan, OBJECT, path)) return false;
  for (let name = nextName(scan, list); name !== END; name = nextName(scan, list)) {
    if (name !== FIRST) scan.value();
    else if (enter(scan, ARRAY, path)) while (nextElement(scan)) read();
  }
  return true;
}

/** Null when it has no key. */
function readKeyValue(
  scan: JsonScanner,
  path: string,
  budget: ValueBudget,
  depth: number,
): { key: string; value: PlainValue | undefined } | null {
  if (!enter(scan, OBJECT, path)) return null;
  let key: string | null = null;
  let value: PlainValue | undefined;
  let hasStrindex = false;
  for (let name = nextName(scan, KEY_VALUE); name !== END; name = nextName(scan, KEY_VALUE)) {
    if (name === VALUE) {
      value = readAny(scan, path, budget, depth);
      continue;
    }
    if (!scan.value()) continue;
    if (name === KEY) key = readKey(scan, path);
    else if (name === KEY_STRINDEX) hasStrindex = true;
  }
  if (key !== null) return { key, value };
  if (hasStrindex) scan.sawStrindex = true;
  return null;
}

/** The key of a KeyValue that `scan` has just gone over; null when it is null. @throws {DecodeError} */
export function readKey(scan: JsonScanner, path: string): string | null {
  if (scan.kind === NULL) return null;
  if (scan.kind !== STRING) throw wrongKind('a string', scan.kind, `${path}.key`);
  return scan.text();
}

/** `Resource.attributes` of the resource at `scan`: the first of a key stays, what holds nothing is left out. Inside a revisit. */
export function readResource(scan: JsonScanner, path: string): Map<string, string> {
  const attributes = new Map<string, string>();
  const attributesPath = `${path}.attributes`;
  readElements(scan, ATTRIBUTES, attributesPath, () => {
    const entry = readKeyValue(scan, attributesPath, newValueBudget(), 0);
    if (entry === null || entry.value === undefined || entry.key === '') return;
    if (attributes.size === MAX_RESOURCE_ATTRIBUTES || attributes.has(entry.key)) return;
    attributes.set(entry.key, attributeText(entry.value));
  });
  return attributes;
}

/** `name` of the scope at `scan`; empty when it has none. Inside a revisit. */
export function readScopeName(scan: JsonScanner, path: string): string {
  let text = '';
  if (!enter(scan, OBJECT, path)) return text;
  for (let name = nextName(scan, NAME); name !== END; name = nextName(scan, NAME)) {
    if (scan.value() && name === FIRST) text = scan.kind === STRING ? scan.text(MAX_ATTRIBUTE_BYTES) : '';
  }
  return text;
}
