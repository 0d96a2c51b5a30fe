import { describe, expect, test } from 'vitest';
import { Miner, MINER_DEFAULTS } from '../../../../src/detect/miner/miner.ts';
import { MAX_SHAPE_BYTES, Shape } from '../../../../src/detect/miner/tokens/shape.ts';
import { Tokens } from '../../../../src/detect/miner/tokens/tokens.ts';
import { observe, randomNumbers } from '../lines.ts';

/** A tokenizer that says how many lines it was given. */
class CountedTokens extends Tokens {
  scans = 0;

  override scan(...line: Parameters<Tokens['scan']>): void {
    this.scans++;
    super.scan(...line);
  }
}

function shapeOf(line: string, before = ''): string {
  const bytes = Buffer.from(`${before}${line}tail 12`);
  const shape = new Shape(3);
  const start = Buffer.byteLength(before);
  shape.read(bytes, start, start + Buffer.byteLength(line));
  return `${shape.a} ${shape.b}`;
}

describe('the shape of a line', () => {
  test('is the same whatever its numbers and ids are, and wherever it stands in the buffer', () => {
    const groups = [
      ['took 7 ms', 'took 12345 ms'],
      ['from 10.0.0.7:80 now', 'from 192.168.100.200:65535 now'],
      ['session 3fa9c1 of u1234', 'session 77be02d1e5 of u99'],
      ['id a1b2c3d4e5', 'id 1fee00112233'],
      ['req-3fa85f64-5717-4562-b3fc-2c963f66afa6', 'req-fadecade-beef-cafe-8123-0123456789ab'],
      ['3fa85f64-5717-4562-b3fc-2c963f66afa6.', 'fadecade-beef-cafe-8123-01234567-89ab.'],
      ['3fa85f64-5717-4562-b3fc-2c963f66afa6-17', 'ab:12-12345678-1234-1234-1234-123456789abc'],
      ['port fa:16:3e:0d:aa:01 up', 'port fa:be:ee:ee:aa:0e up'],
      ['from 2001:db8::7', 'from fe80::1ff:fe23:4567:890a'],
    ];
    for (const [a, b] of groups) {
      expect(shapeOf(a!), a).toBe(shapeOf(b!));
      for (const before of ['x', 'xy', 'xyz', '12']) expect(shapeOf(a!, before)).toBe(shapeOf(a!));
    }
  });

  test('differs where the tokenizer would see another word, separator or kind of number', () => {
    const lines = [
      "5'up",
      '5/up',
      '5-up',
      '5 up',
      'up 5',
      'eth0 up',
      'eth1 up',
      '-5',
      '5',
      '5.5',
      '5ms',
      'a 5',
      'b 5',
      '3fa85f64-5717-4562-b3fc-2c963f66afa6',
      '3fa85f64-5717-4562-b3fc-2c963f66afa6x',
      '12345678-1234-1234-1234-123456789012',
      '7ac852',
      '',
    ];
    expect(new Set(lines.map((line) => shapeOf(line))).size).toBe(lines.length);
  });
});

/** Pieces that touch every rule of the tokenizer. */
const PIECES =
  'level= "level": status= "status": code= lvl= HTTP/1.1 "GET - -x " \\n \\" \\t \\u00e9 \x1b[31m \x1b[0m = == : ( () ) [ ] { } Sun Nov AM up failed ok ' +
  'started alice dead beef dead-beef a1 ab12 abc123 eth0 ssh2 x86_64 deadbeef12 日本 日本12 é µs ms B bytes 12 7 200 404 503 30 1.5 10.0.0.7:80 2026-11-22 ' +
  "12:03:04 12ms 5f 0x1f 0x7f -5 +3 fe80::1 :: fa:16:3e:0d:aa:01 3fa85f64-5717-4562-b3fc-2c963f66afa6 req-3fa85f64-5717-4562-b3fc-2c963f66afa6 7ac852e3 cafe: a-1-2 be-1-22 \\1 \\12 . , ; # _ / /var/log/x user= msg=\" ' 'a b' ='5 /a?b=1&c=x ?q % dec12345 decade \0";

