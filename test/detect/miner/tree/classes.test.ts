import { describe, expect, test } from 'vitest';
import { Miner } from '../../../../src/detect/miner/miner.ts';
import { Drive, SEVEN, SMALL } from '../../drive.ts';
import { observe, observeGiven } from '../lines.ts';

/** Distinct templates as people see them. */
function shared(...lines: string[]): string[] {
  const miner = new Miner();
  const clusters = lines.map((line) => observe(miner, line));
  expect(new Set(clusters.map((cluster) => cluster.shared.id)).size).toBe(
    new Set(clusters.map((cluster) => cluster.shared.text)).size,
  );
  return [...new Set(clusters.map((cluster) => cluster.shared.text))];
}

describe('one template', () => {
  test('has all status classes of a request', () => {
    const line = (status: number): string =>
      `10.0.0.7 - - [22/Nov/2026:08:38:14] "GET /cart HTTP/1.1" ${status} 12 "-"`;
    expect(shared(line(200), line(404), line(503))).toEqual(['<*> - - [<*>] "GET /cart HTTP/<*>" <*> <*> "-"']);
    expect(shared('done status=200 in 3ms', 'done status=500 in 4ms')).toEqual(['done status=<*> in <*>']);
  });

  test('has all levels: those of a field, in capitals, alone in brackets', () => {
    expect(shared('{"level":30,"msg":"cache flushed"}', '{"level":50,"msg":"cache flushed"}')).toHaveLength(1);
    expect(shared('level=info msg="cache flushed"', 'level=error msg="cache flushed"')).toHaveLength(1);
    expect(shared('2026-11-22 08:38:14 INFO worker paused', '2026-11-22 08:38:14 WARN worker paused')).toHaveLength(1);
    expect(shared('[info] worker left the pool', '[error] worker left the pool')).toEqual([
      '[<*>] worker left the pool',
    ]);
  });

  test('never has opposite states, nor a level that is a word of a sentence', () => {
    expect(shared('worker started', 'worker stopped')).toHaveLength(2);
    expect(shared('login accepted for bob', 'login rejected for bob')).toHaveLength(2);
    expect(shared('disk in warning state', 'disk in critical state')).toHaveLength(2);
    expect(shared('job RUNNING', 'job FAILED')).toHaveLength(2);
  });

  test('that the sender gives stays as it is', () => {
    const miner = new Miner();
    const [info, error] = ['INFO {n} done', 'ERROR {n} done'].map((text) => observeGiven(miner, text));
    expect([info!.shared.text, error!.shared.text]).toEqual(['INFO {n} done', 'ERROR {n} done']);
  });
});

test('a window shows one template with its status classes counted; a new class is heard all the same', () => {
  const drive = new Drive({ ...SMALL, channels: SEVEN, warningThreshold: 1 });
  drive.detector.open(0, 'file:access');
  const lines = (status: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `done status=${status} in ${i % 7}ms`);
  for (let i = 0; i < 16; i++) drive.step(lines(200, 40));
  const verdict = drive.step([...lines(200, 40), ...lines(503, 300)])[0]!;
  expect(verdict).toMatchObject({ templates: 1, newTemplates: ['done status=5xx in <*>'] });
  expect(verdict.score).toBeGreaterThan(1.5);
  expect(verdict.findings.map(({ template }) => template)).toContain('done status=5xx in <*>');
  expect(verdict.topTemplates).toHaveLength(1);
  const [top] = verdict.topTemplates;
  expect(top).toMatchObject({
    template: 'done status=<*> in <*>',
    shown: 'done status={5xx|2xx} in <*>',
    count: 380,
    usualCount: 80,
    numbers: [{ placeholder: 2, count: 380 }],
  });
  expect(top!.values).toEqual([
    {
      placeholder: 1,
      values: [
        { value: '5xx', count: 300 },
        { value: '2xx', count: 80 },
      ],
    },
  ]);
  expect(verdict.findings[0]!.templateId).toBe(top!.templateId);
});
