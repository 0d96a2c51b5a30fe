import { expect, test } from 'vitest';
import { Chunks, free, join } from '../../src/receive/scratch.ts';

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

test('bytes that are all of their memory are freed at once, those that share it are left alone', () => {
  const whole = Buffer.from(new ArrayBuffer(100));
  const part = Buffer.from(new ArrayBuffer(100)).subarray(1);
  free(whole);
  free(whole);
  free(part);
  expect([whole.buffer.byteLength, part.buffer.byteLength]).toEqual([0, 100]);
});

test('scratch memory that is freed is used again, also when a request filled it to its last byte', () => {
  const chunks = [Buffer.alloc(1_000_000, 1), Buffer.alloc(48_576, 2)];
  const first = join(chunks, 1_048_576);
  const { buffer } = first;
  free(first);
  const second = join(chunks, 1_048_576);
  expect(second.buffer).toBe(buffer);
  expect(Buffer.compare(second, Buffer.concat(chunks))).toBe(0);
  free(second);
});
