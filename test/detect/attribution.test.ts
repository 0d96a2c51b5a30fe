import { describe, expect, test } from 'vitest';
import {
  attribute,
  createAttributionScratch,
  reconstructionError,
  type WeightedTemplates,
} from '../../src/detect/attribution.ts';
import { addWeights, combine, type SparseCounts } from '../../src/detect/dmd/snapshot.ts';
import { DmdKernel } from '../../src/detect/dmd/kernel.ts';
import { denseGram, distance, predictFrom, random } from './dmd/reference.ts';

function explain(actual: number[], expected: number[], vectors: (number[] | null)[]) {
  const dimensions = vectors.find((v) => v)?.length ?? 1;
  const templates: WeightedTemplates = {
    columns: actual.length,
    actual: Float64Array.from(actual),
    expected: Float64Array.from(expected),
    vectors: vectors.map((v) => v && Float32Array.from(v)),
  };
  const scratch = createAttributionScratch(dimensions, actual.length);
  const error = reconstructionError(templates, scratch);
  return { error, shares: attribute(templates, scratch) };
}

describe('attribution', () => {
  test('the worked example: shares 4/5 and 1/5', () => {
    const { error, shares } = explain(
      [2, 1],
      [0, 0],
      [
        [1, 0],
        [0, 1],
      ],
    );
    expect(error).toBeCloseTo(Math.sqrt(5), 15);
    expect(shares).toEqual([
      { column: 0, share: 0.8 },
      { column: 1, share: 0.2 },
    ]);
  });

  test('a template that moves against the rest has a negative share, another one then above 1', () => {
    const { shares } = explain(
      [3, 0],
      [0, 1],
      [
        [1, 0],
        [1, 0],
      ],
    );
    expect(shares).toEqual([
      { column: 0, share: 1.5 },
      { column: 1, share: -0.5 },
    ]);
  });

  test('shares sum to 1 and are sorted by magnitude', () => {
    const next = random(9);
    for (let round = 0; round < 100; round++) {
      const columns = 1 + Math.floor(next() * 30);
      const draw = (scale: number) => Array.from({ length: columns }, () => scale * next());
      const scale = 10 ** (next() * 12 - 6);
      const vectors = Array.from({ length: columns }, () => Array.from({ length: 50 }, () => next() - 0.5));
      const { error, shares } = explain(draw(scale), draw(scale), vectors);
      expect(error).toBeGreaterThan(0);
      expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
      const magnitudes = shares.map(({ share }) => Math.abs(share));
      expect(magnitudes).toEqual([...magnitudes].sort((a, b) => b - a));
    }
  });

  test('equal shares come in column order', () => {
    const { shares } = explain(
      [1, 1, 1],
      [0, 0, 0],
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    );
    expect(shares.map(({ column }) => column)).toEqual([0, 1, 2]);
  });

  test('no error, no shares', () => {
    const vectors = [
      [1, 0],
      [0, 1],
    ];
    expect(explain([2, 1], [2, 1], vectors)).toEqual({ error: 0, shares: [] });
    // The parts cancel: an error of 0 although the weights differ.
    expect(explain([1, 1], [0, 2], [vectors[0]!, vectors[0]!])).toEqual({ error: 0, shares: [] });
  });

  test('a template without a vector takes no part', () => {
    const { error, shares } = explain([2, 7], [0, 0], [[1, 0], null]);
    expect(error).toBe(2);
    expect(shares).toEqual([{ column: 0, share: 1 }]);
  });

  test('a residual too small for its square is no error to attribute', () => {
    expect(explain([1e-170], [0], [[1]]).shares).toEqual([]);
    expect(explain([0], [0], [[1]]).shares).toEqual([]);
  });

  test('degenerate weights never give NaN, Infinity or -0', () => {
    const values = [0, -0, 1, -1, 1e-300, 1e-160, 1e6, 1e100, 5e-324];
    for (const a of values) {
      for (const b of values) {
        const { error, shares } = explain(
          [a, b, 1],
          [b, a, 1],
          [
            [1, 0],
            [0.6, 0.8],
            [0, 0],
          ],
        );
        expect(Number.isFinite(error) && !Object.is(error, -0)).toBe(true);
        for (const { share } of shares) expect(Number.isFinite(share) && share !== 0).toBe(true);
      }
    }
  });

  test('expected weights from past counts give the very error that the snapshots give', () => {
    const next = random(21);
    const columns = 8;
    const vectors = Array.from({ length: columns }, () => Float32Array.from({ length: 40 }, () => next() - 0.5));
    const windows: SparseCounts[] = Array.from({ length: 41 }, (_, t) => ({
      length: columns,
      columns: Array.from({ length: columns }, (_, i) => i),
      counts: Array.from({ length: columns }, (_, i) => Math.floor(20 * next() * (1 + Math.sin(t + i)))),
      start: 0,
    }));
    const snapshots = windows.map((window) => {
      const weights = new Float64Array(columns);
      addWeights('log_sum', window, 1, weights);
      const x = new Float64Array(40);
      combine(weights, vectors, columns, x);
      return x;
    });
    const kernel = new DmdKernel(40);
    const delay = 5;
    const { m } = kernel.predict(denseGram(snapshots.slice(0, 40)), 40, {
      delay,
      maxRank: 50,
      rankCapDivisor: 3,
      tau: 1e-4,
    });
    const direct = distance(snapshots[40]!, predictFrom(snapshots, kernel.weights, m, delay));

    const actual = new Float64Array(columns);
    addWeights('log_sum', windows[40]!, 1, actual);
    const expected = new Float64Array(columns);
    for (let i = 0; i < m; i++) addWeights('log_sum', windows[i + delay]!, kernel.weights[i]!, expected);
    const scratch = createAttributionScratch(40, columns);
    const error = reconstructionError({ columns, actual, expected, vectors }, scratch);
    expect(error).toBeGreaterThan(0.1);
    expect(Math.abs(error - direct)).toBeLessThan(1e-12);
  });
});
