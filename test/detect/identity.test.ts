import { describe, expect, test } from 'vitest';
import { ErrorBaseline } from '../../src/detect/baseline.ts';
import { survivor, type Cluster } from '../../src/detect/miner/tree/cluster.ts';
import { Miner } from '../../src/detect/miner/miner.ts';
import { unite } from '../../src/detect/pane.ts';
import { Source } from '../../src/detect/source.ts';
import { current, type Template } from '../../src/detect/template.ts';
import { VectorTable } from '../../src/detect/vectors.ts';
import { Drive, SEVEN, Shelf, SMALL, times } from './drive.ts';
import { randomNumbers, serviceLines } from './miner/lines.ts';
import { recordedLines, shuffled } from './miner/recorded.ts';

const WINDOWS = 60;

interface Outcome {
  templates: number;
  /** Templates that a window called new though it had been seen before, under another text. */
  fakes: string[];
  /** Templates whose records are not those of their lines. */
  miscounted: string[];
}

/** Feeds lines window by window; every window counts as normal. */
function feed(lines: readonly string[], hashSeed: number): Outcome {
  const miner = new Miner({ hashSeed });
  const source = new Source({
    key: 'file:a',
    miner,
    baseline: new ErrorBaseline(),
    historyWindows: WINDOWS,
    panesPerWindow: 1,
    vectors: new VectorTable(),
    keepSamples: false,
    entropyThreshold: 2.5,
    precededByGap: false,
  });
  const clusters: Cluster[] = [];
  const firstSeen = new Map<Template, number>();
  const news: { template: Template; window: number; text: string }[] = [];
  for (let window = 0; window < WINDOWS; window++) {
    for (const line of lines.slice((window * lines.length) / WINDOWS, ((window + 1) * lines.length) / WINDOWS)) {
      const bytes = Buffer.from(line);
      const cluster = miner.observe(bytes, 0, bytes.length);
      clusters.push(cluster);
      source.openPane.count(cluster, bytes, 0, bytes.length, 0, bytes, -1, 0);
    }
    source.closePane(60_000 * window, false, false);
    for (const { template } of unite(source.pending.shift()!.panes).entries) {
      if (!source.templates.wasSeen(template.id)) news.push({ template, window, text: template.text });
      if (!firstSeen.has(template)) firstSeen.set(template, window);
      source.templates.markSeen(template.id);
      // As a column of the history would: it keeps the template.
      if (template.slot < 0) source.templates.assignSlot(template);
    }
  }
  // Of all that is one template in the end: when was it first there?
  const since = new Map<Template, number>();
  for (const [template, window] of firstSeen) {
    since.set(current(template), Math.min(window, since.get(current(template)) ?? Infinity));
  }
  const linesOf = new Map<string, number>();
  for (const cluster of clusters) {
    const { id } = survivor(cluster);
    linesOf.set(id, (linesOf.get(id) ?? 0) + 1);
  }
  const all = [...source.templates.all()];
  return {
    templates: all.length,
    fakes: news.filter(({ template, window }) => since.get(current(template))! < window).map(({ text }) => text),
    miscounted: all.filter(({ id, levels }) => linesOf.get(id) !== levels[0]).map(({ text }) => text),
  };
}

describe('history follows templates that generalise and merge', () => {
  test.each([1, 2, 3])(
    'in a recorded web shop, shuffled (seed %i): nothing known looks new, no record is lost',
    (seed) => {
      let templates = 0;
      for (const lines of recordedLines().values()) {
        const outcome = feed(shuffled(lines, seed), seed);
        expect(outcome).toMatchObject({ fakes: [], miscounted: [] });
        templates += outcome.templates;
      }
      expect(templates).toBeGreaterThan(140);
    },
  );

  test.each([1, 2, 3])('in a service with many users and rare lines (seed %i)', (seed) => {
    const { fakes, miscounted } = feed(
      serviceLines(12_000, seed).filter((line) => !line.startsWith('unexpected')),
      seed,
    );
    expect({ fakes, miscounted }).toEqual({ fakes: [], miscounted: [] });
  });
});

