import { survivor } from '../../src/detect/miner/tree/cluster.ts';
import { Miner } from '../../src/detect/miner/miner.ts';
import { createStringDrain, type StringCluster } from '../../bench/string-drain.ts';
import type { Line } from './format.ts';
import { scoreGrouping, type Grouping } from './grouping.ts';
import { sampleOf, type Program } from './sample.ts';

/** Template of each line at the end, when all have their final text. */
export function mine(lines: readonly Line[]): { id: string; text: string }[] {
  const miner = new Miner();
  const clusters = lines.map(({ text }) => {
    const bytes = Buffer.from(text);
    return miner.observe(bytes, 0, bytes.length);
  });
  return clusters.map((cluster) => survivor(cluster).shared);
}

export type Accuracy = Pick<Grouping, 'ga' | 'fga'>;

export function scoreProgram(program: Program, seed: number): Grouping {
  const lines = sampleOf(program, seed);
  return score(lines, mine(lines));
}

/** The same for Drain as published, to compare with. */
export function scoreDrain(program: Program, seed: number): Grouping {
  const lines = sampleOf(program, seed);
  const drain = createStringDrain();
  const numbers = new Map<StringCluster, number>();
  const ids = lines.map(({ text }) => {
    const cluster = drain.observe(text);
    if (!numbers.has(cluster)) numbers.set(cluster, numbers.size);
    return { id: String(numbers.get(cluster)) };
  });
  return score(lines, ids);
}

function score(lines: readonly Line[], templates: readonly { id: string }[]): Grouping {
  return scoreGrouping(
    templates.map(({ id }) => id),
    lines.map(({ event }) => event),
  );
}

export function meanOf(scores: readonly Accuracy[]): Accuracy {
  const mean = (value: (score: Accuracy) => number): number =>
    scores.reduce((sum, one) => sum + value(one), 0) / scores.length;
  return { ga: mean((one) => one.ga), fga: mean((one) => one.fga) };
}
