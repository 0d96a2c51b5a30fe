import { expect, test } from 'vitest';
import { Chunks, join } from '../../src/receive/scratch.ts';

test('single bytes are kept in few buffers, and in order with all others', () => {
  const chunks = new Chunks();
  const sent: Buffer[] = [];
  for (let i = 0; i < 40_000; i++) {
    const chunk = Buffer.alloc(i % 5000 === 4999 ? 600 : i % 7 === 0 ? 3 : 1, i % 251);
    sent.push(chunk);
    chunks.add(chunk);
  }
  const whole = Buffer.concat(sent);
  expect(Buffer.compare(join(chunks.list, whole.length), whole)).toBe(0);
  expect(chunks.list.length).toBeLessThan(16 + 2 * (whole.length / 16_384 + 8) + 2);
});

test('the few chunks of a usual request are not copied', () => {
  const chunks = new Chunks();
  const sent = Array.from({ length: 20 }, (_, i) => Buffer.alloc(600 + i));
  for (const chunk of sent) chunks.add(chunk);
  expect(chunks.list).toEqual(sent);
  expect(chunks.list[19]).toBe(sent[19]);
});

test('a call that dribbles holds little beside its bytes', () => {
  const chunks = new Chunks();
  for (let i = 0; i < 100; i++) chunks.add(Buffer.alloc(1));
  expect(chunks.list.length).toBeLessThan(10);
  expect(chunks.list.at(-1)!.buffer.byteLength).toBe(512);
});
