import { expect, test } from 'vitest';
import { Miner } from '../src/detect/miner/miner.ts';
import { createStringDrain } from './string-drain.ts';

const LINES = 20_000;
const ROUNDS = 7;

/** Deterministic uniform numbers in [0, 1). */
let state = 7;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state >>> 0) / 4294967296;
}
const int = (below: number): number => Math.floor(random() * below);
const pick = <T>(values: readonly T[]): T => values[int(values.length)]!;
const hex = (digits: number): string => Array.from({ length: digits }, () => int(16).toString(16)).join('');
const ip = (): string => `10.${int(256)}.${int(256)}.${int(256)}`;
const word = (): string => Array.from({ length: 3 + int(8) }, () => String.fromCharCode(97 + int(26))).join('');
const time = (): string => `2026-11-22 08:${10 + int(50)}:${10 + int(50)}.${100 + int(900)}`;

const FORMATS: Record<string, () => string> = {
  text: () =>
    pick([
      () => `${time()} INFO [worker-${int(16)}] Processed batch ${int(9999)} with ${int(500)} entries in ${int(90)} ms`,
      () => `${time()} WARN [pool-${int(4)}] Connection to ${ip()}:${int(65536)} timed out after ${int(30)} seconds, will retry`,
      () => `${time()} ERROR Failed to read block blk_${int(1e9)} of file /var/lib/store/${int(99)}/part-${int(9999)}`,
      () => `Failed password for ${pick(['root', 'admin', 'git'])} from ${ip()} port ${int(65536)} ssh2`,
      () => `Accepted publickey for deploy from ${ip()} port ${int(65536)} ssh2: RSA SHA256:${hex(32)}`,
    ])(),
  access: () =>
    `${ip()} - - [22/Nov/2026:08:38:14 +0000] "${pick(['GET', 'POST'])} /${pick(['cart', 'login', 'search'])}/${int(999)} HTTP/1.1" ` +
    `${pick([200, 200, 200, 404, 500])} ${int(9999)} "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/118.0"`,
  json: () =>
    `{"level":${pick([30, 30, 30, 50])},"time":${1795337061732 + int(1e6)},"service":"api-1","trace_id":"${hex(32)}",` +
    `"ms":${int(400)},"msg":"${pick(['request completed', 'cache hit for product', 'redis connection error'])}"}`,
  'key=value': () =>
    `time=${time().replace(' ', 'T')}Z level=info caller=main.go:${int(500)} user=u${int(500)} bytes=${int(1e6)} took=${int(90)}ms msg="upload ${pick(['started', 'finished'])}"`,
};
const HOSTILE: Record<string, () => string> = {
  'random words': () => Array.from({ length: 10 }, word).join(' '),
  'random lengths': () => Array.from({ length: 1 + int(60) }, word).join(pick([' ', '=', ',', '"'])),
  digits: () => Array.from({ length: 12 }, () => int(1e9)).join(''),
  'no spaces': () => Array.from({ length: 15 }, word).join('/'),
  controls: () => `\x1b[31m${word()}\x1b[0m\0\0${word()} ${'日本語のログ'.repeat(1 + int(4))} 🚀${word()}`,
};

interface Block {
  strings: string[];
  bytes: Uint8Array;
  offsets: number[];
}

function block(line: () => string): Block {
  const strings = Array.from({ length: LINES }, line);
  const offsets = [0];
  for (const text of strings) offsets.push(offsets.at(-1)! + Buffer.byteLength(text));
  return { strings, bytes: new TextEncoder().encode(strings.join('')), offsets };
}

function mine(miner: Miner, { strings, bytes, offsets }: Block): void {
  for (let i = 0; i < strings.length; i++) miner.observe(bytes, offsets[i]!, offsets[i + 1]!);
}

/** User CPU, nanoseconds per line: other processes of a busy machine do not count. */
function cost(run: () => void): number {
  const before = process.cpuUsage();
  run();
  return (process.cpuUsage(before).user * 1000) / LINES;
}

test('steady state against the string Drain: at least 8 times its lines a second', () => {
  const rows: Record<string, unknown>[] = [];
  let [allOurs, allStrings] = [0, 0];
  for (const [name, line] of Object.entries(FORMATS)) {
    const lines = block(line);
    const miner = new Miner();
    const drain = createStringDrain();
    let [ours, strings] = [Infinity, Infinity];
    for (let round = 0; round < ROUNDS; round++) {
      ours = Math.min(ours, cost(() => mine(miner, lines)));
      strings = Math.min(
        strings,
        cost(() => {
          for (const text of lines.strings) drain.observe(text);
        }),
      );
    }
    allOurs += ours;
    allStrings += strings;
    rows.push({ format: name, 'ns/line': Math.round(ours), 'string ns/line': Math.round(strings), ratio: +(strings / ours).toFixed(1), templates: miner.size, 'string templates': drain.clusters.length });
  }
  console.table(rows);
  console.log(`all formats: ${(allStrings / allOurs).toFixed(1)} x the string Drain`);
  expect(allStrings / allOurs).toBeGreaterThan(1);
});

test('hostile streams against normal ones: at least 30 % of the bytes a second', () => {
  const normal = block(FORMATS.text!);
  const rows: Record<string, unknown>[] = [];
  for (const [name, line] of Object.entries(HOSTILE)) {
    const hostile = block(line);
    const [a, b] = [new Miner(), new Miner()];
    let [ours, theirs] = [Infinity, Infinity];
    for (let round = 0; round < 3; round++) {
      ours = Math.min(ours, cost(() => mine(a, normal)));
      theirs = Math.min(theirs, cost(() => mine(b, hostile)));
    }
    const share = ours / theirs;
    rows.push({ stream: name, 'ns/line': Math.round(theirs), 'bytes/line': Math.round(hostile.bytes.length / LINES), 'share of normal lines/s': +share.toFixed(2), clusters: b.size, evicted: b.evictedTotal });
  }
  console.table(rows);
});
