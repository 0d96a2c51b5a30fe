import { describe, expect, test } from 'vitest';
import {
  createCountModel,
  fitCount,
  fitCounts,
  lowerSurprise,
  NOVELTY_SPREAD,
  upperSurprise,
} from '../../../src/detect/channels/nb-surprise.ts';
import { isSound, random } from './windows.ts';

/** ln of the negative binomial's probabilities, by their recurrence: nothing in common with the incomplete beta function. */
function tails(r: number, q: number, count: number): { lower: number; upper: number } {
  let p = q ** r;
  let below = 0;
  for (let c = 0; c < count; c++) {
    below += p;
    p *= ((c + r) / (c + 1)) * (1 - q);
  }
  return { lower: -Math.log(below + p), upper: -Math.log1p(-below) };
}

describe('negative binomial surprise', () => {
  test('the worked example', () => {
    const model = createCountModel();
    fitCounts(model, [3, 4, 5, 4, 4, 3, 4, 5, 4, 4], 10);
    expect(model.mu).toBeCloseTo(3.5, 4);
    expect(model.r).toBeCloseTo(6.9326, 4);
    expect(model.q).toBeCloseTo(0.6645, 4);
    expect(upperSurprise(model, 4)).toBeCloseTo(0.82, 2);
    expect(lowerSurprise(model, 4)).toBeCloseTo(0.34, 2);
    expect(upperSurprise(model, 20)).toBeCloseTo(11.87, 2);
    expect(lowerSurprise(model, 0)).toBeCloseTo(2.83, 2);
  });

  test('is the sum of the distribution’s own probabilities', () => {
    const model = createCountModel();
    for (const [mean, variance] of [
      [0.1, 0.1],
      [4, 0.5],
      [4, 40],
      [60, 900],
    ] as const) {
      fitCount(model, 40, mean, variance);
      for (const count of [1, 3, 17, 90]) {
        const { lower, upper } = tails(model.r, model.q, count);
        expect(lowerSurprise(model, count)).toBeCloseTo(lower, 9);
        if (upper < 25) expect(upperSurprise(model, count) / upper).toBeCloseTo(1, 3);
      }
    }
  });

  test('no record at all is never too many', () => {
    const model = createCountModel();
    fitCount(model, 120, 1e6, 10);
    expect(upperSurprise(model, 0)).toBe(0);
  });

  test('grows with the distance from what is usual, on either side', () => {
    const model = createCountModel();
    fitCount(model, 60, 50, 200);
    for (let c = 0; c < 300; c++) {
      expect(upperSurprise(model, c + 1)).toBeGreaterThanOrEqual(upperSurprise(model, c));
      expect(lowerSurprise(model, c + 1)).toBeLessThanOrEqual(lowerSurprise(model, c));
    }
  });

  test('an unsteady past and a short one surprise less', () => {
    const up = (n: number, mean: number, variance: number) => {
      const model = createCountModel();
      fitCount(model, n, mean, variance);
      return upperSurprise(model, 40);
    };
    expect(up(60, 10, 200)).toBeLessThan(up(60, 10, 10));
    expect(up(6, 10, 10)).toBeLessThan(up(60, 10, 10));
  });

  test('a history of zeros forgives a second new template more with the wide prior', () => {
    const [narrow, wide] = [createCountModel(), createCountModel()];
    fitCounts(narrow, [1, 1, 0, 0, 0, 0, 0, 0], 8);
    fitCounts(wide, [1, 1, 0, 0, 0, 0, 0, 0], 8, NOVELTY_SPREAD);
    expect(upperSurprise(wide, 6)).toBeLessThan(upperSurprise(narrow, 6));
  });

  test('is finite, not negative and never -0 for any counts', () => {
    const next = random(3);
    const model = createCountModel();
    for (let round = 0; round < 3000; round++) {
      const scale = 10 ** (next() * 9.6);
      const n = Math.floor(next() * 121);
      const spiky = next() < 0.3;
      const counts = Array.from({ length: n }, () => (spiky && next() < 0.97 ? 0 : Math.floor(next() * scale)));
      fitCounts(model, counts, n, round % 2 === 0 ? 0.25 : 1);
      const now = next() < 0.2 ? 0 : Math.floor(next() * 10 ** (next() * 9.6));
      for (const nats of [upperSurprise(model, now), lowerSurprise(model, now)]) {
        expect(isSound(nats) && nats >= 0, `${nats} for ${now} after ${n} windows of mean ${model.mu}`).toBe(true);
      }
    }
  });
});
