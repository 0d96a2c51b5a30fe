import { describe, expect, test } from 'vitest';
import { ErrorBaseline } from '../../src/detect/baseline.ts';
import type { DetectorOptions, StoredSource, Verdict } from '../../src/detect/detector.ts';
import { NO_EVICTIONS } from '../../src/detect/evictions.ts';
import { LINES_PER_BIRTH, Miner, type StoredCluster } from '../../src/detect/miner/miner.ts';
import { unite, type PaneEntry } from '../../src/detect/pane.ts';
import { restoreSource, saveSource } from '../../src/detect/persist.ts';
import { Source } from '../../src/detect/source.ts';
import { VectorTable } from '../../src/detect/vectors.ts';
import { Drive, SEVEN, SMALL, STEP_MS, Shelf, times, type Line } from './drive.ts';
import { crowdedLines, randomNumbers } from './miner/lines.ts';

const WORDS = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta', 'iota', 'kappa'];

/** A source where templates are born, generalise, merge, leave and return all the time. */
function livelyPane(random: () => number): Line[] {
  const int = (below: number) => Math.floor(random() * below);
  const word = () => WORDS[int(WORDS.length)]!;
  const lines: Line[] = times(5 + int(5), 'GET /cart');
  for (let k = int(30); k > 0; k--) lines.push({ text: `${word()} moved from ${word()} to ${word()} just now` });
  for (let k = int(12); k > 0; k--) lines.push({ text: `${word()} took ${int(200)} ms for ${1 + int(40)} rows` });
  // Born with a name, generalised by the next one, merged with what the sender says.
  const service = WORDS[int(3)]!;
  if (int(3) === 0) lines.push({ text: `${service} job for customer ${word()} of shop done` });
  if (int(4) === 0) lines.push(...times(2, `${service} job for customer <*> of shop done`));
  if (int(12) === 0) lines.push(...Array.from({ length: 300 }, () => times(1, `given ${int(900)}`)).flat());
  if (int(20) === 0) {
    for (let k = 0; k < 1300; k++) lines.push({ text: `${random().toString(36).replace(/\d/g, 'q')} ${word()}` });
  }
  return lines.map((line, k) => ({ ...line, severity: (k * lines.length) % 19 }));
}

interface LivelyStep {
  lines: Line[];
  gap: boolean;
  incomplete: boolean;
  /** Which texts find their vector. */
  embedded: (text: string) => boolean;
}

function livelySteps(count: number, seed: number): LivelyStep[] {
  const random = randomNumbers(seed);
  const int = (below: number) => Math.floor(random() * below);
  return Array.from({ length: count }, () => {
    const blind = int(8) === 0;
    return {
      lines: int(6) === 0 ? [] : livelyPane(random),
      gap: int(15) === 0,
      incomplete: int(12) === 0,
      embedded: (text) => !blind || text.length % 2 === 0,
    };
  });
}

function play(drive: Drive, step: LivelyStep): Verdict[] {
  return drive.step(step.lines, {
    gap: step.gap,
    incomplete: step.incomplete ? [0] : [],
    embed: step.embedded,
  });
}

function restore(stored: StoredSource, windowId: number, options: Partial<DetectorOptions> = {}): Drive {
  const drive = new Drive({ ...SMALL, ...options }, windowId);
  drive.detector.open(0, stored.key, { stored });
  return drive;
}

/** A copy from what the store would have if it had nothing before. */
function restart(drive: Drive, options: Partial<DetectorOptions>): Drive {
  drive.detector.forgetVectors();
  const shelf = new Shelf();
  shelf.keep(drive.detector);
  return restore(shelf.stored!, drive.windowId, options);
}

/** All of a source's state: what it would write if the store had nothing. */
function dump(stored: StoredSource, options: Partial<DetectorOptions> = {}): unknown {
  const { detector } = restore(stored, 0, options);
  expect(detector.takeFailedRestores()).toEqual([]);
  detector.forgetVectors();
  const delta = detector.takeDelta(0)!;
  expect(delta.reset).toBe(true);
  return {
    meta: JSON.parse(delta.meta) as unknown,
    windows: delta.windows.map(({ windowId, blob }) => [windowId, Buffer.from(blob).toString('hex')]),
    templates: delta.templates
      .map(({ number, blob }) => [number, Buffer.from(blob).toString('utf8')])
      .sort(([a], [b]) => (a as number) - (b as number)),
  };
}

