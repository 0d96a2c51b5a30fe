/** AnyValue and KeyValue in OTLP/JSON (opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding"), snake_case accepted too. */
import { MAX_VALUE_DEPTH, newValueBudget, type PlainValue, type ValueBudget } from './value-text.ts';
import { DecodeError } from './wire.ts';

export type JsonObject = Record<string, unknown>;

/** What decoding met and a person should hear of once. Shared by all requests: whichever of those under way says it, it is said. */
export const seen = { strindex: false, enumName: false };

/** `null` is unset. @throws DecodeError */
export function asObject(value: unknown, path: string): JsonObject | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw wrongKind('an object', value, path);
  return value as JsonObject;
}

/** `null` is unset. @throws DecodeError */
export function asArray(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongKind('an array', value, path);
  return value;
}

export function wrongKind(expected: string, value: unknown, path: string): DecodeError {
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  return new DecodeError(`expected ${expected}, found ${found}`, path, -1);
}

/** The value an AnyValue holds, undefined when it holds none (`{}`, null, strindex). What exceeds {@link newValueBudget} is left out. */
export function plainValue(value: unknown, path: string): PlainValue | undefined {
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
export function keyOf(entry: JsonObject | null, path: string): string | null {
  const key = entry?.['key'];
  if (key === undefined || key === null) {
    if (entry !== null && ('keyStrindex' in entry || 'key_strindex' in entry)) seen.strindex = true;
    return null;
  }
  if (typeof key !== 'string') throw wrongKind('a string', key, `${path}.key`);
  return key;
}
