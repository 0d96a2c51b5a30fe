import { expect, test } from 'vitest';
import { Registry, type SourceEntry } from '../../src/source/registry.ts';

const NOW = Date.parse('2026-08-21T10:00:00Z');

function open(maxSources = 10, shards = 4) {
  const born: string[] = [];
  const registry = new Registry({ maxSources, shards, onCreate: (entry) => born.push(entry.key) });
  const add = (id: string, nowMs = NOW): SourceEntry | null =>
    registry.open({ key: `file:${id}`, type: 'file', id }, new Map(), nowMs);
  return { registry, born, add };
}

test('a key is one entry, born once', () => {
  const { registry, born, add } = open();
  expect(add('a')).toBe(add('a'));
  expect(registry.get('file:a')).toBe(registry.at(add('a')!.handle));
  expect(born).toEqual(['file:a']);
});

test('handles stay below max_sources however many sources come and go, and belong to one source at a time', () => {
  const { registry, add } = open(5);
  for (let i = 0; i < 1_000; i++) {
    const entry = add(`${i}`, NOW + i * 1_000)!;
    expect(entry.handle).toBeLessThan(5);
    expect(registry.at(entry.handle)).toBe(entry);
    if (registry.size === 5) registry.remove([...registry][i % 5]!);
  }
  const handles = [...registry].map(({ handle }) => handle);
  expect(new Set(handles).size).toBe(handles.length);
});

test('max_sources holds, and room is used again', () => {
  const { registry, add } = open(2);
  add('a');
  add('b');
  expect(add('c')).toBeNull();
  registry.remove(registry.get('file:a')!);
  expect(add('c', NOW + 1_000)).not.toBeNull();
});

test('names invented without end are born at one a second after the first burst', () => {
  const { registry, add } = open(100);
  let born = 0;
  for (let ms = 0; ms < 60_000; ms += 10) {
    const entry = add(`x${ms}`, NOW + ms);
    if (entry === null) continue;
    born++;
    registry.remove(entry);
  }
  expect(born).toBeGreaterThanOrEqual(155);
  expect(born).toBeLessThanOrEqual(161);
});

test('the bucket neither overflows in a long silence nor stops when the time goes back', () => {
  const { registry, add } = open(2);
  add('a', NOW);
  for (const id of ['b', 'c', 'd', 'e']) {
    add(id, NOW + 365 * 86_400_000);
    const entry = registry.get(`file:${id}`);
    if (entry !== undefined) registry.remove(entry);
  }
  expect(add('f', NOW)).toBeNull();
  expect(add('g', NOW + 365 * 86_400_000 + 1_000)).not.toBeNull();
});

test('a source is in the same shard whatever came before it', () => {
  const one = open(100, 4);
  const other = open(100, 4);
  for (let i = 0; i < 50; i++) other.add(`${49 - i}`);
  const used = new Set<number>();
  for (let i = 0; i < 50; i++) {
    const entry = one.add(`${i}`)!;
    expect(entry.shard).toBe(other.registry.get(`file:${i}`)!.shard);
    used.add(entry.shard);
  }
  expect(used.size).toBe(4);
});

test('a source is idle after max_idle_time, unless a request of it is under way or we were away ourselves', () => {
  const { registry, add } = open();
  const entry = add('a')!;
  expect(registry.idle(NOW + 1_000, 1_000)).toEqual([]);
  expect(registry.idle(NOW + 1_001, 1_000)).toEqual([entry]);
  entry.arriving++;
  expect(registry.idle(NOW + 1_001, 1_000)).toEqual([]);
  entry.arriving--;
  registry.excuse(NOW + 500);
  expect(registry.idle(NOW + 1_001, 1_000)).toEqual([]);
});

test('a window is incomplete when more than 5 % of its panes together were lost', () => {
  const { registry, add } = open();
  const entry = add('a')!;
  const pane = (received: number, lost: number, unseen = false) => {
    entry.paneReceived = received;
    entry.paneLost = lost;
    return registry.closePane(2, unseen).incomplete;
  };
  expect(pane(95, 5)).toEqual([]);
  expect(pane(94, 6)).toEqual([entry.handle]);
  expect(pane(1_000, 0)).toEqual([]);
  expect(pane(0, 1)).toEqual([]);
  expect(pane(0, 0)).toEqual([entry.handle]); // the one lost record is all there was
  expect(pane(0, 0)).toEqual([]);
  entry.paneLost = 3;
  registry.closePane(2, false);
  expect(registry.closePane(2, false).lost).toEqual(new Map([[entry.handle, 3]]));
  expect(registry.closePane(2, false).lost).toEqual(new Map());
  expect(entry).toMatchObject({ paneReceived: 0, paneLost: 0 });
  for (let i = 0; i < 50; i++) pane(1, 0);
  expect(entry.closedPanes.length).toBeLessThanOrEqual(10);
});
