import { logLowerGamma, logUpperGamma } from '../special/gamma.ts';
import { normalUpperQuantile } from '../special/normal.ts';

/** In the order of design section 6; a tie for the loudest goes to the first. */
export const CHANNELS = ['rate', 'novelty', 'severity', 'silence', 'distance', 'dmd', 'values'] as const;
export type Channel = (typeof CHANNELS)[number];

/** How much of a channel's nats counts. `values` alone makes half of all false alarms. */
export const DEFAULT_WEIGHTS: Readonly<Record<Channel, number>> = {
  rate: 1,
  novelty: 1,
  severity: 1,
  silence: 1,
  distance: 1,
  dmd: 1,
  values: 0.5,
};

/** Correlated channels: the sum of C of them is spread like that of C/f independent ones, each f times as large. */
const CORRELATION = 0.15;
/** Nats that a channel may have beyond the rarest rank it has seen. */
const BEYOND_RANK = 3;
const LOWEST = -6;
const HIGHEST = 8;

/**
 * One score, in sigmas, from the nats of all channels.
 *
 *     s'_c = min(w_c s_c, ln(h_c + 2) + 3)        no channel convinces alone beyond what its history can back
 *     f = 1 + .15 (C − 1)       C = enabled channels
 *     p = Q(C/f, Σ s'_c/f)      score = −Φ⁻¹(p), clipped to [−6, 8]
 *
 * Fisher, "Statistical methods for research workers" (1932): −ln p of a true null is exponential, C of them sum up to a gamma distribution of shape C;
 * the scaled form for dependent ones is Brown, "A method for combining non-independent, one-sided tests of significance" (1975). Design section 6.
 *
 * Worked example: C = 6 (no `values`), h = 100, s = 2, 6.5, 9, .5, 1, .7: the third is cut to ln 102 + 3 = 7.625; f = 1.75, Σ = 18.325,
 * p = Q(3.429, 10.471) = .0035, score = 2.70.
 *
 * @param nats - s_c by {@link CHANNELS}, finite and ≥ 0; 0 where a gate holds the channel back or it has no data
 * @param sizes - h_c by {@link CHANNELS}
 * @param weights - w_c by {@link CHANNELS}; 0 = not enabled
 * @param capped - s'_c by {@link CHANNELS}, out
 */
export function combineChannels(
  nats: ArrayLike<number>,
  sizes: ArrayLike<number>,
  weights: ArrayLike<number>,
  capped: Float64Array,
): { score: number; loudest: Channel } {
  let enabled = 0;
  let sum = 0;
  let loudest = -1;
  for (let c = 0; c < CHANNELS.length; c++) {
    capped[c] = 0;
    if (!(weights[c]! > 0)) continue;
    enabled++;
    capped[c] = Math.min(weights[c]! * nats[c]!, Math.log(sizes[c]! + 2) + BEYOND_RANK);
    sum += capped[c]!;
    if (loudest < 0 || capped[c]! > capped[loudest]!) loudest = c;
  }
  if (loudest < 0) throw new RangeError('combination: no channel is enabled');
  const f = 1 + CORRELATION * (enabled - 1);
  return { score: sigmas(enabled / f, sum / f), loudest: CHANNELS[loudest]! };
}

/** −Φ⁻¹(Q(a, x)); by the lower tail where the upper one is above ½, which keeps its digits. */
function sigmas(a: number, x: number): number {
  if (x === 0) return LOWEST;
  const upper = logUpperGamma(a, x);
  const z = upper <= -Math.LN2 ? normalUpperQuantile(upper) : -normalUpperQuantile(logLowerGamma(a, x));
  // + 0: exactly the median must not print as -0.
  return Math.min(HIGHEST, Math.max(LOWEST, z)) + 0;
}
