import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { ShownSource } from '../../src/cli/admin-client.ts';
import { sourceTable } from '../../src/cli/top-table.ts';

const NOW_MS = 1_800_000_000_000;
const WIDE = { columns: 120, rows: 50 };

function source(key: string, score: number | null, more: Partial<ShownSource> = {}): ShownSource {
  return {
    key,
    last_window: { records: 240, templates: 12, score, gates: score === null ? ['warming'] : [] },
    episode: null,
    alert_held_back: null,
    ...more,
  };
}

function episode(severity: 'warning' | 'critical', peakScore: number): Partial<ShownSource> {
  return { episode: { severity, started_unix_ms: NOW_MS - 4 * 60_000, peak_score: peakScore } };
}

const table = (sources: ShownSource[], size = WIDE): string[] =>
  sourceTable(sources, NOW_MS, size).map(stripVTControlCharacters);
const names = (lines: string[]): string[] => lines.slice(1).map((line) => line.split(' ')[0]!);

test('what needs attention comes first', () => {
  const lines = table([
    source('file:new', null, { last_window: null }),
    source('file:warming', null),
    source('file:quiet', -1.2),
    source('file:busy', 1.9),
    source('file:held', 2.4, { alert_held_back: 'second_look' }),
    source('file:warns', 2.2, episode('warning', 2.5)),
    source('file:burns', 1.1, episode('critical', 4.75)),
    source('file:burns-more', 5, episode('critical', 5)),
  ]);
  expect(names(lines)).toEqual(
    ['burns-more', 'burns', 'warns', 'held', 'busy', 'quiet', 'new', 'warming'].map((name) => `file:${name}`),
  );
});

test('a line says how a source is, in sigmas, records and templates of its newest window', () => {
  const [head, burns, held, muted, calm, warming, fresh] = table([
    source('file:burns', 3.44, episode('critical', 4.75)),
    source('file:held', 2.4, { alert_held_back: 'budget' }),
    source('file:muted', 2.3, { last_window: { records: 7, templates: 2, score: 2.3, gates: ['muted'] } }),
    source('file:calm', -0.01),
    source('file:a-warming', null),
    source('file:fresh', null, { last_window: null }),
  ]).map((line) => line.replaceAll(/ {2,}/g, '  '));
  expect(head).toBe('SOURCE  STATE  SIGMA  RECORDS  TEMPLATES');
  expect(burns).toBe('file:burns  critical for 4 min, peak 4.8 σ  3.4  240  12');
  expect(held).toBe('file:held  loud, below its raised threshold  2.4  240  12');
  expect(muted).toBe('file:muted  muted  2.3  7  2');
  expect(calm).toBe('file:calm  normal  0.0  240  12');
  expect(warming).toBe('file:a-warming  warming  –  240  12');
  expect(fresh).toBe('file:fresh  first window not closed yet  –  –  –');
});

test.each([
  [200, 60],
  [80, 24],
  [60, 10],
  [30, 3],
  [5, 2],
  [1, 1],
])('at %i x %i no line is longer and there are not more lines', (columns, rows) => {
  const sources = Array.from({ length: 40 }, (_, i) =>
    source(`k8s:prod/${'x'.repeat(4 * i)}`, i / 20, episode('warning', 2)),
  );
  const lines = table(sources, { columns, rows });
  expect(lines.length).toBeLessThanOrEqual(rows);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
});

test('sources that do not fit are counted, and those shown are the loudest', () => {
  const sources = Array.from({ length: 40 }, (_, i) => source(`file:s${i}`, i / 20));
  const lines = table(sources, { columns: 80, rows: 6 });
  expect(names(lines)).toEqual(['file:s39', 'file:s38', 'file:s37', 'file:s36', '…']);
  expect(lines.at(-1)).toBe('… and 36 more');
  expect(table(sources.slice(0, 5), { columns: 80, rows: 6 })).toHaveLength(6);
});

test('a long name keeps its beginning and the numbers keep their columns', () => {
  const lines = table([source(`k8s:prod/${'x'.repeat(200)}`, 1), source('file:a', 0.5)], { columns: 80, rows: 24 });
  expect(lines[1]).toMatch(/^k8s:prod\/x+… {2}normal {2,}1\.0 {2,}240 {2,}12$/);
  expect(lines.map((line) => line.length)).toEqual([80, 80, 80]);
});

test('no text of the service reaches the terminal as a control', () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J\r\n\u009b31m\u202eab';
  const lines = sourceTable(
    [
      source(`file:${evil}`, 1, { last_window: { records: 1, templates: 1, score: 1, gates: [evil] } }),
      source(`otlp:${evil}`, 1, { alert_held_back: evil }),
    ],
    NOW_MS,
    WIDE,
  );
  expect(lines).toHaveLength(3);
  expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
});

test('a reason that is not known is shown as it came, whatever it is called', () => {
  const reasons = ['lunar_phase', 'toString', '__proto__'];
  const lines = table(reasons.map((reason) => source('file:a', 1, { alert_held_back: reason })));
  expect(lines.slice(1).map((line) => line.split(/ +/)[1])).toEqual(reasons);
});

test('as many sources as an answer can hold are a table', () => {
  const sources = new Array<ShownSource>(200_000).fill(source('file:a', 1));
  expect(sourceTable(sources, NOW_MS, { columns: Infinity, rows: Infinity })).toHaveLength(200_001);
});
