import { expect, test } from 'vitest';
import { hasRecurred, nearestDistance } from '../../../src/detect/channels/distance.ts';
import { historyOf } from './windows.ts';

test('the worked example: the three nearest of four', () => {
  const history = historyOf([
    [7, 0],
    [3, 0],
    [0, 0],
    [7, 1],
    [7, 0],
  ]);
  expect(nearestDistance(history, 4, 0, 2)).toBeCloseTo((2 * Math.LN2) / 3, 14);
});

test('with one or two accepted windows it is the mean of those, with none 0', () => {
  const windows = [[0], [1], [3]];
  expect(nearestDistance(historyOf(windows), 2, 0, 1)).toBeCloseTo((Math.log(4) + Math.LN2) / 2, 14);
  expect(nearestDistance(historyOf(windows, { accepted: (i) => i === 1 }), 2, 0, 1)).toBeCloseTo(Math.LN2, 14);
  expect(nearestDistance(historyOf(windows, { accepted: () => false }), 2, 0, 1)).toBe(0);
});

test('windows that were not accepted, or are older than the past, are no neighbours', () => {
  const history = historyOf([[5], [5], [5], [0], [0], [0], [5]], { accepted: (i) => i !== 2 });
  expect(nearestDistance(history, 6, 2, 1)).toBeCloseTo(Math.log(6), 14);
});

test('takes the smallest three in whatever order they come', () => {
  const order = [9, 2, 70, 1, 30, 3];
  for (let turn = 0; turn < order.length; turn++) {
    const past = [...order.slice(turn), ...order.slice(0, turn)];
    const x = nearestDistance(historyOf([...past.map((c) => [c]), [0]]), past.length, 0, 1);
    expect(x).toBeCloseTo((Math.log(2) + Math.log(3) + Math.log(4)) / 3, 14);
  }
});

test('counts beyond the table of logarithms are logarithms too', () => {
  expect(
    nearestDistance(
      historyOf([
        [4095, 4294967295],
        [4096, 0],
      ]),
      1,
      0,
      2,
    ),
  ).toBeCloseTo(Math.hypot(Math.log(4097 / 4096), Math.log(4294967296)), 12);
});

test('a window unlike anything normal recurs when it came twice before, apart from each other and from now', () => {
  /** Calm windows of one count, with a start of five templates at the places given; only calm ones are normal. */
  const recurs = (starts: readonly number[], now: readonly number[] = [3, 90, 40, 12, 7]): boolean => {
    const windows = Array.from({ length: 60 }, (_, t) => (starts.includes(t) ? [3, 88, 41, 12, 7] : [3, 0, 0, 0, 0]));
    const history = historyOf([...windows, [...now]], { accepted: (i) => !starts.includes(i) });
    return hasRecurred(history, 60, 0, 5, nearestDistance(history, 60, 0, 5));
  };
  expect(recurs([10, 30])).toBe(true);
  expect(recurs([10])).toBe(false);
  // One occurrence, and one that reaches up to now.
  expect(recurs([10, 11, 14])).toBe(false);
  expect(recurs([30, 52, 56, 59])).toBe(false);
  expect(recurs([10, 30], [3, 90, 0, 0, 900])).toBe(false);
  expect(recurs([10, 30], [3, 0, 0, 0, 0])).toBe(false);
});
