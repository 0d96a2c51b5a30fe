import { describe, expect, test } from 'vitest';
import { noveltySurprise } from '../../../src/detect/channels/novelty.ts';
import { severitySurprise } from '../../../src/detect/channels/severity.ts';
import { silenceSurprise } from '../../../src/detect/channels/silence.ts';

const repeat = (n: number, value: number): number[] => new Array<number>(n).fill(value);

describe('novelty', () => {
  test('the worked example: new templates after 100 windows without any', () => {
    expect(noveltySurprise(1, repeat(100, 0), 100)).toBeCloseTo(3.95, 2);
    expect(noveltySurprise(5, repeat(100, 0), 100)).toBeCloseTo(19.7, 1);
  });

  test('nothing new is 0, whatever the past', () => {
    expect(noveltySurprise(0, repeat(50, 9), 50)).toBe(0);
  });

  test('a source that always has something new is used to it', () => {
    const used = Array.from({ length: 100 }, (_, k) => k % 4);
    expect(noveltySurprise(3, used, 100)).toBeLessThan(2.5);
    expect(noveltySurprise(3, repeat(100, 0), 100)).toBeGreaterThan(8);
  });
});

describe('severity', () => {
  const past = { warnings: repeat(100, 2), errors: repeat(100, 0) };
  const one = (warnings: number, errors: number) => ({ warnings: [warnings], errors: [errors] });

  test('the worked examples: one error among the usual warnings, and one in each of five windows', () => {
    expect(severitySurprise(one(3, 1), past)).toBeCloseTo(3.95, 2);
    expect(severitySurprise(one(3, 0), past)).toBeCloseTo(1.15, 2);
    expect(severitySurprise({ warnings: repeat(5, 2), errors: repeat(5, 1) }, past)).toBeCloseTo(14.33, 2);
  });

  test('what is over does not count: earlier windows as much as this one, and without an error now there is nothing', () => {
    const after = (now: number) => severitySurprise({ warnings: [2], errors: [now, 500, 900] }, past);
    expect(after(1)).toBe(severitySurprise({ warnings: [2], errors: [1, 1, 1] }, past));
    expect(after(0)).toBe(severitySurprise({ warnings: [2], errors: [0] }, past));
  });

  test('windows that are as usual say nothing, however many', () => {
    expect(severitySurprise({ warnings: repeat(6, 2), errors: repeat(6, 0) }, past)).toBeLessThan(1);
  });

  test('fewer errors than usual surprise nobody', () => {
    expect(severitySurprise(one(0, 0), { warnings: repeat(60, 40), errors: repeat(60, 20) })).toBe(0);
  });
});

describe('silence', () => {
  const lows = (...lo: number[]) => ({ lo: Float64Array.from(lo), slots: lo.length, present: Math.max(1, lo.length) });

  test('the worked examples: a heartbeat of 3 and one of 30 lines stops', () => {
    // The template and the total are the same here, so the total, which pays no ln F, is what is heard.
    expect(silenceSurprise(lows(), 0, repeat(120, 3), 120)).toBeCloseTo(2.87, 2);
    expect(silenceSurprise(lows(), 0, repeat(120, 30), 120)).toBeCloseTo(23.56, 2);
  });

  test('one template of five that vanished pays ln 5', () => {
    const x = silenceSurprise(lows(23.8, 0.1, 0.2, 0.3, 0.1), 100, repeat(120, 100), 120);
    expect(x).toBeCloseTo(23.8 - Math.log(5), 10);
  });

  test('a source that never spoke is not silent', () => {
    expect(silenceSurprise(lows(), 0, repeat(120, 0), 120)).toBeLessThan(0.02);
  });

  test('a past of one busy hour does not make the quiet after it loud', () => {
    const history = [...repeat(110, 0), ...repeat(10, 50)];
    expect(silenceSurprise(lows(), 0, history, 120)).toBeLessThan(1);
  });
});
