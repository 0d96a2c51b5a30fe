import { describe, expect, test } from 'vitest';
import {
  addSummary,
  isJudged,
  isLevel,
  isName,
  newUnrest,
  noteUnrest,
  slotDeviation,
  slotSurprise,
  storedMean,
  valuesSurprise,
  type SlotDeviation,
  type SlotPast,
  type SlotSummary,
} from '../../../src/detect/channels/values.ts';
import { isSound, random } from './windows.ts';

/** y of a value: durations and sizes differ by factors, not by sums. Finite for every finite v, and 0 rather than -0. */
function logValue(v: number): number {
  return Math.sign(v) * Math.log1p(Math.abs(v)) + 0;
}

/** Adds y to a summary in place (Welford, "Note on a method for calculating corrected sums of squares and products", 1962). */
function addValue(summary: SlotSummary, y: number): void {
  const before = y - summary.mean;
  summary.count++;
  summary.mean += before / summary.count;
  summary.squares += before * (y - summary.mean);
}

function summaryOf(values: readonly number[]): SlotSummary {
  const summary = { count: 0, mean: 0, squares: 0 };
  for (const v of values) addValue(summary, logValue(v));
  return summary;
}

function pastOf(windows: readonly SlotSummary[]): SlotPast {
  return {
    n: windows.length,
    counts: windows.map(({ count }) => count),
    means: windows.map(({ mean }) => mean),
    squares: windows.map(({ squares }) => squares),
  };
}

function deviation(past: SlotPast, now: SlotSummary): SlotDeviation {
  const out = { mean: 0, deviation: 0, z: 0 };
  slotDeviation(past, now, out);
  return out;
}

/** Windows of `k` durations around `center` ms. */
function durations(n: number, k: number, center: number, seed = 1): SlotSummary[] {
  const next = random(seed);
  return Array.from({ length: n }, () => summaryOf(Array.from({ length: k }, () => center * (0.5 + next()))));
}

