import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../service/harness.ts';

const SHOP_BENCH = new URL('../testdata/shop-bench/shop-bench.otlp.jsonl.gz', import.meta.url).pathname;
const SCORE_KEYS = [
  'source',
  'window_id',
  'window_start_unix_nano',
  'window_end_unix_nano',
  'records',
  'templates',
  'reconstruction_error',
  'normalized_error',
  'score',
  'detector',
  'severity',
  'gates',
  'channels',
];
/** Before there is a score there is none of a channel. */
const scoreKeys = (line: Record<string, unknown>): string[] =>
  SCORE_KEYS.filter((key) => key !== 'channels' || line['score'] !== null);
const ANOMALY_KEYS = [...SCORE_KEYS, 'episode_id', 'phase', 'message', 'top_templates'];
const TEMPLATE_KEYS = [
  'template_id',
  'template',
  'share',
  'count',
  'usual_count',
  'sample',
  'trace_ids',
  'levels',
  'numbers',
  'values',
];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'logdrift-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const at = (name: string): string => join(directory, name);

async function write(name: string, content: string | Buffer): Promise<string> {
  await writeFile(at(name), content);
  return at(name);
}

type JsonLine = Record<string, unknown>;

async function readJsonLines(path: string): Promise<JsonLine[]> {
  const text = await readFile(path, 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonLine);
}

describe('the recorded incidents', () => {
  test('give the same bytes twice, in the promised lines', async () => {
    const run = (n: number) =>
      runCli('replay', SHOP_BENCH, '--scores', at(`s${n}`), '--anomalies', at(`a${n}`), '--json');
    const first = await run(1);
    const second = await run(2);
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0); // anomalies or not
    expect(second).toEqual(first);
    expect((await readFile(at('s1'))).equals(await readFile(at('s2')))).toBe(true);
    expect((await readFile(at('a1'))).equals(await readFile(at('a2')))).toBe(true);

    const scores = await readJsonLines(at('s1'));
    for (const line of scores) expect(Object.keys(line)).toEqual(scoreKeys(line));
    const keyOf = (line: JsonLine): string => `${String(line['window_end_unix_nano'])} ${String(line['source'])}`;
    const keys = scores.map(keyOf);
    expect(keys).toEqual(keys.toSorted());
    expect(new Set(keys).size).toBe(keys.length);
    for (const line of scores) {
      const [start, end] = [
        BigInt(line['window_start_unix_nano'] as string),
        BigInt(line['window_end_unix_nano'] as string),
      ];
      expect(end - start).toBe(120_000_000_000n);
      expect(end).toBe(BigInt(line['window_id'] as number) * 60_000_000_000n);
    }

    const anomalies = await readJsonLines(at('a1'));
    expect(anomalies.length).toBeGreaterThan(0);
    for (const line of anomalies) {
      expect(Object.keys(line)).toEqual(ANOMALY_KEYS);
      for (const top of line['top_templates'] as object[]) expect(Object.keys(top)).toEqual(TEMPLATE_KEYS);
      expect(keys).toContain(keyOf(line));
    }
    const summary = JSON.parse(first.stdout) as {
      records: number;
      sources: Record<string, { windows: number; warning: number; critical: number }>;
    };
    expect(summary.records).toBe(68_852);
    expect(Object.keys(summary.sources)).toEqual([...new Set(scores.map((line) => line['source']))].sort());
    const windows = Object.values(summary.sources).reduce((sum, source) => sum + source.windows, 0);
    expect(windows).toBe(scores.length);
    const sent = Object.values(summary.sources).reduce((sum, source) => sum + source.warning + source.critical, 0);
    expect(sent).toBe(anomalies.filter((line) => line['phase'] !== 'end').length);
  });
});

describe('plain log files', () => {
  const lines = (from: number, minutes: number): string =>
    Array.from({ length: minutes * 6 }, (_, k) => {
      const time = new Date(1_795_300_000_000 + (from * 60 + k * 10) * 1000).toISOString();
      return `${time} INFO request ${k} served in ${k % 9} ms\n`;
    }).join('');

  test('are read with the times in their lines, as the source named', async () => {
    const log = await write('plain.log', lines(0, 12));
    const { code, stdout } = await runCli('replay', log, '--source', 'file:nginx', '--scores', at('plain.s'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^source +windows +judged +warning +critical\nfile:nginx +12 +6 +0 +0\n72 records\n$/);
    const scores = await readJsonLines(at('plain.s'));
    expect(new Set(scores.map((line) => line['source']))).toEqual(new Set(['file:nginx']));
    expect(scores[6]!['reconstruction_error']).not.toBeNull();
    expect(scores[5]!['reconstruction_error']).toBeNull();
  });

  test('without --source are named after the file, gzip or not, and several are merged by time', async () => {
    const late = await write('late.log', lines(6, 6));
    const early = await write('early.log.gz', gzipSync(lines(0, 6)));
    const { stdout } = await runCli('replay', late, early, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      records: 72,
      not_analysed: {},
      sources: { 'file:early': {}, 'file:late': {} },
    });
  });

  test('a file without any time is an error that names it', async () => {
    const log = await write('notime.log', 'no time here\nnor here\n');
    const { code, stdout, stderr } = await runCli('replay', log);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^logdrift: \S*notime\.log: no timestamp in its first 2 lines; .*\n$/);
  });
});

describe('what goes wrong is one line that names file and place', () => {
  test('a line that is not OTLP', async () => {
    const good = '{"resourceLogs":[]}\n';
    const path = await write('bad.jsonl', `${good}${good}{"resourceLogs":[{"scopeLogs":5}]}\n`);
    const { code, stderr } = await runCli('replay', path);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^logdrift: \S*bad\.jsonl:3: malformed ExportLogsServiceRequest: .*\n$/);
  });

  test('a file that is not there', async () => {
    expect(await runCli('replay', at('nowhere.log'))).toEqual({
      code: 1,
      stdout: '',
      stderr: `logdrift: ${at('nowhere.log')}: no such file\n`,
    });
  });

  test('an output that cannot be written, before anything is read', async () => {
    const out = at('no/such/directory/scores.jsonl');
    const { code, stdout, stderr } = await runCli('replay', at('nowhere.log'), '--scores', out);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^logdrift: \S*scores\.jsonl: cannot be written \(ENOENT.*\n$/);
  });
});

test('lines on standard output have it for themselves', async () => {
  const log = await write('out.log', Array.from({ length: 4 }, (_, k) => `2026-11-22T10:0${k}:00Z hello\n`).join(''));
  const { code, stdout, stderr } = await runCli('replay', log, '--scores', '-');
  expect(code).toBe(0);
  for (const line of stdout.trimEnd().split('\n')) {
    const parsed = JSON.parse(line) as Record<string, unknown>;
    expect(Object.keys(parsed)).toEqual(scoreKeys(parsed));
  }
  expect(stderr).toContain('4 records');
});
