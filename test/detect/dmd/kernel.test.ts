import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { DmdKernel, type DmdOptions } from '../../../src/detect/dmd/kernel.ts';
import { applyReflectors, createEigenScratch, tridiagonalize } from '../../../src/detect/dmd/householder.ts';
import { diagonalize, rotateBack } from '../../../src/detect/dmd/ql.ts';
import { spectrum } from '../../../src/detect/dmd/spectrum.ts';
import { denseGram, distance, predictFrom, random } from './reference.ts';

const defaults: DmdOptions = { delay: 5, maxRank: 50, rankCapDivisor: 3, tau: 1e-4 };

function predict(snapshots: Float64Array[], options: DmdOptions, kernel = new DmdKernel(120)) {
  const fit = kernel.predict(denseGram(snapshots), snapshots.length, options);
  return { ...fit, x: predictFrom(snapshots, kernel.weights, fit.m, options.delay), weights: kernel.weights };
}

/** The definition: explicit Hankel matrices, SVD of H₁, exact operator on the newest delay vector, last block. */
function oracle(snapshots: Float64Array[], { delay, maxRank, rankCapDivisor, tau }: DmdOptions) {
  const p = snapshots[0]!.length;
  const m = snapshots.length - delay;
  const column = (j: number) => snapshots.slice(j, j + delay).flatMap((x) => [...x]);
  const h1 = new Matrix(Array.from({ length: m }, (_, j) => column(j))).transpose();
  const h2 = new Matrix(Array.from({ length: m }, (_, j) => column(j + 1))).transpose();
  const { leftSingularVectors, rightSingularVectors, diagonal } = new SingularValueDecomposition(h1, {
    autoTranspose: true,
  });
  const cap = rankCapDivisor > 0 ? Math.max(1, Math.floor(m / rankCapDivisor)) : m;
  const rank = Math.min(maxRank, cap, diagonal.filter((s) => s > tau * diagonal[0]!).length);
  const u = leftSingularVectors.subMatrix(0, p * delay - 1, 0, rank - 1);
  const v = rightSingularVectors.subMatrix(0, m - 1, 0, rank - 1);
  const inverse = Matrix.diag(diagonal.slice(0, rank).map((s) => 1 / s));
  const q = Matrix.columnVector(column(m));
  const next = h2.mmul(v).mmul(inverse).mmul(u.transpose()).mmul(q).to1DArray();
  return { rank, x: Float64Array.from(next.slice(-p)), singularValues: diagonal };
}

