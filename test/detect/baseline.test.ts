import { describe, expect, test } from 'vitest';
import { BASELINE_DEFAULTS, defaultFloors, ErrorBaseline } from '../../src/detect/baseline.ts';
import { random } from './dmd/reference.ts';

const floors = defaultFloors(1);

/** Scores and offers, as a source does it. */
function feed(baseline: ErrorBaseline, errors: Iterable<number>): { z: number | null; accepted: boolean }[] {
  return Array.from(errors, (error) => {
    const z = baseline.normalizedError(error, floors);
    return { z, accepted: baseline.offer(error, z) };
  });
}

const noisy = (n: number, level: number, seed = 1) => {
  const next = random(seed);
  return Array.from({ length: n }, () => level * (0.8 + 0.4 * next()));
};

describe('ErrorBaseline', () => {
  test('there is no z before 20 accepted errors', () => {
    const steps = feed(new ErrorBaseline(), noisy(21, 1));
    expect(steps.map(({ z }) => z === null)).toEqual([...Array<boolean>(20).fill(true), false]);
  });

  test('by hand: mean 2, sd 2/√3 of 1, 1, 3, 3', () => {
    const baseline = new ErrorBaseline({ ...BASELINE_DEFAULTS, minBaseline: 4 });
    feed(baseline, [1, 1, 3, 3]);
    expect(baseline.normalizedError(4, floors)).toBeCloseTo(2 / (2 / Math.sqrt(3)), 14);
    expect(baseline.normalizedError(2, floors)).toBe(0);
  });

  test('a constant error divides by the floors, the larger of the two', () => {
    const baseline = new ErrorBaseline();
    feed(baseline, Array<number>(20).fill(2));
    expect(baseline.normalizedError(2.2, { relative: 0.05, absolute: 0 })).toBeCloseTo(2, 12);
    expect(baseline.normalizedError(2.2, { relative: 0.05, absolute: 0.4 })).toBeCloseTo(0.5, 12);
    expect(defaultFloors(0.2)).toEqual({ relative: 0.05, absolute: 0.005 });
    expect(defaultFloors(40)).toEqual({ relative: 0.05, absolute: 0.2 });
  });

  test('scoring changes nothing', () => {
    const baseline = new ErrorBaseline();
    feed(baseline, noisy(50, 1));
    const before = baseline.save();
    baseline.normalizedError(1000, floors);
    expect(baseline.save()).toEqual(before);
  });

  test('an outlier is left out and does not move the next z', () => {
    const baseline = new ErrorBaseline();
    feed(baseline, noisy(120, 1));
    const before = baseline.normalizedError(1.1, floors);
    expect(feed(baseline, [50])[0]!.accepted).toBe(false);
    expect(baseline.normalizedError(1.1, floors)).toBe(before);
  });

  test('of a lasting change 12 are left out, then it is learnt and stops being abnormal', () => {
    const baseline = new ErrorBaseline();
    feed(baseline, noisy(200, 1));
    const changed = feed(baseline, noisy(150, 4, 2));
    expect(changed.slice(0, 12).every(({ accepted }) => !accepted)).toBe(true);
    expect(changed[12]!.accepted).toBe(true);
    expect(changed.slice(0, 12).every(({ z }) => z! > 3)).toBe(true);
    expect(changed.slice(40).every(({ z }) => z! <= 3)).toBe(true);
  });

  test('never more than 12 of any 120 offered are left out', () => {
    const baseline = new ErrorBaseline();
    const next = random(8);
    const steps = feed(
      baseline,
      Array.from({ length: 1000 }, () => (next() < 0.25 ? 1e3 * 10 ** next() : 1 + next())),
    );
    for (let end = 120; end <= steps.length; end++) {
      expect(steps.slice(end - 120, end).filter(({ accepted }) => !accepted).length).toBeLessThanOrEqual(12);
    }
    expect(steps.some(({ accepted }) => !accepted)).toBe(true);
  });

  test('an error that left the 120 frees its place', () => {
    const baseline = new ErrorBaseline({ ...BASELINE_DEFAULTS, minBaseline: 2, maxLeftOut: 1, leftOutWindow: 3 });
    const steps = feed(baseline, [1, 1.01, 9, 1, 1, 1, 9, 9]);
    expect(steps.map(({ accepted }) => accepted)).toEqual([true, true, false, true, true, true, false, true]);
  });

  test('only the last 120 accepted errors count', () => {
    const baseline = new ErrorBaseline();
    feed(baseline, [...noisy(50, 1), ...noisy(300, 1, 3)]);
    const fresh = new ErrorBaseline();
    feed(fresh, noisy(300, 1, 3));
    expect(baseline.size).toBe(120);
    expect(baseline.normalizedError(1.3, floors)).toBe(fresh.normalizedError(1.3, floors));
  });

  test('restored through JSON it goes on to the bit', () => {
    const original = new ErrorBaseline();
    feed(original, [...noisy(170, 1 / 3), 99, 98, ...noisy(5, 1 / 7)]);
    const restored = ErrorBaseline.restore(JSON.parse(JSON.stringify(original.save())));
    const rest = [...noisy(30, 1 / 3, 4), ...noisy(30, 5, 5)];
    expect(feed(restored, rest)).toEqual(feed(original, rest));
    expect(restored.save()).toEqual(original.save());
  });

  test('cleared it warms up again', () => {
    const baseline = new ErrorBaseline();
    feed(baseline, noisy(50, 1));
    baseline.clear();
    expect(baseline.normalizedError(1, floors)).toBeNull();
    expect(baseline.save()).toEqual({ errors: [], offered: '' });
  });

  test.each([
    { errors: [1, null], offered: '..' },
    { errors: [-1], offered: '.' },
    { errors: 'x', offered: '.' },
    { errors: [1], offered: '?' },
    { errors: [1] },
  ])('damaged state is refused: %j', (saved) => {
    expect(() => ErrorBaseline.restore(saved as never)).toThrow('stored error baseline');
  });

  test('no stream of finite errors gives NaN, Infinity or -0', () => {
    const values = [0, 1, 1, 5e-324, 1e-300, 1e6, 1e150, Number.MAX_VALUE, 2, 2, 0, 1e-8];
    for (const floor of [floors, { relative: 0, absolute: 0 }]) {
      for (let seed = 0; seed < 40; seed++) {
        const next = random(seed);
        const baseline = new ErrorBaseline({ ...BASELINE_DEFAULTS, minBaseline: seed % 3 });
        const palette = values.slice(seed % 6, 2 + (seed % 6) + Math.floor(next() * 6));
        for (let t = 0; t < 200; t++) {
          const error = palette[Math.floor(next() * palette.length)]!;
          const z = baseline.normalizedError(error, floor);
          if (z !== null) expect(Number.isFinite(z) && !Object.is(z, -0), `${error} gave ${z}`).toBe(true);
          baseline.offer(error, z);
        }
      }
    }
  });
});
