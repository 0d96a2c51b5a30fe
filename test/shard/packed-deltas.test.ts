import { expect, test } from 'vitest';
import { PART_BYTES, packDeltas, unpackDeltas } from '../../src/shard/packed-deltas.ts';
import { delta, template, window } from '../store/deltas.ts';

test('deltas come out of their buffers as they went in, in their order', () => {
  const deltas = Array.from({ length: 40 }, (_, k) =>
    delta(`file:${k}`, {
      meta: JSON.stringify({ k, text: 'ü\u0000' }),
      reset: k % 2 === 0,
      // Blobs of odd lengths lie at odd places in the buffer.
      windows: [window(k, ...Array.from({ length: 10_001 + k }, (_, i) => (i * k) & 255))],
      oldestWindowId: k,
      templates: [template(-1, k)],
      removedTemplates: [k, 7],
    }),
  );
  const packed = packDeltas(deltas);
  expect(packed.length).toBe(2);
  expect(unpackDeltas(packed.map((part) => structuredClone(part)))).toEqual(deltas);
  expect([packDeltas([]), unpackDeltas([])]).toEqual([[], []]);
});

test('a buffer holds some 256 KiB, or one source', () => {
  const large = delta('file:large', { windows: [{ windowId: 1, blob: new Uint8Array(3 * PART_BYTES) }] });
  const packed = packDeltas([delta('file:a'), large, delta('file:b')]);
  expect(packed.map((part) => unpackDeltas([part]).map(({ key }) => key))).toEqual([
    ['file:a', 'file:large'],
    ['file:b'],
  ]);
});
