import { expect, test } from 'vitest';
import { VectorCache } from '../../src/embed/cache.ts';

const vector = (length = 4) => new Float32Array(length).fill(1);

test('the vector used least recently leaves first', () => {
  const cache = new VectorCache(2);
  cache.set('a', 'one', vector());
  cache.set('a', 'two', vector());
  expect(cache.get('a', 'one')).toBeDefined();
  expect(cache.set('a', 'three', vector())).toBe(1);
  expect(cache.get('a', 'two')).toBeUndefined();
  expect(cache.get('a', 'one')).toBeDefined();
  expect(cache.size).toBe(2);
});

test('setting a text again replaces its vector and evicts nobody', () => {
  const cache = new VectorCache(2);
  cache.set('a', 'one', vector());
  cache.set('a', 'two', vector());
  const replacement = vector();
  expect(cache.set('a', 'one', replacement)).toBe(0);
  expect(cache.get('a', 'one')).toBe(replacement);
  expect(cache.bytes).toBe(2 * (16 + 6));
});

test('long vectors lower the number of entries, not the bound on memory', () => {
  const cache = new VectorCache(100);
  for (let index = 0; index < 100; index++) cache.set('a', `text ${index}`, vector(4_096));
  expect(cache.bytes).toBeLessThanOrEqual(100 * 4_096);
  expect(cache.size).toBe(24);
});

test('another fingerprint finds nothing and its first vector empties the cache', () => {
  const cache = new VectorCache(10);
  cache.set('a', 'one', vector());
  expect(cache.get('b', 'one')).toBeUndefined();
  expect(cache.set('b', 'two', vector())).toBe(1);
  expect(cache.get('a', 'one')).toBeUndefined();
  expect(cache.bytes).toBe(16 + 6);
});
