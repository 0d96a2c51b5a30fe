import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/config/duration.ts';

test.each([
  ['250ms', 250],
  ['120s', 120_000],
  ['2m', 120_000],
  ['1h30m', 5_400_000],
  ['2m0s', 120_000],
  ['1.5h', 5_400_000],
  ['0.1s', 100],
  ['0s', 0],
  ['1h2m3s4ms', 3_723_004],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  [10],
  ['10'],
  ['5 m'],
  ['m'],
  [''],
  ['-1s'],
  [-1],
  ['1d'],
  ['1us'],
  ['1s 2m'],
  ['1e3s'],
  ['0.5ms'],
  [true],
  [['1s']],
  ['9'.repeat(400) + 'h'],
])('%j is refused with advice', (value) => {
  expect(() => parseDuration(value)).toThrow(/ – /);
});

test('a number without a unit is told which unit it may have meant', () => {
  expect(() => parseDuration(10)).toThrow('needs a unit – write 10s or 10ms (units: ms, s, m, h)');
});

test('formatting reads back to the same duration', () => {
  for (const ms of [0, 1, 250, 1000, 60_000, 90_000, 3_600_000, 5_400_000, 604_800_000, 3_723_004]) {
    expect(parseDuration(formatDuration(ms))).toBe(ms);
  }
  expect(formatDuration(90_000)).toBe('1m30s');
});
