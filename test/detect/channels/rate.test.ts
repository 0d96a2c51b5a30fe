import { expect, test } from 'vitest';
import { rateSurprise } from '../../../src/detect/channels/rate.ts';
import { random } from './windows.ts';

function rate(up: number[], lo: number[], present = up.length, upOnly = false) {
  const parts = new Float64Array(up.length);
  const surprises = { up: Float64Array.from(up), lo: Float64Array.from(lo), slots: up.length, present };
  return { x: rateSurprise(surprises, upOnly, parts), parts: [...parts] };
}

test('the worked example: one template of four surges', () => {
  const { x, parts } = rate([11.87, 0.5, 0.6, 0.4], [0, 0.6, 0.5, 0.69]);
  expect(x).toBeCloseTo(9.79, 2);
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
  // Q(25, 57.7) = 4.5e-7: 14.6 nats, where the loudest of 25 is 2.3 − 3.2 < 0.
  expect(rate(new Array(25).fill(3), new Array(25).fill(0)).x).toBeCloseTo(14.62, 2);
});

test('one template alone says what it says less what looking at the others costs: the sum adds nothing to it', () => {
  for (const nats of [5, 50, 1e9]) {
    const { x } = rate([nats, 0, 0, 0], [0, 0, 0, 0]);
    expect(x).toBeCloseTo(nats - Math.LN2 - Math.log(4), 3);
  }
});

test('it is −ln of a probability: of independent templates as they should be no more than one window in e^x says x', () => {
  const next = random(7);
  const windows = 20_000;
  for (const templates of [1, 2, 5, 20]) {
    // The better of two tails of a continuous count: p uniform, 2p the chance of a tail like it.
    const xs = Array.from(
      { length: windows },
      () =>
        rate(
          Array.from({ length: templates }, () => -Math.log((next() + 1e-9) / 2)),
          new Array(templates).fill(0),
        ).x,
    );
    // Looked at in two ways, so at most twice as often.
    for (const nats of [3, 4, 5, 6]) {
      const share = xs.filter((x) => x >= nats).length / windows;
      expect(share, `${templates} templates, ${nats} nats`).toBeLessThan(2.3 * Math.exp(-nats));
    }
  }
});