describe('DmdKernel', () => {
  test('the worked example: 1, 2, 4, 8 goes on with 16', () => {
    const { rank, m, x, weights } = predict(
      [1, 2, 4, 8].map((v) => Float64Array.of(v)),
      { ...defaults, delay: 2 },
    );
    expect({ rank, m }).toEqual({ rank: 1, m: 2 });
    expect(weights[0]).toBeCloseTo(0.8, 14);
    expect(weights[1]).toBeCloseTo(1.6, 14);
    expect(x[0]).toBeCloseTo(16, 13);
  });

  test('two rows by hand: a quarter turn a step goes on turning', () => {
    // Two delayed copies of (1,0), (0,1), (-1,0), (0,-1), …: K has the two directions of the turn, both kept.
    const turn = Array.from({ length: 9 }, (_, t) => Float64Array.of([1, 0, -1, 0][t % 4]!, [0, 1, 0, -1][t % 4]!));
    const { rank, x } = predict(turn, { ...defaults, delay: 2 });
    expect(rank).toBe(2);
    expect(x[0]).toBeCloseTo(0, 13);
    expect(x[1]).toBeCloseTo(1, 13);
  });

  test('agrees with the SVD of the explicit Hankel matrix on random streams', () => {
    const next = random(42);
    const kernel = new DmdKernel(40);
    for (let round = 0; round < 60; round++) {
      const p = 2 + Math.floor(next() * 6);
      const delay = 1 + Math.floor(next() * 4);
      const n = delay + 1 + Math.floor(next() * 30);
      const options = { delay, maxRank: 1 + Math.floor(next() * 20), rankCapDivisor: round % 2 ? 3 : 0, tau: 1e-4 };
      const scale = 10 ** (next() * 8 - 4);
      const snapshots = Array.from({ length: n }, () => Float64Array.from({ length: p }, () => scale * (next() - 0.3)));
      const expected = oracle(snapshots, options);
      const found = predict(snapshots, options, kernel);
      const length = Math.sqrt(expected.x.reduce((sum, v) => sum + v * v, 0));
      expect(found.rank, `round ${round}`).toBe(expected.rank);
      expect(distance(found.x, expected.x), `round ${round}`).toBeLessThanOrEqual(1e-9 * scale + 1e-8 * length);
    }
  });

  test('an exact linear system is predicted to rounding, with exactly its rank', () => {
    const stream = Array.from({ length: 40 }, (_, t) =>
      Float64Array.of(Math.cos(0.7 * t), Math.sin(0.7 * t), Math.cos(1.9 * t), Math.sin(1.9 * t)),
    );
    const { rank, x } = predict(stream.slice(0, 39), defaults);
    expect(rank).toBe(4);
    expect(distance(x, stream[39]!)).toBeLessThan(1e-12);
  });

  test('the rank obeys the limit, a third of the pairs, and the noise threshold, whichever is least', () => {
    const next = random(3);
    const noise = Array.from({ length: 65 }, () => Float64Array.from({ length: 30 }, next));
    expect(predict(noise, defaults).rank).toBe(20);
    expect(predict(noise, { ...defaults, maxRank: 7 }).rank).toBe(7);
    expect(predict(noise, { ...defaults, rankCapDivisor: 0 }).rank).toBe(50);
    expect(predict(noise.slice(0, 6), defaults).rank).toBe(1);
    expect(predict(noise, { ...defaults, tau: 1 }).rank).toBe(0);
    const constant = Array.from({ length: 65 }, () => Float64Array.of(3, 4));
    expect(predict(constant, { ...defaults, tau: 0, rankCapDivisor: 0 }).rank).toBe(1);
  });

  test('a repetitive stream predicts itself', () => {
    const { x } = predict(
      Array.from({ length: 120 }, () => Float64Array.of(3, 4, 0)),
      defaults,
    );
    expect(distance(x, Float64Array.of(3, 4, 0))).toBeLessThan(1e-13);
  });

  test('an empty history has rank 0 and predicts nothing', () => {
    const { rank, m, x } = predict(
      Array.from({ length: 30 }, () => Float64Array.of(0, 0)),
      defaults,
    );
    expect({ rank, m, x: [...x] }).toEqual({ rank: 0, m: 25, x: [0, 0] });
  });

  test('the first prediction is made from delay + 1 snapshots', () => {
    const snapshots = Array.from({ length: 6 }, (_, t) => Float64Array.of(1, t));
    expect(predict(snapshots.slice(0, 5), defaults)).toMatchObject({ rank: 0, m: 0 });
    expect(predict(snapshots, defaults)).toMatchObject({ rank: 1, m: 1 });
    expect(new DmdKernel(120).predict(new Float64Array(), 0, defaults)).toEqual({ rank: 0, m: 0 });
  });

  test('the scale of the snapshots changes no weight: powers of two to the bit', () => {
    const next = random(11);
    const small = Array.from({ length: 50 }, () => Float64Array.from({ length: 4 }, next));
    const large = small.map((x) => x.map((v) => v * 2 ** 40));
    const weights = [...predict(small, defaults).weights.subarray(0, 45)];
    expect([...predict(large, defaults).weights.subarray(0, 45)]).toEqual(weights);
  });

  test('what was scored before leaves no trace in the next answer', () => {
    const next = random(12);
    const kernel = new DmdKernel(120);
    const stream = Array.from({ length: 50 }, () => Float64Array.from({ length: 4 }, next));
    const fresh = [...predict(stream, defaults).weights.subarray(0, 45)];
    predict(
      Array.from({ length: 120 }, () => Float64Array.from({ length: 90 }, next)),
      { ...defaults, rankCapDivisor: 0 },
      kernel,
    );
    expect([...predict(stream, defaults, kernel).weights.subarray(0, 45)]).toEqual(fresh);
  });

  test('too many snapshots are refused with both numbers', () => {
    expect(() => new DmdKernel(10).predict(new Float64Array(121), 11, defaults)).toThrow('11 snapshots, room for 10');
  });

  test.each([0, 1.5, 4096])('a kernel for %d windows is refused', (windows) => {
    expect(() => new DmdKernel(windows)).toThrow(`must be an integer in 1..4095, got ${windows}`);
  });

  test('the scratch of a 120-window kernel is below 1 MiB', () => {
    expect(new DmdKernel(120).scratchBytes).toBeLessThan(2 ** 20);
  });
});

