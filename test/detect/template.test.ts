import { beforeEach, describe, expect, test } from 'vitest';
import { History } from '../../src/detect/history.ts';
import { Miner, type Cluster } from '../../src/detect/miner/miner.ts';
import { current, TemplateTable, type Template } from '../../src/detect/template.ts';
import { VectorTable } from '../../src/detect/vectors.ts';
import { observe, observeGiven } from './miner/lines.ts';

let history: History;
let vectors: VectorTable;
let table: TemplateTable;
let miner: Miner;

beforeEach(() => {
  history = new History(8);
  vectors = new VectorTable();
  table = new TemplateTable(history, vectors);
  miner = new Miner();
});

const line = (user: string) => `session opened for user=${user} by the daemon`;
const GENERAL = 'session opened for user=<*> by the daemon';
const nobody = () => new Set<Template>();

/** A window with these counts by slot. */
function push(...counts: number[]): number {
  const i = history.push();
  history.set(i, { windowId: i, records: 0, error: NaN, normalizedError: NaN, rank: 0, gates: [], accepted: true });
  history.gram.push(new Float64Array(8));
  counts.forEach((count, slot) => history.setCount(i, slot, count));
  return i;
}

function born(cluster: Cluster, timeMs = 0): Template {
  return table.attach(cluster, null, timeMs);
}

describe('a cluster that generalises', () => {
  test('renames its template in place: column, number and first appearance stay, its rows are stale', () => {
    const cluster = observe(miner, line('root'));
    const template = born(cluster, 17);
    table.assignSlot(template);
    push(3);
    push(0);
    const before = { ...template };
    observe(miner, line('alice'));
    table.changed.clear();
    expect(table.attach(cluster, template, 99)).toBe(template);
    expect(template).toMatchObject({ number: before.number, slot: before.slot, firstSeenMs: 17, text: GENERAL });
    expect(template.id).toBe(cluster.id);
    expect([history.isStale(0), history.isStale(1)]).toEqual([true, false]);
    expect([...table.changed]).toEqual([template]);
    expect([template.vector.text, vectors.size]).toEqual([GENERAL, 1]);
  });

  test('is not new under its new text when it was known under the old one', () => {
    const cluster = observe(miner, line('root'));
    const template = born(cluster);
    table.markSeen(template.id);
    observe(miner, line('alice'));
    table.attach(cluster, template, 0);
    expect(table.wasSeen(template.id)).toBe(true);
  });

  test('to a text that exists merges: the columns add up, the older appearance counts', () => {
    const general = born(observeGiven(miner, GENERAL), 50);
    const cluster = observe(miner, line('root'));
    const special = born(cluster, 10);
    for (const template of [general, special]) table.assignSlot(template);
    table.markSeen(special.id);
    push(1, 2);
    push(4, 0);
    observe(miner, line('alice'));
    expect(table.attach(cluster, special, 99)).toBe(general);
    expect(current(special)).toBe(general);
    expect([...history.counts(0).subarray(0, 2)]).toEqual([3, 0]);
    expect([history.isStale(0), history.isStale(1)]).toEqual([true, false]);
    expect(general).toMatchObject({ slot: 0, firstSeenMs: 10 });
    expect([...table.all()]).toEqual([general]);
    expect(table.bySlot).toEqual([general, null]);
    expect(table.wasSeen(general.id)).toBe(true);
    expect([general.clusters.size, vectors.size]).toEqual([2, 1]);
  });

  test('merging into a template without a column hands the column over', () => {
    const general = born(observeGiven(miner, GENERAL));
    const cluster = observe(miner, line('root'));
    const special = born(cluster);
    table.assignSlot(special);
    push(2);
    observe(miner, line('alice'));
    table.attach(cluster, special, 0);
    expect([general.slot, special.slot, history.count(0, 0)]).toEqual([0, -1, 2]);
    expect(table.bySlot).toEqual([general]);
    expect(history.isStale(0), 'another vector in the same column').toBe(true);
  });

  test('leaves alone the template that another cluster still has', () => {
    const given = observeGiven(miner, line('root'));
    const cluster = observe(miner, line('root'));
    const template = born(given);
    expect(born(cluster)).toBe(template);
    observe(miner, line('alice'));
    const split = table.attach(cluster, template, 5);
    expect(split).not.toBe(template);
    expect([template.text, [...template.clusters]]).toEqual([line('root'), [given]]);
    expect([split.text, [...split.clusters]]).toEqual([GENERAL, [cluster]]);
  });
});

