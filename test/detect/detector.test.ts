import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../src/detect/detector.ts';
import { NO_EVICTIONS } from '../../src/detect/evictions.ts';
import { REFUSED } from '../../src/detect/frame.ts';
import { LINES_PER_BIRTH } from '../../src/detect/miner/miner.ts';
import { Drive, SMALL, STEP_MS, frameOf, times, type Line } from './drive.ts';
import { randomNumbers } from './miner/lines.ts';

/** A source with a rhythm and some noise: enough for the errors to vary. */
function routine(random: () => number, handle = 0): Line[] {
  const int = (below: number) => Math.floor(random() * below);
  return [
    ...times(20 + int(8), 'GET /cart took <ms>', handle),
    ...times(5 + int(3), 'cache refreshed', handle),
    ...times(int(3), 'slow query on table orders', handle),
  ];
}

function run(drive: Drive, windows: number, seed = 1): Verdict[] {
  const random = randomNumbers(seed);
  return Array.from({ length: windows }, () => drive.step(routine(random))).flat();
}

function only(verdicts: Verdict[]): Verdict {
  expect(verdicts).toHaveLength(1);
  return verdicts[0]!;
}

describe('the first windows', () => {
  test('the first error comes at the 7th window, the first z at the 27th', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:nginx');
    const verdicts = run(drive, 30);
    expect(verdicts.findIndex(({ reconstructionError }) => reconstructionError !== null)).toBe(6);
    expect(verdicts.slice(6).every(({ reconstructionError }) => reconstructionError !== null)).toBe(true);
    expect(verdicts.findIndex(({ normalizedError }) => normalizedError !== null)).toBe(26);
    for (const [i, verdict] of verdicts.entries()) {
      expect(verdict.gates.includes('warming')).toBe(i < 26);
      expect(verdict.score).toBe(verdict.normalizedError);
      expect(verdict.detector).toBe(i < 26 ? null : 'dmd');
      expect(verdict.severity === null).toBe(i < 26);
    }
  });

  test('windows that enter no baseline put the first z off', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:nginx');
    const random = randomNumbers(1);
    const verdicts = Array.from({ length: 32 }, (_, i) =>
      drive.step(routine(random), { incomplete: i === 10 || i === 12 ? [0] : [] }),
    ).flat();
    expect(verdicts[10]!.gates).toContain('incomplete');
    expect(verdicts[11]!.gates).not.toContain('incomplete');
    expect(verdicts.findIndex(({ normalizedError }) => normalizedError !== null)).toBe(28);
  });

  test('window 1 ends at the first tick after the first record; ids and times are those of the step', () => {
    const drive = new Drive({}, 500);
    expect(drive.step([])).toEqual([]);
    drive.detector.open(3, 'file:nginx');
    const verdict = only(drive.step(times(2, 'hello', 3)));
    expect(verdict).toMatchObject({ source: 'file:nginx', handle: 3, windowId: 502, records: 2, templates: 1 });
    expect(verdict.windowEndMs).toBe(502 * STEP_MS);
    expect(verdict.windowStartMs).toBe(500 * STEP_MS);
  });

  test('all sources close at the same step, whenever they began', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    drive.step(times(1, 'one'));
    drive.detector.open(1, 'file:b');
    const verdicts = drive.step([...times(1, 'one'), ...times(4, 'two', 1)]);
    expect(verdicts.map(({ source, windowId, records }) => [source, windowId, records])).toEqual([
      ['file:a', 1002, 2],
      ['file:b', 1002, 4],
    ]);
  });

  test('silent windows are windows', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:nginx');
    const verdicts = Array.from({ length: 30 }, (_, i) => drive.step(i === 0 ? times(1, 'started') : [])).flat();
    expect(verdicts).toHaveLength(30);
    expect(verdicts[5]).toMatchObject({ records: 0, templates: 0, reconstructionError: null });
    expect(verdicts[8]).toMatchObject({ reconstructionError: 0, rank: 1 });
    // All errors are 0: perfectly usual, not NaN.
    expect(verdicts[28]!.normalizedError).toBe(0);
    expect(verdicts[28]!.gates).toContain('sparse');
  });

  test('a source that never says anything is judged too, from a model of rank 0', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:nginx');
    const verdicts = Array.from({ length: 30 }, () => drive.step([])).flat();
    expect(verdicts[29]).toMatchObject({ reconstructionError: 0, normalizedError: 0, rank: 0, severity: 'normal' });
  });
});