/** Degenerate and hostile Gram matrices; not all of them are Gram matrices of anything. */
const hostile: [string, (i: number, j: number, next: () => number) => number][] = [
  ['all zero', () => 0],
  ['all one', () => 1],
  ['identity', (i, j) => (i === j ? 1 : 0)],
  ['one snapshot among nothing', (i, j) => (i === 7 && j === 7 ? 1 : 0)],
  ['1e6 scale, rank 2', (i, j) => 1e12 * (1 + Math.cos(0.3 * (i - j)))],
  ['one burst of 1e12', (i, j, next) => (i === 9 && j === 9 ? 1e12 : i === j ? 1 + next() : 0.5)],
  ['denormals', (i, j) => (i === j ? 5e-324 : 0)],
  ['just above the smallest scale', (i, j) => (i === j ? 2e-280 : 1e-280)],
  ['the largest doubles', (i, j) => (i === j ? Number.MAX_VALUE : Number.MAX_VALUE / 2)],
  ['largest beside smallest', (i, j) => (i === j ? (i % 2 ? 1e300 : 1e-300) : 0)],
  ['negative', (i, j) => -1 - (i === j ? 1 : 0)],
  ['alternating sign', (i, j) => (-1) ** (i + j)],
  ['random, not definite', (_i, _j, next) => next() - 0.5],
  ['graded over 30 decades', (i, j) => 10 ** (-(i + j) / 8)],
  ['repeated eigenvalues', (i, j) => (i % 4 === j % 4 ? 1 : 0)],
  ['infinite', () => Infinity],
  ['NaN', (i, j) => (i === j ? NaN : 1)],
];

describe.each(hostile)('Gram matrix: %s', (_name, entry) => {
  test.each([1, 2, 6, 7, 13, 40, 120])('n = %i gives finite weights and modes', (n) => {
    const next = random(n);
    const gram = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) gram[i * n + j] = gram[j * n + i] = entry(i, j, next);
    const kernel = new DmdKernel(120);
    for (const options of [defaults, { delay: 1, maxRank: 200, rankCapDivisor: 0, tau: 0 }]) {
      const { rank, m } = kernel.predict(gram, n, options);
      expect(m).toBe(Math.max(0, n - options.delay));
      expect(rank).toBeLessThanOrEqual(m);
      expect(kernel.weights.subarray(0, m).every(Number.isFinite)).toBe(true);
      if (n <= 40) {
        for (const { real, imaginary, modulus, periodSteps } of spectrum(gram, n, options)) {
          expect([real, imaginary, modulus, periodSteps ?? 0].every(Number.isFinite)).toBe(true);
        }
      }
    }
  });
});

describe('eigenvalues', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 30, 115, 400])('order %i: Q Z Λ Zᵀ Qᵀ is the matrix again', (order) => {
    const next = random(order);
    const [a, b] = [Matrix.zeros(order, order), Matrix.zeros(order, 1)];
    for (let i = 0; i < order; i++) {
      b.set(i, 0, next() - 0.5);
      for (let j = 0; j <= i; j++) {
        a.set(i, j, next() - 0.5);
        a.set(j, i, a.get(i, j));
      }
    }
    const scratch = createEigenScratch(order);
    for (let i = 0; i < order; i++) {
      scratch.vector[i] = b.get(i, 0);
      // Only the lower triangle may count.
      for (let j = 0; j < order; j++) scratch.matrix[i * order + j] = j <= i ? a.get(i, j) : NaN;
    }
    tridiagonalize(scratch, order);
    const rotations = diagonalize(scratch, order);
    for (let i = 0; i < order; i++) scratch.vector[i]! *= scratch.diagonal[i]!;
    rotateBack(scratch, rotations);
    applyReflectors(scratch, order);
    const expected = a.mmul(b).to1DArray();
    expect(distance(scratch.vector, Float64Array.from(expected))).toBeLessThan(1e-14 * order);
  });

  test('of random symmetric matrices keep trace and Frobenius norm, and their rotations fit', () => {
    const next = random(5);
    for (const order of [1, 2, 3, 10, 60, 119]) {
      const scratch = createEigenScratch(order);
      let trace = 0;
      let squares = 0;
      for (let i = 0; i < order; i++) {
        for (let j = 0; j <= i; j++) {
          const x = next() - 0.5;
          scratch.matrix[i * order + j] = x;
          if (i === j) trace += x;
          squares += (i === j ? 1 : 2) * x * x;
        }
      }
      tridiagonalize(scratch, order);
      const rotations = diagonalize(scratch, order);
      const eigenvalues = [...scratch.diagonal];
      expect(eigenvalues.reduce((sum, x) => sum + x, 0)).toBeCloseTo(trace, 10);
      expect(eigenvalues.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(squares, 9);
      expect(rotations).toBeLessThan(scratch.planes.length || 1);
    }
  });

  test('without room for rotations the couplings are cut: it ends, and stays finite', () => {
    const next = random(6);
    const scratch = { ...createEigenScratch(12), planes: new Uint16Array(20) };
    for (let k = 0; k < 144; k++) scratch.matrix[k] = next() - 0.5;
    tridiagonalize(scratch, 12);
    expect(diagonalize(scratch, 12)).toBeLessThanOrEqual(20);
    expect(scratch.diagonal.every(Number.isFinite)).toBe(true);
  });
});
