import { expect, test } from 'vitest';
import { normalUpperQuantile } from '../../../src/detect/special/normal.ts';
import { reference, worstError } from './reference.ts';

test('agrees with mpmath to 1e-10 from p near 1 to p = e^-1000000', () => {
  const rows = reference('normalUpperQuantile').filter(([logP]) => logP! < -1e-9);
  expect(worstError(rows, 1, ([logP]) => normalUpperQuantile(logP!))).toBeLessThan(1e-10);
});

test('the worked examples: two sigmas, and nothing at one half', () => {
  expect(normalUpperQuantile(Math.log(0.02275013194817921))).toBeCloseTo(2, 12);
  expect(Math.abs(normalUpperQuantile(-Math.LN2))).toBeLessThan(1e-15);
});

test('falls steadily as p grows, also where its four pieces meet', () => {
  const logPs = [
    -1e6, -1000, -729.0001, -729, -728.9999, -300, -25.0001, -25, -24.9999, -5, -2.5903, -2.5902, -1, -0.5, -0.01,
    -1e-9,
  ];
  const z = logPs.map(normalUpperQuantile);
  for (let k = 1; k < z.length; k++) expect(z[k]).toBeLessThan(z[k - 1]!);
});

test('what is not the logarithm of a probability between 0 and 1 is refused', () => {
  for (const logP of [0, 1, -Infinity, NaN]) expect(() => normalUpperQuantile(logP)).toThrow(`got ${logP}`);
});
