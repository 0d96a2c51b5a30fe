import { describe, expect, test } from 'vitest';
import type { DetectorOptions, Verdict } from '../../src/detect/detector.ts';
import { Drive, SEVEN, SIX, times, type Line, type StepOptions } from './drive.ts';
import { randomNumbers } from './miner/lines.ts';

/** A busy source with some noise and a warning now and then. */
function routine(random: () => number): Line[] {
  const int = (below: number) => Math.floor(random() * below);
  const warnings = times(int(3), 'slow query on table orders').map((line) => ({ ...line, severity: 13 }));
  return [...times(30 + int(9), 'GET /cart'), ...times(9 + int(4), 'cache refreshed'), ...warnings];
}

function start(options: Partial<DetectorOptions> = {}): { drive: Drive; random: () => number } {
  const drive = new Drive({ channels: SIX, panesPerWindow: 1, ...options });
  drive.detector.open(0, 'file:a');
  return { drive, random: randomNumbers(4) };
}

/** 60 calm windows, then one with `lines` beside (or in place of) the routine. */
function after(
  lines: Line[],
  options: Partial<DetectorOptions> & StepOptions & { inPlace?: boolean } = {},
): { verdict: Verdict; drive: Drive } {
  const { drive, random } = start(options);
  for (let t = 0; t < 60; t++) drive.step(routine(random));
  const calm = routine(random);
  const [verdict] = drive.step(options.inPlace === true ? lines : [...calm, ...lines], options);
  return { verdict: verdict!, drive };
}

const errors = times(40, 'out of memory').map((line) => ({ ...line, severity: 17 }));