describe('sweep', () => {
  test('frees a column once its counts have left, and keeps the template while its cluster lives', () => {
    const cluster = observe(miner, 'hello');
    const template = born(cluster);
    table.assignSlot(template);
    push(1);
    table.sweep(nobody);
    expect(template.slot).toBe(0);
    for (let i = 0; i < 8; i++) push(0);
    table.sweep(nobody);
    expect([template.slot, table.bySlot, [...table.all()]]).toEqual([-1, [null], [template]]);
    table.detach(cluster, template);
    table.sweep(nobody);
    expect([[...table.all()], vectors.size]).toEqual([[], 0]);
  });

  test('keeps what a pane holds, and asks for the panes only when it matters', () => {
    const cluster = observe(miner, 'hello');
    const template = born(cluster);
    let asked = 0;
    const panes = () => (asked++, new Set([template]));
    table.sweep(panes);
    expect(asked).toBe(0);
    table.detach(cluster, template);
    table.sweep(panes);
    expect([asked, vectors.size]).toEqual([1, 1]);
    table.sweep(nobody);
    expect(vectors.size).toBe(0);
  });

  test('a template that comes back in time is kept', () => {
    const cluster = observe(miner, 'hello');
    const template = born(cluster);
    table.detach(cluster, template);
    expect(born(observe(new Miner(), 'hello'))).toBe(template);
    table.sweep(nobody);
    expect([...table.all()]).toEqual([template]);
  });

  test('asks the store to remove only what it has', () => {
    for (const [text, stored] of [
      ['known to the store', true],
      ['never written', false],
    ] as const) {
      const cluster = observe(miner, text);
      const template = born(cluster);
      template.stored = stored;
      table.detach(cluster, template);
    }
    table.sweep(nobody);
    expect(table.removed).toEqual([0]);
    expect([...table.changed]).toEqual([]);
  });
});

describe('columns', () => {
  test('are reused from the front', () => {
    const [a, b, c] = ['one', 'two', 'three'].map((text) => born(observe(miner, text)));
    for (const template of [a!, b!]) table.assignSlot(template);
    push(1, 2);
    table.releaseSlot(a!);
    expect([history.count(0, 0), history.isStale(0)]).toEqual([0, true]);
    table.assignSlot(c!);
    expect([c!.slot, table.bySlot]).toEqual([0, [c, b]]);
  });
});

describe('ids ever accepted', () => {
  test('are 4,096; the first remembered leaves, but not while the history counts its template', () => {
    const [kept, left] = ['kept', 'left'].map((text) => born(observe(miner, text)));
    table.assignSlot(kept!);
    for (const { id } of [kept!, left!]) table.markSeen(id);
    for (let i = 0; i < 4095; i++) table.markSeen(`id ${i}`);
    expect([table.wasSeen(kept!.id), table.wasSeen(left!.id), table.wasSeen('id 0')]).toEqual([true, false, true]);
    expect([...table.seen]).toHaveLength(4096);
    table.releaseSlot(kept!);
    for (let i = 0; i < 4096; i++) table.markSeen(`later ${i}`);
    expect(table.wasSeen(kept!.id)).toBe(false);
    expect([...table.seen]).toHaveLength(4096);
  });

  test('are written again only when one is added', () => {
    table.markSeen('a');
    expect(table.seenChanged).toBe(true);
    table.seenChanged = false;
    table.markSeen('a');
    expect(table.seenChanged).toBe(false);
  });
});

describe('vectors', () => {
  test('are shared between tables and leave with their last template', () => {
    const other = new TemplateTable(new History(8), vectors);
    const a = born(observe(miner, 'hello'));
    const b = other.attach(observe(new Miner(), 'hello'), null, 0);
    expect(a.vector).toBe(b.vector);
    table.dispose();
    expect(vectors.size).toBe(1);
    expect(vectors.set('hello', new Float32Array(2))).toBe(true);
    expect(vectors.set('hello', new Float32Array(2)), 'the first one stays').toBe(false);
    other.dispose();
    expect([vectors.size, vectors.set('hello', new Float32Array(2))]).toEqual([0, false]);
  });
});
