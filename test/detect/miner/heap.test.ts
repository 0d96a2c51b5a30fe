/** What mining leaves on the heap. In a file, and so in a process, of its own: what V8 inlines depends on all that ran before. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Miner } from '../../../src/detect/miner/miner.ts';
import { randomNumbers, serviceLines } from './lines.ts';
import { recordedLines } from './recorded.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as (options: { type: 'minor' }) => void;

const random = randomNumbers(3);
const int = (below: number): number => Math.floor(random() * below);
const word = (): string => Array.from({ length: 3 + int(8) }, () => String.fromCharCode(97 + int(26))).join('');

/** Lines one after the other in one buffer. */
function block(lines: readonly string[]): { bytes: Uint8Array; offsets: number[] } {
  const offsets = [0];
  for (const line of lines) offsets.push(offsets.at(-1)! + Buffer.byteLength(line));
  return { bytes: new TextEncoder().encode(lines.join('')), offsets };
}

function mineAll(miner: Miner, { bytes, offsets }: ReturnType<typeof block>, from = 0, to = offsets.length - 1): void {
  for (let i = from; i < to; i++) miner.countVariables(miner.observe(bytes, offsets[i]!, offsets[i + 1]!), bytes);
}

/** Bytes that mining leaves on the heap: all that is allocated, for it goes by so few lines that no collection runs in between. */
function allocated(miner: Miner, text: ReturnType<typeof block>): number {
  let grown = 0;
  for (let from = 0; from < text.offsets.length - 1; from += 5000) {
    const to = Math.min(text.offsets.length - 1, from + 5000);
    collectGarbage({ type: 'minor' });
    const before = process.memoryUsage().heapUsed;
    mineAll(miner, text, from, to);
    grown += process.memoryUsage().heapUsed - before;
  }
  return grown;
}

const REAL = [...recordedLines()];
/** Shapes without end: almost every line goes to the tokenizer. */
const UNSHAPED: [string, string[]] = [
  'user names without end',
  Array.from(
    { length: 20_000 },
    (_, i) => `user=${word()} opened /srv/${word()}/${word()} in ${i} ms at ${word()}.${word()}.example`,
  ),
];

test.each<[string, [string, string[]][], number]>([
  ['of a made-up service', [['service', serviceLines(2000, 4).filter((line) => !line.startsWith('unexpected'))]], 20],
  ['of a recorded web shop', REAL, 5],
  ['of a shape never seen before', [UNSHAPED], 5],
])('lines %s that fit a template leave nothing on the heap', (_, sources, rounds) => {
  let grown = 0;
  let lines = 0;
  for (const [, texts] of sources) {
    const miner = new Miner();
    const text = block(texts);
    for (let round = 0; round < rounds; round++) mineAll(miner, text);
    miner.drainChanged();
    // The smaller of two: the compiler works in between.
    grown += Math.min(allocated(miner, text), allocated(miner, text));
    lines += texts.length;
    expect(miner.drainChanged(), 'nothing was new').toEqual([]);
  }
  // Room for shapes to be remembered, and the measurement. One boxed number a line would be 16.
  expect(grown / lines).toBeLessThan(8);
});
