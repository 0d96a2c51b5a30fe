import { describe, expect, test } from 'vitest';
import { Miner, type MinerOptions } from '../../../../src/detect/miner/miner.ts';
import type { Cluster } from '../../../../src/detect/miner/tree/cluster.ts';
import { MAX_POSITIONS } from '../../../../src/detect/miner/variables/variables.ts';
import { crowdedLines, observe } from '../lines.ts';
import { recordedLines } from '../recorded.ts';

function count(miner: Miner, line: string): Cluster {
  const bytes = Buffer.from(line);
  const cluster = miner.observe(bytes, 0, bytes.length);
  miner.countVariables(cluster, bytes);
  cluster.paneCount++;
  return cluster;
}

/** Everything a miner knows, and what its lines held since the last call. */
function take(miner: Miner): string[] {
  return Array.from(miner.clusters(), (cluster) => {
    cluster.paneCount = 0;
    const held = [cluster.id, cluster.numbers?.take() ?? [], cluster.enumerations?.take(2.5) ?? []];
    return JSON.stringify([cluster.save(), held]);
  });
}

/** A copy from what the store would have, under another seed. */
function restored(miner: Miner, options: Partial<MinerOptions>): Miner {
  const copy = new Miner(options);
  const saved = Array.from(miner.clusters(), (cluster) => cluster.save());
  copy.restore(miner.saveState(), JSON.parse(JSON.stringify(saved)) as typeof saved);
  return copy;
}

const STREAMS: [string, string[], Partial<MinerOptions>][] = [
  ['a source with more of everything than is looked at', crowdedLines(24_000, 3), { maxClusters: 150 }],
  ['the same, with room for all its templates', crowdedLines(12_000, 4), {}],
  ...[...recordedLines()].map(([source, lines]): [string, string[], object] => [`recorded ${source}`, lines, {}]),
];

describe.each(STREAMS)('%s', (_, lines, options) => {
  test('has the same templates, positions, numbers and values under any hash seed, and after restarts', () => {
    const pane = Math.ceil(lines.length / 20);
    const replicas = [1, -2, 3e8].map((hashSeed) => new Miner({ ...options, hashSeed }));
    let restarting = new Miner({ ...options, hashSeed: 4 });
    for (let from = 0; from < lines.length; from += pane) {
      for (const line of lines.slice(from, from + pane)) {
        const { number } = count(restarting, line);
        for (const miner of replicas) if (count(miner, line).number !== number) expect.fail(line);
      }
      const expected = take(restarting);
      for (const miner of replicas) for (const [i, known] of take(miner).entries()) expect(known).toBe(expected[i]);
      restarting = restored(restarting, { ...options, hashSeed: from });
      // What has been taken is no part of the state.
      expect(Array.from(restarting.clusters(), (cluster) => cluster.save())).toEqual(
        Array.from(replicas[0]!.clusters(), (cluster) => cluster.save()),
      );
    }
  });
});

test('the crowded source has more positions than are looked at, and those that leave make room for others', () => {
  const [, lines, options] = STREAMS[0]!;
  const miner = new Miner(options);
  for (const line of lines) count(miner, line);
  const clusters = [...miner.clusters()];
  const looked = (what: (cluster: Cluster) => number): number => clusters.reduce((sum, one) => sum + what(one), 0);
  expect(looked(({ slots }) => slots.length)).toBe(128);
  expect(looked(({ enumerations }) => enumerations?.positions ?? 0)).toBe(128);
  expect(looked(({ wildcards }) => wildcards)).toBeGreaterThan(150);
  expect(miner.evictedTotal).toBeGreaterThan(100);
  const young = clusters.filter(({ number, slots }) => number > 200 && slots.length > 0);
  expect(young.length).toBeGreaterThan(10);
});

test('a store that has a template that left and the one that took its numbers over makes no room without end', () => {
  const miner = new Miner();
  const line = (i: number): string => `${String.fromCharCode(97 + (i % 26), 97 + i / 26)} has 1 of 2`;
  for (let i = 0; i < 70; i++) count(miner, line(i));
  const saved = Array.from(miner.clusters(), (cluster) => cluster.save());
  for (const cluster of saved.slice(64)) cluster.slots = [1, 2];
  const restored = new Miner();
  restored.restore(miner.saveState(), saved);
  const used = (): number => [...restored.clusters()].reduce((sum, { slots }) => sum + slots.length, 0);
  const before = used();
  expect(before).toBeGreaterThan(MAX_POSITIONS);
  for (let i = 0; i < 9; i++) count(restored, line(70 + i));
  expect(used()).toBe(before);
});

