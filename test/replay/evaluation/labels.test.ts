import { describe, expect, test } from 'vitest';
import { labelName, parseLabels } from '../../../src/replay/evaluation/labels.ts';

const FAULT = { source: 'redis', kind: 'down', start: '1795339747252812775', end: '1795340049297635425' };

function problemsOf(text: string): string[] {
  try {
    parseLabels(text, 'l.json');
  } catch (error) {
    expect(error).toMatchObject({ name: 'InputError', code: 'LOGDRIFT_INPUT_LABELS' });
    return (error as Error).message.split('\n');
  }
  throw new Error('the labels are taken');
}

test('times keep their nanoseconds, as text and as numbers', () => {
  const text = `{"faults": [${JSON.stringify(FAULT)}, {"source":"*","start":1795339747252812775,"end":1795340049297635425}]}`;
  const { faults, windowSizeMs, windowStepMs } = parseLabels(text, 'l.json');
  expect(faults[0]).toEqual({
    source: 'redis',
    affected: [],
    kind: 'down',
    startNanos: 1795339747252812775n,
    startMs: 1795339747253,
    endMs: 1795340049297,
  });
  expect(faults[1]).toEqual({ ...faults[0], source: '*', kind: 'fault' });
  expect([windowSizeMs, windowStepMs]).toEqual([120_000, 60_000]);
});

test('whatever else a labels file says is left alone', () => {
  const text = JSON.stringify({ set: 'x', lines: 3, window_step_s: 30, faults: [{ ...FAULT, also: ['api'], pod: 1 }] });
  expect(parseLabels(text, 'l.json')).toMatchObject({ windowStepMs: 30_000, faults: [{ source: 'redis' }] });
  expect(parseLabels('{\n\t"faults": []\n}', 'l.json').faults).toEqual([]);
});

describe('a mistake is told with its place', () => {
  test('text that is no JSON', () => {
    expect(problemsOf('{"faults": [\n  {"source": "a",\n')).toEqual([
      expect.stringMatching(/^l\.json:3:1: not valid JSON: .*; labels are one JSON object$/),
    ]);
    expect(problemsOf('[1]')).toEqual(['l.json:1:1: labels must be a JSON object with "faults"']);
    expect(problemsOf('')).toEqual(['l.json:1:1: labels must be a JSON object with "faults"']);
  });

  test('every value that cannot be used, in one go', () => {
    const text = [
      '{"window_step_s": "60",',
      ' "faults": [',
      '  {"source": "", "start": "1", "end": "2"},',
      '  {"source": "a", "start": "soon", "end": "2", "affected": "b"},',
      '  {"source": "a", "start": "3", "end": "2"},',
      '  {"source": "a", "start": "3"},',
      '  7]}',
    ].join('\n');
    expect(problemsOf(text)).toEqual([
      'l.json:3:14: "source" must be text',
      'l.json:4:60: "affected" must be "*" or a list of source names',
      'l.json:4:28: "start" must be Unix nanoseconds, for example "1795339747252812775"',
      'l.json:5:40: "end" is before "start" (2 < 3)',
      'l.json:6:3: a fault has no "end"',
      'l.json:7:3: a fault must be an object',
      'l.json:1:19: "window_step_s" must be seconds above 0',
    ]);
  });

  test('no list of faults, or too many mistakes to show', () => {
    expect(problemsOf('{"faults": 3}')).toEqual(['l.json:1:12: "faults" must be a list']);
    const many = problemsOf(JSON.stringify({ faults: Array.from({ length: 30 }, () => 0) }));
    expect(many).toHaveLength(21);
    expect(many.at(-1)).toBe('… and 10 more');
  });
});

test('a label names a source by its id or by a part of it, the last one first', () => {
  const names = new Set(['nginx', 'web', 'shop']);
  expect(labelName('file:nginx', names)).toBe('nginx');
  expect(labelName('k8s:shop/web/api', names)).toBe('web');
  expect(labelName('k8s:other/db', names)).toBe('other/db');
  expect(labelName('bare', names)).toBe('bare');
});
