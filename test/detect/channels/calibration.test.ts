import { describe, expect, test } from 'vitest';
import { Calibration, countNoise } from '../../../src/detect/channels/calibration.ts';
import { isSound, random } from './windows.ts';

/** As the store has them. */
function saved(values: readonly number[]): string {
  return Buffer.from(Float64Array.from(values).buffer).toString('base64');
}

function calibrationOf(values: readonly number[]): Calibration {
  return Calibration.restore(saved(values));
}

describe('Calibration', () => {
  test('the worked example', () => {
    const calibration = calibrationOf([0, 0, 1, 0, 0, 2, 0, 0, 0, 0]);
    expect(calibration.surprise(0, 1, false)).toBeCloseTo(0.087, 3);
    expect(calibration.surprise(1, 1, false)).toBeCloseTo(2.125, 3);
    expect(calibration.surprise(10, 1, false)).toBeCloseTo(8.29, 2);
    expect(calibration.surprise(10, 1, true)).toBeCloseTo(8.29, 2);
  });

  test('what is rare here is not louder than it is unlikely anyway', () => {
    const calibration = calibrationOf(new Array<number>(120).fill(0));
    expect(calibration.surprise(0.9, 1, false)).toBeGreaterThan(4);
    expect(calibration.surprise(0.9, 1, true)).toBe(0.9);
    expect(calibration.surprise(0, 1, true)).toBe(0);
  });

  test('without a history a surprise stands for itself and a length for nothing', () => {
    const calibration = calibrationOf([3]);
    expect(calibration.surprise(7.5, 1, true)).toBe(7.5);
    expect(calibration.surprise(7.5, 1, false)).toBe(0);
  });

  test('up to the quantile it is the share of values at least as large, ties included', () => {
    const calibration = calibrationOf(Array.from({ length: 100 }, (_, k) => Math.floor(k / 10)));
    expect(calibration.surprise(5, 1, true)).toBeCloseTo(-Math.log(51 / 102), 14);
    expect(calibration.surprise(4.5, 1, true)).toBe(calibration.surprise(5, 1, true));
  });

  test('is about the level of true probabilities for values of its own kind', () => {
    // −ln of uniform numbers is what a channel of calibrated surprises gives.
    const next = random(12);
    let rare = 0;
    for (let round = 0; round < 300; round++) {
      const calibration = calibrationOf(Array.from({ length: 120 }, () => -Math.log(1 - next())));
      for (let k = 0; k < 40; k++) if (calibration.surprise(-Math.log(1 - next()), 1, true) > Math.log(100)) rare++;
    }
    expect(rare / 12_000).toBeGreaterThan(0.004);
    expect(rare / 12_000).toBeLessThan(0.02);
  });

  test('never falls as x grows', () => {
    const next = random(4);
    const calibration = calibrationOf(Array.from({ length: 90 }, () => next() ** 3 * 10));
    let last = 0;
    for (let x = 0; x < 15; x += 0.01) {
      const s = calibration.surprise(x, 1, true);
      expect(s).toBeGreaterThanOrEqual(last);
      last = s;
    }
  });

  test('a channel that has been loud is heard less', () => {
    const quiet = calibrationOf(new Array<number>(120).fill(0));
    const loud = calibrationOf(Array.from({ length: 120 }, (_, k) => (k % 6 === 0 ? 12 : 0)));
    expect(loud.surprise(14, 1, true)).toBeLessThan(quiet.surprise(14, 1, true) - 5);
  });

  test('holds the last 120', () => {
    const calibration = calibrationOf(Array.from({ length: 300 }, (_, k) => k));
    expect(calibration.size).toBe(120);
    expect(calibration.save()).toEqual(saved(Array.from({ length: 120 }, (_, k) => 180 + k)));
  });

  test('a restored one goes on bit for bit, also through JSON', () => {
    const next = random(9);
    const lived = new Calibration();
    for (let k = 0; k < 167; k++) lived.accept(next() * 10 ** (40 * next() - 20));
    const restored = Calibration.restore(JSON.parse(JSON.stringify(lived.save())) as string);
    for (let k = 0; k < 200; k++) {
      const x = next() * 10 ** (40 * next() - 20);
      expect(restored.surprise(x, 0.1, true)).toBe(lived.surprise(x, 0.1, true));
      expect(restored.lengthScale(0.02)).toBe(lived.lengthScale(0.02));
      lived.accept(x);
      restored.accept(x);
    }
    expect(restored.save()).toEqual(lived.save());
  });

  test('a damaged state is refused, and so is a value that is none', () => {
    for (const damaged of [...[[NaN], [-1], [1, Infinity]].map(saved), 'AAAA', [1], null]) {
      expect(() => Calibration.restore(damaged as string)).toThrow('stored calibration');
    }
    for (const x of [NaN, -1, Infinity]) expect(() => new Calibration().accept(x)).toThrow(`got ${x}`);
  });

  test('is finite, not negative and never -0 for any values', () => {
    const next = random(21);
    for (let round = 0; round < 300; round++) {
      const calibration = new Calibration();
      const size = Math.floor(next() * 200);
      for (let k = 0; k < size; k++) calibration.accept(next() < 0.5 ? 0 : next() * 10 ** (next() * 320 - 12));
      const scale = calibration.lengthScale(0.02);
      for (const x of [0, 1e-300, next(), 1e6, 1e150, Number.MAX_VALUE]) {
        for (const b of [1, scale]) {
          const s = calibration.surprise(x, b, true);
          expect(isSound(s) && s >= 0, `s = ${s} of ${x} with b0 = ${b}`).toBe(true);
        }
      }
    }
  });
});

describe('scale of the length channels', () => {
  test('is the largest of half a deviation, a tenth of the mean and the floor', () => {
    expect(calibrationOf([1, 3]).lengthScale(0.02)).toBeCloseTo(0.5 * Math.SQRT2, 14);
    expect(calibrationOf([5, 5, 5]).lengthScale(0.02)).toBe(0.5);
    expect(calibrationOf([5, 5, 5]).lengthScale(2)).toBe(2);
    expect(new Calibration().lengthScale(0.3)).toBe(0.3);
  });

  test('the worked example of the noise of counts', () => {
    expect(countNoise([3, 0.5], 2)).toBeCloseTo(0.25 * Math.sqrt(1 / 4 + 0.5 / 1.5) + 0.02, 14);
    expect(countNoise([], 0)).toBe(0.2);
  });
});
