import { describe, expect, test } from 'vitest';
import type { SnapshotKind } from '../../src/detect/dmd/snapshot.ts';
import { History } from '../../src/detect/history.ts';
import { WindowScorer } from '../../src/detect/score.ts';
import { TemplateTable } from '../../src/detect/template.ts';
import { VectorTable } from '../../src/detect/vectors.ts';
import { randomNumbers } from './miner/lines.ts';

const DIMENSIONS = 16;
const KINDS = ['log_sum', 'log_mean', 'mean'] as const;

/** A source's state under our own hands: templates with vectors, windows with counts. */
function state(snapshot: SnapshotKind, seed: number, { dmdWindows = 20, delay = 3 } = {}) {
  const random = randomNumbers(seed);
  const int = (below: number) => Math.floor(random() * below);
  const history = new History(dmdWindows + 1);
  const vectors = new VectorTable();
  const templates = new TemplateTable(history, vectors);
  const scorer = new WindowScorer({ dmdWindows, delay, maxRank: 50, snapshot });
  const embed = (text: string) =>
    vectors.set(
      text,
      Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5),
    );
  const add = (text: string, withVector = true) => {
    const template = templates.create({ id: text, text }, 0);
    templates.assignSlot(template);
    if (withVector) embed(text);
    return template;
  };
  const push = (counts: (slot: number) => number) => {
    const i = history.push();
    for (const [slot, template] of templates.bySlot.entries()) {
      if (template !== null) history.setCount(i, slot, counts(slot));
    }
    const prediction = scorer.predict(history, templates, i);
    scorer.pushGramRow(history, templates, i);
    history.set(i, { windowId: i, records: 1, error: 0, normalizedError: 0, rank: 0, gates: [], accepted: true });
    return { i, ...prediction };
  };
  return { random, int, history, vectors, templates, scorer, embed, add, push };
}

/** Snapshots formed the long way: weights times vectors. */
function snapshots(history: History, templates: TemplateTable, kind: SnapshotKind): number[][] {
  return Array.from({ length: history.size }, (_, i) => {
    const counts = [...history.counts(i)];
    const weights = counts.map((count) => (kind === 'mean' ? Number(count > 0) : Math.log1p(count)));
    const total = kind === 'log_sum' ? 1 : weights.reduce((sum, weight) => sum + weight, 0) || 1;
    const x = new Array<number>(DIMENSIONS).fill(0);
    for (const [slot, template] of templates.bySlot.entries()) {
      const values = template?.vector.values;
      if (values) for (let d = 0; d < DIMENSIONS; d++) x[d]! += (weights[slot]! / total) * values[d]!;
    }
    return x;
  });
}

function worstGramDifference(history: History, templates: TemplateTable, kind: SnapshotKind): number {
  const xs = snapshots(history, templates, kind);
  let worst = 0;
  for (const [i, x] of xs.entries()) {
    for (const [j, y] of xs.entries()) {
      const product = x.reduce((sum, value, d) => sum + value * y[d]!, 0);
      worst = Math.max(worst, Math.abs(history.gram.at(i, j) - product));
    }
  }
  return worst;
}

describe('the Gram matrix', () => {
  test.each(KINDS)('%s: after any mix of changes a refresh makes it counts × vectors again, to 1e-9', (kind) => {
    const { int, random, history, vectors, templates, scorer, embed, add, push } = state(kind, 3);
    let repaired = 0;
    for (let k = 0; k < 12; k++) add(`t${k}`);
    for (let step = 0; step < 200; step++) {
      const live = templates.bySlot.filter((template) => template !== null);
      const pick = () => live[int(live.length)]!;
      const change = int(7);
      if (change === 0) add(`born ${step}`, int(2) === 0);
      if (change === 1 && live.length > 4) templates.releaseSlot(pick());
      if (change === 2 && live.length > 4) {
        const [from, into] = [pick(), pick()];
        if (from !== into) {
          history.mergeSlots(from.slot, into.slot);
          templates.bySlot[from.slot] = null;
          from.slot = -1;
        }
      }
      if (change === 3) {
        for (const template of live) {
          if (template.vector.values !== null) continue;
          embed(template.vector.text);
          history.markStale(template.slot);
        }
      }
      if (change === 6) {
        // A template that generalises: another text, another vector, the same column.
        const renamed = pick();
        vectors.release(renamed.vector);
        renamed.vector = vectors.hold(`renamed ${step}`);
        if (int(3) > 0) embed(renamed.vector.text);
        history.markStale(renamed.slot);
      }
      if (change === 4 && int(5) === 0) {
        vectors.forget();
        history.markAllStale();
        for (const template of live) embed(template.vector.text);
      }
      const stale = history.staleWindows().length > 0;
      scorer.refreshGram(history, templates);
      if (stale) repaired++;
      expect(history.staleWindows()).toEqual([]);
      expect(worstGramDifference(history, templates, kind), `step ${step}`).toBeLessThan(1e-9);
      push(() => (random() < 0.5 ? 0 : int(10 ** (1 + int(6)))));
      expect(worstGramDifference(history, templates, kind), `step ${step}, pushed`).toBeLessThan(1e-9);
    }
    expect(repaired).toBeGreaterThan(50);
    expect(history.size).toBe(21);
  });

  test.each(KINDS)('%s: refreshed over and over it is, to the bit, the one that is formed once', (kind) => {
    const { int, random, history, vectors, templates, scorer, embed, add, push } = state(kind, 8);
    for (let k = 0; k < 30; k++) add(`t${k}`);
    for (let step = 0; step < 30; step++) push(() => (random() < 0.3 ? 0 : int(1000)));
    for (let step = 0; step < 300; step++) {
      const renamed = templates.bySlot[int(30)]!;
      vectors.release(renamed.vector);
      renamed.vector = vectors.hold(`renamed ${step}`);
      embed(renamed.vector.text);
      history.markStale(renamed.slot);
      scorer.refreshGram(history, templates);
    }
    expect(worstGramDifference(history, templates, kind)).toBeLessThan(1e-12 * history.gram.rmsNorm(0, 21) ** 2);
    // Where one of two windows counts the renamed template, which of them gave their product decides its last bit.
    history.markAllStale();
    scorer.refreshGram(history, templates);
    const once = new History(history.capacity);
    once.growSlots(30);
    for (let i = 0; i < history.size; i++) {
      once.push();
      for (const [slot, count] of history.counts(i).entries()) once.setCount(i, slot, count);
      scorer.predict(once, templates, i);
      scorer.pushGramRow(once, templates, i);
    }
    const entries = ({ gram }: History) => Array.from({ length: 441 }, (_, k) => gram.at(Math.floor(k / 21), k % 21));
    expect(entries(history)).toEqual(entries(once));
  });

  test('is not touched when nothing is stale', () => {
    const { history, templates, scorer, add, push } = state('log_sum', 1);
    add('a');
    push(() => 3);
    history.gram.setRow(0, new Float64Array([42]));
    scorer.refreshGram(history, templates);
    expect(history.gram.at(0, 0)).toBe(42);
  });
});

