import { describe, expect, test } from 'vitest';
import { GramRing } from '../../../src/detect/dmd/gram.ts';
import { denseGram, inner, random } from './reference.ts';

const next = random(7);
const snapshots = Array.from({ length: 40 }, () => Float64Array.from({ length: 3 }, () => next() - 0.5));

function fill(ring: GramRing, upTo: number): Float64Array[] {
  const kept: Float64Array[] = [];
  for (const x of snapshots.slice(0, upTo)) {
    if (kept.length === ring.capacity) kept.shift();
    kept.push(x);
    ring.push(Float64Array.from(kept, (y) => inner(x, y)));
  }
  return kept;
}

function square(ring: GramRing, from: number, n: number): number[] {
  const dense = new Float64Array(n * n);
  ring.copyTo(dense, n, from, n);
  return [...dense];
}

describe('GramRing', () => {
  test.each([1, 3, 4, 5, 9, 40])('holds the products of the last 4 snapshots after %i pushes', (pushes) => {
    const ring = new GramRing(4);
    const kept = fill(ring, pushes);
    expect(ring.size).toBe(Math.min(4, pushes));
    expect(square(ring, 0, ring.size)).toEqual([...denseGram(kept)]);
    for (let i = 0; i < ring.size; i++) {
      const row = new Float64Array(4);
      ring.row(i, row);
      expect([...row.subarray(0, ring.size)]).toEqual(kept.map((y) => inner(kept[i]!, y)));
    }
  });

  test('the worked picture: after six pushes into four slots the oldest kept one is s2', () => {
    const ring = new GramRing(4);
    fill(ring, 6);
    expect(ring.at(0, 3)).toBe(inner(snapshots[2]!, snapshots[5]!));
    expect(ring.at(3, 0)).toBe(ring.at(0, 3));
  });

  test('removing the oldest and pushing again keeps the order', () => {
    const ring = new GramRing(4);
    fill(ring, 6);
    ring.removeOldest();
    const kept = snapshots.slice(3, 6);
    expect(square(ring, 0, 3)).toEqual([...denseGram(kept)]);
    kept.push(snapshots[6]!);
    ring.push(Float64Array.from(kept, (y) => inner(kept[3]!, y)));
    expect(square(ring, 0, 4)).toEqual([...denseGram(kept)]);
  });

  test('a replaced row changes one snapshot’s products in both places and no others', () => {
    const ring = new GramRing(4);
    const kept = fill(ring, 7);
    kept[1] = Float64Array.of(3, -1, 2);
    ring.setRow(
      1,
      Float64Array.from(kept, (y) => inner(kept[1]!, y)),
    );
    expect(square(ring, 0, 4)).toEqual([...denseGram(kept)]);
  });

  test('copies a part with a wider stride and touches nothing else', () => {
    const ring = new GramRing(5);
    const kept = fill(ring, 11);
    const dense = new Float64Array(3 * 4).fill(-1);
    ring.copyTo(dense, 4, 1, 3);
    const expected = denseGram(kept.slice(1, 4));
    for (let i = 0; i < 3; i++) {
      expect([...dense.subarray(i * 4, i * 4 + 3)]).toEqual([...expected.subarray(i * 3, i * 3 + 3)]);
      expect(dense[i * 4 + 3]).toBe(-1);
    }
  });

  test('rmsNorm is the root mean square of the snapshots’ lengths', () => {
    const ring = new GramRing(4);
    ring.push(Float64Array.of(9));
    ring.push(Float64Array.of(0, 16));
    expect(ring.rmsNorm(0, 2)).toBeCloseTo(Math.sqrt(12.5), 14);
    expect(ring.rmsNorm(1, 1)).toBe(4);
    expect(ring.rmsNorm(0, 0)).toBe(0);
  });

  test('clear forgets, and removing from an empty ring is harmless', () => {
    const ring = new GramRing(4);
    fill(ring, 6);
    ring.clear();
    ring.removeOldest();
    expect(ring.size).toBe(0);
    ring.push(Float64Array.of(2));
    expect(ring.at(0, 0)).toBe(2);
  });

  test('a short row, an index outside and a too small target are refused with the numbers', () => {
    const ring = new GramRing(4);
    ring.push(Float64Array.of(1));
    expect(() => ring.push(Float64Array.of(1))).toThrow('needs 2 inner products, got 1');
    expect(() => ring.at(0, 1)).toThrow('at(0, 1) with 1 snapshots');
    expect(() => ring.copyTo(new Float64Array(4), 2, 0, 2)).toThrow('snapshots 0..1 of 1');
    expect(() => new GramRing(0)).toThrow('capacity');
    expect(ring.size).toBe(1);
  });

  test('a source of 120 windows costs 58 KiB', () => {
    expect(new GramRing(121).bytes).toBe(59_048);
  });
});
