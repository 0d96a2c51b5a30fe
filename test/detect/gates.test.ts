import { describe, expect, test } from 'vitest';
import { GramRing } from '../../src/detect/dmd/gram.ts';
import { isRecurrent, isSparse } from '../../src/detect/gates.ts';

describe('sparse', () => {
  test('11 non-empty kept windows are too few, 12 are enough', () => {
    const records = new Uint32Array(120).fill(5, 0, 11);
    expect(isSparse(records)).toBe(true);
    records[119] = 1;
    expect(isSparse(records)).toBe(false);
    expect(isSparse([])).toBe(true);
  });
});

/** One-dimensional snapshots: heights are the windows, errors are given; the last one is t. */
function recurrent(heights: number[], errors: number[], capacity = 121): boolean {
  const ring = new GramRing(capacity);
  heights.forEach((x, t) => {
    const kept = heights.slice(Math.max(0, t + 1 - capacity), t + 1);
    ring.push(Float64Array.from(kept, (y) => x * y));
  });
  return isRecurrent(ring, errors.slice(-capacity));
}

const quiet = [0, 0, 0, 0];
/** Heights and errors are the same here: the job is a step of 10 that nobody could predict. */
const job = (...parts: number[][]) => recurrent(parts.flat(), parts.flat());

describe('recurrent', () => {
  test('the third run of a job is recurrent, the second is not', () => {
    expect(job(quiet, [10], quiet, [10])).toBe(false);
    expect(job(quiet, [10], quiet, [10], quiet, [10])).toBe(true);
  });

  test('two overlapping windows of one run are one occurrence', () => {
    expect(job(quiet, [10, 10], quiet, [10])).toBe(false);
    expect(job(quiet, [10, 10], quiet, [10, 10], quiet, [10])).toBe(true);
  });

  test('the second window of a run does not count the first: t-1 is the present occurrence', () => {
    expect(job(quiet, [10, 10], quiet, [10, 10])).toBe(false);
    expect(job(quiet, [10, 10], quiet, [10, 10], quiet, [10, 10])).toBe(true);
  });

  test('a fault that lasts is not its own precedent', () => {
    expect(job(quiet, Array<number>(30).fill(10))).toBe(false);
  });

  test('earlier errors must reach 80 % of this one', () => {
    const heights = [0, 0, 10, 0, 0, 10, 0, 0, 10];
    const errors = (e: number) => [0, 0, e, 0, 0, e, 0, 0, 10];
    expect(recurrent(heights, errors(8))).toBe(true);
    expect(recurrent(heights, errors(7.9))).toBe(false);
  });

  test('earlier windows must lie within half the error', () => {
    const errors = [0, 0, 10, 0, 0, 10, 0, 0, 10];
    const heights = (x: number) => [0, 0, x, 0, 0, x, 0, 0, 20];
    expect(recurrent(heights(15), errors)).toBe(true);
    expect(recurrent(heights(14.9), errors)).toBe(false);
  });

  test('windows that were never scored do not match', () => {
    const heights = [0, 0, 10, 0, 0, 10, 0, 0, 10];
    expect(recurrent(heights, [0, 0, NaN, 0, 0, 10, 0, 0, 10])).toBe(false);
    expect(recurrent(heights, [0, 0, 10, 0, 0, 10, 0, 0, NaN])).toBe(false);
  });

  test('runs that have left the kept windows are forgotten', () => {
    const parts = [quiet, [10], quiet, [10], quiet, [10]].flat();
    expect(recurrent(parts, parts, 11)).toBe(true);
    expect(recurrent(parts, parts, 10)).toBe(false);
  });

  test('no error, or nothing before it, is never recurrent', () => {
    expect(job([0, 0, 0, 0, 0])).toBe(false);
    expect(job([10])).toBe(false);
    expect(isRecurrent(new GramRing(4), [])).toBe(false);
  });
});
