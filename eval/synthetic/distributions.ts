import { createRandom } from '../../src/replay/evaluation/random.ts';

/** Random variates from one seeded stream. */
export interface Dice {
  /** [0, 1) */
  uniform(): number;
  between(low: number, high: number): number;
  integer(low: number, high: number): number;
  normal(): number;
  /** Mean 1; a smaller shape is wilder: variance 1 / shape. */
  gamma(shape: number): number;
  poisson(mean: number): number;
  /** exp(normal · sigma) around a median. */
  logNormal(median: number, sigma: number): number;
  pick<T>(items: readonly T[]): T;
}

/** @param name so that parts of one seed do not share a stream */
export function createDice(seed: number, name: string): Dice {
  // FNV-1a of the name beside the seed.
  let hash = 0x811c9dc5;
  for (const character of `${seed} ${name}`) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  const uniform = createRandom(hash);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const dice: Dice = {
    uniform,
    normal,
    between: (low, high) => low + (high - low) * uniform(),
    integer: (low, high) => low + Math.floor((high - low + 1) * uniform()),
    gamma: (shape) => gamma(shape, dice) / shape,
    poisson: (mean) => poisson(mean, dice),
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    pick: (items) => items[Math.floor(uniform() * items.length)]!,
  };
  return dice;
}

/** Marsaglia & Tsang, "A simple method for generating gamma variables" (2000). @param shape - ≥ 1 */
function gamma(shape: number, { uniform, normal }: Dice): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Knuth's product below 30, the rounded normal above: what is read off it are counts of lines. */
function poisson(mean: number, { uniform, normal }: Dice): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  const limit = Math.exp(-mean);
  let product = uniform();
  let count = 0;
  while (product > limit) {
    count++;
    product *= uniform();
  }
  return count;
}

/** How long something took, as a log line says it: log-normal around `median`, `slow` times as long. */
export function rounded(dice: Dice, median: number, slow: number, digits = 3): string {
  return dice.logNormal(median * slow, 0.5).toFixed(digits);
}