describe('windows', () => {
  test.each([
    [1, [1, 2, 4, 8]],
    [2, [1, 3, 6, 12]],
    [3, [1, 3, 7, 14]],
  ])('%i panes a window: each window is the union of the newest panes', (panesPerWindow, expected) => {
    const drive = new Drive({ panesPerWindow });
    drive.detector.open(0, 'file:nginx');
    const verdicts = [1, 2, 4, 8].map((count) => only(drive.step(times(count, 'hello'))));
    expect(verdicts.map(({ records }) => records)).toEqual(expected);
    expect(verdicts[3]!.windowEndMs - verdicts[3]!.windowStartMs).toBe(panesPerWindow * STEP_MS);
  });

  test('templates of both panes count once', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:nginx');
    drive.step([...times(1, 'one'), ...times(1, 'two')]);
    expect(only(drive.step([...times(1, 'two'), ...times(1, 'three')])).templates).toBe(3);
    expect(only(drive.step([])).templates).toBe(2);
  });

  test('a window that touches a gap has no verdict, and its neighbours count as consecutive', () => {
    const plain = new Drive();
    const gapped = new Drive();
    plain.detector.open(0, 'file:nginx');
    gapped.detector.open(0, 'file:nginx');
    const steady = times(10, 'hello');
    const before = Array.from({ length: 12 }, () => [only(plain.step(steady)), only(gapped.step(steady))]);
    expect(before[11]![0]).toEqual(before[11]![1]);
    expect(gapped.step(times(999, 'half of a pane'), { gap: true })).toEqual([]);
    expect(gapped.step(steady)).toEqual([]);
    // The constant level goes on where it was: two missed windows, but no error out of that.
    const [expected, actual] = [only(plain.step(steady)), only(gapped.step(steady))];
    expect(actual).toEqual({
      ...expected,
      windowId: expected.windowId + 2,
      windowStartMs: expected.windowStartMs + 2 * STEP_MS,
      windowEndMs: expected.windowEndMs + 2 * STEP_MS,
    });
    expect(actual.newTemplates).toEqual([]);
  });

  test('several closed windows wait and are judged in order, each with its own vectors', () => {
    const drive = new Drive();
    const atOnce = new Drive();
    drive.detector.open(0, 'file:nginx');
    atOnce.detector.open(0, 'file:nginx');
    const random = randomNumbers(7);
    for (let round = 0; round < 12; round++) {
      const panes = Array.from({ length: 3 }, () => routine(random));
      const expected = panes.map((lines) => only(atOnce.step(lines)));
      for (const lines of panes) {
        drive.observe(lines);
        drive.close();
      }
      drive.embed();
      expect(drive.score(drive.windowId), 'the oldest comes first').toEqual([]);
      expect([2, 1, 0].map((back) => only(drive.score(drive.windowId - back)))).toEqual(expected);
    }
  });
});

describe('frames', () => {
  test('a refused row is skipped with its text, the rows behind it count', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    drive.detector.open(1, 'file:b');
    const mined: number[] = [];
    const lines: Line[] = [
      { text: 'first', handle: 0 },
      { text: 'refused and longer than the others', template: 'refused <*>', handle: REFUSED },
      { text: 'second', handle: 1 },
      { text: 'third', handle: 0 },
    ];
    drive.detector.observe(frameOf(lines), (handle) => mined.push(handle));
    expect(mined).toEqual([0, 1, 0]);
    const verdicts = drive.step([]);
    expect(verdicts.map(({ records, newTemplates }) => [records, newTemplates])).toEqual([
      [2, ['first', 'third']],
      [1, ['second']],
    ]);
  });

  test('a handle nobody opened is skipped, but its room is given back', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    const mined: number[] = [];
    drive.detector.observe(frameOf([{ text: 'x', handle: 7 }, { text: 'y' }]), (handle) => mined.push(handle));
    expect(mined).toEqual([7, 0]);
    expect(only(drive.step([]))).toMatchObject({ records: 1, newTemplates: ['y'] });
  });

  test('a given template is used as it is, in place of the line', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    const verdict = only(
      drive.step([
        { text: 'User 17 logged in', template: 'User {id} logged in 3 times' },
        { text: 'User 18 logged in', template: 'User {id} logged in 3 times' },
        { text: 'User 19 logged in' },
      ]),
    );
    expect(verdict.newTemplates).toEqual(['User {id} logged in 3 times', 'User <*> logged in']);
  });
});

