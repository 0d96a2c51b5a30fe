/** Labelled samples written from the formats of this folder: 2,000 lines a program, equal in every run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDice } from '../synthetic/distributions.ts';
import { createWriter, type Line, type Pools } from './format.ts';

const FOLDER = import.meta.dirname;
export const LINES = 2000;
/** Of which samples of a program are written: which of its formats come often, and what is constant in them, is luck. */
export const SEEDS = [1, 2, 3, 4];

/**
 * Misses of `develop` and `opened` may be looked at when the miner is worked on: of `opened`, every second program here by name, only the scores were until
 * all was built that `develop` asked for. Of `held out`, a folder of its own, only the scores are.
 */
export const HALVES = ['develop', 'opened', 'held out'] as const;
export type Half = (typeof HALVES)[number];

export interface Program {
  name: string;
  half: Half;
  formats: string[];
}

export function programs(): Program[] {
  return [
    ...read(FOLDER, (i) => (i % 2 === 0 ? 'develop' : 'opened')),
    ...read(join(FOLDER, 'held-out'), () => 'held out'),
  ];
}

function read(folder: string, halfOf: (index: number) => Half): Program[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));
  return files.sort().map((file, i) => ({
    name: file.slice(0, -4),
    half: halfOf(i),
    formats: readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')),
  }));
}

/** Some formats come a few times, some hundreds of times: their shares are log-uniform over three decades. Each comes at least once. */
export function sampleOf({ name, formats }: Program, seed: number, lines = LINES): Line[] {
  const sample = createDice(seed, name);
  const pools: Pools = new Map();
  const writers = formats.map((format) => createWriter(format, sample, pools));
  const weights = formats.map(() => 10 ** sample.between(0, 3));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const order = formats.map((_, i) => i);
  for (let line = formats.length; line < lines; line++) {
    let left = sample.uniform() * total;
    let at = 0;
    while (at < weights.length - 1 && (left -= weights[at]!) > 0) at++;
    order.push(at);
  }
  for (let i = order.length - 1; i > 0; i--) {
    const other = sample.integer(0, i);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order.map((at) => {
    const { text, event } = writers[at]!(sample);
    return { text, event: `${at} ${event}` };
  });
}