test('a remembered shape answers what the tokenizer and the tree would answer', () => {
  const random = randomNumbers(11);
  const int = (below: number): number => Math.floor(random() * below);
  const pieces = [...PIECES.split(' '), ' ', '\n', '\n  at f(', ' ()', 'x'.repeat(41)];
  const piece = (): string => pieces[int(pieces.length)]!;
  const known = Array.from({ length: 150 }, () => Array.from({ length: 1 + int(9) }, piece).join(int(2) ? '' : ' '));
  const hex = (length: number): string => Array.from({ length }, () => int(16).toString(16)).join('');
  const digits = (line: string): string =>
    line
      .replace(/\b[\da-f]*(?:\d[a-f]|[a-f]\d)[\da-f]*\b/g, (run) => (int(3) ? run : hex(run.length - int(2) + int(2))))
      .replace(/\d+/g, (run) => (int(2) ? run : String(int(10 ** (1 + int(4))))));
  const lines = Array.from({ length: 8_000 }, (_, i) =>
    i % 10 === 0 ? Array.from({ length: 1 + int(3) }, piece).join('') : digits(known[int(known.length)]!),
  );
  // Two seeds place the shapes differently; the judge gets every line too long to be looked up by its shape.
  const miners = [1, -9].map((hashSeed) => new Miner({ hashSeed, birthBurst: 1e9 }));
  const judge = new Miner({ birthBurst: 1e9, maxLineBytes: 2 * MAX_SHAPE_BYTES });
  for (const line of lines) {
    const { number } = observe(judge, line + ' '.repeat(MAX_SHAPE_BYTES));
    for (const miner of miners) expect(observe(miner, line).number, JSON.stringify(line)).toBe(number);
  }
});

test('a line that was read as far as its beginning is read on as if it had been read at once', () => {
  const random = randomNumbers(12);
  const pieces = [...PIECES.split(' '), ' ', '\n', '\n  at f(', ' ()'];
  const [whole, parts] = [
    new Tokens({ ...MINER_DEFAULTS, hashSeed: 3 }),
    new Tokens({ ...MINER_DEFAULTS, hashSeed: 3 }),
  ];
  for (let i = 0; i < 5_000; i++) {
    const words = Array.from({ length: 1 + random() * 9 }, () => pieces[Math.floor(random() * pieces.length)]!);
    const bytes = Buffer.from(words.join(i % 2 ? '' : ' '));
    whole.scan(bytes, 0, bytes.length);
    expect(parts.begins(bytes, 0, bytes.length, new Map([[whole.list.leaf.beginning, 1]]))).toBe(true);
    parts.scanRest(bytes, 0, bytes.length);
    expect(parts.list.lanes(), words.join('|')).toEqual(whole.list.lanes());
    expect(parts.list.capture(bytes, 0)).toEqual(whole.list.capture(bytes, 0));
    expect([parts.list.leaf.exact, parts.list.leaf.fold]).toEqual([whole.list.leaf.exact, whole.list.leaf.fold]);
  }
});

test.each([
  [
    'the letter of an escape is no group of the address behind it',
    'got "x \\a:97998066:fa:958" now',
    'got "x \\a:4898:fa:3" now',
  ],
  ['an address behind a weekday is no month', 'log of Sun 5d:11389649:b7 read', 'log of Sun dec:11389649:b7 read'],
])('%s, whether the shape is known or not', (_, ...lines) => {
  const [known, judge] = [new Miner(), new Miner({ maxLineBytes: 2 * MAX_SHAPE_BYTES })];
  for (const line of lines)
    expect(observe(known, line).text).toBe(observe(judge, line + ' '.repeat(MAX_SHAPE_BYTES)).text);
});

test('sources that share a thread remember their own shapes', () => {
  const tokens = new Tokens({ ...MINER_DEFAULTS, hashSeed: 0 });
  const [a, b] = [new Miner({}, tokens), new Miner({}, tokens)];
  observe(a, 'first of a');
  expect(observe(a, 'user 17 logged in').number).toBe(1);
  expect(observe(b, 'user 18 logged in').number).toBe(0);
  expect(observe(a, 'user 19 logged in').count).toBe(2);
});

