import { expect, test } from 'vitest';
import { SenderOutage } from '../../src/pipeline/outage.ts';
import { Registry, type SourceEntry } from '../../src/source/registry.ts';

/** Sources whose panes are filled by hand. */
function senders(n: number) {
  const registry = new Registry({ maxSources: 100, shards: 1, onCreate: () => undefined });
  const outage = new SenderOutage();
  const open = (i: number): SourceEntry => registry.open({ key: `file:${i}`, type: 'file', id: `${i}` }, new Map(), 0)!;
  for (let i = 0; i < n; i++) open(i);
  /** One pane in which the sources for which `speaks` holds have records. */
  const pane = (speaks: (i: number) => boolean, unseen = false) => {
    for (const entry of registry) entry.paneReceived = speaks(Number(entry.id)) ? 1 : 0;
    const result = outage.observe(registry, unseen);
    registry.closePane(2, unseen);
    return result;
  };
  const panes = (count: number, speaks: (i: number) => boolean) => Array.from({ length: count }, () => pane(speaks));
  return { registry, open, pane, panes };
}

const all = () => true;
const none = () => false;
const nothing = { gap: false, started: 0, ended: false };

test('80 % of the sources that spoke in each of 10 panes, all at once silent, are an outage', () => {
  const { panes, pane } = senders(10);
  panes(10, all);
  expect(pane((i) => i < 2)).toEqual({ gap: true, started: 8, ended: false });
});

test('fewer than 80 %, or fewer than 3 sources, are not', () => {
  const most = senders(10);
  most.panes(10, all);
  expect(most.pane((i) => i < 3)).toEqual(nothing);
  const two = senders(2);
  two.panes(10, all);
  expect(two.pane(none)).toEqual(nothing);
});

test('sources that did not speak in each of the last 10 panes have no say', () => {
  const { panes, pane } = senders(10);
  panes(9, all);
  expect(pane(none)).toEqual(nothing);
  panes(9, all);
  expect(pane(none)).toEqual(nothing);
});

test('it lasts until half of the silent ones have records, and the pane of their return is still a gap', () => {
  const { panes, pane } = senders(10);
  panes(10, all);
  pane(none);
  expect(pane((i) => i < 4)).toEqual({ gap: true, started: 0, ended: false });
  expect(pane((i) => i < 5)).toEqual({ gap: true, started: 0, ended: true });
  expect(pane(all)).toEqual(nothing);
});

test('it lasts 30 steps at most and does not begin anew by itself', () => {
  const { panes, pane } = senders(10);
  panes(10, all);
  const gaps = [pane(none), ...panes(40, none)].map(({ gap }) => gap);
  expect(gaps.filter(Boolean)).toHaveLength(30);
  expect(gaps.lastIndexOf(true)).toBe(29);
});

test('sources that were parked meanwhile and come back count as back', () => {
  const { panes, pane, registry, open } = senders(3);
  panes(10, all);
  pane(none);
  for (const entry of [...registry]) registry.remove(entry);
  for (let i = 0; i < 3; i++) open(i);
  expect(pane(all).ended).toBe(true);
});

test('a pane that we missed ourselves begins no outage and takes no steadiness away', () => {
  const { panes, pane } = senders(10);
  panes(10, all);
  expect(pane(none, true)).toEqual(nothing);
  expect(pane(none)).toMatchObject({ gap: true, started: 10 });
});