const MODES: [string, Partial<DetectorOptions>][] = [
  ['dmd alone', SMALL],
  ['seven channels', { ...SMALL, channels: SEVEN }],
];

describe.each(MODES)('deltas of %s', (_, options) => {
  test('applied step by step they hold what one full write would, however lively the source', () => {
    const steps = livelySteps(96, 5);
    const live = new Drive(options);
    const shelf = new Shelf();
    live.detector.open(0, 'file:a');
    let resets = 0;
    for (const [i, step] of steps.entries()) {
      play(live, step);
      const delta = live.detector.takeDelta(0)!;
      if (delta.reset) resets++;
      shelf.apply(delta);
      if (i % 24 !== 23) continue;
      // A twin that never wrote anything writes everything at its first delta.
      const twin = new Drive(options);
      twin.detector.open(0, 'file:a');
      for (const past of steps.slice(0, i + 1)) play(twin, past);
      const full = new Shelf();
      full.keep(twin.detector);
      expect(dump(shelf.stored!, options), `after step ${i}`).toEqual(dump(full.stored!, options));
    }
    expect(resets).toBeGreaterThan(10);
    expect(resets).toBeLessThan(96);
  });

  test('hold also what changed while windows waited to be judged', () => {
    const steps = livelySteps(120, 8);
    const drives = [new Drive(options), new Drive(options)];
    const shelves = [new Shelf(), new Shelf()];
    for (const [i, drive] of drives.entries()) {
      const random = randomNumbers(3);
      drive.detector.open(0, 'file:a');
      let oldest = drive.windowId + 1;
      for (const step of steps) {
        drive.observe(step.lines);
        drive.close({ gap: step.gap });
        drive.embed(step.embedded);
        // Judged late and in bursts, while the next records arrive.
        while (oldest <= drive.windowId && (drive.windowId - oldest > 3 || random() < 0.5)) {
          drive.score(oldest++);
          if (i === 0) shelves[0]!.keep(drive.detector);
        }
      }
    }
    shelves[0]!.keep(drives[0]!.detector);
    shelves[1]!.keep(drives[1]!.detector);
    expect(dump(shelves[0]!.stored!, options)).toEqual(dump(shelves[1]!.stored!, options));
  });
});

describe('deltas', () => {
  test('of a quiet step are small, and of the first one complete', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    drive.step(times(3, 'hello'));
    const first = drive.detector.takeDelta(0)!;
    expect(first).toMatchObject({ key: 'file:a', reset: true, oldestWindowId: 1001, removedTemplates: [] });
    expect(first.windows.map(({ windowId }) => windowId)).toEqual([1001]);
    for (let i = 0; i < 30; i++) {
      drive.step(times(3, 'hello'));
      const { reset, windows, templates } = drive.detector.takeDelta(0)!;
      expect([reset, windows.length, templates.length]).toEqual([false, 1, 0]);
    }
    drive.step([], { gap: true });
    expect(drive.detector.takeDelta(0)!).toMatchObject({ reset: false, windows: [], templates: [] });
    expect(drive.detector.takeDelta(9)).toBeNull();
  });

  test('name what left only if the store has it, so that a service without a store forgets it', () => {
    const drive = new Drive({ ...SMALL, panesPerWindow: 1 });
    drive.detector.open(0, 'file:a');
    const random = randomNumbers(2);
    for (let i = 0; i < 20; i++) drive.step(Array.from({ length: 1100 }, () => times(1, `t${random()}`)).flat());
    expect(drive.detector.takeDelta(0)!.removedTemplates).toEqual([]);
    for (let i = 0; i < 3; i++) drive.step(Array.from({ length: 1100 }, () => times(1, `t${random()}`)).flat());
    const { removedTemplates } = drive.detector.takeDelta(0)!;
    expect(removedTemplates.length).toBeGreaterThan(0);
    expect(removedTemplates.length).toBeLessThan(4096);
  });

  test('of a source that starts cold replace what the store had', () => {
    const shelf = new Shelf();
    const old = new Drive(SMALL);
    old.detector.open(0, 'file:a');
    for (let i = 0; i < 10; i++) old.step(times(3, `old ${i}`));
    shelf.keep(old.detector);
    const cold = new Drive(SMALL, 5000);
    cold.detector.open(0, 'file:a');
    cold.step(times(3, 'new'));
    shelf.keep(cold.detector);
    expect(shelf.stored!.windows.map(({ windowId }) => windowId)).toEqual([5001]);
    expect(shelf.stored!.templates).toHaveLength(2);
  });
});