test('a number that is an id in other lines is counted in its own lines only, whichever came first', () => {
  const lines = ['job 5f ended', 'job 17 ended', 'job 3:5 ended', 'job 1.5 ended', 'job 123456789012345 ended'];
  for (const order of [lines, lines.toReversed()]) {
    const miner = new Miner();
    const clusters = order.map((line) => count(miner, line));
    for (const line of order) count(miner, line);
    const taken = [...new Set(clusters)].flatMap(({ numbers }) => numbers!.take());
    expect(taken.map((slot) => slot.count)).toEqual([4]);
  }
});

describe('what a position held before it varied', () => {
  const line = (user: string, size: number): string => `user=${user} took part ${size} of the work`;

  test('counts: the word that all lines of the template had', () => {
    const miner = new Miner();
    for (let i = 0; i < 40; i++) count(miner, line('alice', i));
    const cluster = count(miner, line('bob', 7));
    const values = [
      { value: 'alice', count: 40 },
      { value: 'bob', count: 1 },
    ];
    expect(cluster.enumerations!.take(2.5)).toEqual([{ token: 1, values }]);
    expect(cluster.save().totals).toEqual([40, 1]);
  });

  test('of it, what is told of a window are the lines of that window', () => {
    const miner = new Miner();
    for (let i = 0; i < 40; i++) count(miner, line('alice', i));
    take(miner);
    count(miner, line('alice', 9));
    const cluster = count(miner, line('bob', 7));
    expect(cluster.enumerations!.take(2.5)[0]!.values.map((value) => value.count)).toEqual([1, 1]);
  });

  test('follows into the template that takes another one in', () => {
    const miner = new Miner();
    const moved = (what: string, which: string, who: string): string =>
      `moved ${what} to ${which} archive by ${who} at noon`;
    for (let i = 0; i < 30; i++) count(miner, moved('alpha', 'the', 'root beer'));
    const into = count(miner, moved('beta', 'some', 'gin tonic'));
    for (let i = 0; i < 9; i++) count(miner, moved('beta', 'some', 'r.um tonic'));
    for (let i = 0; i < 5; i++) count(miner, moved('g.amma', 'some', 'r.um s.our'));
    expect(miner.size).toBe(2);
    count(miner, moved('g.amma', 'a.ny', 'r.um s.our'));
    expect([miner.size, into.text]).toEqual([1, 'moved <*> to <*> archive by <*> <*> at noon']);
    const held = new Map(into.enumerations!.take(2.5).map(({ token, values }) => [token, values]));
    const counts = (token: number) =>
      Object.fromEntries(held.get(token)!.map(({ value, count: lines }) => [value, lines]));
    expect(counts(1)).toEqual({ alpha: 30, beta: 10, 'g.amma': 6 });
    expect(counts(3)).toEqual({ the: 30, some: 15, 'a.ny': 1 });
    expect(counts(6)).toEqual({ root: 30, gin: 1, 'r.um': 15 });
    expect(counts(7)).toEqual({ beer: 30, tonic: 10, 's.our': 6 });
  });
});

test('without values nothing is kept of words that vary, in memory or in the store', () => {
  const miner = new Miner({ countWords: false });
  for (const line of crowdedLines(2000, 9)) count(miner, line);
  for (const cluster of miner.clusters()) {
    expect(cluster.enumerations).toBeNull();
    expect(cluster.save().positions).toEqual([]);
  }
});

test('long values are told apart by what is behind the part that is kept', () => {
  const miner = new Miner();
  const path = (last: string): string => `/srv/${'store/'.repeat(10)}${last}`;
  for (let i = 0; i < 40; i++) count(miner, `user=${path(i % 2 ? 'a' : 'b')} took part ${i} of the work`);
  const cluster = observe(miner, `user=${path('a')} took part 3 of the work`);
  const [slot] = cluster.enumerations!.take(2.5);
  expect(slot!.values.map((value) => value.count).sort()).toEqual([20, 20]);
});
