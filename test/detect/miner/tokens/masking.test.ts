import { describe, expect, test } from 'vitest';
import { Miner } from '../../../../src/detect/miner/miner.ts';
import { observe } from '../lines.ts';

const template = (line: string): string => observe(new Miner(), line).text;

test.each([
  ['took 12ms, 3.5 s, -7 items, +3 %', 'took <*>, <*> s, <*> items, <*> %'],
  ['peer 10.0.0.7:8080 and fe80::1ff:fe23:4567:890a', 'peer <*> and <*>'],
  ['id dca73e34-c293-4361-bb73-2f8610a5cca0', 'id <*>'],
  ['id abcdefab-cdef-4abc-abcd-abcdefabcdef', 'id <*>'],
  ['mac FF:F2:9F:16:BF:6C', 'mac <*>'],
  ['trace 03b1abad73e6bd4e8927b796d64bb89e at 0x7ffe0010', 'trace <*> at <*>'],
  ['block blk_-3886504906413966 of part-00675', 'block blk_<*> of part-<*>'],
  ['GET /product/17/reviews', 'GET /product/<*>/reviews'],
  ['[C7] [C99] [C100000] of D4', '[<*>] [<*>] [<*>] of <*>'],
  ['ssh2 utf8 log4j stay, node12 and u7 do not', 'ssh2 utf8 log4j stay, node<*> and u<*> do not'],
])('%s becomes %s', (line, expected) => {
  expect(template(line)).toBe(expected);
});

describe('times', () => {
  test.each([
    '2026-11-22T08:40:40.640Z',
    '2026-11-22 08:40:40,640',
    '[22/Nov/2026:08:38:14 +0000]',
    'Nov 22 08:40:40',
    'Sat Nov  7 12:16:52 2026',
    'Sun, 22 Nov 2026 08:49:05 GMT',
    '11/22/2026 8:40:40 AM',
    '1795337061732',
  ])('%s in front makes no template of its own', (time) => {
    const miner = new Miner();
    const other = time
      .replaceAll('22', '09')
      .replaceAll('Nov', 'Feb')
      .replace('Sat', 'Mon')
      .replace('AM', 'PM')
      .replace('4', '1');
    observe(miner, `${time} server is ready`);
    expect(observe(miner, `${other} server is ready`).count).toBe(2);
    expect(template(`${time} server is ready`).replace('GMT', '')).toMatch(/^[[\]<*>, :+-]+ server is ready$/);
  });

  test('"may" and "sun" are words where no date is', () => {
    expect(template('this may fail when the sun shines')).toBe('this may fail when the sun shines');
  });
});

describe('numbers with a meaning', () => {
  test('a level keeps its number, a status its class', () => {
    expect(template('{"level":30,"status":503,"ms":17}')).toBe('{"level":30,"status":5xx,"ms":<*>}');
    expect(template('level=4 http.status_code=404 port=404')).toBe('level=4 http.status_code=4xx port=<*>');
  });

  test('access lines show the status class, whether it stands before or behind the request', () => {
    expect(template('10.0.0.1 - - [22/Nov/2026:08:38:14 +0000] "GET /cart HTTP/1.1" 200 177')).toBe(
      '<*> - - [<*> <*>] "GET /cart HTTP/<*>" 2xx <*>',
    );
    expect(template('10.0.0.1:4 fe be/a 0/0/1/1 503 177 - - "GET /cart HTTP/1.1"')).toBe(
      '<*> fe be/a <*> 5xx <*> - - "GET /cart HTTP/<*>"',
    );
  });

  test('units follow their number', () => {
    const miner = new Miner();
    observe(miner, 'stored 850 B in memory');
    expect(observe(miner, 'stored 5.2 KB in memory').text).toBe('stored <*> in memory');
  });
});

describe('lines of several lines', () => {
  test('the first line and the top frame make the template', () => {
    const stack = (frame: string, rest: string): string =>
      `TypeError: x is null\n    at ${frame} (app.js:1:2)\n    at ${rest}`;
    const miner = new Miner();
    const first = observe(miner, stack('checkout', 'a\n    at b'));
    expect(first.text).toBe('TypeError: x is null at checkout (app.js:<*>)');
    expect(observe(miner, stack('checkout', 'q')).number).toBe(first.number);
    expect(observe(miner, stack('payment', 'a\n    at b')).number).not.toBe(first.number);
  });

  test('a stack inside a JSON string is cut the same way, the fields behind it count', () => {
    const line = (rest: string): string =>
      `{"stack":"Error: boom\\n    at f (a.js:1)\\n    at ${rest}","msg":"request failed"}`;
    const miner = new Miner();
    const first = observe(miner, line('g'));
    expect(observe(miner, line('h (x) \\n at i'))).toBe(first);
    expect(first.text).toContain('"msg":"request failed"');
  });

  test('JSON over several lines is read to its end', () => {
    expect(template('{\n  "level": 30,\n  "msg": "cart updated"\n}')).toBe('{ "level": 30, "msg": "cart updated" }');
  });
});

test('a line without any word has a template', () => {
  for (const line of ['', '   ', '-----', '\0\0\0', '}']) expect(template(line)).not.toBe('');
});
