import { beforeEach, describe, expect, test } from 'vitest';
import { NO_EVICTIONS } from '../../src/detect/evictions.ts';
import { ErrorBaseline } from '../../src/detect/baseline.ts';
import { Miner } from '../../src/detect/miner/miner.ts';
import { splitTraces, unite } from '../../src/detect/pane.ts';
import { Source } from '../../src/detect/source.ts';
import { VectorTable } from '../../src/detect/vectors.ts';
import { randomNumbers } from './miner/lines.ts';

let vectors: VectorTable;
let source: Source;

function create(panesPerWindow = 2, precededByGap = false): Source {
  return new Source({
    key: 'file:a',
    miner: new Miner({ birthBurst: 4096 }),
    baseline: new ErrorBaseline(),
    historyWindows: 9,
    panesPerWindow,
    vectors,
    keepSamples: true,
    entropyThreshold: 2.5,
    precededByGap,
  });
}

beforeEach(() => {
  vectors = new VectorTable();
  source = create();
});

const noIds = new Uint8Array(0);

function observe(text: string, { given = false, timeMs = 0, trace = 0, severity = 0 } = {}): void {
  const bytes = new TextEncoder().encode(text);
  const cluster = given
    ? source.miner.observeGiven(bytes, 0, bytes.length)
    : source.miner.observe(bytes, 0, bytes.length);
  const ids = trace === 0 ? noIds : new Uint8Array(24).fill(trace);
  source.openPane.count(cluster, bytes, 0, bytes.length, timeMs, ids, trace === 0 ? -1 : 0, severity);
}

/** Its varying words are counted, too, as the detector does it. */
function mine(text: string): void {
  const bytes = new TextEncoder().encode(text);
  const cluster = source.miner.observe(bytes, 0, bytes.length);
  if (source.openPane.count(cluster, bytes, 0, bytes.length, 0, noIds, -1, 0))
    source.miner.countVariables(cluster, bytes);
}

function close(gap = false) {
  source.closePane(60_000, gap, false);
  const { panes } = source.pending.at(-1)!;
  return { ...unite(panes), gap: panes.some((pane) => pane.gap) };
}

describe('a pane', () => {
  test('keeps samples and distinct traces of a template, and the time of its first line', () => {
    for (let i = 0; i < 20; i++) observe(`request ${i} done`, { timeMs: 100 + i, trace: 1 + (i >> 1) });
    const [entry] = close().entries;
    expect(entry).toMatchObject({ count: 20, template: { text: 'request <*> done', firstSeenMs: 100 } });
    expect(entry!.samples).toEqual(['request 0 done', 'request 1 done']);
    expect(splitTraces(entry!.traces).map((ids) => ids.charCodeAt(0))).toEqual([1, 2, 3]);
    for (let i = 20; i < 40; i++) observe(`request ${i} done`, { trace: 1 + (i >> 1) });
    const [both] = close().entries;
    expect(both!.samples).toEqual(['request 20 done', 'request 21 done', 'request 0 done']);
    expect(splitTraces(both!.traces).map((ids) => ids.charCodeAt(0))).toEqual([11, 12, 13, 1, 2]);
    source = create(1);
    for (let i = 0; i < 20; i++) observe(`request ${i} done`, { trace: 1 + (i >> 1) });
    const [alone] = close().entries;
    expect([alone!.samples.length, splitTraces(alone!.traces).length]).toEqual([3, 5]);
  });

  test('of templates that became one has the values of all their lines, each once', () => {
    source = create(1);
    for (const name of ['rsync', 'auth']) for (let i = 0; i < 30; i++) mine(`START: ${name} pid=${i}`);
    expect(close().entries).toHaveLength(2);
    for (const name of ['rsync', 'auth', 'nrpe', 'auth']) for (let i = 0; i < 5; i++) mine(`START: ${name} pid=${i}`);
    const [entry, ...others] = close().entries;
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ template: { text: 'START: <*> pid=<*>' }, count: 20 });
    const values = [
      { value: 'auth', count: 10 },
      { value: 'nrpe', count: 5 },
      { value: 'rsync', count: 5 },
    ];
    expect(entry!.enumerations).toEqual([{ token: 1, values }]);
    for (const name of ['rsync', 'auth']) mine(`START: ${name} pid=7`);
    expect(close().entries[0]!.enumerations[0]!.values.map(({ count }) => count)).toEqual([1, 1]);
  });

  test('counts records at WARN or above, and those of them at ERROR or above', () => {
    for (const severity of [0, 9, 12, 13, 16, 17, 24, -1]) observe('hello', { severity });
    expect(close()).toMatchObject({ records: 8, warnings: 4, errors: 2 });
  });

  test('starts empty after the one before', () => {
    source = create(1);
    observe('hello', { trace: 1, severity: 17 });
    close();
    expect(close()).toMatchObject({ records: 0, entries: [] });
    observe('hello again 5');
    observe('hello', { trace: 2 });
    const { entries, records } = close();
    expect(records).toBe(2);
    expect(entries.map(({ count }) => count)).toEqual([1, 1]);
    expect(splitTraces(entries[1]!.traces).map((ids) => ids.charCodeAt(0))).toEqual([2]);
  });

  test('that is a gap keeps nothing, but its templates are known and their vectors asked for', () => {
    observe('lost');
    expect(close(true)).toMatchObject({ records: 0, entries: [], gap: true });
    observe('kept');
    expect(close().gap).toBe(true);
    expect(close()).toMatchObject({ records: 1, gap: false });
    expect([...source.missing()]).toEqual(['lost', 'kept']);
  });

  test('counts lines of clusters that the tree had no room for', () => {
    source = create(1);
    const random = randomNumbers(1);
    for (let i = 0; i < 600; i++) observe(`t ${random()}`, { given: true });
    for (let i = 0; i < 1024; i++) observe(`u ${random()}`, { given: true });
    const { records, entries } = close();
    expect(records).toBe(1624);
    // 768 that nobody knew before; the first of them left the tree again.
    expect(entries).toHaveLength(768);
    expect(entries.every(({ count }) => count === 1)).toBe(true);
    expect(source.takeEvictions()).toEqual({ ...NO_EVICTIONS, clusters: 600, lines: 1624 - 768 });
    expect(vectors.size).toBe(600 + 1024);
    source.pending.length = 0;
    source.sweep();
    expect(vectors.size, 'only the living clusters').toBe(1024);
  });
});