describe.each(MODES)('restart of %s', (_, options) => {
  test('goes on to the bit after the gap of the downtime, again and again', () => {
    const steps = livelySteps(200, 21);
    const live = new Drive(options);
    const shelf = new Shelf();
    live.detector.open(0, 'file:a');
    /** Restored at different times, each under its own hash seed. */
    let twins: Drive[] = [];
    let compared = 0;
    for (const [i, step] of steps.entries()) {
      const downtime = i % 20 === 19;
      if (downtime) {
        const { windowId } = live;
        live.step([], { gap: true });
        for (const twin of twins) twin.step([], { gap: true });
        const twin = restore(shelf.stored!, windowId, { ...options, hashSeed: i });
        twin.windowId++;
        twins = [...twins.slice(-2), twin];
      } else {
        const verdicts = play(live, step);
        const evictions = live.detector.takeEvictions();
        for (const twin of twins) {
          expect(JSON.stringify(play(twin, step)), `window ${live.windowId}`).toBe(JSON.stringify(verdicts));
          expect(twin.detector.takeEvictions()).toEqual(evictions);
          compared += verdicts.length;
        }
      }
      shelf.keep(live.detector);
    }
    expect(compared).toBeGreaterThan(300);
  });
});

/** Verdicts of a step, and all that can be shown of its window: numbers and values of its templates. */
function show(drive: Drive, lines: readonly string[]): string {
  const verdicts = drive.step(lines);
  return JSON.stringify([verdicts, drive.detector.explain(0, drive.windowId)]);
}

function crowdedSource(hashSeed: number): Source {
  return new Source({
    key: 'file:a',
    miner: new Miner({ hashSeed, maxClusters: 150 }),
    baseline: new ErrorBaseline(),
    historyWindows: 24,
    panesPerWindow: 1,
    vectors: new VectorTable(),
    keepSamples: true,
    entropyThreshold: 2.5,
    precededByGap: false,
  });
}

/** All that a source knows of one pane. */
function paneOf(source: Source, lines: readonly string[]): PaneEntry[] {
  for (const line of lines) {
    const bytes = Buffer.from(line);
    const cluster = source.miner.observe(bytes, 0, bytes.length);
    if (source.openPane.count(cluster, bytes, 0, bytes.length, 0, bytes, -1, 9))
      source.miner.countVariables(cluster, bytes);
  }
  source.closePane(60_000, false, false);
  const { entries } = unite(source.pending.shift()!.panes);
  source.sweep();
  return entries;
}

describe('a source with more numbers and varying words than are looked at', () => {
  const options = { ...SMALL, channels: SEVEN };
  const lines = crowdedLines(60 * 300, 5);
  const steps = Array.from({ length: 60 }, (_, i) => lines.slice(300 * i, 300 * (i + 1)));

  test('restored half-way has the same panes, clusters, slots and values as one that never stopped', () => {
    const live = crowdedSource(1);
    const shelf = new Shelf();
    for (const step of steps.slice(0, 30)) {
      paneOf(live, step);
      shelf.apply(saveSource(live));
    }
    const half = crowdedSource(2);
    restoreSource(half, shelf.stored!);
    const held = { numbers: 0, values: 0 };
    for (const step of steps.slice(30)) {
      const [expected, actual] = [paneOf(live, step), paneOf(half, step)];
      const told = ({ template: { number, id, text, levels }, ...entry }: PaneEntry) => ({
        ...{ number, id, text, levels },
        ...entry,
      });
      expect(actual.map(told)).toEqual(expected.map(told));
      const clusters = (source: Source) => Array.from(source.miner.clusters(), (cluster) => cluster.save());
      const withoutOrder = (cluster: StoredCluster) => ({ ...cluster, lastLine: 0 });
      expect(clusters(half).map(withoutOrder)).toEqual(clusters(live).map(withoutOrder));
      for (const { numbers, enumerations } of actual) {
        held.numbers += numbers.length;
        held.values += enumerations.length;
      }
    }
    expect(held.numbers).toBeGreaterThan(1000);
    expect(held.values).toBeGreaterThan(300);
    expect(live.miner.evictedTotal).toBeGreaterThan(100);
  });

  test('is judged and explained alike by replicas, and by one restored half-way', () => {
    const live = new Drive(options);
    const replica = new Drive({ ...options, hashSeed: -5 });
    for (const { detector } of [live, replica]) detector.open(0, 'file:a');
    const shelf = new Shelf();
    for (const step of steps.slice(0, 30)) {
      expect(show(replica, step)).toBe(show(live, step));
      shelf.keep(live.detector);
    }
    const half = restore(shelf.stored!, live.windowId, { ...options, hashSeed: 77 });
    for (const drive of [live, replica]) drive.step([], { gap: true });
    half.windowId++;
    for (const step of steps.slice(30)) {
      const expected = show(live, step);
      expect(show(replica, step)).toBe(expected);
      expect(show(half, step)).toBe(expected);
    }
    const [all, others] = [new Shelf(), new Shelf()];
    all.keep(restart(live, options).detector);
    others.keep(restart(half, options).detector);
    expect(others.stored).toEqual(all.stored);
  });
});

