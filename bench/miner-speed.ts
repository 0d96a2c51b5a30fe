/**
 * Measures the template miner and prints one JSON object, of files one each; `miner.bench.ts` runs it and shows the ratios.
 *
 *     node bench/miner-speed.ts [FILE…]   FILE: the lines to measure, instead of generated ones, all in this process
 */
import { readFileSync } from 'node:fs';
import { Miner, MINER_DEFAULTS } from '../src/detect/miner/miner.ts';
import { Tokens } from '../src/detect/miner/tokens/tokens.ts';
import { FORMATS, HOSTILE } from './miner-lines.ts';
import { createStringDrain } from './string-drain.ts';

const LINES = 20_000;
const ROUNDS = 7;

interface Block {
  strings: string[];
  bytes: Uint8Array;
  offsets: number[];
}

function block(strings: string[]): Block {
  const offsets = [0];
  for (const text of strings) offsets.push(offsets.at(-1)! + Buffer.byteLength(text));
  return { strings, bytes: new TextEncoder().encode(strings.join('')), offsets };
}

function mine(miner: Miner, { strings, bytes, offsets }: Block): void {
  for (let i = 0; i < strings.length; i++) miner.observe(bytes, offsets[i]!, offsets[i + 1]!);
}

/** CPU time, nanoseconds per line: other processes of a busy machine do not count. Only the sum is exact, Linux splits it by ticks. */
function cost(run: () => void, lines = LINES): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / lines;
}

interface Row {
  name: string;
  nanosPerLine: number;
  bytesPerLine: number;
  /** Of the string Drain on the same lines, or of the miner on ordinary text. */
  againstNanosPerLine: number;
  templates: number;
  evicted: number;
}

/** Best of alternating rounds, so that both sides meet the same machine. */
function race(ours: () => void, theirs: () => void): [number, number] {
  let [a, b] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
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
  const [nanosPerLine, againstNanosPerLine] = race(() => mine(miner, lines), naive);
  const bytesPerLine = lines.bytes.length / LINES;
  return { name, nanosPerLine, bytesPerLine, againstNanosPerLine, templates: miner.size, evicted: miner.evictedTotal };
}

/** Lines of a stream: a mebibyte each would not fit into memory 20,000 times. */
function linesOf(line: () => string): number {
  return Math.min(LINES, Math.ceil(2 ** 26 / line().length));
}

function underAttack(name: string, hostile: Block, normal: Block): Row {
  const [miner, other] = [new Miner(), new Miner()];
  const drain = (): void => {
    mine(miner, hostile);
    miner.drainChanged();
    miner.drainEvicted();
  };
  const lines = hostile.strings.length;
  let [nanosPerLine, againstNanosPerLine] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    nanosPerLine = Math.min(nanosPerLine, cost(drain, lines));
    againstNanosPerLine = Math.min(
      againstNanosPerLine,
      cost(() => mine(other, normal)),
    );
  }
  const bytesPerLine = hostile.bytes.length / lines;
  return { name, nanosPerLine, bytesPerLine, againstNanosPerLine, templates: miner.size, evicted: miner.evictedTotal };
}

/** Heap bytes a line that fits its template leaves behind. */
function heapPerLine(lines: Block): number {
  const miner = new Miner();
  for (let round = 0; round < 3; round++) mine(miner, lines);
  const before = process.memoryUsage().heapUsed;
  for (let round = 0; round < 5; round++) mine(miner, lines);
  return (process.memoryUsage().heapUsed - before) / (5 * LINES);
}

/** Bytes that a source's miner holds once it has seen the lines twice: templates, and shapes of lines. Needs `--expose-gc`. */
function held(lines: Block): number {
  const used = (): number => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const tokens = new Tokens(MINER_DEFAULTS);
  const miners: Miner[] = [];
  // The first collections still find what the measurements before left.
  used();
  used();
  const before = used();
  while (miners.length < 16) {
    const miner = new Miner({}, tokens);
    for (let round = 0; round < 2; round++) mine(miner, lines);
    miner.drainChanged();
    miner.drainEvicted();
    miner.drainMerged();
    miners.push(miner);
  }
  return (used() - before) / miners.length;
}

/** A tokenizer that says how many lines it was given. */
class CountedTokens extends Tokens {
  scans = 0;

  override scan(...line: Parameters<Tokens['scan']>): void {
    this.scans++;
    super.scan(...line);
  }
}

/** Of the lines of a file, in a source that has seen them all: what `miner-drain3.bench.ts` compares. */
function mineFile(file: string): object {
  const strings = readFileSync(file, 'utf8').split('\n');
  const lines = block(strings);
  const tokens = new CountedTokens(MINER_DEFAULTS);
  const counted = new Miner({}, tokens);
  mine(counted, lines);
  tokens.scans = 0;
  mine(counted, lines);
  const miner = new Miner();
  const drain = createStringDrain();
  let [nanosPerLine, againstNanosPerLine] = [Infinity, Infinity];
  for (let round = 0; round < 20; round++) {
    nanosPerLine = Math.min(
      nanosPerLine,
      cost(() => mine(miner, lines), strings.length),
    );
    if (round >= 4) continue;
    againstNanosPerLine = Math.min(
      againstNanosPerLine,
      cost(() => strings.forEach((text) => drain.observe(text)), strings.length),
    );
  }
  const knownShapes = 1 - tokens.scans / strings.length;
  return { nanosPerLine, againstNanosPerLine, knownShapes, templates: miner.size };
}

function main(): void {
  const files = process.argv.slice(2);
  for (const file of files) console.log(JSON.stringify(mineFile(file)));
  if (files.length > 0) return;
  const generated = (line: () => string): Block => block(Array.from({ length: LINES }, line));
  const normal = generated(FORMATS.text!);
  const steady = Object.entries(FORMATS).map(([name, line]) => against(name, generated(line)));
  const hostile = Object.entries(HOSTILE).map(([name, line]) =>
    underAttack(name, block(Array.from({ length: linesOf(line) }, line)), normal),
  );
  const flood = generated(
    () => `request ${HOSTILE['random words']!()} ${Array.from({ length: 40 }, (_, k) => k).join(' x ')}`,
  );
  const bytesHeld = {
    text: held(normal),
    'lines full of ids': held(generated(FORMATS.ids!)),
    'a flood of shapes': held(flood),
  };
  console.log(JSON.stringify({ steady, hostile, heapBytesPerLine: heapPerLine(normal), bytesHeld }));
}

main();
