import { describe, expect, test } from 'vitest';
import { spectrum } from '../../../src/detect/dmd/spectrum.ts';
import { denseGram } from './reference.ts';

const options = { delay: 3, maxRank: 8, rankCapDivisor: 0, tau: 1e-4 };

function modesOf(length: number, x: (t: number) => number[]) {
  const snapshots = Array.from({ length }, (_, t) => Float64Array.from(x(t)));
  return spectrum(denseGram(snapshots), length, options);
}

describe('spectrum', () => {
  test('names the periods of two rhythms', () => {
    const modes = modesOf(40, (t) => [
      Math.cos((2 * Math.PI * t) / 10),
      Math.sin((2 * Math.PI * t) / 10),
      Math.cos((2 * Math.PI * t) / 4),
      Math.sin((2 * Math.PI * t) / 4),
    ]);
    expect(modes.map((mode) => Math.round(mode.periodSteps! * 1e6) / 1e6).sort((a, b) => a - b)).toEqual([
      4, 4, 10, 10,
    ]);
    for (const { modulus } of modes) expect(modulus).toBeCloseTo(1, 9);
  });

  test('a constant has one mode that neither turns nor grows', () => {
    const modes = modesOf(20, () => [3, 4]);
    expect(modes.length).toBe(1);
    expect(modes[0]).toMatchObject({ imaginary: 0, periodSteps: null });
    expect(modes[0]!.real).toBeCloseTo(1, 12);
  });

  test('growth of 5 % a step is a modulus of 1.05, decay comes after it', () => {
    const modes = modesOf(20, (t) => [1.05 ** t, 0.8 ** t]);
    expect(modes.map(({ modulus }) => Math.round(modulus * 1e6) / 1e6)).toEqual([1.05, 0.8]);
  });

  test('a sign that flips every step has period 2', () => {
    expect(modesOf(20, (t) => [(-1) ** t])[0]!.periodSteps).toBeCloseTo(2, 9);
  });

  test('an empty or too short history has no modes', () => {
    expect(modesOf(20, () => [0, 0])).toEqual([]);
    expect(modesOf(3, () => [1, 2])).toEqual([]);
  });
});
