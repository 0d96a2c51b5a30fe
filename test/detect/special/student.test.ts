import { expect, test } from 'vitest';
import { logStudentTail } from '../../../src/detect/special/student.ts';
import { reference, worstError } from './reference.ts';

test('agrees with mpmath to 1e-10 from 1e-4 to 1e8 deviations', () => {
  expect(worstError(reference('logStudentTail'), 2, ([z, nu]) => logStudentTail(z!, nu!))).toBeLessThan(1e-10);
});

test('the worked example: a quarter of a Cauchy distribution lies beyond 1', () => {
  expect(logStudentTail(1, 1)).toBeCloseTo(-Math.log(4), 14);
});

test('the middle is one half; both signs are one tail; an endless deviation stays finite', () => {
  expect(logStudentTail(0, 7)).toBe(-Math.LN2);
  expect(logStudentTail(-2.5, 7)).toBe(logStudentTail(2.5, 7));
  expect(logStudentTail(Infinity, 3)).toBeGreaterThan(-1100);
  expect(logStudentTail(1e150, 60)).toBeGreaterThan(-25_000);
});

test('no degrees of freedom and no number are refused', () => {
  expect(() => logStudentTail(1, 0)).toThrow(RangeError);
  expect(() => logStudentTail(1, NaN)).toThrow(RangeError);
  expect(() => logStudentTail(NaN, 3)).toThrow('z must be a number');
});
