import { expect, test } from 'vitest';
import { areaUnderRoc, precisionRecall, roundHalfEven } from '../../../src/replay/evaluation/ranking.ts';

test('the area under the ROC curve is the share of pairs in the right order, ties half', () => {
  expect(areaUnderRoc([3, 4], [1, 2])).toBe(1);
  expect(areaUnderRoc([1, 1], [1, 1, 1])).toBe(0.5);
  expect(areaUnderRoc([2, 0], [1, 2])).toBe((1 + 0.5) / 4);
  expect(areaUnderRoc([], [1])).toBeNull();
});

test('precision and recall by hand: 3 | 2 wrong | 1 right and wrong', () => {
  // Thresholds 3, 2, 1: precision 1, 1/2, 2/4; recall 1/2, 1/2, 1.
  expect(precisionRecall([3, 1], [2, 1])).toEqual({
    averagePrecision: 0.5 * 1 + 0.5 * 0.5,
    bestF1: 2 / 3,
    bestF1At: 3,
  });
  expect(precisionRecall([1], [])).toEqual({ averagePrecision: null, bestF1: null, bestF1At: null });
});

test('what lies exactly between two decimals goes to the even one', () => {
  expect(roundHalfEven(0.0625, 3)).toBe(0.062);
  expect(roundHalfEven(0.1875, 3)).toBe(0.188);
  expect(roundHalfEven(-0.0625, 3)).toBe(-0.062);
  expect(roundHalfEven(0.25, 1)).toBe(0.2);
  expect(roundHalfEven(0.75, 1)).toBe(0.8);
  // 2.675 is a little less than that, 1.005 too; 0.0005 a little more.
  expect(roundHalfEven(2.675, 2)).toBe(2.67);
  expect(roundHalfEven(0.0005, 3)).toBe(0.001);
  expect(roundHalfEven(7, 3)).toBe(7);
});