describe('top templates', () => {
  /** 40 usual windows, then one with something in it that never was. */
  function surprise(lines: Line[]): Verdict {
    const drive = new Drive();
    drive.detector.open(0, 'file:shop');
    run(drive, 40);
    return only(drive.step([...routine(randomNumbers(5)), ...lines]));
  }

  test('name the template that is new, with count, usual count, sample, traces and first appearance', () => {
    const trace = 'aa'.repeat(16);
    const lines = Array.from({ length: 50 }, (_, i) => ({
      text: `connect ECONNREFUSED 10.0.0.${i}`,
      trace: i % 2 === 0 ? trace : '',
      span: i === 0 ? 'bb'.repeat(8) : '',
      timeMs: 1_700_000_000_000 + i,
    }));
    const verdict = surprise(lines);
    expect(verdict.severity).toBe('critical');
    expect(verdict.newTemplates).toEqual(['connect ECONNREFUSED <*>']);
    expect(verdict.topTemplates[0]).toMatchObject({
      template: 'connect ECONNREFUSED <*>',
      count: 50,
      usualCount: 0,
      firstSeenMs: 1_700_000_000_000,
      samples: ['connect ECONNREFUSED 10.0.0.0', 'connect ECONNREFUSED 10.0.0.1'],
      traceIds: [trace],
      spanIds: ['bb'.repeat(8)],
    });
    expect(verdict.topTemplates[0]!.templateId).toMatch(/^[0-9a-f]{16}$/);
    const usual = verdict.topTemplates.find(({ template }) => template === 'GET /cart took <ms>')!;
    expect(usual.count).toBeGreaterThan(40);
    expect(usual.usualCount).toBeGreaterThan(40);
    expect(usual.usualCount).toBeLessThan(56);
  });

  test('shares sum to 1 when all templates fit in the list, largest magnitude first', () => {
    const { topTemplates } = surprise(times(50, 'disk full'));
    expect(topTemplates).toHaveLength(4);
    expect(topTemplates.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
    const magnitudes = topTemplates.map(({ share }) => Math.abs(share));
    expect(magnitudes).toEqual(magnitudes.toSorted((a, b) => b - a));
  });

  test('at most 10, new templates at most 5', () => {
    const verdict = surprise(Array.from({ length: 30 }, (_, i) => times(20, `error ${i} of many`)).flat());
    expect(verdict.topTemplates).toHaveLength(10);
    expect(verdict.newTemplates).toHaveLength(5);
  });

  test('a template that vanished is named without a sample', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:shop');
    const usual = [...times(30, 'GET /cart'), ...times(30, 'POST /order')];
    for (let i = 0; i < 40; i++) drive.step(usual);
    drive.step(times(30, 'GET /cart'));
    const [top] = only(drive.step(times(30, 'GET /cart'))).topTemplates;
    expect(top).toMatchObject({ template: 'POST /order', count: 0, usualCount: 60, samples: [], traceIds: [] });
  });

  test('are left out of a usual window', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:shop');
    const verdicts = run(drive, 60);
    const quiet = verdicts.filter(({ severity }) => severity === 'normal');
    expect(quiet.length).toBeGreaterThan(20);
    for (const { topTemplates } of quiet) expect(topTemplates).toEqual([]);
  });

  test('a template stays new until a window with it is accepted', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:shop');
    run(drive, 40);
    const fault = [...routine(randomNumbers(9)), ...times(500, 'out of memory')];
    for (let i = 0; i < 5; i++) {
      const verdict = only(drive.step(fault));
      if (verdict.severity !== 'critical') break;
      expect(verdict.newTemplates).toEqual(['out of memory']);
    }
    for (let i = 0; i < 30; i++) drive.step(fault);
    expect(only(drive.step(fault)).newTemplates).toEqual([]);
  });
});