describe('values', () => {
  test('the worked example', () => {
    const past = pastOf(
      Array.from({ length: 12 }, (_, j) => ({ count: 5, mean: j % 2 === 0 ? 2.4 : 2.6, squares: 0.2 })),
    );
    const { mean, z } = deviation(past, { count: 5, mean: 4.5, squares: 0 });
    expect(mean).toBeCloseTo(2.5, 14);
    expect(z).toBeCloseTo(13.21, 2);
    expect(slotSurprise(z, 12, newUnrest())).toBeCloseTo(11.36, 2);
  });

  test('durations that rise from 12 to 910 ms are loud, those that stay are not', () => {
    const past = pastOf(durations(40, 8, 12));
    const nats = (now: SlotSummary) => slotSurprise(deviation(past, now).z, past.n, newUnrest());
    expect(nats(durations(1, 8, 910, 5)[0]!)).toBeGreaterThan(20);
    for (let seed = 2; seed < 30; seed++) expect(nats(durations(1, 8, 12, seed)[0]!)).toBeLessThan(8);
  });

  test('a slot that wanders is muted by its own unrest', () => {
    const unrest = newUnrest();
    const fresh = slotSurprise(6, 60, newUnrest());
    for (let k = 0; k < 60; k++) noteUnrest(unrest, 30);
    expect(slotSurprise(6, 60, unrest)).toBeLessThan(fresh / 3);
    for (let k = 0; k < 400; k++) noteUnrest(unrest, 0.5);
    expect(slotSurprise(6, 60, unrest)).toBeCloseTo(fresh, 10);
  });

  test('one value, or eleven windows, have no say', () => {
    const past = pastOf(durations(12, 3, 12));
    expect(isJudged(past, { count: 2, mean: 1, squares: 0 })).toBe(true);
    expect(isJudged(past, { count: 1, mean: 1, squares: 0 })).toBe(false);
    expect(isJudged({ ...past, n: 11 }, { count: 4, mean: 1, squares: 0 })).toBe(false);
  });

  test('process ids are a name, durations, small constants and what varies by itself are not', () => {
    const name = (windows: readonly SlotSummary[]) => isName(pastOf(windows), windows[0]!.mean);
    const processes = (base: number) => summaryOf([base, base, base + 3, base + 7]);
    expect(name(Array.from({ length: 40 }, (_, t) => processes(t < 20 ? 21_000 : 30_500)))).toBe(true);
    // While one process follows another, both are in a window.
    expect(name([...Array.from({ length: 20 }, () => processes(21_000)), summaryOf([21_000, 21_000, 830, 830])])).toBe(
      true,
    );
    expect(name(durations(40, 4, 500))).toBe(false);
    expect(name(Array.from({ length: 40 }, () => summaryOf([30, 30, 30])))).toBe(false);
    expect(name(Array.from({ length: 40 }, () => summaryOf([4_000])))).toBe(false);
  });

  test('a number that hardly moves from window to window is a level, one that is drawn anew is not', () => {
    const next = random(3);
    const judge = (means: readonly number[]) => {
      const past = pastOf(means.map((mean) => ({ count: 1, mean, squares: 0 })));
      const mean = means.reduce((a, b) => a + b, 0) / means.length;
      const differences = means.slice(1).reduce((sum, m, j) => sum + (m - means[j]!) ** 2, 0);
      return isLevel(past, mean, differences, means.length - 1);
    };
    expect(judge(Array.from({ length: 60 }, (_, t) => 6 + Math.sin(t / 15)))).toBe(true);
    expect(judge(Array.from({ length: 60 }, () => 6 + next()))).toBe(false);
    expect(judge([1, 2, 3])).toBe(true);
  });

  test('the loudest slot pays for how many were looked at', () => {
    expect(valuesSurprise([1, 9, 3], 3)).toBeCloseTo(9 - Math.log(3), 14);
    expect(valuesSurprise([0.5, 0.2], 2)).toBe(0);
    expect(valuesSurprise([], 0)).toBe(0);
  });

  test('a wild window moves the past by at most four deviations, also where it never moved before', () => {
    const past = pastOf(Array.from({ length: 20 }, () => summaryOf([200, 200, 200, 200])));
    const at = deviation(past, summaryOf([1e12, 1e12, 1e12, 1e12]));
    expect(at.deviation).toBeCloseTo(0.1, 14);
    expect(storedMean(logValue(1e12), at)).toBeCloseTo(logValue(200) + 0.4, 12);
    expect(storedMean(logValue(-1e12), at)).toBeCloseTo(logValue(200) - 0.4, 12);
    expect(storedMean(logValue(201), at)).toBe(logValue(201));
  });

  test('two panes of a window add up to what one pass over it gives', () => {
    const values = [3, 1e6, -40, 0, 0.01, 77, 77];
    const into = summaryOf(values.slice(0, 3));
    addSummary(into, summaryOf(values.slice(3)));
    addSummary(into, summaryOf([]));
    const whole = summaryOf(values);
    expect(into.count).toBe(7);
    expect(into.mean).toBeCloseTo(whole.mean, 12);
    expect(into.squares).toBeCloseTo(whole.squares, 10);
    const fromNothing = summaryOf([]);
    addSummary(fromNothing, whole);
    expect(fromNothing.mean).toBeCloseTo(whole.mean, 14);
  });

  test('signs are kept and zero has none', () => {
    expect(logValue(-(Math.E - 1))).toBeCloseTo(-1, 14);
    expect(Object.is(logValue(-0), 0)).toBe(true);
  });

  test('is finite, not negative and never -0 for any finite values', () => {
    const next = random(77);
    const any = () => (next() < 0.3 ? 0 : (next() - 0.5) * 10 ** (next() * 600 - 292));
    for (let round = 0; round < 300; round++) {
      const k = 1 + Math.floor(next() * 12);
      const constant = any();
      const value = () => (round % 3 === 0 ? constant : any());
      const windows = Array.from({ length: 12 + Math.floor(next() * 109) }, () =>
        summaryOf(Array.from({ length: k }, value)),
      );
      const at = deviation(pastOf(windows), summaryOf([any(), any(), any(), any()]));
      const unrest = newUnrest();
      for (let j = 0; j < 5; j++) noteUnrest(unrest, at.z);
      const nats = slotSurprise(at.z, windows.length, unrest);
      expect(isSound(at.z) && isSound(nats) && nats >= 0, `z ${at.z}, ${nats} nats`).toBe(true);
      expect(isSound(storedMean(logValue(any()), at))).toBe(true);
    }
  });
});
