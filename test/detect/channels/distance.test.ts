import { expect, test } from 'vitest';
import { nearestDistance } from '../../../src/detect/channels/distance.ts';
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
