import { expect, test } from 'vitest';
import { Acceptance } from '../../../src/detect/channels/acceptance.ts';

test('a score above 3 is left out, 3 and no score are not', () => {
  const acceptance = new Acceptance();
  expect([null, 3, 3.01, -6].map((score) => acceptance.offer(score))).toEqual([true, true, false, true]);
  expect(acceptance.save()).toBe('..x.');
});

test('while 12 of the last 120 were left out no more are', () => {
  const acceptance = new Acceptance();
  const accepted = Array.from({ length: 260 }, () => acceptance.offer(8));
  for (let t = 0; t < 260; t++) expect(accepted[t], `window ${t}`).toBe(t % 121 >= 12);
});

test('goes on as it was when restored, and refuses what it never said', () => {
  const acceptance = new Acceptance();
  for (let t = 0; t < 130; t++) acceptance.offer(t % 11 === 0 ? 5 : 1);
  const restored = new Acceptance(acceptance.save());
  for (let t = 0; t < 130; t++) expect(restored.offer(t % 3 === 0 ? 5 : 1)).toBe(acceptance.offer(t % 3 === 0 ? 5 : 1));
  expect(() => new Acceptance('..y')).toThrow('stored acceptance');
});