describe('a prediction', () => {
  test('needs delay + 1 windows before it', () => {
    const { add, push } = state('log_sum', 1, { delay: 3 });
    add('a');
    const errors = Array.from({ length: 6 }, () => push(() => 3).error);
    expect(errors.map((error) => error === null)).toEqual([true, true, true, true, false, false]);
  });

  test.each(KINDS)('%s: error and shares belong together: the shares of all templates sum to 1', (kind) => {
    const { int, add, push, scorer } = state(kind, 9);
    for (let k = 0; k < 40; k++) add(`t${k}`);
    let checked = 0;
    for (let step = 0; step < 40; step++) {
      const { error } = push(() => int(9) * int(2));
      if (error === null) continue;
      const shares = scorer.shares();
      expect(error).toBeGreaterThan(0);
      expect(shares.length).toBeGreaterThan(10);
      expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
      checked++;
    }
    expect(checked).toBe(36);
  });

  test('never looks at the window itself nor beyond its history', () => {
    const { int, history, templates, scorer, add, push } = state('log_sum', 5);
    for (let k = 0; k < 5; k++) add(`t${k}`);
    for (let step = 0; step < 30; step++) push(() => int(20));
    const at15 = scorer.predict(history, templates, 15);
    const shares15 = scorer.shares();
    for (let i = 16; i < history.size; i++) for (let slot = 0; slot < 5; slot++) history.setCount(i, slot, 999);
    history.markAllStale();
    scorer.refreshGram(history, templates);
    expect(scorer.predict(history, templates, 15)).toEqual(at15);
    expect(scorer.shares()).toEqual(shares15);
  });

  test('of the largest counts there are is finite', () => {
    const { add, push, scorer, history } = state('log_sum', 5);
    for (let k = 0; k < 256; k++) add(`t${k}`);
    for (let step = 0; step < 30; step++) {
      const { i, error } = push((slot) => ((slot + step) % 3 === 0 ? 0xffffffff : 0));
      if (error === null) continue;
      expect(Number.isFinite(error)).toBe(true);
      for (const { share } of scorer.shares()) expect(Number.isFinite(share)).toBe(true);
      expect(scorer.floors(history, i).absolute).toBeGreaterThan(0.005);
    }
  });

  test('without any vector is the empty prediction: no error, no shares', () => {
    const { add, push, scorer } = state('log_sum', 5);
    add('a', false);
    for (let step = 0; step < 6; step++) push(() => 7);
    expect(push(() => 7)).toMatchObject({ error: 0, rank: 0 });
    expect(scorer.shares()).toEqual([]);
  });

  test('of one source does not leak into the next: the scratch is shared', () => {
    const a = state('log_sum', 5);
    const alone = state('log_sum', 5);
    const other = state('log_sum', 77);
    for (const { add } of [a, alone]) for (let k = 0; k < 5; k++) add(`t${k}`);
    for (let k = 0; k < 30; k++) other.add(`o${k}`);
    for (let step = 0; step < 30; step++) {
      for (const { push, int } of [a, alone]) push(() => int(30));
      other.push(() => other.int(30));
    }
    const i = a.history.size - 1;
    other.scorer.predict(other.history, other.templates, 15);
    expect(other.scorer.predict(a.history, a.templates, i)).toEqual(
      alone.scorer.predict(alone.history, alone.templates, i),
    );
    expect(other.scorer.shares()).toEqual(alone.scorer.shares());
  });
});

test('scratch of a shard stays under 1 MiB', () => {
  const scorer = new WindowScorer({ dmdWindows: 120, delay: 5, maxRank: 50, snapshot: 'log_sum' });
  expect(scorer.scratchBytes).toBeLessThan(2 ** 20);
});
