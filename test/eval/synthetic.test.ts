import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDice } from '../../eval/synthetic/distributions.ts';
import { FAULT_KINDS, type PlannedFault } from '../../eval/synthetic/faults.ts';
import { createStream, START_MS } from '../../eval/synthetic/stream.ts';
import { exportRequest, writeSynthetic } from '../../eval/synthetic/write.ts';
import { parseLabels } from '../../src/replay/evaluation/labels.ts';

const WEEK = { seed: 7, days: 7 };
const DAY_MS = 86_400_000;

describe('the week', () => {
  const stream = createStream(WEEK);
  /** All lines of the week, in order. */
  let lines: { source: string; timeMs: number; severity: number; text: string }[];
  let bySource: Map<string, typeof lines>;
  beforeAll(() => {
    lines = [...stream.minutes()].flat();
    bySource = Map.groupBy(lines, ({ source }) => source);
  });

  const during = ({ source, startMs, endMs }: PlannedFault, before = 0) => {
    const lengthMs = endMs - startMs;
    const fromMs = startMs - before * lengthMs;
    return bySource.get(source)!.filter(({ timeMs }) => timeMs >= fromMs && timeMs < fromMs + lengthMs);
  };
  const ofKind = (kind: string) => stream.faults.filter((fault) => fault.kind === kind);
  const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
  /** Median over the repeats of what changed against the time just before. */
  const change = (kind: string, measure: (found: ReturnType<typeof during>) => number): number =>
    median(ofKind(kind).map((fault) => measure(during(fault)) / Math.max(0.001, measure(during(fault, 1)))));

  test('is in order of time, from nine sources', () => {
    expect(lines.length).toBeGreaterThan(400_000);
    expect(lines.every((line, i) => i === 0 || line.timeMs >= lines[i - 1]!.timeMs)).toBe(true);
    expect(lines[0]!.timeMs).toBeGreaterThanOrEqual(START_MS);
    expect(lines.at(-1)!.timeMs).toBeLessThan(START_MS + 7 * DAY_MS);
    expect([...new Set(lines.map(({ source }) => source))].sort()).toEqual([...stream.sources].sort());
  });

  test('has every kind of fault six times, one after another, after a day of learning', () => {
    expect(FAULT_KINDS).toHaveLength(9);
    for (const kind of FAULT_KINDS) expect(ofKind(kind)).toHaveLength(6);
    for (const [i, { startMs, endMs, source }] of stream.faults.entries()) {
      expect(stream.sources).toContain(source);
      expect(startMs).toBeGreaterThanOrEqual(START_MS + DAY_MS);
      expect(startMs).toBeGreaterThan((stream.faults[i - 1]?.endMs ?? 0) + 20 * 60_000);
      expect(endMs).toBeLessThan(START_MS + 7 * DAY_MS);
    }
  });

  test('what a fault does is in the lines', () => {
    for (const fault of ofKind('silence')) {
      expect(during(fault)).toEqual([]);
      expect(during(fault, 1).length).toBeGreaterThan(10);
    }
    const errors = (found: ReturnType<typeof during>) => found.filter(({ severity }) => severity >= 17).length;
    for (const fault of ofKind('new_error')) {
      const { text } = fault.effects.get(fault.source)!.novel!;
      const said = bySource.get(fault.source)!.filter((line) => line.text === text);
      expect(said.length).toBeGreaterThan(0);
      expect(said.every(({ timeMs }) => timeMs >= fault.startMs && timeMs < fault.endMs)).toBe(true);
    }
    expect(change('rate_surge', (found) => found.length)).toBeGreaterThan(2);
    expect(change('vanished_job', (found) => found.length)).toBeLessThan(0.8);
    expect(change('broken_rhythm', (found) => found.length)).toBeGreaterThan(1.5);
    expect(change('error_burst', errors)).toBeGreaterThan(5);
    expect(change('severity_shift', errors)).toBeGreaterThan(5);
    for (const kind of ['mix_change', 'slow']) {
      expect(change(kind, (found) => found.length)).toBeGreaterThan(0.6);
      expect(change(kind, (found) => found.length)).toBeLessThan(1.6);
    }
    const tookMs = ({ text }: { text: string }): number[] => {
      const [, value] = /(?:duration: |took=|duration_ms":| in |"? )(\d+(?:\.\d+)?) ?(?:m?s|,)/.exec(text) ?? [];
      return value === undefined ? [] : [Number(value)];
    };
    expect(change('slow', (found) => median(found.flatMap(tookMs)))).toBeGreaterThan(2);
  });

  test('people sleep, machines do not', () => {
    const onMonday = (source: string, hour: number): number => {
      const fromMs = START_MS + hour * 3_600_000;
      return bySource.get(source)!.filter(({ timeMs }) => timeMs >= fromMs && timeMs < fromMs + 3_600_000).length;
    };
    expect(onMonday('web', 14)).toBeGreaterThan(3 * onMonday('web', 3));
    expect(onMonday('cache', 14)).toBeLessThan(1.3 * onMonday('cache', 3));
  });
});

test('one seed, one stream; another seed, another', () => {
  const beginning = (seed: number): string => {
    const { minutes } = createStream({ seed, days: 2 });
    return [...minutes().take(30)].map(exportRequest).join('\n');
  };
  expect(beginning(1)).toBe(beginning(1));
  expect(beginning(2)).not.toBe(beginning(1));
});

test('counts are over-dispersed, durations heavy-tailed', () => {
  const dice = createDice(1, 'test');
  const draws = Array.from({ length: 20_000 }, () => dice.gamma(4));
  const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
  const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
  expect(mean).toBeCloseTo(1, 1);
  expect(variance).toBeCloseTo(1 / 4, 1);
  for (const expected of [0.3, 5, 80]) {
    const counts = Array.from({ length: 5000 }, () => dice.poisson(expected));
    expect(counts.reduce((sum, x) => sum + x, 0) / counts.length / expected).toBeCloseTo(1, 1);
  }
});

describe('as files', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'logdrift-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test('it is a recording with labels that replay reads', async () => {
    const path = join(directory, 'short');
    const records = await writeSynthetic(path, { seed: 1, days: 1.1 });
    const text = gunzipSync(await readFile(`${path}.otlp.jsonl.gz`)).toString('utf8');
    expect(text.split('"timeUnixNano"')).toHaveLength(records + 1);
    expect(text.startsWith('{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name"')).toBe(true);
    const labels = parseLabels(await readFile(`${path}.labels.json`, 'utf8'), 'labels');
    expect(labels.faults.map(({ startMs }) => startMs)).toEqual(
      createStream({ seed: 1, days: 1.1 }).faults.map(({ startMs }) => startMs),
    );
    expect(labels.names).toContain('scheduler');
  });
});
