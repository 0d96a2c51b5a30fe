import { describe, expect, test } from 'vitest';
import { dot } from '../../../src/detect/dmd/snapshot.ts';
import { VectorProducts } from '../../../src/detect/dmd/vector-products.ts';
import { random } from './reference.ts';

type Vectors = (Float32Array | null)[];

/** C column by column: the weights of column b alone give ⟨v_a, v_b⟩. */
function square(products: VectorProducts, columns: number): number[][] {
  return Array.from({ length: columns }, (_, b) => {
    const weights = new Float64Array(columns);
    weights[b] = 1;
    const out = new Float64Array(columns).fill(9);
    products.multiply(weights, columns, out);
    return [...out];
  });
}

function expected(vectors: Vectors): number[][] {
  return vectors.map((a) => vectors.map((b) => (a && b ? dot(Float64Array.from(a), b) : 0)));
}

describe('VectorProducts', () => {
  test('the worked example: v₀ = (1, 0), v₁ = (3, 4), weights (2, 1): x = (5, 4), products 5 and 31', () => {
    const products = new VectorProducts();
    products.update([Float32Array.of(1, 0), Float32Array.of(3, 4)]);
    const out = new Float64Array(2);
    products.multiply(Float64Array.of(2, 1), 2, out);
    expect([...out]).toEqual([5, 31]);
  });

  test('after any mix of changes they are, to the bit, those of the vectors there are now', () => {
    const next = random(17);
    const int = (below: number) => Math.floor(next() * below);
    const vector = () => Float32Array.from({ length: 19 }, () => next() - 0.5);
    const products = new VectorProducts();
    const vectors: Vectors = [];
    for (let step = 0; step < 300; step++) {
      for (let changes = int(4); changes > 0; changes--) {
        const at = int(vectors.length + 1);
        if (at < 40) vectors[at] = int(4) === 0 ? null : vector();
      }
      if (int(60) === 0) for (const at of vectors.keys()) vectors[at] = vector();
      products.update(vectors);
      expect(square(products, vectors.length), `step ${step}`).toEqual(expected(vectors));
    }
    expect(vectors.length).toBeGreaterThan(30);
  });

  test('formed in pieces they are the same, whatever changes between two of them', () => {
    const next = random(23);
    const int = (below: number) => Math.floor(next() * below);
    const vector = () => Float32Array.from({ length: 19 }, () => next() - 0.5);
    const products = new VectorProducts();
    const vectors: Vectors = Array.from({ length: 30 }, vector);
    let unfinished = 0;
    for (let step = 0; step < 200; step++) {
      const before = vectors.slice();
      for (let changes = int(12); changes > 0; changes--) vectors[int(30)] = int(4) === 0 ? null : vector();
      for (;;) {
        const work = { left: 1 };
        if (products.update(vectors, work)) break;
        unfinished++;
        expect(1 - work.left).toBeLessThanOrEqual(4 * 30 * 19);
        // What changes back has to be formed again, too.
        const at = int(30);
        if (int(3) === 0) vectors[at] = before[at]!;
      }
      expect(square(products, vectors.length), `step ${step}`).toEqual(expected(vectors));
    }
    expect(unfinished).toBeGreaterThan(100);
  });

  test('a column that is gone is 0, and what comes after it in its place counts', () => {
    const products = new VectorProducts();
    const [a, b] = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
    products.update([a, b]);
    products.update([a]);
    expect(square(products, 2)).toEqual(expected([a, null]));
    products.update([a, b]);
    expect(square(products, 2)).toEqual(expected([a, b]));
  });

  test('vectors of another dimension may take the place of all', () => {
    const products = new VectorProducts();
    products.update([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
    const wide = [Float32Array.of(1, 2, 3), Float32Array.of(0, 1, 0)];
    products.update(wide);
    expect(square(products, 2)).toEqual(expected(wide));
  });

  test('256 vectors cost 257 KiB, 20 of them 2 KiB', () => {
    const products = new VectorProducts();
    products.update(Array.from({ length: 20 }, () => Float32Array.of(1)));
    expect(products.bytes).toBe(2_400);
    products.update(Array.from({ length: 256 }, () => Float32Array.of(1)));
    expect(products.bytes).toBe(263_168);
  });
});
