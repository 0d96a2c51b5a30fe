import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScoreLine } from '../../src/alert/anomaly-line.ts';
import { DETECTOR_NAMES } from '../../src/config/config.ts';
import type { Gate } from '../../src/detect/history.ts';
import type { Evaluation } from '../../src/replay/evaluation/evaluate.ts';
import { recombine } from '../../src/replay/evaluation/recombine.ts';
import { runCli } from '../service/harness.ts';

const SHOP_BENCH = new URL('../testdata/shop-bench/shop-bench.', import.meta.url).pathname;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'logdrift-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const at = (name: string): string => join(directory, name);

test('a run is scored against labels, by all channels, by each and without each', async () => {
  const { code, stdout, stderr } = await runCli(
    ...['replay', `${SHOP_BENCH}otlp.jsonl.gz`, '--labels', `${SHOP_BENCH}labels.json`],
    ...[
      '--set',
      `detectors=[${DETECTOR_NAMES.join(', ')}]`,
      '--scores',
      at('scores'),
      '--report',
      at('report.html'),
      '--json',
    ],
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { evaluation } = JSON.parse(stdout) as { evaluation: Evaluation };
  expect(evaluation.faults).toBe(14);
  expect(Object.keys(evaluation.channels!).sort()).toEqual([...DETECTOR_NAMES].sort());
  expect(Object.keys(evaluation.leave_one_out!).sort()).toEqual([...DETECTOR_NAMES].sort());
  // Far from chance, in the fault's own source.
  expect(evaluation.random.recall_own_source_at['0.25']).toBeLessThan(0.2);
  expect(evaluation.random.auc_source).toBeCloseTo(0.5, 1);
  expect(evaluation.score.recall_own_source_at['0.25']).toBeGreaterThan(0.7);
  // The default thresholds are points of the sweep.
  const warning = evaluation.sweep.find(({ threshold }) => threshold === 2)!;
  expect(warning).toMatchObject(evaluation['z>2']);

  const report = await readFile(at('report.html'), 'utf8');
  expect(report).toMatch(/^<!doctype html>/);
  expect(report).toContain('pg_conn_exhaust in postgres');
  expect(report).not.toContain('NaN');
  expect(report.length).toBeLessThan(500_000);

  const lines = (await readFile(at('scores'), 'utf8')).trimEnd().split('\n');
  const windows = lines.map((line) => {
    const { source, score, gates, channels } = JSON.parse(line) as ScoreLine;
    return { source, score, gates: gates as Gate[], channels: channels ?? null };
  });
  const { combined } = recombine(windows, { panesPerWindow: 2 })!;
  expect(Array.from(combined, (score) => (Number.isNaN(score) ? null : score))).toEqual(
    windows.map(({ score }) => score),
  );
});

test('without --json it is a table, and labels that do not fit are told', async () => {
  const minutes = Array.from(
    { length: 50 },
    (_, k) => `${new Date(1_795_300_000_000 + k * 60_000).toISOString()} hi\n`,
  );
  await writeFile(at('quiet.log'), minutes.join(''));
  const fault = { source: 'api', start: '1795302200000000000', end: '1795302300000000000', kind: 'down' };
  await writeFile(
    at('labels'),
    JSON.stringify({
      window_step_s: 30,
      faults: [fault, { ...fault, end: '1'.repeat(19), start: '0' }, { ...fault, start: '0', end: '1' }],
    }),
  );
  const { code, stdout } = await runCli('replay', at('quiet.log'), '--labels', at('labels'));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^EVALUATION: 3 faults, 0\.\d source-hours without one$/m);
  expect(stdout).toContain('note: 2 of 3 faults lie outside the time of the recording\n');
  expect(stdout).toContain('note: no source of the recording is called api\n');
  expect(stdout).toContain('note: the labels are for windows of 120 s every 30 s, the run has 120 s every 60 s\n');
  expect(stdout).toMatch(/^down +3 +0 +0 +0 +-$/m);
  expect(stdout).toMatch(/^random \(20 draws\) /m);
});

test('labels that cannot be read end it before anything is replayed', async () => {
  await writeFile(at('bad'), '{\n "faults": [{"source": "a", "start": "x", "end": "1"}]\n}');
  const run = await runCli('replay', at('nowhere.log'), '--labels', at('bad'));
  expect(run).toEqual({
    code: 1,
    stdout: '',
    stderr: `logdrift: ${at('bad')}:2:38: "start" must be Unix nanoseconds, for example "1795339747252812775"\n`,
  });
  const none = await runCli('replay', at('nowhere.log'), '--labels', at('none'));
  expect(none.stderr).toBe(`logdrift: ${at('none')}: no such file\n`);
});