test('a template that takes in another one after many windows has the history of both: nothing new, nothing vanished', () => {
  const line = (what: string, which: string, who: string): string =>
    `moved ${what} to ${which} archive by ${who} at noon`;
  const [one, other] = [line('alpha', 'the', 'root beer'), line('beta', 'some', 'gin tonic')];
  const usual = [...Array<string>(10).fill(one), ...Array<string>(7).fill(other)];
  const drive = new Drive();
  drive.detector.open(0, 'file:a');
  for (let i = 0; i < 40; i++) expect(drive.step(usual)[0]).toMatchObject({ templates: 2 });
  // Word by word the second gives up what it has not in common with the first.
  const general = [
    line('beta', 'some', 'rum sour'),
    line('gamma', 'some', 'rum sour'),
    line('gamma', 'any', 'rum sour'),
  ];
  const [verdict] = drive.step([...usual.slice(general.length), ...general]);
  expect(verdict).toMatchObject({ templates: 1, newTemplates: [], records: 34, severity: 'normal' });
  expect(verdict!.reconstructionError).toBeLessThan(1e-6);
  const [loud] = drive.step([...usual, ...times(3000, 'something else')]);
  expect(loud!.topTemplates.find(({ template }) => template.startsWith('moved'))).toMatchObject({
    template: 'moved <*> to <*> archive by <*> <*> at noon',
    count: 34,
    usualCount: 34,
    levelsTotal: [42 * 17, 0, 0, 0, 0, 0, 0],
  });
});

test('a detector restarted twice in a recorded source calls nothing new that one without restarts does not', () => {
  const lines = recordedLines().get('nginx-access.log')!.slice(0, 6000);
  const run = (restartAt: readonly number[]) => {
    let drive = new Drive(SMALL);
    const shelf = new Shelf();
    drive.detector.open(0, 'file:a');
    const news: string[][] = [];
    for (let step = 0; step < 40; step++) {
      if (restartAt.includes(step)) {
        drive = new Drive({ ...SMALL, hashSeed: step }, drive.windowId);
        drive.detector.open(0, 'file:a', { stored: shelf.stored });
      }
      const [verdict] = drive.step(lines.slice(step * 150, (step + 1) * 150));
      // The first window after a restart is a gap.
      news.push(verdict?.newTemplates ?? []);
      shelf.keep(drive.detector);
    }
    const rows = shelf
      .stored!.templates.filter(({ number }) => number >= 0)
      .map(({ blob }) => JSON.parse(Buffer.from(blob).toString('utf8')) as { id: string; text: string });
    return { news, ids: new Set(rows.map(({ id }) => id)) };
  };
  const [whole, restarted] = [run([]), run([14, 29])];
  expect(restarted.ids).toEqual(whole.ids);
  for (const [step, texts] of restarted.news.entries()) {
    // What the gap hid is new one window later.
    const expected = [...whole.news[step]!, ...(whole.news[step - 1] ?? [])];
    expect(
      texts.filter((text) => !expected.includes(text)),
      `step ${step}`,
    ).toEqual([]);
  }
});

test('a template that had to leave for others is not new when it comes back, with another user in it', () => {
  const drive = new Drive({ ...SMALL, channels: SEVEN, panesPerWindow: 1 });
  drive.detector.open(0, 'file:a');
  const usual = (...users: string[]): string[] => [
    ...Array.from({ length: 20 }, (_, i) => `session of user ${users[i % users.length]!} was opened by the daemon`),
    ...Array.from({ length: 20 }, () => 'the heartbeat of this service'),
  ];
  for (let i = 0; i < 20; i++) drive.step(usual('alice', 'bob', 'dave'));
  // Over many windows more templates than a source keeps; what they are is known before the first one returns.
  const random = randomNumbers(6);
  for (let i = 0; i < 30; i++)
    drive.step(
      Array.from({ length: 4000 }, (_, j) =>
        j % 100 === 0 ? `${random().toString(36).replace(/[\d.]/g, 'q')} came up` : 'the heartbeat of this service',
      ),
    );
  expect(drive.detector.takeEvictions().clusters).toBeGreaterThan(100);
  const [verdict] = drive.step(usual('carol'));
  expect(verdict!.newTemplates).toEqual([]);
  expect(verdict!.channels!.novelty).toBe(0);
});