test('a template that changes or leaves is not answered from memory', () => {
  const miner = new Miner({ maxClusters: 2 });
  observe(miner, 'opened file for user=alice in the main store');
  observe(miner, 'opened file for user=alice in the main store');
  observe(miner, 'opened file for user=bob in the main store');
  expect(observe(miner, 'opened file for user=alice in the main store').text).toContain('user=<*> in');
  observe(miner, 'one more');
  observe(miner, 'and another one of these');
  expect(observe(miner, 'opened file for user=alice in the main store').count).toBe(1);
});

test('levels and status classes are told apart within a shape', () => {
  const miner = new Miner();
  const lines = (a: number): string[] => [
    `{"level":${a},"ms":17,"msg":"done"}`,
    `10.0.0.1 - - "GET /x HTTP/1.1" ${a}0 12 "-"`,
    `request ended status=${a}1 took=${a}`,
  ];
  const numbers = (a: number): number[] => lines(a).map((line) => observe(miner, line).number);
  const thirty = numbers(30);
  const fifty = numbers(50);
  expect(new Set([...thirty, ...fifty]).size).toBe(6);
  for (let i = 0; i < 3; i++) {
    expect(numbers(30)).toEqual(thirty);
    expect(numbers(50)).toEqual(fifty);
  }
});

test('noise beyond the burst counts as one template, known lines keep theirs, and order returns', () => {
  const miner = new Miner({ birthBurst: 50 });
  const random = randomNumbers(5);
  const noise = (): string => Array.from({ length: 6 }, () => random().toString(36).replace(/[\d.]/g, 'q')).join(' ');
  const [variable, fixed] = [
    (name: string) => `session of ${name} was extended by policy`,
    'the heartbeat of this service',
  ];
  for (const name of ['alice', 'bob', 'dave']) observe(miner, variable(name));
  const { number } = observe(miner, fixed);
  for (let i = 0; i < 1000; i++) observe(miner, noise());
  expect(miner.size).toBeLessThan(100);
  expect(observe(miner, noise()).text).toBe('<unsorted>');
  expect(observe(miner, variable('carol')).text).toBe('session of <*> was extended by policy');
  expect(observe(miner, fixed).number).toBe(number);
  for (let i = 0; i < 100; i++) observe(miner, fixed);
  expect(observe(miner, 'something entirely new happened').text).toBe('something entirely new happened');
});

test('a flood of shapes seen once leaves those in use where they are', () => {
  const tokens = new CountedTokens({ ...MINER_DEFAULTS, hashSeed: 5 });
  const miner = new Miner({}, tokens);
  const random = randomNumbers(8);
  const word = (): string => Array.from({ length: 8 }, () => String.fromCharCode(97 + random() * 26)).join('');
  const line = (user: string): string => `user ${user} has opened the file in the main store after 12 ms`;
  const known = Array.from({ length: 300 }, () => line(word()));
  for (let round = 0; round < 8; round++) for (const text of known) observe(miner, text);
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 300; i++) observe(miner, line(word()));
    tokens.scans = 0;
    for (const text of known) observe(miner, text);
    expect(tokens.scans, `in round ${round}`).toBeLessThan(known.length / 20);
  }
});

test('a shape is remembered when it comes a second time, and so are 1,500 that take turns', () => {
  const tokens = new CountedTokens({ ...MINER_DEFAULTS, hashSeed: 5 });
  const miner = new Miner({}, tokens);
  const random = randomNumbers(9);
  const word = (): string => Array.from({ length: 8 }, () => String.fromCharCode(97 + random() * 26)).join('');
  const known = Array.from({ length: 1500 }, () => `user ${word()} has opened the file in the main store`);
  const scansOfRound = known.slice(0, 8).map(() => {
    tokens.scans = 0;
    for (const text of known) observe(miner, text);
    return tokens.scans;
  });
  expect(scansOfRound[0], 'each is new').toBe(1500);
  expect(scansOfRound[1], 'and comes back').toBeGreaterThan(1400);
  expect(scansOfRound[7]).toBeLessThan(300);
});
