import { describe, expect, test } from 'vitest';
import {
  BARS,
  quantile,
  QuantileSketch,
  uniteQuantiles,
  type Quantiles,
} from '../../../../src/detect/miner/variables/quantiles.ts';
import { randomNumbers } from '../lines.ts';

function numberOf(v: number): Float64Array {
  return Float64Array.of(v, Math.sign(v) * Math.log1p(Math.abs(v)));
}

function sketchOf(values: readonly number[]): Quantiles {
  const sketch = new QuantileSketch();
  for (const v of values) sketch.add(numberOf(v));
  return sketch.take();
}

/** The same rank rule on the values themselves. */
function exact(values: readonly number[], p: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(p * values.length)) - 1]!;
}

const random = randomNumbers(31);
const draw = (count: number, value: () => number): number[] => Array.from({ length: count }, value);
const cases: { name: string; values: number[]; share: number }[] = [
  { name: 'durations within a factor of 50', values: draw(5000, () => 20 * 49 ** random()), share: 0.016 },
  {
    name: 'sizes within a factor of 2,500',
    values: draw(5000, () => Math.round(100 * 2400 ** random())),
    share: 0.032,
  },
  { name: 'a factor of a million', values: draw(5000, () => 10 ** (6 * random())), share: 0.065 },
  { name: 'anything from 0 to 10^12', values: [0, ...draw(5000, () => 10 ** (12 * random())), 1e12], share: 0.1332 },
  { name: 'both signs', values: draw(5000, () => (random() < 0.5 ? -1 : 1) * 10 ** (12 * random())), share: 0.2841 },
];

describe('a sketch of quantiles', () => {
  test.each(cases)('is within its error bound: $name', ({ values, share }) => {
    const sketch = sketchOf(values);
    for (const p of [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]) {
      const truth = exact(values, p);
      // Half a unit for rounding to whole numbers, half a unit in the third digit for the others.
      const rounding = Math.max(sketch.whole ? 0.5 : 0, 0.005 * Math.abs(truth));
      expect(Math.abs(quantile(sketch, p) - truth), `p ${p}`).toBeLessThanOrEqual(
        share * (1 + Math.abs(truth)) + rounding,
      );
    }
    expect([0, 1].map((p) => quantile(sketch, p))).toEqual([exact(values, 0), exact(values, 1)]);
  });

  test('of small whole numbers, of one value and of zeros is exact', () => {
    const dice = draw(2000, () => Math.floor(6 * random()));
    for (const p of [0, 0.2, 0.5, 0.95, 1]) expect(quantile(sketchOf(dice), p)).toBe(exact(dice, p));
    expect([0.5, 0.95].map((p) => quantile(sketchOf([81.93, 81.93]), p))).toEqual([81.93, 81.93]);
    expect(Object.is(quantile(sketchOf([-0, 0]), 0.5), 0)).toBe(true);
  });

  test('does not depend on the order of the values, and two united are the sketch of all', () => {
    for (const { values } of cases) {
      const whole = sketchOf(values);
      expect(sketchOf(values.toReversed())).toEqual(whole);
      const parts = [values.slice(0, 7), values.slice(7, 2000), values.slice(2000)].map(sketchOf);
      expect(parts.reduce(uniteQuantiles)).toEqual(whole);
      expect(parts.reverse().reduce(uniteQuantiles)).toEqual(whole);
    }
  });

  test('has at most 128 bars whatever passes, and starts anew when it is taken', () => {
    const sketch = new QuantileSketch();
    for (let round = 0; round < 3; round++) {
      for (const v of [1e12, -1e12, 0, 5]) sketch.add(numberOf(v));
      const { first, last } = sketch.take();
      expect(last - first).toBeLessThan(BARS);
      sketch.add(numberOf(7));
      expect(sketch.take()).toMatchObject({ shift: 0, min: 7, max: 7, bars: '\u0003' });
    }
  });

  test('keeps bars of many thousand values, and empty ones between them, to the value', () => {
    const sketch = new QuantileSketch();
    for (const [value, times] of [
      [0, 300_000],
      [20, 1],
      [21, 127],
      [4000, 128],
    ] as const)
      for (let k = 0; k < times; k++) sketch.add(numberOf(value));
    const taken = uniteQuantiles(sketch.take(), sketchOf(Array.from({ length: 299_742 }, () => 3000)));
    const count = 300_000 + 1 + 127 + 128 + 299_742;
    const at = (rank: number) => quantile(taken, rank / count);
    expect([at(2), at(300_000), at(599_998)]).toEqual([0, 0, 4000]);
    // Within the 6.5 % of bars this wide: the last of its kind and the first of the next.
    for (const [rank, value] of [
      [300_001, 20],
      [300_128, 21],
      [300_129, 3000],
      [599_870, 3000],
      [599_871, 4000],
    ] as const)
      expect(Math.abs(at(rank) - value) / (value + 1)).toBeLessThan(0.065);
  });
});
