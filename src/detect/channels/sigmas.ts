import { logLowerGamma, logUpperGamma } from '../special/gamma.ts';
import { normalUpperQuantile } from '../special/normal.ts';

/** Channels, and windows, that go with one another: the sum of n of them is spread like that of n/f independent ones, each f = 1 + .18 (n − 1) times as large. */
export const CORRELATION = 0.18;

const LOWEST = -6;
const HIGHEST = 8;
/** Windows a channel is calibrated against before that is all the doubt there is: what a young source has not done yet is not news. */
const SETTLED = 60;

/** −Φ⁻¹(Q(a, x)) within [−6, 8]; by the lower tail where the upper one is above ½, which keeps its digits. */
export function sigmasOfSum(a: number, x: number): number {
  if (x === 0) return LOWEST;
  const upper = logUpperGamma(a, x);
  const z = upper <= -Math.LN2 ? normalUpperQuantile(upper) : -normalUpperQuantile(logLowerGamma(a, x));
  // + 0: exactly the median must not print as -0.
  return Math.min(HIGHEST, Math.max(LOWEST, z)) + 0;
}

/** −Φ⁻¹(p), at most 8; −6 where p is above ½. @param logProbability - ln p, may be above 0 */
export function sigmasOfTail(logProbability: number): number {
  return logProbability < -Math.LN2 ? Math.min(HIGHEST, normalUpperQuantile(logProbability)) : LOWEST;
}

/** Nats that a channel alone must bring beyond its probability, with `h` values to compare with. @param settled - with 60 or more */
export function doubt(settled: number, h: number): number {
  return settled * Math.max(1, SETTLED / Math.max(1, h));
}