describe('templates that change', () => {
  test('one that generalises keeps its history: no error, nothing new, nothing vanished', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:sshd');
    const session = (user: string) => `session opened for user=${user} by the daemon`;
    const pane = (user: string) => Array.from({ length: 10 }, () => ({ text: session(user) }));
    for (let i = 0; i < 40; i++) drive.step(pane('root'));
    const verdict = only(drive.step([...pane('root').slice(1), { text: session('alice') }]));
    expect(verdict).toMatchObject({ newTemplates: [], templates: 1 });
    expect(verdict.reconstructionError).toBeLessThan(1e-6);
    expect(verdict.normalizedError).toBeLessThan(1);
    expect(drive.detector.missingVectors()).toEqual([]);
  });

  test('two that become equal are one from then on, with the counts of both', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:sshd');
    // The sender's own template and the mined one meet when the mined one generalises.
    const given = times(10, 'session opened for user=<*> by the daemon');
    const mined = (user: string) =>
      Array.from({ length: 10 }, () => ({ text: `session opened for user=${user} by the daemon` }));
    for (let i = 0; i < 40; i++) expect(only(drive.step([...given, ...mined('root')])).templates).toBe(2);
    const merged = only(drive.step([...given, ...mined('alice')]));
    expect(merged).toMatchObject({ templates: 1, newTemplates: [], records: 40 });
    expect(merged.reconstructionError).toBeLessThan(1e-6);
    // The median knows 20 + 20 records a window.
    const loud = only(drive.step([...given, ...mined('bob'), ...times(3000, 'something else')]));
    expect(loud.topTemplates.find(({ template }) => template.startsWith('session'))).toMatchObject({
      count: 40,
      usualCount: 40,
    });
  });

  test('a merge between the close of a window and its score counts for both sides', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:sshd');
    const given = times(10, 'session opened for user=<*> by the daemon');
    const mined = (user: string) => ({ text: `session opened for user=${user} by the daemon` });
    for (let i = 0; i < 30; i++) drive.step([...given, mined('root')]);
    drive.observe([...given, mined('root')]);
    drive.close();
    const first = drive.windowId;
    drive.observe([...given, mined('alice')]);
    drive.close();
    drive.embed();
    expect(only(drive.score(first))).toMatchObject({ templates: 1, records: 22, newTemplates: [] });
    expect(only(drive.score())).toMatchObject({ templates: 1, records: 22, newTemplates: [] });
  });
});

