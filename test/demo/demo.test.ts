import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { assertAllAnalysed, sumOf } from './accounting.ts';
import { compare } from './outcome.ts';
import { parseLabels } from '../../src/replay/evaluation/labels.ts';
import { readRecordingLabels } from './recording.ts';
import { STRIP_TYPES_SAFELY } from '../strip-types.ts';

function startDemo(...options: string[]) {
  return spawn(process.execPath, [...STRIP_TYPES_SAFELY, join(import.meta.dirname, 'demo.ts'), ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Lines of the blocks that documents mark as the demo's output; `…` stands for lines left out. */
async function quotedInDocuments(): Promise<[document: string, line: string][]> {
  const quoted: [string, string][] = [];
  for (const document of ['README.md', 'docs/detection.md']) {
    const markdown = await readFile(join(import.meta.dirname, '../..', document), 'utf8');
    for (const [, block] of markdown.matchAll(/<!-- demo output[^>]*-->\n+```\n([^]*?)\n```/g)) {
      for (const line of block!.split('\n')) if (line !== '…') quoted.push([document, line]);
    }
  }
  expect(quoted.length).toBeGreaterThan(10);
  return quoted;
}

describe('npm run demo', () => {
  test(
    'with --exit it ends by itself, having lost no record, with a row for every fault and the result the documents quote',
    { timeout: 300_000 },
    async () => {
      const demo = startDemo('--exit');
      const [output, errors, [code]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'exit')]);
      expect(errors).toBe('');
      expect(code).toBe(0);

      const { labels, records } = await readRecordingLabels();
      for (const { kind, source } of labels.faults)
        expect(output).toMatch(new RegExp(`^${kind} +${source} +(found|missed)`, 'm'));
      const [, sent, accepted] = /^records sent ([\d,]+), accepted ([\d,]+);/m.exec(output)!;
      expect(sent).toBe(records.toLocaleString('en-US'));
      expect(accepted).toBe(sent);
      const [, arrived, anomalies] = /^(\d+) of (\d+) anomaly records arrived/m.exec(output)!;
      expect(Number(arrived)).toBeGreaterThan(0);
      expect(arrived).toBe(anomalies);
      for (const [document, quoted] of await quotedInDocuments()) {
        expect(output.split('\n'), `${document} quotes another line; copy it from this demo`).toContain(quoted);
      }
      expect(output).toMatch(/^\d\d:\d\d {2}file:redis +(warning|critical) +\d+\.\d σ {2}\S/m);
    },
  );

  test('Ctrl-C while records are being sent stops it cleanly', async () => {
    const demo = startDemo();
    demo.stdout.once('data', () => demo.kill('SIGINT'));
    const [errors, [code]] = await Promise.all([text(demo.stderr), once(demo, 'exit')]);
    expect(errors).toBe('');
    expect(code).toBe(130);
  });
});

describe('the accounting', () => {
  const metrics = (accepted: number, refused: number, dropped: number) =>
    [
      `logdrift_receiver_accepted_log_records_total{transport="grpc"} ${accepted}`,
      'logdrift_receiver_accepted_log_records_total{transport="http"} 0',
      `logdrift_receiver_refused_log_records_total{transport="grpc"} ${refused}`,
      `logdrift_dropped_records_total{reason="late"} ${dropped}`,
    ].join('\n');

  test('is silent when every record was accepted and analysed', () => {
    expect(assertAllAnalysed(10, 10, metrics(10, 0, 0))).toBe(10);
  });

  test('fails the demo for a record that was refused, dropped or not sent', () => {
    expect(() => assertAllAnalysed(10, 10, metrics(9, 1, 0))).toThrow('accepted 9 and refused 1');
    expect(() => assertAllAnalysed(10, 10, metrics(10, 0, 2))).toThrow('2 of 10 accepted records were not analysed');
    expect(() => assertAllAnalysed(9, 10, metrics(9, 0, 0))).toThrow('the recording has 10');
  });

  test('adds up a counter over its labels, and knows it from one with a longer name', () => {
    expect(sumOf('a_total{x="1"} 2\na_total{x="2 }"} 3\na_total_more 7\n', 'a_total')).toBe(5);
    expect(sumOf('a_total 1e+06', 'a_total')).toBe(1_000_000);
  });
});

describe('faults against alarms', () => {
  const minutes = (n: number) => n * 60_000;
  const nanos = (ms: number) => `${ms}000000`;
  const fault = { kind: 'down', source: 'db', affected: ['api'], start: nanos(minutes(100)), end: nanos(minutes(105)) };
  const labels = parseLabels(JSON.stringify({ faults: [fault] }), 'labels.json');
  const windows = ['file:db', 'file:api', 'file:cron'].flatMap((source) =>
    Array.from({ length: 200 }, (_, i) => ({ source, timeMs: minutes(i + 1) })),
  );
  const alarm = (source: string, minute: number) => ({ source, timeMs: minutes(minute), score: 3 });

  test('an alarm of the own source up to two steps after the end finds the fault', () => {
    const [outcome] = compare(labels, [alarm('file:api', 101), alarm('file:db', 107)], windows).faults;
    expect(outcome).toMatchObject({ own: true, found: { source: 'file:db' }, others: ['api'] });
  });

  test('an alarm of an affected source finds it elsewhere, one of any other source does not', () => {
    expect(compare(labels, [alarm('file:api', 101)], windows).faults[0]).toMatchObject({
      own: false,
      found: { source: 'file:api' },
    });
    expect(compare(labels, [alarm('file:cron', 101)], windows).faults[0]!.found).toBeNull();
  });

  test('alarms before the fault, after its guard or of a source it does not touch are false', () => {
    const alarms = [alarm('file:db', 99), alarm('file:db', 109), alarm('file:db', 110), alarm('file:cron', 101)];
    const { falseAlarms, quietHours } = compare(labels, alarms, windows);
    expect(falseAlarms.map(({ source, timeMs }) => [source, timeMs / minutes(1)])).toEqual([
      ['file:db', 99],
      ['file:db', 110],
      ['file:cron', 101],
    ]);
    expect(quietHours).toBeCloseTo((600 - 2 * 10) / 60);
  });

  test('chance finds what the share of the fault in the time says', () => {
    const { byChance } = compare(labels, [alarm('file:db', 10), alarm('file:db', 20)], windows);
    expect(byChance.own).toBeCloseTo(1 - (1 - 8 / 200) ** 2);
    expect(byChance.found).toBeCloseTo(byChance.own);
  });
});
