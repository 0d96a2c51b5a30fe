import { describe, expect, test } from 'vitest';
import {
  addWeights,
  combine,
  dot,
  weightedSum,
  type SnapshotKind,
  type SparseCounts,
} from '../../../src/detect/dmd/snapshot.ts';
import { VectorProducts } from '../../../src/detect/dmd/vector-products.ts';
import { inner, random } from './reference.ts';

const window: SparseCounts = { length: 3, columns: [4, 0, 2], counts: [9, 1, 0], start: 0 };

function weights(kind: SnapshotKind, counts: SparseCounts = window): number[] {
  const out = new Float64Array(5);
  addWeights(kind, counts, 1, out);
  return [...out];
}

describe('weights from counts', () => {
  test('log_sum is ln(1 + count), so volume shows', () => {
    expect(weights('log_sum')).toEqual([Math.log(2), 0, 0, 0, Math.log1p(9)]);
  });

  test.each([1, 1023, 1024, 2.5, 1e6, 2 ** 53])('a count of %d weighs exactly ln(1 + count)', (count) => {
    expect(weights('log_sum', { length: 1, columns: [1], counts: [count], start: 0 })[1]).toBe(Math.log1p(count));
  });

  test('log_mean sums to 1, so only the mix shows', () => {
    const found = weights('log_mean');
    expect(found.reduce((sum, a) => sum + a, 0)).toBeCloseTo(1, 15);
    expect(found[4]! / found[0]!).toBeCloseTo(Math.log1p(9) / Math.log(2), 14);
  });

  test('mean gives every template that occurs the same weight', () => {
    expect(weights('mean')).toEqual([0.5, 0, 0, 0, 0.5]);
  });

  test.each(['log_sum', 'log_mean', 'mean'] as const)('an empty window is the zero snapshot in %s', (kind) => {
    expect(weights(kind, { length: 0, columns: [], counts: [], start: 0 })).toEqual([0, 0, 0, 0, 0]);
    expect(weightedSum(kind, { length: 1, columns: [0], counts: [0], start: 0 }, Float64Array.of(5))).toBe(0);
  });

  test('only `length` entries from `start` on count, so a window may lie in the array of many', () => {
    expect(weights('log_sum', { ...window, length: 1 })).toEqual([0, 0, 0, 0, Math.log1p(9)]);
    expect(weights('log_sum', { ...window, counts: [7, 9, 1, 0, 7], start: 1 })).toEqual(weights('log_sum'));
  });

  test.each(['log_sum', 'log_mean', 'mean'] as const)(
    'a Gram entry from counts is the product of the snapshots in %s',
    (kind) => {
      const next = random(1);
      const vectors = Array.from({ length: 5 }, () => Float32Array.from({ length: 7 }, () => next() - 0.5));
      const x = new Float64Array(7);
      combine(Float64Array.from(weights(kind)), vectors, 5, x);
      const [table, products] = [new VectorProducts(), new Float64Array(5)];
      table.update(vectors);
      table.multiply(Float64Array.from(weights(kind)), 5, products);
      expect(weightedSum(kind, window, products)).toBeCloseTo(inner(x, x), 14);
    },
  );

  test('a template without a vector adds nothing', () => {
    const x = new Float64Array(2).fill(9);
    combine(Float64Array.of(2, 3), [Float32Array.of(1, 0), null], 2, x);
    expect([...x]).toEqual([2, 0]);
  });

  test.each([1, 3, 4, 5, 8, 11])('%i vectors are added one after another, in float64', (columns) => {
    const next = random(columns);
    const vectors = Array.from({ length: 12 }, (_, i) =>
      i === 6 ? null : Float32Array.from({ length: 9 }, () => next() - 0.5),
    );
    const weights = Float64Array.from({ length: 12 }, (_, i) => (i === 2 ? 0 : next() - 0.5));
    const x = new Float64Array(9).fill(7);
    combine(weights, vectors, columns, x);
    const expected = new Float64Array(9);
    for (const [i, vector] of vectors.slice(0, columns).entries()) {
      vector?.forEach((value, d) => (expected[d] = expected[d]! + weights[i]! * value));
    }
    expect([...x]).toEqual([...expected]);
  });

  test.each([0, 1, 3, 4, 5, 767, 768])('dot sums all of %i dimensions', (dimensions) => {
    const ones = new Float64Array(dimensions).fill(1);
    expect(
      dot(
        ones,
        Float32Array.from({ length: dimensions }, (_, d) => d),
      ),
    ).toBe((dimensions * (dimensions - 1)) / 2 || 0);
  });
});
