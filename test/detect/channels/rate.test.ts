import { expect, test } from 'vitest';
import { rateSurprise } from '../../../src/detect/channels/rate.ts';

function rate(up: number[], lo: number[], present = up.length, upOnly = false) {
  const parts = new Float64Array(up.length);
  const surprises = { up: Float64Array.from(up), lo: Float64Array.from(lo), slots: up.length, present };
  return { x: rateSurprise(surprises, upOnly, parts), parts: [...parts] };
}

test('the worked example: one template of four surges', () => {
  const { x, parts } = rate([11.87, 0.5, 0.6, 0.4], [0, 0.6, 0.5, 0.69]);
  expect(x).toBeCloseTo(15.38, 2);
  expect(parts[0]).toBeCloseTo(11.18, 2);
  expect(parts.slice(1)).toEqual([0, 0, 0]);
});

test('too few is as loud as too many, but not where records were lost', () => {
  expect(rate([0], [9]).x).toBe(rate([9], [0]).x);
  expect(rate([0], [9], 1, true).x).toBe(0);
  expect(rate([5], [9], 1, true).x).toBe(rate([5], [0]).x);
});

test('nothing unusual is exactly 0', () => {
  expect(rate([0.6, 0.69], [0.69, 0.1]).x).toBe(0);
  expect(rate([], [], 1).x).toBe(0);
});

test('many small deviations add up to more than any of them', () => {
  expect(rate(new Array(25).fill(3), new Array(25).fill(0)).x).toBeGreaterThan(10);
});

test('no template fills the sum alone', () => {
  const { x } = rate([1e9, 0, 0, 0], [0, 0, 0, 0]);
  expect(x).toBeCloseTo(1e9 - Math.LN2 - Math.log(4) + 14 / 2, 3);
});
