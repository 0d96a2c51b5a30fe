import { expect, test } from 'vitest';
import { buildKeyTable, findKey } from '../../src/receive/key-table.ts';

function find(keys: string[], key: string): string | undefined {
  const bytes = Buffer.from(`xx${key}yy`);
  const table = buildKeyTable(keys);
  return table.keys[findKey(table, bytes, 2, bytes.length - 2)];
}

test('every key put in is found, also when many share a bucket', () => {
  // Equal length, first and last byte: one bucket for all of them.
  const keys = Array.from({ length: 200 }, (_, i) => `a${String(i).padStart(3, '0')}z`);
  for (const key of keys) expect(find(keys, key)).toBe(key);
  expect(find(keys, 'a200z')).toBeUndefined();
});

test('keys are compared as UTF-8, whole', () => {
  expect(find(['größe', 'größ'], 'größe')).toBe('größe');
  expect(find(['log.file.name'], 'log.file.nam')).toBeUndefined();
  expect(find(['a'], '')).toBeUndefined();
});

test('a key keeps its first place', () => {
  expect(buildKeyTable(['b', 'a', 'b', '']).keys).toEqual(['b', 'a']);
});