describe('restart', () => {
  test('what precedes restored state is a gap: the first window is not judged, the second is', () => {
    const shelf = new Shelf();
    const before = new Drive();
    before.detector.open(0, 'file:a');
    for (let i = 0; i < 40; i++) before.step(times(10, 'hello'));
    shelf.keep(before.detector);
    const after = new Drive({}, 2000);
    after.detector.open(0, 'file:a', { stored: shelf.stored });
    expect(after.step(times(10, 'hello'))).toEqual([]);
    const [verdict] = after.step(times(10, 'hello'));
    expect(verdict).toMatchObject({ windowId: 2002, records: 20, newTemplates: [] });
    expect(verdict!.normalizedError).toBeLessThan(1);
    expect(after.detector.explain(0, 1040)).not.toBeNull();
  });

  test('of a source that was parked: the pane before its return is empty and the first window is judged', () => {
    const shelf = new Shelf();
    const before = new Drive();
    before.detector.open(0, 'file:a');
    for (let i = 0; i < 40; i++) before.step(times(10, 'hello'));
    shelf.keep(before.detector);
    const after = new Drive({}, 2000);
    after.detector.open(0, 'file:a', { stored: shelf.stored, resumed: true });
    const [verdict] = after.step(times(10, 'hello'));
    expect(verdict).toMatchObject({ records: 10, newTemplates: [] });
    expect(verdict!.normalizedError).toBeGreaterThan(3);
  });

  test('a vector that was missing before it repairs the history after it', () => {
    const shelf = new Shelf();
    const [late, prompt] = [new Drive(), new Drive()];
    const random = randomNumbers(3);
    const lines = () => [
      ...times(5 + Math.floor(random() * 9), 'GET /cart'),
      ...times(Math.floor(random() * 9), 'late'),
    ];
    for (const drive of [late, prompt]) drive.detector.open(0, 'file:a');
    for (let i = 0; i < 30; i++) {
      const pane = lines();
      late.step(pane, { embed: (text) => text !== 'late' });
      prompt.step(pane);
    }
    shelf.keep(late.detector);
    const restored = new Drive({}, late.windowId + 1);
    restored.detector.open(0, 'file:a', { stored: shelf.stored });
    prompt.step([], { gap: true });
    for (let i = 0; i < 5; i++) {
      const pane = lines();
      const [expected] = prompt.step(pane);
      const [actual] = restored.step(pane);
      expect(actual?.reconstructionError).toBe(expected?.reconstructionError);
    }
  });

  test('evictions of before are not counted again', () => {
    const shelf = new Shelf();
    const before = new Drive(SMALL);
    before.detector.open(0, 'file:a');
    before.step(Array.from({ length: 2000 }, (_, i) => times(1, `t${i}`)).flat());
    shelf.keep(before.detector);
    expect(before.detector.takeEvictions().clusters).toBe(Math.floor(2000 / LINES_PER_BIRTH));
    const after = restore(shelf.stored!, 2000);
    after.step([]);
    after.step([]);
    expect(after.detector.takeEvictions()).toEqual(NO_EVICTIONS);
  });

  test('after a crash in the middle of a pane: what generalised in it is one template, not two', () => {
    const shelf = new Shelf();
    const before = new Drive(SMALL);
    before.detector.open(0, 'file:a');
    const line = (user: string) => [{ text: `session opened for user=${user} by the daemon` }];
    for (let i = 0; i < 30; i++) before.step(line('root'));
    before.observe(line('root'));
    before.close();
    before.observe(line('alice'));
    before.score();
    shelf.keep(before.detector);
    const after = restore(shelf.stored!, 2000);
    after.observe(line('bob'));
    after.close();
    expect(after.embed()).toEqual(['session opened for user=<*> by the daemon']);
    after.score();
    const [verdict] = after.step(line('carol'));
    expect(verdict).toMatchObject({ templates: 1, newTemplates: [] });
    expect(verdict!.reconstructionError).toBeLessThan(1e-6);
  });

  test('templates that nothing uses any more are forgotten after it', () => {
    const shelf = new Shelf();
    const before = new Drive(SMALL);
    before.detector.open(0, 'file:a');
    const random = randomNumbers(2);
    before.step(Array.from({ length: 20_000 }, () => times(1, `t${random()}`)).flat());
    shelf.keep(before.detector);
    const { detector } = restore(shelf.stored!, 2000);
    const drive = restore(shelf.stored!, 2000);
    expect(detector.vectorCount).toBeGreaterThan(1024 + 256);
    drive.step([]);
    expect(drive.detector.vectorCount).toBeLessThanOrEqual(1024 + 256);
  });

  test.each<[string, (stored: StoredSource) => StoredSource]>([
    ['meta that is not JSON', (stored) => ({ ...stored, meta: '{' })],
    ['meta of another version', (stored) => ({ ...stored, meta: '{}' })],
    [
      'a cut window',
      (stored) => ({ ...stored, windows: stored.windows.map((w) => ({ ...w, blob: w.blob.slice(0, 60) })) }),
    ],
    ['a window missing', (stored) => ({ ...stored, windows: stored.windows.toSpliced(5, 1).toReversed() })],
    [
      'a template that is not JSON',
      (stored) => ({ ...stored, templates: stored.templates.map((t) => ({ ...t, blob: new Uint8Array(9) })) }),
    ],
  ])('%s is a cold start that says why, never a crash', (_, damage) => {
    const shelf = new Shelf();
    const before = new Drive(SMALL);
    before.detector.open(0, 'file:a');
    for (let i = 0; i < 20; i++) before.step([...times(3, 'hello'), ...times(1, 'world')]);
    shelf.keep(before.detector);
    const after = restore(damage(shelf.stored!), 2000);
    const [failed, ...others] = after.detector.takeFailedRestores();
    expect(failed).toMatchObject({ key: 'file:a' });
    expect(failed!.error).toBeInstanceOf(Error);
    expect(others).toEqual([]);
    expect(after.detector.takeFailedRestores()).toEqual([]);
    expect(after.detector.vectorCount).toBe(0);
    expect(after.step(times(3, 'hello'))).toMatchObject([{ windowEndMs: 2001 * STEP_MS, newTemplates: ['hello'] }]);
    expect(after.detector.takeDelta(0)!.reset).toBe(true);
  });
});

