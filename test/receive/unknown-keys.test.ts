import { expect, test } from 'vitest';
import { unknownKeys } from '../../src/receive/unknown-keys.ts';
import { encodeRequest, message, requestOf } from './oracle.ts';

const json = (value: unknown): string[] | null => unknownKeys(Buffer.from(JSON.stringify(value)), 'json');
const protobuf = (bytes: Buffer): string[] | null => unknownKeys(bytes, 'protobuf');

test('an empty request is nothing to wonder about', () => {
  expect(json({})).toBeNull();
  expect(json({ resourceLogs: [] })).toBeNull();
  expect(protobuf(Buffer.alloc(0))).toBeNull();
});

test('keys of another signal or with typing errors are named, on every level', () => {
  expect(json({ resourceSpans: [{}] })).toEqual(['resourceSpans']);
  expect(json({ resourceLogs: [{ resource: {}, scopelogs: [] }] })).toEqual(['scopelogs']);
  expect(json({ resource_logs: [{ scope_logs: [{ scope: {}, logs: [] }] }] })).toEqual(['logs']);
  expect(protobuf(message(9, 'x'))).toEqual(['field 9']);
  expect(protobuf(message(1, message(2, message(9, 'x'))))).toEqual(['field 9']);
});

test('resources without records are told without names', () => {
  expect(json(requestOf([]))).toEqual([]);
  expect(protobuf(encodeRequest(requestOf([])))).toEqual([]);
});

test('hostile bodies name at most ten short keys', () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, k) => [`${k}`.padEnd(200, 'x'), 1]));
  const keys = json(many)!;
  expect(keys).toHaveLength(10);
  expect(keys.every((key) => key.length <= 40)).toBe(true);
  expect(json([[[]]])).toEqual(['0']);
});
