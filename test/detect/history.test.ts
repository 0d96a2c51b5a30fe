import { describe, expect, test } from 'vitest';
import { GATES, History, type WindowScalars } from '../../src/detect/history.ts';
import { randomNumbers } from './miner/lines.ts';

function scalars(more: Partial<WindowScalars> = {}): WindowScalars {
  return { windowId: 1, records: 5, error: 0.5, normalizedError: 1.5, rank: 3, gates: [], accepted: true, ...more };
}

function push(history: History, counts: number[], more: Partial<WindowScalars> = {}): number {
  const i = history.push();
  history.set(i, scalars({ windowId: i, ...more }));
  history.gram.push(new Float64Array(history.capacity));
  history.growSlots(counts.length);
  counts.forEach((count, slot) => history.setCount(i, slot, count));
  return i;
}

describe('windows', () => {
  test('the newest `capacity` stay, oldest first, and with them their part of the Gram matrix', () => {
    const history = new History(3);
    for (let id = 10; id < 15; id++) push(history, [id], { windowId: id, records: id * 2 });
    expect([history.size, history.gram.size]).toEqual([3, 3]);
    expect([0, 1, 2].map((i) => [history.windowId(i), history.records(i), history.count(i, 0)])).toEqual([
      [12, 24, 12],
      [13, 26, 13],
      [14, 28, 14],
    ]);
    expect([history.indexOf(13), history.indexOf(10), history.indexOf(99)]).toEqual([1, -1, -1]);
    expect(history.total(0)).toBe(12 + 13 + 14);
  });

  test('a row that is used again starts without counts, gates or staleness', () => {
    const history = new History(2);
    push(history, [7, 8], { gates: ['degraded'] });
    push(history, [1]);
    history.markAllStale();
    const i = push(history, []);
    expect([...history.counts(i).subarray(0, 2)]).toEqual([0, 0]);
    expect([history.isStale(i), history.isStale(0), history.window(i).gates]).toEqual([false, true, []]);
  });

  test('everything kept of a window comes back, every gate too', () => {
    const history = new History(4);
    const window = scalars({ gates: [...GATES], windowId: 29_000_000, records: 5e9, accepted: false });
    const i = push(history, [], window);
    expect(history.window(i)).toEqual(window);
    history.set(i, scalars({ error: NaN, gates: ['warming'] }));
    expect(history.window(i)).toMatchObject({ error: NaN, gates: ['warming'], accepted: true });
  });

  test('what the channels counted and said stays with its window, also when the ring turns', () => {
    const history = new History(3, { scored: true });
    for (let id = 0; id < 8; id++) {
      const i = push(history, [], { windowId: id });
      history.setTallies(i, { warnings: id, errors: 10 * id, novelTemplates: 100 * id });
      history.verdict(i).fill(-id);
    }
    const kept = [0, 1, 2].map((i) => [
      ...[history.warnings(i), history.errorRecords(i), history.novelTemplates(i)],
      ...new Set(history.verdict(i)),
    ]);
    expect(kept).toEqual([
      [5, 50, 500, -5],
      [6, 60, 600, -6],
      [7, 70, 700, -7],
    ]);
    expect(new History(3).verdict(2)).toHaveLength(0);
  });

  test('flags carry gates, acceptance and staleness over', () => {
    const [a, b] = [new History(4), new History(4)];
    push(a, [1], { gates: ['sparse', 'muted'], accepted: true });
    a.markStale(0);
    push(b, [1], { accepted: false });
    b.setFlags(0, a.flags(0));
    expect(b.window(0)).toEqual(a.window(0));
    expect(b.isStale(0)).toBe(true);
  });

  test('errors of degraded windows are no history for others', () => {
    const history = new History(4);
    push(history, [], { error: 1 });
    push(history, [], { error: 2, gates: ['degraded', 'sparse'] });
    push(history, [], { error: 3, gates: ['sparse'] });
    expect(history.errorsOf(0, 3)).toEqual([1, NaN, 3]);
    expect(history.error(1)).toBe(2);
  });
});

describe('counts', () => {
  test('stay with their column when columns are added', () => {
    const history = new History(5);
    const random = randomNumbers(1);
    const rows = Array.from({ length: 8 }, (_, k) =>
      Array.from({ length: 5 + 9 * k }, () => Math.floor(random() * 99)),
    );
    for (const row of rows) push(history, row);
    for (let i = 0; i < 5; i++) {
      const expected = rows[i + 3]!;
      expect([...history.counts(i).subarray(0, expected.length)]).toEqual(expected);
      expect(
        history
          .counts(i)
          .subarray(expected.length)
          .every((count) => count === 0),
      ).toBe(true);
    }
  });

  test('stop at 2³² − 1 instead of wrapping', () => {
    const history = new History(2);
    push(history, [0xffffffff, 0xffffffff]);
    history.setCount(0, 2, 1e15);
    history.mergeSlots(0, 1);
    expect([...history.counts(0).subarray(0, 3)]).toEqual([0, 0xffffffff, 0xffffffff]);
  });

  test('usual count: the median over accepted windows only', () => {
    const history = new History(8);
    for (const [count, accepted] of [
      [10, true],
      [900, false],
      [30, true],
      [20, true],
    ] as const)
      push(history, [count], { accepted });
    expect(history.medianCount([0], 4)).toBe(20);
    expect(history.medianCount([0], 3)).toBe(20);
    expect(history.medianCount([0], 2)).toBe(10);
    expect(history.medianCount([0], 0)).toBe(0);
    expect(history.medianCount([3], 4)).toBe(0);
  });
});

describe('staleness', () => {
  test('follows the windows that count the column', () => {
    const history = new History(4);
    push(history, [1, 0]);
    push(history, [0, 1]);
    push(history, [2, 2]);
    history.markStale(0);
    expect([0, 1, 2].map((i) => history.isStale(i))).toEqual([true, false, true]);
    history.setFresh(0);
    expect(history.staleWindows()).toEqual([2]);
    history.setFresh(2);
    expect(history.staleWindows()).toEqual([]);
    history.clearSlot(1);
    expect([0, 1, 2].map((i) => history.isStale(i))).toEqual([false, true, true]);
    expect(history.total(1)).toBe(0);
  });
});

test('bytes: 121 windows of 20 templates take less than 100 KiB', () => {
  const history = new History(121);
  history.growSlots(20);
  expect(history.byteLength).toBe(121 * 24 * 4 + 121 * 60 + 121 * 122 * 4);
  expect(history.byteLength).toBeLessThan(100 * 1024);
});
