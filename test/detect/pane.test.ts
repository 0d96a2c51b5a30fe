import { describe, expect, test } from 'vitest';
import { History } from '../../src/detect/history.ts';
import { NO_LEVELS } from '../../src/detect/levels.ts';
import {
  EMPTY_PANE,
  MAX_SAMPLE_BYTES,
  sampleOf,
  splitTraces,
  TRACE_BYTES,
  unite,
  type Pane,
  type PaneEntry,
} from '../../src/detect/pane.ts';
import { TemplateTable, type Template } from '../../src/detect/template.ts';
import { VectorTable } from '../../src/detect/vectors.ts';

const table = new TemplateTable(new History(4), new VectorTable());
const [one, two] = ['one', 'two'].map((text) => table.create({ id: text, text }, 0)) as [Template, Template];
const bytes = (text: string) => new TextEncoder().encode(text);
const trace = (id: number, span: number) =>
  String.fromCharCode(...new Uint8Array(TRACE_BYTES).fill(id, 0, 16).fill(span, 16));

function entry(template: Template, count: number, more: Partial<PaneEntry> = {}): PaneEntry {
  return { template, count, levels: NO_LEVELS, samples: [], traces: '', numbers: [], enumerations: [], ...more };
}

function pane(...entries: PaneEntry[]): Pane {
  const records = entries.reduce((sum, { count }) => sum + count, 0);
  return { ...EMPTY_PANE, records, entries };
}

describe('a window', () => {
  test('adds up the panes, templates in order of first appearance', () => {
    const window = unite([pane(entry(two, 3)), EMPTY_PANE, pane(entry(one, 1), entry(two, 4))]);
    expect(window.records).toBe(8);
    expect(window.entries.map(({ template, count }) => [template.text, count])).toEqual([
      ['two', 7],
      ['one', 1],
    ]);
  });

  test('adds up warnings and errors', () => {
    const window = unite([{ ...pane(entry(one, 9)), warnings: 5, errors: 2 }, EMPTY_PANE, { ...pane(), warnings: 1 }]);
    expect([window.warnings, window.errors]).toEqual([6, 2]);
  });

  test('leaves its panes as they were: the next window has them too', () => {
    const panes = [pane(entry(one, 1, { samples: ['a'] })), pane(entry(one, 2, { samples: ['b'] }))];
    const before = structuredClone(panes.map(({ entries }) => entries.map(({ count, samples }) => [count, samples])));
    unite(panes);
    unite(panes);
    expect(panes.map(({ entries }) => entries.map(({ count, samples }) => [count, samples]))).toEqual(before);
  });

  test('counts templates that have merged in the meantime as one', () => {
    const from = table.create({ id: 'three', text: 'three' }, 0);
    from.mergedInto = table.create({ id: 'four', text: 'four' }, 0);
    from.mergedInto.mergedInto = one;
    expect(unite([pane(entry(from, 2), entry(one, 3))]).entries).toEqual([entry(one, 5)]);
  });

  test('has at most 3 samples and 5 traces of a template, no trace twice, the newest first', () => {
    const { entries } = unite([
      pane(entry(one, 2, { samples: ['a', 'b'], traces: trace(1, 1) + trace(2, 1) })),
      pane(entry(one, 9, { samples: ['c', 'd'], traces: [2, 3, 4, 7, 5].map((id) => trace(id, 7)).join('') })),
    ]);
    expect(entries[0]!.samples).toEqual(['c', 'd', 'a']);
    expect(splitTraces(entries[0]!.traces).map((ids) => ids.charCodeAt(0))).toEqual([2, 3, 4, 7, 5]);
  });
});

describe('a sample', () => {
  test('is a copy of the whole line up to 512 bytes', () => {
    const line = bytes('xxhelloxx');
    const sample = sampleOf(line, 2, 7);
    line.fill(0);
    expect(sample).toBe('hello');
    expect(sampleOf(new Uint8Array(600), 0, 512)).toHaveLength(512);
    expect(sampleOf(new Uint8Array(600), 0, 513)).toHaveLength(512);
  });

  test.each(['é', '€', '😀'])('is never cut inside %s', (character) => {
    for (let lead = 0; lead < 4; lead++) {
      const text = 'x'.repeat(lead) + character.repeat(600);
      const sample = new TextDecoder('utf8', { fatal: true }).decode(
        Buffer.from(sampleOf(bytes(text), 0, bytes(text).length), 'latin1'),
      );
      expect(text.startsWith(sample)).toBe(true);
      expect(bytes(sample).length).toBeGreaterThan(MAX_SAMPLE_BYTES - 4);
    }
  });

  test('of bytes that are no UTF-8 is bounded too', () => {
    expect(sampleOf(new Uint8Array(9000).fill(0x80), 10, 9000).length).toBeLessThanOrEqual(MAX_SAMPLE_BYTES);
  });
});
