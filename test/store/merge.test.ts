import { expect, test } from 'vitest';
import type { SourceDelta, StoredSource } from '../../src/detect/persist.ts';
import { applyDelta, mergeCommits } from '../../src/store/merge.ts';
import type { Commit } from '../../src/store/messages.ts';
import { commit, delta, template, window } from './deltas.ts';

interface State {
  sources: Map<string, StoredSource>;
  parked: Map<string, number>;
}

/** What the store does, in memory: the reference. */
function apply({ sources, parked }: State, { forgotten, deltas, parked: park }: Commit): State {
  const next = { sources: new Map(sources), parked: new Map(parked) };
  for (const key of forgotten) {
    next.sources.delete(key);
    next.parked.delete(key);
  }
  for (const change of deltas) {
    next.sources.set(change.key, applyDelta(next.sources.get(change.key) ?? null, change));
    next.parked.delete(change.key);
  }
  for (const { key, atMs } of park) if (next.sources.has(key)) next.parked.set(key, atMs);
  return next;
}

/** Mulberry32: the same commits in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function randomCommit(step: number, next: (below: number) => number): Commit {
  const keys = ['a', 'b', 'c'];
  const some = () => keys.filter(() => next(3) === 0);
  const deltas: SourceDelta[] = some().map((key) =>
    delta(key, {
      meta: `${step}`,
      reset: next(5) === 0,
      windows: [window(step, step), window(step - next(3), step)].slice(next(2)),
      oldestWindowId: Math.max(0, step - 3 - next(3)),
      templates: [template(next(4), step)],
      removedTemplates: next(2) === 0 ? [next(4)] : [],
    }),
  );
  const parked = some().map((key) => ({ key, atMs: step }));
  return commit(step, { deltas, parked, forgotten: next(2) === 0 ? some() : [] });
}

test('commits merged in any grouping have the effect of the single ones in order', () => {
  const next = random(7);
  for (let round = 0; round < 500; round++) {
    const commits = Array.from({ length: 4 }, (_, step) => randomCommit(10 + step, next));
    const start = apply({ sources: new Map(), parked: new Map() }, randomCommit(9, next));
    const expected = commits.reduce(apply, start);
    expect(apply(start, commits.reduce(mergeCommits))).toEqual(expected);
    const pairs = [mergeCommits(commits[0]!, commits[1]!), mergeCommits(commits[2]!, commits[3]!)];
    expect(pairs.reduce(apply, start)).toEqual(expected);
  }
});

test('what waits for a slow disk stays as small as the state', () => {
  let waiting = commit(0, { deltas: [delta('a')] });
  for (let step = 1; step <= 1_000; step++) {
    const change = delta('a', {
      windows: [window(step, 1)],
      oldestWindowId: step - 119,
      templates: [template(step % 20, 1)],
    });
    waiting = mergeCommits(waiting, commit(step, { deltas: [change] }));
  }
  expect(waiting.deltas).toHaveLength(1);
  expect(waiting.deltas[0]!.windows).toHaveLength(120);
  expect(waiting.deltas[0]!.templates).toHaveLength(20);
});