describe('bounds', () => {
  test('beyond 256 templates the rarest leave, counted; what is left is scored from consistent state', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:chaos');
    const steady = Array.from({ length: 250 }, (_, i) => times(2, `steady template ${i}`)).flat();
    for (let i = 0; i < 10; i++) drive.step(steady);
    expect(drive.detector.takeEvictions().templates).toBe(0);
    const verdict = only(
      drive.step([...steady, ...Array.from({ length: 20 }, (_, i) => times(1, `rare ${i}`)).flat()]),
    );
    expect(verdict.templates).toBe(270);
    expect(verdict.reconstructionError).toBeGreaterThan(0);
    expect(drive.detector.takeEvictions().templates).toBe(14);
    // The rare ones are still in the window, for which there is no room either.
    drive.step(steady);
    expect(drive.detector.takeEvictions().templates).toBe(14);
    for (let i = 0; i < 3; i++) drive.step(steady);
    expect(only(drive.step(steady))).toMatchObject({ templates: 250, newTemplates: [] });
  });

  test('a template that left for lack of room does not come back as new', () => {
    const drive = new Drive(SMALL);
    drive.detector.open(0, 'file:chaos');
    const many = Array.from({ length: 300 }, (_, i) => times(1, `template ${i}`)).flat();
    drive.step(many);
    for (let i = 0; i < 40; i++) drive.step([]);
    expect(only(drive.step(many)).newTemplates).toEqual([]);
  });

  test('a merge into a template that had to leave takes the column over, with all 256 in use', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    const line = (user: string) => ({ text: `session opened for user=${user} by the daemon` });
    const steady = Array.from({ length: 255 }, (_, i) => times(3, `steady template ${i}`)).flat();
    const pane = [...steady, line('root'), line('root'), line('root')];
    drive.step([...pane, ...times(1, 'session opened for user=<*> by the daemon')]);
    for (let i = 0; i < 40; i++) drive.step(pane);
    const verdict = only(drive.step([...pane, line('alice')]));
    expectPlainNumbers(verdict);
    expect(verdict).toMatchObject({ templates: 256, newTemplates: [] });
    expect(verdict.reconstructionError).toBeGreaterThan(0);
    expect(verdict.reconstructionError).toBeLessThan(0.5);
    expect(drive.detector.missingVectors()).toEqual([]);
  });

  test('random lines keep at most 1,024 templates a pane; the rest count as records and are counted', () => {
    const drive = new Drive({ ...SMALL, panesPerWindow: 1 });
    drive.detector.open(0, 'file:flood');
    const random = randomNumbers(3);
    const lines = Array.from({ length: 3000 }, () => ({ text: `x${random()}`, template: `t${random()}` }));
    const verdict = only(drive.step(lines));
    expect(verdict.records).toBe(3000);
    expect(verdict.templates).toBeLessThanOrEqual(1024);
    const { lines: dropped, clusters, templates } = drive.detector.takeEvictions();
    expect(verdict.templates + dropped).toBe(3000);
    // The sender's own templates pay for their birth like mined ones.
    expect(clusters).toBe(Math.floor(3000 / LINES_PER_BIRTH));
    expect(templates).toBe(verdict.templates - 256);
    expect(drive.detector.takeEvictions()).toEqual(NO_EVICTIONS);
  });

  test('a flood of random lines does not crowd out the templates that are known', () => {
    const drive = new Drive({ ...SMALL, panesPerWindow: 1 });
    drive.detector.open(0, 'file:flood');
    const known = times(50, 'GET /cart');
    for (let i = 0; i < 30; i++) drive.step(known);
    const random = randomNumbers(3);
    const flood = Array.from({ length: 900 }, () => times(1, `t${random()}`)).flat();
    const verdict = only(drive.step([...flood, ...known]));
    expect(verdict.severity).toBe('critical');
    drive.detector.takeEvictions();
    const cart = drive.detector
      .explain(0, drive.windowId)!
      .topTemplates.find(({ template }) => template === 'GET /cart');
    expect(cart?.count ?? 50).toBe(50);
    expect(verdict.templates).toBe(769);
  });

  test('a template that had no room in its first pane is an ordinary one later', () => {
    const drive = new Drive({ ...SMALL, panesPerWindow: 1 });
    drive.detector.open(0, 'file:flood');
    const random = randomNumbers(3);
    const late = times(5, 'late comer');
    drive.step([...Array.from({ length: 1000 }, () => times(1, `t${random()}`)).flat(), ...late]);
    for (let i = 0; i < 30; i++) {
      const verdict = only(drive.step(late));
      expect(verdict.gates).not.toContain('degraded');
      expect(verdict.templates).toBe(1);
    }
    // It left the history and is still the same one: no vector is asked for twice.
    for (let i = 0; i < 30; i++) drive.step([]);
    drive.observe(late);
    drive.close();
    expect(drive.embed().length).toBeLessThanOrEqual(1);
    expect(only(drive.score())).toMatchObject({ templates: 1, newTemplates: [] });
    expect(only(drive.step(late)).gates).not.toContain('degraded');
  });

  test('long random streams leave nothing behind: no NaN, no template, no vector', () => {
    const drive = new Drive(SMALL);
    const random = randomNumbers(11);
    const int = (below: number) => Math.floor(random() * below);
    const words = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'];
    const word = () => words[int(words.length)]!;
    drive.detector.open(0, 'file:wild');
    drive.detector.open(1, 'file:mild');
    for (let i = 0; i < 250; i++) {
      const lines: Line[] = [];
      const kind = int(10);
      if (kind < 6) lines.push(...routine(random));
      if (kind === 6)
        lines.push(
          ...Array.from({ length: 1500 }, () => ({ text: `${random()} ${word()} ${word()} ${random().toString(36)}` })),
        );
      if (kind === 7) lines.push(...Array.from({ length: 400 }, () => times(1, `g${int(5000)}`)).flat());
      lines.push(
        ...Array.from({ length: int(40) }, () => ({ text: `${word()} moved from ${word()} to ${word()} today` })),
      );
      lines.push(...routine(random, 1));
      const verdicts = drive.step(lines, {
        gap: int(25) === 0,
        incomplete: int(10) === 0 ? [0] : [],
        embed: () => int(30) > 0,
      });
      for (const verdict of verdicts) {
        expectPlainNumbers(verdict);
        expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
      }
      // Clusters, kept columns, the templates of two panes: nothing else may hold one.
      expect(drive.detector.vectorCount).toBeLessThan(1024 + 256 + 2 * 1024);
      if (i % 50 === 49) expectPlainNumbers(drive.detector.explain(0, drive.windowId));
    }
    for (let i = 0; i < 40; i++) drive.step([]);
    expect(drive.detector.vectorCount).toBeLessThanOrEqual(2 * 1024);
    drive.detector.close(0, false);
    drive.detector.close(1, false);
    expect(drive.detector.vectorCount).toBe(0);
  });
});