test('a stored column that no history has is refused before memory is taken for it and all before it', () => {
  const drive = new Drive({ ...SMALL, channels: SEVEN });
  drive.detector.open(0, 'file:a');
  const shelf = new Shelf();
  for (let i = 0; i < 4; i++) {
    drive.step(['one line', 'another line']);
    shelf.keep(drive.detector);
  }
  const restored = (stored: StoredSource): string[] => {
    const { detector } = restore(stored, drive.windowId, { ...SMALL, channels: SEVEN });
    return detector.takeFailedRestores().map(({ error }) => String(error));
  };
  expect(restored(shelf.stored!)).toEqual([]);
  const window = structuredClone(shelf.stored!);
  const { blob } = window.windows.at(-1)!;
  new DataView(blob.buffer, blob.byteOffset).setUint32(blob.length - 8, 0xffffffff);
  expect(restored(window)).toEqual(['RangeError: stored column 4294967295 is none of 256']);
  const template = structuredClone(shelf.stored!);
  const row = template.templates.find(({ number }) => number === 0)!;
  row.blob = Buffer.from(Buffer.from(row.blob).toString().replace('"slot":0', '"slot":1e9'));
  expect(restored(template)).toEqual([
    'RangeError: stored template 0.slot must be -1 or a column below 256, is 1000000000',
  ]);
});