describe('several channels', () => {
  test('score from the 7th window on, long before z', () => {
    const { drive, random } = start();
    const verdicts = Array.from({ length: 30 }, () => drive.step(routine(random))).flat();
    expect(verdicts.findIndex(({ score }) => score !== null)).toBe(6);
    expect(verdicts.findIndex(({ normalizedError }) => normalizedError !== null)).toBe(26);
    for (const [i, { gates, channels, detector, severity }] of verdicts.entries()) {
      expect(gates.includes('warming')).toBe(i < 6);
      expect([channels === null, detector === null, severity === null]).toEqual([i < 6, i < 6, i < 6]);
    }
    expect(Object.keys(verdicts[29]!.channels!).sort()).toEqual(SIX.toSorted());
  });

  test('say what the loudest window before was that shares no pane with this one', () => {
    const { drive, random } = start({ panesPerWindow: 2 });
    const scores: (number | null)[] = [];
    for (let t = 0; t < 50; t++) {
      const [verdict] = drive.step([...routine(random), ...(t === 30 ? errors : [])]);
      const before = scores.slice(Math.max(0, t - 10), Math.max(0, t - 1)).filter((score) => score !== null);
      expect(verdict!.scoreBefore).toBe(before.length === 0 ? null : Math.max(...before));
      scores.push(verdict!.score);
    }
  });

  test('count as much as their weights say', () => {
    const natsAndScore = (weights: object) => {
      const { channels, score } = after(errors, { weights }).verdict;
      return [channels!.severity, score!] as const;
    };
    const [nats, score] = natsAndScore({});
    const [sameNats, less] = natsAndScore({ severity: 0.1 });
    expect(sameNats).toBe(nats);
    expect(less).toBeLessThan(score);
  });

  test('leave reconstruction and normalised error as dmd alone has them', () => {
    const [one, many] = [start({ channels: ['dmd'] }), start()];
    for (let t = 0; t < 80; t++) {
      const [a] = one.drive.step([...routine(one.random), ...(t === 70 ? errors : [])]);
      const [b] = many.drive.step([...routine(many.random), ...(t === 70 ? errors : [])]);
      expect([b!.reconstructionError, b!.normalizedError]).toEqual([a!.reconstructionError, a!.normalizedError]);
      expect([a!.score, a!.channels]).toEqual([a!.normalizedError, null]);
    }
  });

  test('are loud together over new errors, and quiet without', () => {
    expect(after([]).verdict).toMatchObject({ severity: 'normal', topTemplates: [] });
    const { verdict } = after(errors);
    expect(verdict).toMatchObject({ severity: 'critical', newTemplates: ['out of memory'] });
    expect(verdict.topTemplates[0]).toMatchObject({ template: 'out of memory', count: 40, usualCount: 0 });
    expect(verdict.channels!.severity).toBeGreaterThan(6);
    expect(verdict.channels!.novelty).toBeGreaterThan(3);
  });

  test('hear the severity of records, whatever they say', () => {
    const usual = after(times(20, 'GET /cart')).verdict.channels!.severity!;
    const asErrors = times(20, 'GET /cart').map((line) => ({ ...line, severity: 17 }));
    expect(after(asErrors).verdict.channels!.severity).toBeGreaterThan(usual + 5);
  });

  test('hear a silence', () => {
    const { verdict } = after([], { inPlace: true });
    expect(verdict.channels!.silence).toBeGreaterThan(5);
    expect(['silence', 'rate']).toContain(verdict.detector);
    expect(verdict.score).toBeGreaterThan(2);
  });

  test('an incomplete window may be loud over what it holds, never over what it lacks', () => {
    const lacking = after([], { inPlace: true, incomplete: [0] }).verdict;
    expect(lacking.score).toBeLessThan(0);
    expect(lacking.channels).toMatchObject({ silence: 0, distance: 0, dmd: 0 });
    const flooded = after(errors, { incomplete: [0] }).verdict;
    expect(flooded.channels!.severity).toBeGreaterThan(6);
  });

  test('a missing vector holds dmd alone, and its error is not learnt', () => {
    const { verdict, drive } = after(errors, { embed: () => false });
    expect(verdict.gates).toContain('degraded');
    expect(verdict.channels!.dmd).toBe(0);
    expect(verdict.severity).not.toBe('normal');
    const sizes = (meta: string) =>
      (JSON.parse(meta) as { channels: { calibrations: string[] } }).channels.calibrations.map(
        (saved) => Buffer.from(saved, 'base64').length / 8,
      );
    const before = sizes(drive.detector.takeDelta(0)!.meta);
    drive.step(routine(randomNumbers(8)), { embed: () => false });
    const grown = sizes(drive.detector.takeDelta(0)!.meta).map((size, c) => size - before[c]!);
    expect(grown).toEqual([1, 1, 1, 1, 1, 0, 1]);
  });

  test('a fault is not learnt until it has lasted for 12 windows', () => {
    const { drive } = after([]);
    const random = randomNumbers(9);
    const fault = Array.from({ length: 60 }, () => drive.step([...routine(random), ...errors])[0]!);
    expect(fault.slice(0, 12).every(({ newTemplates }) => newTemplates.length === 1)).toBe(true);
    expect(fault.at(-1)!.newTemplates).toEqual([]);
    expect(fault.at(-1)!.severity).toBe('normal');
  });

  test('explain tells what was said then', () => {
    const { verdict, drive } = after(errors);
    for (let t = 0; t < 20; t++) drive.step(routine(randomNumbers(t)));
    const told = drive.detector.explain(0, verdict.windowId)!.verdict;
    const { score, detector, channels, severity, gates, normalizedError } = verdict;
    expect(told).toMatchObject({ score, detector, channels, severity, gates, normalizedError });
  });

  test('explain names no templates for a window without a prediction, whatever was looked at before', () => {
    const { verdict, drive } = after(errors);
    drive.detector.explain(0, verdict.windowId);
    expect(drive.detector.explain(0, verdict.windowId - 60)).toMatchObject({
      topTemplates: [],
      verdict: { score: null },
    });
  });

  test('hear durations that rise where no word changes', () => {
    const { drive, random } = start({ channels: SEVEN });
    const served = (center: number) => {
      const ms = () => Math.round(center * (0.5 + random()));
      return Array.from({ length: 8 }, () => `GET /product/${Math.round(900 * random())} took ${ms()} ms`);
    };
    for (let t = 0; t < 60; t++) drive.step([...routine(random), ...served(12)]);
    const [usual] = drive.step([...routine(random), ...served(12)]);
    expect(usual!.channels!.values).toBeLessThan(4);
    const [slow] = drive.step([...routine(random), ...served(910)]);
    expect(slow!.channels!.values).toBeGreaterThan(20);
    expect(slow!.detector).toBe('values');
    const [lost] = drive.step([...routine(random), ...served(910)], { incomplete: [0] });
    expect(lost!.channels!.values).toBe(0);
  });

  test('those not enabled have no say', () => {
    const { verdict } = after(errors, { channels: ['silence', 'dmd'] });
    expect(Object.keys(verdict.channels!).sort()).toEqual(['dmd', 'silence']);
    expect(['dmd', 'silence']).toContain(verdict.detector);
    expect(after([], { channels: ['severity'] }).verdict.detector).toBe('severity');
  });

  test('another embedding space leaves what the others have learnt', () => {
    const { drive } = after([]);
    drive.detector.forgetVectors();
    const [verdict] = drive.step([...routine(randomNumbers(3)), ...errors]);
    expect(verdict!.normalizedError).toBeNull();
    expect(verdict!.channels!.dmd).toBe(0);
    expect(verdict!.channels!.severity).toBeGreaterThan(6);
  });

  /** Score and channels finite, never -0, and the same again in a second run. */
  function playTwice(steps: (random: () => number, t: number) => { lines: Line[] } & StepOptions, count: number): void {
    const runs = [0, 1].map(() => {
      const { drive, random } = start({ channels: SEVEN, dmdWindows: 24, delay: 2 });
      return Array.from({ length: count }, (_, t) => {
        const { lines, ...options } = steps(random, t);
        return drive.step(lines, options).map(({ score, channels, normalizedError }) => {
          const numbers = [score, normalizedError, ...Object.values(channels ?? {})].filter((x) => x !== null);
          const isSound = numbers.every((x) => Number.isFinite(x) && !Object.is(x, -0));
          expect(isSound, JSON.stringify({ t, score, channels })).toBe(true);
          return { score, channels, normalizedError };
        });
      });
    });
    expect(runs[0]).toEqual(runs[1]);
  }

  test('are sound for a source that never says anything, for one template, and for counts from 0 to ten thousand', () => {
    playTwice(() => ({ lines: [] }), 40);
    playTwice((random) => ({ lines: times(Math.floor(4 * random()), 'tick') }), 80);
    playTwice((random) => ({ lines: times(Math.floor(1e4 ** random()), 'tick') }), 40);
  });

  test('are sound for more templates than a source keeps, long silences and gaps in the clock', () => {
    const many = (random: () => number): Line[] =>
      Array.from({ length: 300 }, (_, k) =>
        times(1 + Math.floor(3 * random()), `template number ${k % 290} of many`),
      ).flat();
    playTwice((random, t) => ({ lines: t % 37 > 20 ? [] : many(random), gap: t % 29 < 3 }), 75);
  });

  test('are sound for numbers of any size inside the lines', () => {
    playTwice(
      (random) => ({
        lines: Array.from({ length: 12 }, () => ({
          text: `took ${Math.floor(10 ** (12 * random()))} ms for -${random().toFixed(3)} of 0 rows`,
        })),
      }),
      60,
    );
  });

  test('every number is finite over a lively source with gaps, losses and late vectors', () => {
    const { drive, random } = start({ dmdWindows: 24, delay: 2, panesPerWindow: 2 });
    for (let t = 0; t < 300; t++) {
      const lines = random() < 0.2 ? [] : random() < 0.1 ? times(3000, 'flood') : routine(random);
      if (random() < 0.3) lines.push({ text: `${random().toString(36)} crashed`, severity: 21 });
      const incomplete = random() < 0.1 ? [0] : [];
      for (const verdict of drive.step(lines, { gap: random() < 0.05, incomplete, embed: () => random() < 0.8 })) {
        const numbers = [verdict.score, ...Object.values(verdict.channels ?? {})].filter((x) => x !== null);
        expect(
          numbers.every((x) => Number.isFinite(x) && !Object.is(x, -0)),
          JSON.stringify(verdict),
        ).toBe(true);
      }
    }
  });
});
