import { describe, expect, test } from 'vitest';
import { CHANNELS, DEFAULT_WEIGHTS } from '../../../src/detect/channels/channels.ts';
import { combineChannels } from '../../../src/detect/channels/combination.ts';
import { isSound, random } from './windows.ts';

const ALL = CHANNELS.map((channel) => DEFAULT_WEIGHTS[channel]);
const FULL = CHANNELS.map(() => 120);

interface Options {
  sizes?: readonly number[];
  weights?: readonly number[];
  earlier?: readonly (readonly number[])[];
}

function combine(nats: readonly number[], { sizes = FULL, weights = ALL, earlier = [] }: Options = {}) {
  const capped = new Float64Array(CHANNELS.length);
  return { ...combineChannels({ nats, earlier, sizes, weights }, capped), capped: [...capped] };
}

describe('combination', () => {
  test('the worked example: the third channel is cut', () => {
    const { score, loudest, capped } = combine([2, 6.5, 9, 0.5, 1, 0.7, 0], {
      sizes: CHANNELS.map(() => 100),
      weights: [1, 1, 1, 1, 1, 1, 0],
    });
    expect(capped[2]).toBeCloseTo(Math.log(102) + 4, 14);
    expect(score).toBeCloseTo(2.74, 2);
    expect(loudest).toBe('severity');
  });

  test('with one channel it is the sigma of that channel’s probability', () => {
    const { score } = combine([-Math.log(0.02275013194817921), 0, 0, 0, 0, 0, 0], { weights: [1, 0, 0, 0, 0, 0, 0] });
    expect(score).toBeCloseTo(2, 12);
  });

  test('the median is 0: half of what gets here is below', () => {
    const { score } = combine([Math.LN2, 0, 0, 0, 0, 0, 0], { weights: [1, 0, 0, 0, 0, 0, 0] });
    expect(Math.abs(score)).toBeLessThan(1e-14);
    expect(Object.is(score, -0)).toBe(false);
  });

  test('silence everywhere is the lowest score, noise everywhere the highest there is', () => {
    expect(combine([0, 0, 0, 0, 0, 0, 0]).score).toBe(-6);
    expect(combine(CHANNELS.map(() => 1e9)).score).toBeLessThanOrEqual(8);
    expect(combine(CHANNELS.map(() => 1e9)).score).toBeGreaterThan(5);
  });

  test('one loud channel is a warning where it is a probability, nothing where it is a length, and never critical', () => {
    for (const [c, channel] of CHANNELS.entries()) {
      const nats = CHANNELS.map((_, other) => (other === c ? 1e9 : 1));
      const isLength = channel === 'distance' || channel === 'dmd';
      const { score } = combine(nats);
      expect(score, channel).toBeGreaterThan(isLength ? 0 : 2.5);
      expect(score, channel).toBeLessThan(isLength ? 2 : 3);
    }
    expect(combine([6, 0, 0, 0, 0, 0, 0]).score).toBeLessThan(1.5);
  });

  test('alone a channel of a young source is doubted more', () => {
    const loud = (h: number) => combine([0, 0, 0, 0, 0, 0, 1e9], { sizes: CHANNELS.map(() => h) }).score;
    expect(loud(60)).toBeGreaterThan(2);
    expect(loud(20)).toBeLessThan(1.5);
  });

  test('critical takes what several channels say', () => {
    expect(combine([1e9, 0, 1e9, 0, 0, 0, 0]).score).toBeLessThan(3);
    expect(combine([1e9, 0, 1e9, 0, 1e9, 0, 0]).score).toBeGreaterThan(3);
  });

  test('a weight counts before a channel is cut', () => {
    const weights = CHANNELS.map((channel) => (channel === 'values' ? 0.5 : 1));
    expect(combine([0, 0, 0, 0, 0, 0, 6], { weights }).capped[6]).toBe(3);
    expect(combine([0, 0, 0, 0, 0, 0, 1e9], { weights }).capped[6]).toBeCloseTo(Math.log(122) + 4, 14);
  });

  test('a short history backs less', () => {
    const young = combine([50, 50, 0, 0, 0, 0, 0], { sizes: CHANNELS.map(() => 4) });
    expect(young.score).toBeLessThan(combine([50, 50, 0, 0, 0, 0, 0]).score - 0.5);
  });

  test('a channel that is switched off neither speaks nor is counted', () => {
    const without = combine([3, 99, 3, 1, 1, 1, 1], { weights: [1, 0, 1, 1, 1, 1, 0.5] });
    expect(without.capped[1]).toBe(0);
    expect(without.loudest).toBe('rate');
    expect(() => combine([1, 1, 1, 1, 1, 1, 1], { weights: [0, 0, 0, 0, 0, 0, 0] })).toThrow('no channel is enabled');
  });

  test('never falls as a channel grows, and is sound for any input', () => {
    const next = random(31);
    for (let round = 0; round < 500; round++) {
      const nats = CHANNELS.map(() => (next() < 0.3 ? 0 : next() * 10 ** (next() * 12 - 3)));
      const weights = CHANNELS.map(() => (next() < 0.4 ? 0 : next() * 2));
      weights[round % 7] = 1;
      const sizes = CHANNELS.map(() => Math.floor(next() * 121));
      const { score } = combine(nats, { weights, sizes });
      expect(isSound(score) && score >= -6 && score <= 8, String(score)).toBe(true);
      nats[round % 7]! += 1;
      expect(combine(nats, { weights, sizes }).score).toBeGreaterThanOrEqual(score);
    }
  });

  describe('what lasts', () => {
    const only = (c: number, nats: number) => CHANNELS.map((_, other) => (other === c ? nats : 0));

    test('the worked example: three windows in which one channel says 7, 6 and 5', () => {
      const severity = CHANNELS.indexOf('severity');
      expect(combine(only(severity, 7)).score).toBeCloseTo(1.42, 2);
      const earlier = [only(severity, 6), only(severity, 5)];
      expect(combine(only(severity, 7), { earlier }).score).toBeCloseTo(3.02, 2);
    });

    test('one channel that stays loud is critical, a length is not', () => {
      for (const [c, channel] of CHANNELS.entries()) {
        const { score } = combine(only(c, 30), { earlier: [only(c, 30), only(c, 30)] });
        const isLength = channel === 'distance' || channel === 'dmd';
        expect(score > 3, channel).toBe(!isLength);
      }
    });

    test('seven channels that each say a little say more with every window', () => {
      const little = CHANNELS.map(() => 2.2);
      const scores = [0, 1, 2, 3].map(
        (n) => combine(little, { earlier: Array.from({ length: n }, () => little) }).score,
      );
      expect(scores[1]).toBeGreaterThan(scores[0]!);
      expect(scores[2]).toBeGreaterThan(scores[1]!);
      expect(scores[3]).toBe(scores[2]);
    });

    test('what is over does not count', () => {
      const calm = combine(CHANNELS.map(() => 0.5)).score;
      const after = combine(
        CHANNELS.map(() => 0.5),
        { earlier: [only(0, 40), only(0, 40)] },
      ).score;
      expect(after).toBeLessThan(calm + 1.5);
    });
  });
});
