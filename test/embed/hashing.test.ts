import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { HASHING_DIMENSIONS, hashEmbed, hashingEmbedder } from '../../src/embed/hashing.ts';

function embed(text: string): Float32Array {
  const out = new Float32Array(HASHING_DIMENSIONS);
  hashEmbed(text, out);
  return out;
}

function cosine(one: string, other: string): number {
  const b = embed(other);
  return embed(one).reduce((sum, value, index) => sum + value * b[index]!, 0);
}

const AWKWARD = ['', ' ', '<*>', '<num> <num>', '12345', '...', '{}', 'a', '日本語', '<', '<<<>>>', '\u0000'];

test.each(AWKWARD)('%j has a vector of length 1', (text) => {
  const vector = embed(text);
  expect(vector.every((value) => Number.isFinite(value))).toBe(true);
  expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
});

test('the vectors are the same on every machine and in every version that calls itself hashing-1', () => {
  const hash = createHash('sha256');
  for (const text of [
    ...AWKWARD,
    'Failed to open <*> for NullPointerException 17',
    'GET /api/users/<num> HTTP/1.1 <status>',
  ]) {
    hash.update(Buffer.from(embed(text).buffer));
  }
  expect(hash.digest('hex').slice(0, 16)).toBe('8a7492e4b42c89ca');
  expect(hashingEmbedder().identity).toBe('hashing-1');
});

test('placeholders, digits and case do not count, an enumeration does', () => {
  expect(cosine('Connection from <*> port <num>', 'connection from 10.1.2.3 PORT 4711')).toBeCloseTo(1, 5);
  expect(cosine('service <*>', 'service <started|stopped>')).toBeLessThan(0.8);
});

test('a camelCase compound is close to its spelt-out words', () => {
  expect(cosine('NullPointerException', 'null pointer exception')).toBeGreaterThan(0.5);
  expect(cosine('HTTPServer failed', 'http server failed')).toBeGreaterThan(0.5);
});

test('variants of one message are near, unrelated messages are almost orthogonal', () => {
  const message = 'Failed password for invalid user <*> from <ip> port <num> ssh';
  expect(cosine(message, 'Failed password for <*> from <ip> port <num> ssh')).toBeGreaterThan(0.75);
  expect(Math.abs(cosine(message, 'Received block <id> of size <num>'))).toBeLessThan(0.25);
});

test('a text of a million characters is read to a bound and has a vector of length 1', () => {
  expect(Math.hypot(...embed('x'.repeat(1_000_000)))).toBeCloseTo(1, 5);
});

test('the order of words counts a little', () => {
  const swapped = cosine('worker stopped before queue drained', 'queue stopped before worker drained');
  expect(swapped).toBeLessThan(0.999);
  expect(swapped).toBeGreaterThan(0.7);
});

test('different texts without words have different vectors', () => {
  expect(cosine('{}', '[]')).toBeLessThan(0.99);
});

test('embedding many texts gives the event loop its turn', async () => {
  let turns = 0;
  const immediate = setInterval(() => turns++, 0);
  const texts = Array.from({ length: 2_000 }, (_, index) => `message ${index} `.repeat(100));
  const vectors = await hashingEmbedder().embed(texts, new AbortController().signal);
  clearInterval(immediate);
  expect(vectors).toHaveLength(2_000);
  expect(turns).toBeGreaterThan(1);
});
