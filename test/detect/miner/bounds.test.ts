import { describe, expect, test } from 'vitest';
import { MINER_DEFAULTS, Miner } from '../../../src/detect/miner/miner.ts';
import { observe, randomNumbers } from './lines.ts';

const random = randomNumbers(3);
const int = (below: number): number => Math.floor(random() * below);
const word = (): string => Array.from({ length: 3 + int(8) }, () => String.fromCharCode(97 + int(26))).join('');

const STREAMS: Record<string, () => string> = {
  'random words': () => Array.from({ length: 10 }, word).join(' '),
  'random lengths': () => Array.from({ length: int(200) }, word).join(' '),
  'random states': () => Array.from({ length: 20 }, () => (int(2) === 0 ? 'up' : 'down')).join(' '),
  'random field names': () => Array.from({ length: 10 }, () => `${word()}=${int(9)}`).join(' '),
  'random bytes': () => Buffer.from(Array.from({ length: int(300) }, () => int(256))).toString('latin1'),
  'one long word': () => word().repeat(2000),
  digits: () => String(random()).repeat(1000),
  'separators only': () => '"\\"=\\n{[('.repeat(1000),
  'open escapes': () => `\x1b[${'1;'.repeat(3000)} ${word()}`,
  'CJK and emoji': () => '日本語のログ🚀'.repeat(1 + int(500)),
};

describe.each(Object.entries(STREAMS))('%s', (_, line) => {
  test('stay within every bound', () => {
    const miner = new Miner({ maxClusters: 100, maxLeafCandidates: 8 });
    for (let i = 0; i < 1500; i++) {
      const cluster = observe(miner, line());
      expect(cluster.lanes.length / 3).toBeLessThanOrEqual(MINER_DEFAULTS.maxTokens);
      if (i % 50 === 0) expect(cluster.text.length).toBeLessThanOrEqual(4 * MINER_DEFAULTS.maxLineBytes);
      expect(cluster.leaf.candidates.length).toBeLessThanOrEqual(8);
    }
    expect(miner.size).toBeLessThanOrEqual(100);
  });
});

test('a flood of new templates leaves those in use alone', () => {
  const miner = new Miner({ maxClusters: 50 });
  const { number } = observe(miner, 'the heartbeat of this service');
  for (let i = 0; i < 2000; i++) {
    observe(miner, STREAMS['random words']!());
    if (i % 20 === 0) expect(observe(miner, 'the heartbeat of this service').number).toBe(number);
  }
  expect(miner.evictedTotal).toBeGreaterThan(1000);
});

test('lines of a flood that begin like no template are counted as unsorted, those of known templates never', () => {
  const miner = new Miner({ birthBurst: 30 });
  const known = [
    ...['the heartbeat of this service', 'login failed for alice', 'path=/var/lib state=up', 'true is what came'],
    ...['/var/log/syslog rotated by cron', 'www.example.org:80 opened by proxy', '[alice, bob] joined the room'],
    ...['[main] pool is drained now', 'eth0 has got an address'],
  ];
  const numbers = known.map((line) => observe(miner, line).number);
  for (let i = 0; i < 21; i++) observe(miner, STREAMS['random words']!());
  for (let i = 0; i < 300; i++) {
    observe(miner, STREAMS['random words']!());
    known.forEach((line, k) => expect(observe(miner, line).number, line).toBe(numbers[k]));
  }
  // Every 64th of 3,000 lines gave one birth back.
  expect(miner.unsortedLines).toBeGreaterThan(250);
  expect(miner.unsortedLines).toBeLessThan(300);
});

test('300,000 templates given by the sender: as many are kept as of any flood, and those in use stay', () => {
  const miner = new Miner();
  const bytes = Buffer.from('user {name} logged in');
  const { number } = miner.observeGiven(bytes, 0, bytes.length);
  const other = Buffer.alloc(40, 'x');
  for (let i = 0; i < 300_000; i++) {
    other.writeUInt32LE((i * 2_654_435_761) % 2 ** 32, 8);
    miner.observeGiven(other, 0, other.length);
    if (i % 1000 === 0) expect(miner.observeGiven(bytes, 0, bytes.length).number).toBe(number);
  }
  expect(miner.size).toBeLessThanOrEqual(1024);
  expect(miner.unsortedLines).toBeGreaterThan(290_000);
});

test('an unsorted line gives no numbers: those of the line before are not counted again', () => {
  const miner = new Miner({ birthBurst: 1 });
  const count = (line: string): void => {
    const bytes = Buffer.from(line);
    miner.countVariables(miner.observe(bytes, 0, bytes.length), bytes);
  };
  for (let i = 0; i < 3; i++) {
    count('took 12 ms');
    count('noise 5 of 7');
  }
  const [took, unsorted] = [...miner.clusters()].sort((a, b) => a.number - b.number);
  expect(took!.numbers!.take()).toMatchObject([{ count: 3 }]);
  expect(unsorted).toMatchObject({ text: '<unsorted>', numbers: null });
});

test('only the first bytes of a long line are read', () => {
  const miner = new Miner({ maxLineBytes: 100 });
  const a = observe(miner, `${'word '.repeat(20)} tail one`);
  expect(observe(miner, `${'word '.repeat(20)} another end`)).toBe(a);
});

test('lines of random bytes are one template, however many they are', () => {
  const miner = new Miner({ birthBurst: 10 });
  let others = 0;
  for (let i = 0; i < 1000; i++) {
    const bytes = Buffer.from(Array.from({ length: 200 }, () => int(256)));
    if (miner.observe(bytes, 0, bytes.length).text !== '<binary>') others++;
  }
  // One line in 30 has no control character where it begins.
  expect(others).toBeLessThan(80);
});

test.each([
  ['colours, progress bars and bells', '\x1b[31mfetched\x1b[0m 12 %\b\b\b\b13 %\x07\rdone\v\f\t'],
  ['records of FIX', '8=FIX.4.4\x019=112\x0135=D\x0149=BUYER\x0156=SELLER'],
  ['fields between separators', 'a\x1fb\x1ec\x1dd\x1ce'],
  ['padding', `${'\0'.repeat(200)}the log goes on`],
])('%s are text', (_, line) => {
  expect(observe(new Miner(), line).given).toBe(false);
});
