/** Measures the template miner and prints one JSON object; `miner.bench.ts` runs it and shows the ratios. */
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
      () =>
        `${time()} WARN [pool-${int(4)}] Connection to ${ip()}:${int(65536)} timed out after ${int(30)} seconds, will retry`,
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

interface Row {
  name: string;
  nanosPerLine: number;
  /** Of the string Drain on the same lines, or of the miner on ordinary text. */
  againstNanosPerLine: number;
  templates: number;
  evicted: number;
}

/** Best of alternating rounds, so that both sides meet the same machine. */
function race(rounds: number, ours: () => void, theirs: () => void): [number, number] {
  let [a, b] = [Infinity, Infinity];
  for (let round = 0; round < rounds; round++) {
    a = Math.min(a, cost(ours));
    b = Math.min(b, cost(theirs));
  }
  return [a, b];
}

function against(name: string, lines: Block): Row {
  const miner = new Miner();
  const drain = createStringDrain();
  const naive = (): void => {
    for (const text of lines.strings) drain.observe(text);
  };
  const [nanosPerLine, againstNanosPerLine] = race(ROUNDS, () => mine(miner, lines), naive);
  return { name, nanosPerLine, againstNanosPerLine, templates: miner.size, evicted: miner.evictedTotal };
}

function underAttack(name: string, hostile: Block, normal: Block): Row {
  const [miner, other] = [new Miner(), new Miner()];
  const drain = (): void => {
    mine(miner, hostile);
    miner.drainChanged();
    miner.drainEvicted();
  };
  const [nanosPerLine, againstNanosPerLine] = race(3, drain, () => mine(other, normal));
  return { name, nanosPerLine, againstNanosPerLine, templates: miner.size, evicted: miner.evictedTotal };
}

/** Heap bytes a line that fits its template leaves behind. */
function heapPerLine(lines: Block): number {
  const miner = new Miner();
  for (let round = 0; round < 3; round++) mine(miner, lines);
  const before = process.memoryUsage().heapUsed;
  for (let round = 0; round < 5; round++) mine(miner, lines);
  return (process.memoryUsage().heapUsed - before) / (5 * LINES);
}

const normal = block(FORMATS.text!);
const steady = Object.entries(FORMATS).map(([name, line]) => against(name, block(line)));
const hostile = Object.entries(HOSTILE).map(([name, line]) => underAttack(name, block(line), normal));
console.log(JSON.stringify({ steady, hostile, heapBytesPerLine: heapPerLine(normal) }));
