import { expect, test } from 'vitest';
import { logIncompleteBeta } from '../../../src/detect/special/beta.ts';
import { reference, worstError } from './reference.ts';

test('agrees with mpmath to 1e-10, far tails and counts of four thousand million included', () => {
  const rows = reference('logIncompleteBeta');
  expect(Math.min(...rows.map((row) => row[4]!))).toBeLessThan(-1e6); // e^-745 is where float64 ends
  const worst = worstError(rows, 4, ([a, b, x, y]) => logIncompleteBeta(a!, b!, x!, y));
  expect(worst).toBeLessThan(1e-10);
});

test('the worked example: at least 2 of 4 coin tosses', () => {
  expect(Math.exp(logIncompleteBeta(2, 3, 0.5))).toBeCloseTo(11 / 16, 14);
});

test('the ends are 0 and 1', () => {
  expect(logIncompleteBeta(2, 3, 0)).toBe(-Infinity);
  expect(logIncompleteBeta(2, 3, 1)).toBe(0);
});

test('never positive, NaN or -0, and grows with x, for shapes and x far apart', () => {
  for (const a of [1e-3, 0.3, 1, 7, 1e4, 4e9]) {
    for (const b of [1e-3, 0.5, 1, 60, 1e4, 4e9]) {
      let last = -Infinity;
      for (const x of [1e-300, 1e-12, 1e-3, 0.2, 0.5, 0.9, 1 - 1e-12]) {
        const value = logIncompleteBeta(a, b, x);
        expect(value, `I_${x}(${a}, ${b})`).toBeLessThanOrEqual(0);
        expect(Object.is(value, -0)).toBe(false);
        expect(value).toBeGreaterThanOrEqual(last - 1e-9 * Math.abs(last));
        last = value;
      }
    }
  }
});

test('shapes and arguments outside the domain are refused by name', () => {
  expect(() => logIncompleteBeta(0, 1, 0.5)).toThrow('shapes must be positive and finite, got a = 0, b = 1');
  expect(() => logIncompleteBeta(1, Infinity, 0.5)).toThrow(RangeError);
  expect(() => logIncompleteBeta(1, NaN, 0.5)).toThrow(RangeError);
  expect(() => logIncompleteBeta(1, 1, 1.5)).toThrow('must be in 0..1, got 1.5');
  expect(() => logIncompleteBeta(1, 1, NaN)).toThrow(RangeError);
});
