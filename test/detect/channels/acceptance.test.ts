import { expect, test } from 'vitest';
import { Acceptance } from '../../../src/detect/channels/acceptance.ts';

test('a score above 2 is left out, 2 and no score are not', () => {
  const acceptance = new Acceptance();
  expect([null, 2, 2.01, -6].map((score) => acceptance.offer(score))).toEqual([true, true, false, true]);
});

test('a run is learnt from its 13th window on, until it ends', () => {
  const acceptance = new Acceptance();
  for (let run = 0; run < 3; run++) {
    const accepted = Array.from({ length: 40 }, () => acceptance.offer(8));
    for (let t = 0; t < 40; t++) expect(accepted[t], `window ${t}`).toBe(t >= 12);
    expect(acceptance.offer(0)).toBe(true);
  }
});

test('goes on as it was when restored, and refuses what it never said', () => {
  const acceptance = new Acceptance();
  for (let t = 0; t < 7; t++) acceptance.offer(5);
  const restored = new Acceptance(acceptance.save());
  for (let t = 0; t < 30; t++)
    expect(restored.offer(t % 19 === 18 ? 1 : 5)).toBe(acceptance.offer(t % 19 === 18 ? 1 : 5));
  for (const run of [-1, 13, 0.5, NaN]) expect(() => new Acceptance(run)).toThrow('stored acceptance');
});
