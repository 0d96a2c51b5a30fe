import { expect, test } from 'vitest';
import { Chunks, copyTogether, free } from '../../src/receive/scratch.ts';

test('single bytes are kept in few buffers, and in order with all others', () => {
  const chunks = new Chunks();
  const sent: Buffer[] = [];
  for (let i = 0; i < 40_000; i++) {
    const chunk = Buffer.alloc(i % 5000 === 4999 ? 600 : i % 7 === 0 ? 3 : 1, i % 251);
    sent.push(chunk);
    chunks.add(chunk);
  }
  const whole = Buffer.concat(sent);
  expect(chunks.list.length).toBeLessThan(16 + 2 * (whole.length / 16_384 + 8) + 2);
  expect(chunks.byteLength).toBe(whole.length);
  expect(Buffer.compare(chunks.take(), whole)).toBe(0);
});

test('chunks that have their memory to themselves are not copied', () => {
  const chunks = new Chunks();
  const sent = Array.from({ length: 20 }, (_, i) => Buffer.alloc(600 + i));
  for (const chunk of sent) chunks.add(chunk);
  expect(chunks.list).toEqual(sent);
  expect(chunks.list[19]).toBe(sent[19]);
});

test.each([[1], [600], [1, 600], [511, 513, 1, 2000], [16_000, 1]])(
  'of pieces of %j bytes of what a socket gave no more than twice their size is kept, and nothing of the rest',
  (...sizes) => {
    const chunks = new Chunks();
    const socket = Buffer.from(new ArrayBuffer(65_536));
    for (let i = 0; i < 300; i++) chunks.copy(socket.subarray(5, 5 + sizes[i % sizes.length]!));
    const buffers = new Set(chunks.list.map(({ buffer }) => buffer));
    expect(buffers.has(socket.buffer)).toBe(false);
    const held = [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(held).toBeLessThanOrEqual(2 * chunks.byteLength + 16_384);
  },
);

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
  const first = copyTogether(chunks, 1_048_576);
  const { buffer } = first;
  free(first);
  const second = copyTogether(chunks, 1_048_576);
  expect(second.buffer).toBe(buffer);
  expect(Buffer.compare(second, Buffer.concat(chunks))).toBe(0);
  free(second);
});