/** Every number is finite and none is -0: both would not survive JSON. */
function expectPlainNumbers(value: unknown, path = ''): void {
  if (typeof value === 'number')
    expect(Number.isFinite(value) && !Object.is(value, -0), `${path}: ${value}`).toBe(true);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, part] of Object.entries(value)) expectPlainNumbers(part, `${path}.${key}`);
  }
}

describe('vectors', () => {
  test('a window without one of its vectors is degraded and teaches nothing; it repairs once the vector is there', () => {
    const late = new Drive();
    const prompt = new Drive();
    late.detector.open(0, 'file:a');
    prompt.detector.open(0, 'file:a');
    const random = randomNumbers(4);
    const panes = Array.from({ length: 60 }, (_, i) => [
      ...routine(random),
      ...(i >= 30 && i < 50 ? times(20, 'novelty') : []),
    ]);
    let lateZ = 0;
    for (const [i, lines] of panes.entries()) {
      const isLate = i >= 30 && i < 36;
      const verdict = only(late.step(lines, { embed: (text) => !isLate || text !== 'novelty' }));
      const expected = only(prompt.step(lines));
      expect(verdict.gates.includes('degraded'), `window ${i}`).toBe(isLate);
      if (isLate) lateZ++;
      // Once repaired, both predict from the same Gram matrix, to the bit.
      if (!isLate) expect(verdict.reconstructionError, `window ${i}`).toBe(expected.reconstructionError);
    }
    expect(lateZ).toBe(6);
  });

  test('a template of the history without a vector degrades later windows too, until it has one', () => {
    const drive = new Drive({ ...SMALL, panesPerWindow: 1 });
    drive.detector.open(0, 'file:a');
    const random = randomNumbers(4);
    drive.step(times(1, 'secret'), { embed: () => false });
    expect(only(drive.step(routine(random), { embed: (text) => text !== 'secret' })).gates).toContain('degraded');
    expect(only(drive.step(routine(random))).gates).not.toContain('degraded');
  });

  test('a vector for a text nobody has is dropped', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    drive.detector.setVectors(['unknown'], 2, new Float32Array([1, 0]));
    expect(drive.detector.vectorCount).toBe(0);
  });

  test('sources share the vector of a text; it is asked for once', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    drive.detector.open(1, 'file:b');
    drive.observe([...times(1, 'same'), ...times(1, 'same', 1), ...times(1, 'other', 1)]);
    drive.close();
    expect(drive.detector.missingVectors()).toEqual(['same', 'other']);
    drive.embed();
    drive.score();
    expect(drive.detector.vectorCount).toBe(2);
    drive.detector.close(0, false);
    expect(drive.detector.vectorCount).toBe(2);
    drive.detector.close(1, false);
    expect(drive.detector.vectorCount).toBe(0);
  });

  test('another embedding space: all vectors come again and the Gram matrix follows, also of parked sources', () => {
    const drive = new Drive();
    const fresh = new Drive();
    const flip = (into: Drive) => {
      const texts = into.detector.missingVectors();
      const matrix = Float32Array.from(
        { length: texts.length * 4 },
        (_, k) => Math.sin(k % 4) + (texts[k >> 2]!.length % (2 + (k % 4))),
      );
      into.detector.setVectors(texts, 4, matrix);
    };
    drive.detector.open(0, 'file:a');
    fresh.detector.open(0, 'file:a');
    const random = randomNumbers(4);
    const step = (into: Drive, lines: Line[]) => {
      into.observe(lines);
      into.close();
      flip(into);
      return into.score();
    };
    for (let i = 0; i < 20; i++) {
      const lines = routine(random);
      drive.step(lines);
      step(fresh, lines);
    }
    for (const into of [drive, fresh]) into.detector.close(0, true);
    drive.detector.forgetVectors();
    for (const into of [drive, fresh]) into.detector.open(0, 'file:a', { resumed: true });
    for (let i = 0; i < 20; i++) {
      const lines = routine(random);
      const [actual, expected] = [only(step(drive, lines)), only(step(fresh, lines))];
      expect(actual.reconstructionError).toBe(expected.reconstructionError);
    }
  });

  test('forgotten vectors that do not come back leave windows degraded, not wrong', () => {
    const drive = new Drive();
    const prompt = new Drive();
    drive.detector.open(0, 'file:a');
    prompt.detector.open(0, 'file:a');
    const random = randomNumbers(4);
    for (let i = 0; i < 40; i++) {
      const lines = routine(random);
      if (i === 20) drive.detector.forgetVectors();
      const lost = i >= 20 && i < 25;
      const verdict = only(drive.step(lines, { embed: () => !lost }));
      // Somebody looks while there is nothing to see.
      if (lost) drive.detector.explain(0, drive.windowId - 3);
      const expected = only(prompt.step(lines));
      expect(verdict.gates.includes('degraded')).toBe(lost);
      if (!lost) expect(verdict.reconstructionError).toBe(expected.reconstructionError);
    }
  });
});