describe('a template', () => {
  test('is found again by its text when its cluster left the tree and came back', () => {
    source = create(1);
    observe('once upon', { given: true, timeMs: 5 });
    const [before] = close().entries;
    for (let i = 0; i < 1024; i++) observe(`other ${i}`, { given: true });
    observe('once upon', { given: true, timeMs: 99 });
    const after = close().entries.find(({ template }) => template.text === 'once upon');
    // 1,024 other texts: no room to count it in this pane, but it lives.
    expect(after).toBeUndefined();
    observe('once upon', { given: true });
    const [again] = close().entries;
    expect(again!.template).toBe(before!.template);
    expect(again!.template).toMatchObject({ firstSeenMs: 5 });
    expect(again!.template.clusters.size).toBe(1);
  });

  test('of two clusters follows the one that generalises when the other leaves in the same pane', () => {
    const line = (user: string) => `session opened for user=${user} by the daemon`;
    observe(line('root'), { given: true });
    observe(line('root'));
    const [entry] = close().entries;
    expect(entry!.template.clusters.size).toBe(2);
    for (let i = 0; i < 1022; i++) observe(`other ${i}`, { given: true });
    observe(line('alice'));
    observe('one more', { given: true });
    close();
    expect(entry!.template).toMatchObject({ text: 'session opened for user=<*> by the daemon', mergedInto: null });
    expect(entry!.template.clusters.size).toBe(1);
  });
});

describe('windows before the first record', () => {
  test('are empty for a new source, and a gap for one restored after an outage', () => {
    observe('a');
    expect(close()).toMatchObject({ records: 1, gap: false });
    source = create(3, true);
    observe('a');
    expect([close().gap, close().gap, close().gap]).toEqual([true, true, false]);
  });
});

describe('parking', () => {
  test('drops what was counted or waits, and frees what only that had used', () => {
    for (let i = 0; i < 1500; i++) observe(`t ${i}`, { given: true });
    close();
    observe('open pane', { given: true });
    source.park();
    expect(source.pending).toEqual([]);
    expect(vectors.size).toBe(1024);
    observe('back', { given: true });
    expect(close()).toMatchObject({ records: 1, gap: false });
    expect(unite(source.pending[0]!.panes).entries).toHaveLength(1);
  });
});
