import { logLowerGamma, logUpperGamma } from '../special/gamma.ts';
import { normalUpperQuantile } from '../special/normal.ts';

/** In the order of design section 6; a tie for the loudest goes to the first. */
export const CHANNELS = ['rate', 'novelty', 'severity', 'silence', 'distance', 'dmd', 'values'] as const;
export type Channel = (typeof CHANNELS)[number];

/** How much of a channel's nats counts; 0 = not enabled. */
export const DEFAULT_WEIGHTS: Readonly<Record<Channel, number>> = {
  rate: 1,
  novelty: 1,
  severity: 1,
  silence: 1,
  distance: 1,
  dmd: 1,
  values: 1,
};

/** Correlated channels: the sum of C of them is spread like that of C/f independent ones, each f times as large. */
const CORRELATION = 0.2;
/** Nats that a channel may add to the sum beyond the rarest rank it has seen, and that it may have when it speaks alone. */
const BEYOND_RANK = 4;
const ALONE_BEYOND_RANK = 5;
/** Nats that a channel alone must bring beyond its probability: the models are not exact that far out. */
const DOUBT = 1.5;
/** Windows a channel is calibrated against before that is all the doubt there is: what a young source has not done yet is not news. */
const SETTLED = 60;
/** One channel alone is a warning; critical takes two that agree. */
const MOST_ALONE = 2.9;
const LOWEST = -6;
const HIGHEST = 8;

/**
 * One score, in sigmas, from the nats of all channels.
 *
 *     s'_c = min(w_c s_c, ln(h_c + 2) + 4)        no channel brings more than its history can back
 *     f = 1 + .2 (C − 1)        C = enabled channels
 *     p = Q(C/f, Σ s'_c/f)      together: −Φ⁻¹(p), clipped to [−6, 8]
 *
 * A sum of seven hardly moves for one loud channel, so the loudest of those that give a probability (not the lengths `distance` and `dmd`) may also speak alone:
 *
 *     s₁ = max_c min(w_c s_c, ln(h_c + 2) + 5) − 1.5 max(1, 60/h_c)    p₁ = C e^{−s₁}    alone: −Φ⁻¹(p₁), at most 2.9
 *     score = the larger of the two
 *
 * Fisher, "Statistical methods for research workers" (1932): −ln p of a true null is exponential, C of them sum up to a gamma distribution of shape C;
 * the scaled form for dependent ones is Brown, "A method for combining non-independent, one-sided tests of significance" (1975); the smallest of C
 * probabilities, Tippett, "The methods of statistics" (1931). Constants: docs/decisions/0029.
 *
 * Worked example: C = 6 (no `values`), h = 100, s = 2, 6.5, 9, .5, 1, .7: the third is cut to ln 102 + 4 = 8.625; f = 2, Σ = 19.325, p = Q(3, 9.66) =
 * .0037, together 2.68. Alone: s₁ = 9 − 1.5, as 9 is below ln 102 + 5; p₁ = 6 e^−7.5 = .0033, 2.71. Score 2.71.
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
  let alone = 0;
  let loudest = -1;
  for (let c = 0; c < CHANNELS.length; c++) {
    capped[c] = 0;
    if (!(weights[c]! > 0)) continue;
    enabled++;
    const s = weights[c]! * nats[c]!;
    const rarest = Math.log(sizes[c]! + 2);
    capped[c] = Math.min(s, rarest + BEYOND_RANK);
    if (isSurprise(CHANNELS[c]!)) alone = Math.max(alone, Math.min(s, rarest + ALONE_BEYOND_RANK) - doubt(sizes[c]!));
    sum += capped[c]!;
    if (loudest < 0 || capped[c]! > capped[loudest]!) loudest = c;
  }
  if (loudest < 0) throw new RangeError('combination: no channel is enabled');
  const f = 1 + CORRELATION * (enabled - 1);
  const score = Math.max(sigmas(enabled / f, sum / f), sigmasAlone(Math.log(enabled) - alone));
  return { score, loudest: CHANNELS[loudest]! };
}

/** Whether x of a channel is −ln of a probability; else it is a length. */
export function isSurprise(channel: Channel): boolean {
  return channel !== 'distance' && channel !== 'dmd';
}

/** Nats that a channel alone must bring beyond its probability, with `h` values to compare with. */
function doubt(h: number): number {
  return DOUBT * Math.max(1, SETTLED / Math.max(1, h));
}

/** @param logProbability - ln p₁, may be above 0 */
function sigmasAlone(logProbability: number): number {
  return logProbability < -Math.LN2 ? Math.min(MOST_ALONE, normalUpperQuantile(logProbability)) : LOWEST;
}

/** −Φ⁻¹(Q(a, x)); by the lower tail where the upper one is above ½, which keeps its digits. */
function sigmas(a: number, x: number): number {
  if (x === 0) return LOWEST;
  const upper = logUpperGamma(a, x);
  const z = upper <= -Math.LN2 ? normalUpperQuantile(upper) : -normalUpperQuantile(logLowerGamma(a, x));
  // + 0: exactly the median must not print as -0.
  return Math.min(HIGHEST, Math.max(LOWEST, z)) + 0;
}