describe('stored JSON of the wrong types', () => {
  const options = { ...SMALL, channels: SEVEN };
  const lines = (k: number): Line[] => [
    ...times(3, `user alice logged in after ${10 + k} ms`),
    ...times(2, `user bob${k} logged in after ${20 + k} ms`),
    { text: `GET /cart/${k} 200 in ${k + 1} ms` },
    { text: `GET /cart/${k} 503 in ${k + 2} ms`, severity: 17 },
    { text: `level=${k % 2 === 0 ? 'warn' : 'info'} queue is ${k} long` },
    { text: 'a given <*>', template: 'a given <*>' },
  ];
  const shelf = new Shelf();
  const before = new Drive(options);
  before.detector.open(0, 'file:a');
  for (let k = 0; k < 16; k++) before.step(lines(k));
  shelf.keep(before.detector);
  const stored = shelf.stored!;

  /** Goes on with damaged state. @returns why it was refused; null when it was not */
  function goOn(damaged: StoredSource): string | null {
    const after = restore(damaged, 2000, options);
    const [failed] = after.detector.takeFailedRestores();
    const shelf = new Shelf();
    shelf.stored = structuredClone(damaged);
    for (let k = 16; k < 18; k++) {
      after.step(lines(k));
      after.detector.explain(0, after.windowId);
      shelf.keep(after.detector);
    }
    expect(restore(shelf.stored!, 3000, options).detector.takeFailedRestores()).toEqual([]);
    return failed === undefined ? null : String(failed.error);
  }

  function withRow(number: number, change: (row: Record<string, unknown>) => unknown): StoredSource {
    const templates = stored.templates.map((template) => {
      if (template.number !== number) return template;
      const row = JSON.parse(Buffer.from(template.blob).toString()) as Record<string, unknown>;
      return { number, blob: Buffer.from(JSON.stringify(change(row))) };
    });
    return { ...stored, templates };
  }

  test.each<[string, (row: Record<string, unknown>) => unknown, RegExp]>([
    ['a text that is a number', (row) => ({ ...row, text: 7 }), /stored template 0\.text must be text, is 7/],
    ['an id that is missing', (row) => ({ ...row, id: undefined }), /stored template 0\.id must be text, is missing/],
    ['no list of clusters', (row) => ({ ...row, clusters: null }), /template 0\.clusters must be a list, is null/],
    ['a cluster without separators', (row) => withCluster(row, { separators: [] }), /clusters\[0\] has \d+ tokens/],
    ['a token that is none', (row) => withCluster(row, { tokens: [null] }), /clusters\[0\]\.tokens\[0\] must be text/],
    ['a list in place of a row', () => [], /template 0 must be an object, is \[\]/],
  ])('%s is a cold start that says where', (_, change, reason) => {
    expect(goOn(withRow(0, change))).toMatch(reason);
  });

  test('whatever stands anywhere in a row or beside them, the steps that follow go on', () => {
    const wrong = [null, true, -1, 1.5, 1e300, '', 'x', [], [1], {}];
    let refused = 0;
    let tried = 0;
    const attempt = (damaged: StoredSource): void => {
      tried++;
      if (goOn(damaged) !== null) refused++;
    };
    const meta = JSON.parse(stored.meta) as unknown;
    for (const [i, path] of places(meta).entries()) {
      attempt({ ...stored, meta: JSON.stringify(replaced(meta, path, wrong[i % wrong.length])) });
    }
    for (const { number, blob } of stored.templates) {
      const text = Buffer.from(blob).toString();
      // The ids, two templates of every kind: what is in the others is in them.
      if (number > 4 && !text.includes('given')) continue;
      const row = JSON.parse(text) as unknown;
      for (const [i, path] of places(row).entries()) {
        for (const value of [wrong[i % wrong.length], wrong[(i + 3) % wrong.length]])
          attempt(withRow(number, () => replaced(row, path, value)));
      }
    }
    expect(tried).toBeGreaterThan(300);
    expect(refused / tried).toBeGreaterThan(0.7);
  });
});

function withCluster(row: Record<string, unknown>, more: object): unknown {
  return { ...row, clusters: (row['clusters'] as object[]).map((cluster) => ({ ...cluster, ...more })) };
}

/** Paths of all values in a JSON value; of long lists of numbers the first ones. */
function places(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Object.entries(value).filter(([key]) => !(Number(key) >= 3));
  return [path, ...entries.flatMap(([key, child]) => places(child, [...path, key]))];
}

function replaced(value: unknown, [first, ...rest]: string[], by: unknown): unknown {
  if (first === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[first] = replaced(copy[first], rest, by);
  return copy;
}
