import { survivor } from '../../src/detect/miner/cluster.ts';
import { Miner } from '../../src/detect/miner/miner.ts';
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

export function scoreProgram(program: Program): Grouping {
  const lines = sampleOf(program);
  return scoreGrouping(
    mine(lines).map(({ id }) => id),
    lines.map(({ event }) => event),
  );
}

export function meanOf(scores: readonly Grouping[]): Pick<Grouping, 'ga' | 'fga'> {
  const mean = (value: (score: Grouping) => number): number =>
    scores.reduce((sum, score) => sum + value(score), 0) / scores.length;
  return { ga: mean((score) => score.ga), fga: mean((score) => score.fga) };
}
