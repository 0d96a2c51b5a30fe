import { expect, test } from 'vitest';
import { deviance, logBinomialTerm, logPoissonTerm, stirlingError } from '../../../src/detect/special/stirling.ts';
import { reference, worstError } from './reference.ts';

test('Stirling’s error agrees with mpmath to 1e-10 from 1e-4 to 1e10', () => {
  expect(worstError(reference('stirlingError'), 1, ([z]) => stirlingError(z!))).toBeLessThan(1e-10);
});

test('the worked example: two events where two are expected', () => {
  expect(logPoissonTerm(2, 2)).toBeCloseTo(Math.log(2) - 2, 14);
});

test('a binomial term by hand: 2 heads of 5 tosses of a coin that shows heads once in four', () => {
  expect(Math.exp(logBinomialTerm(2, 3, 0.25, 0.75))).toBeCloseTo(10 * 0.25 ** 2 * 0.75 ** 3, 14);
});

test('the deviance is 0 at the mean, never negative beside it, and keeps its digits there', () => {
  expect(deviance(5, 5)).toBe(0);
  // (x − m)²/2m − (x − m)³/6m² + … with x − m = 2^-20
  const e = 2 ** -20;
  expect(deviance(1 + e, 1) / (e * e * (1 / 2 - e / 6 + (e * e) / 12))).toBeCloseTo(1, 12);
  for (const x of [1e-3, 1, 1e6]) for (const m of [2e-3, 0.9999, 1.2, 1e9]) expect(deviance(x, m)).toBeGreaterThan(0);
});
