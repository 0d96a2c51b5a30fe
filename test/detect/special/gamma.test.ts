import { expect, test } from 'vitest';
import { logLowerGamma, logUpperGamma } from '../../../src/detect/special/gamma.ts';
import { reference, worstError } from './reference.ts';

test('both tails agree with mpmath to 1e-10, beyond what float64 could hold', () => {
  const rows = reference('incompleteGamma');
  expect(Math.min(...rows.map((row) => row[2]!))).toBeLessThan(-1000);
  expect(worstError(rows, 2, ([a, x]) => logUpperGamma(a!, x!))).toBeLessThan(1e-10);
  expect(worstError(rows, 3, ([a, x]) => logLowerGamma(a!, x!))).toBeLessThan(1e-10);
});

test('the worked example: Q(2, 3) = 4e⁻³', () => {
  expect(logUpperGamma(2, 3)).toBeCloseTo(Math.log(4) - 3, 14);
});

test('at 0 everything is still to come', () => {
  expect(logUpperGamma(3, 0)).toBe(0);
  expect(logLowerGamma(3, 0)).toBe(-Infinity);
});

test('far out on either side a certain tail is 0, not -0', () => {
  expect(logLowerGamma(3, 1e6)).toBe(0);
  expect(logUpperGamma(1e4, 1e-3)).toBe(0);
});

test('arguments outside the domain are refused', () => {
  for (const [a, x] of [
    [0, 1],
    [-1, 1],
    [NaN, 1],
    [Infinity, 1],
    [1, -1],
    [1, NaN],
    [1, Infinity],
  ] as const) {
    expect(() => logUpperGamma(a, x)).toThrow(`got a = ${a}, x = ${x}`);
    expect(() => logLowerGamma(a, x)).toThrow(RangeError);
  }
});
