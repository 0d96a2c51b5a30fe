import { describe, expect, test } from 'vitest';
import { createCountModel, fitCounts, upperSurprise } from '../../../src/detect/channels/nb-surprise.ts';
import { TemplateCounts } from '../../../src/detect/channels/template-counts.ts';
import { allKnown, historyOf, random } from './windows.ts';

describe('TemplateCounts', () => {
  test('means and variances are those of the accepted windows of the past alone', () => {
    const history = historyOf([[1000], [2], [4], [900], [6], [70]], { accepted: (i) => i !== 3 });
    const counts = new TemplateCounts();
    counts.load(history, 5, 1, 1, allKnown(1));
    expect(counts.n).toBe(3);
    expect(counts.mean[0]).toBe(4);
    expect(counts.variance[0]).toBe(4);
    expect(counts.now[0]).toBe(70);
    const model = createCountModel();
    fitCounts(model, [2, 4, 6], 3);
    expect(counts.up[0]).toBe(upperSurprise(model, 70));
  });

  test('a template that was never accepted is not this channel’s, and one that is nowhere is not looked at', () => {
    const windows = Array.from({ length: 10 }, () => [3, 0, 0, 0]);
    const history = historyOf([...windows, [3, 9, 9, 0]]);
    const counts = new TemplateCounts();
    counts.load(history, 10, 0, 4, Uint8Array.of(1, 0, 1, 1));
    expect(counts.present).toBe(2); // slot 0 in A, slot 2 now
    expect(counts.up[1]).toBe(0);
    expect(counts.lo[1]).toBe(0);
    expect(counts.up[2]).toBeGreaterThan(10);
    expect(counts.up[3]).toBe(0);
  });

  test('F is 1 where there is nothing to look at', () => {
    const counts = new TemplateCounts();
    counts.load(historyOf([[0], [0]]), 1, 0, 1, allKnown(1));
    expect(counts.present).toBe(1);
    expect(counts.n).toBe(1);
  });

  test('a steady count of thousands of millions has no variance', () => {
    const history = historyOf(Array.from({ length: 121 }, () => [4294967295]));
    const counts = new TemplateCounts();
    counts.load(history, 120, 0, 1, allKnown(1));
    expect(counts.mean[0]).toBe(4294967295);
    expect(counts.variance[0]).toBe(0);
  });

  test('the same windows give the same bits, wherever the ring and the scratch come from', () => {
    const next = random(8);
    const windows = Array.from({ length: 121 }, () => Array.from({ length: 40 }, () => Math.floor(next() * 50)));
    const older = Array.from({ length: 77 }, () => Array.from({ length: 40 }, () => Math.floor(next() * 1e6)));
    const used = new TemplateCounts();
    used.load(historyOf(older), 70, 0, 40, allKnown(40));
    used.load(historyOf([...older, ...windows]), 120, 0, 40, allKnown(40));
    const fresh = new TemplateCounts();
    fresh.load(historyOf(windows), 120, 0, 40, allKnown(40));
    for (const key of ['mean', 'variance', 'up', 'lo'] as const) {
      expect(used[key].subarray(0, 40)).toEqual(fresh[key].subarray(0, 40));
    }
  });
});