describe('gates', () => {
  test('muted sources are scored and say so', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a', { muted: true });
    expect(only(drive.step(times(1, 'x'))).gates).toEqual(['warming', 'muted', 'sparse']);
    drive.detector.close(0, true);
    drive.detector.open(0, 'file:a');
    expect(only(drive.step(times(1, 'x'))).gates).toEqual(['warming', 'sparse']);
  });

  test('a job that runs every 30 windows is recurrent from its third run on', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:backup');
    const runs: Verdict[] = [];
    for (let i = 0; i < 130; i++) {
      const job = i % 30 === 29;
      const verdict = only(drive.step([...times(10, 'heartbeat'), ...(job ? times(200, 'backup of volume') : [])]));
      if (job) runs.push(verdict);
    }
    expect(runs.map(({ gates }) => gates.includes('recurrent'))).toEqual([false, false, true, true]);
    for (const { severity } of runs.slice(1)) expect(severity).toBe('critical');
  });

  test('errors measured without a vector are no precedent for a recurrent job', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:backup');
    const runs: Verdict[] = [];
    for (let i = 0; i < 130; i++) {
      const job = i % 30 === 29 ? times(200, 'backup of volume') : [];
      const odd = i === 29 ? times(1, 'no vector yet') : [];
      const verdict = only(
        drive.step([...times(10, 'heartbeat'), ...job, ...odd], {
          embed: (text) => i >= 31 || text !== 'no vector yet',
        }),
      );
      if (job.length > 0) runs.push(verdict);
    }
    expect(runs[0]!.gates).toContain('degraded');
    expect(runs.map(({ gates }) => gates.includes('recurrent'))).toEqual([false, false, false, true]);
  });
});

describe('parking in memory', () => {
  test('the first window back is scored, and the pane before it counts as empty', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    for (let i = 0; i < 40; i++) drive.step(times(10, 'hello'));
    drive.detector.close(0, true);
    for (let i = 0; i < 5; i++) expect(drive.step([])).toEqual([]);
    drive.detector.open(4, 'file:a', { resumed: true });
    const verdict = only(drive.step(times(10, 'hello', 4)));
    expect(verdict).toMatchObject({ handle: 4, records: 10, newTemplates: [], gates: [] });
    // Half of the usual 20: the history is still there to compare with.
    expect(verdict.normalizedError).toBeGreaterThan(3);
    expect(verdict.topTemplates[0]).toMatchObject({ count: 10, usualCount: 20 });
  });

  test('windows that waited when it was parked are dropped, it goes on when it speaks again', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    drive.step(times(10, 'hello'));
    drive.observe(times(10, 'hello'));
    drive.close();
    drive.observe(times(3, 'hello'));
    drive.detector.close(0, true);
    expect(drive.score()).toEqual([]);
    drive.detector.open(0, 'file:a', { resumed: true });
    expect(only(drive.step(times(10, 'hello')))).toMatchObject({ records: 10 });
    expect(only(drive.step(times(10, 'hello')))).toMatchObject({ records: 20 });
  });

  test('is bounded: the one parked longest leaves with its vectors', () => {
    const drive = new Drive({ maxParked: 2 });
    for (const [handle, key] of ['a', 'b', 'c'].entries()) {
      drive.detector.open(handle, key);
      drive.step(times(1, `text of ${key}`, handle));
      drive.detector.close(handle, true);
    }
    expect(drive.detector.vectorCount).toBe(2);
    drive.detector.open(0, 'a');
    drive.detector.open(1, 'b');
    const verdicts = drive.step([...times(1, 'text of a', 0), ...times(1, 'text of b', 1)]);
    expect(verdicts.map(({ newTemplates }) => newTemplates)).toEqual([['text of a'], []]);
  });
});

describe('explain', () => {
  test('gives the window again, exactly while its model is still there, with modes and errors', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    run(drive, 40);
    const verdict = only(drive.step([...routine(randomNumbers(8)), ...times(300, 'panic')]));
    run(drive, 5);
    const explanation = drive.detector.explain(0, verdict.windowId)!;
    expect(explanation.exact).toBe(true);
    expect(explanation.verdict.reconstructionError).toBe(verdict.reconstructionError);
    expect(explanation.verdict.gates).toEqual(verdict.gates);
    expect(explanation.topTemplates.map(({ template, share }) => [template, share])).toEqual(
      verdict.topTemplates.map(({ template, share }) => [template, share]),
    );
    expect(explanation.modes.length).toBeGreaterThan(0);
    expect(explanation.errors).toHaveLength(40);
    expect(explanation.errors[0]).toEqual({ windowId: 1001, reconstructionError: null, normalizedError: null });
    expect(drive.detector.explain(0, 1)).toBeNull();
    expect(drive.detector.explain(9, verdict.windowId)).toBeNull();
  });

  test('is exact for the newest window of a full history, and says so when older ones have left', () => {
    const drive = new Drive(SMALL);
    drive.detector.open(0, 'file:a');
    const verdict = run(drive, 60).at(-1)!;
    const newest = drive.detector.explain(0, verdict.windowId)!;
    expect(newest.exact).toBe(true);
    expect(newest.verdict.reconstructionError).toBe(verdict.reconstructionError);
    expect(newest.errors).toHaveLength(24);
    expect(drive.detector.explain(0, verdict.windowId - 1)!.exact).toBe(false);
  });

  test('does not change what comes after', () => {
    const [looked, left] = [new Drive(SMALL), new Drive(SMALL)];
    for (const drive of [looked, left]) drive.detector.open(0, 'file:a');
    const random = randomNumbers(2);
    for (let i = 0; i < 60; i++) {
      const lines = [...routine(random), { text: `user u${i % 9}x logged in from home` }];
      looked.observe(lines);
      looked.close();
      looked.detector.explain(0, looked.windowId - 1);
      looked.embed();
      looked.detector.explain(0, looked.windowId - 2);
      expect(looked.score()).toEqual(left.step(lines));
    }
  });
});

describe('determinism', () => {
  test('verdicts do not depend on the hash seed, nor on how records are cut into frames', () => {
    const one = new Drive({ ...SMALL, hashSeed: 1 });
    const two = new Drive({ ...SMALL, hashSeed: 0x7eadbeef });
    for (const drive of [one, two]) drive.detector.open(0, 'file:a');
    const random = randomNumbers(6);
    const int = (below: number) => Math.floor(random() * below);
    for (let i = 0; i < 80; i++) {
      const flood = i % 20 === 19 ? 1500 : 30;
      const lines = Array.from({ length: flood }, () => ({
        text: `${['cart', 'order', 'user'][int(3)]} ${'abcdefgh'[int(8)]!.repeat(3)} ${i % 20 === 19 ? random().toString(36).replace(/\d/g, 'q') : 'stored'} ok`,
      }));
      const cut = int(lines.length);
      two.observe(lines.slice(0, cut));
      expect(one.step(lines)).toEqual(two.step(lines.slice(cut)));
    }
  });
});

describe('memory', () => {
  test('at 20 templates a source keeps less than 200 KiB with its vectors, and the scratch is under 1 MiB', () => {
    const drive = new Drive();
    drive.detector.open(0, 'file:a');
    const lines = Array.from({ length: 20 }, (_, i) => times(3, `template ${i}`)).flat();
    for (let i = 0; i < 125; i++) drive.step(lines);
    const vectors = drive.detector.vectorCount * 768 * 4;
    expect(drive.detector.vectorCount).toBe(20);
    expect(drive.detector.stateBytes(0) + vectors).toBeLessThan(200 * 1024);
    expect(drive.detector.scratchBytes).toBeLessThan(2 ** 20);
    expect(drive.detector.stateBytes(5)).toBe(0);
  });
});
