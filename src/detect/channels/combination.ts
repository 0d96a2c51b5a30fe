import { CHANNELS, isSurprise, type Channel } from './channels.ts';
import { lastingScore } from './lasting.ts';
import { CORRELATION, doubt, sigmasOfSum, sigmasOfTail } from './sigmas.ts';

/** Nats that a channel may add to the sum beyond the rarest rank it has seen, and that it may have when it speaks alone. */
const BEYOND_RANK = 4;
const ALONE_BEYOND_RANK = 5;
/** Nats that a channel alone must bring beyond its probability: the models are not exact that far out. */
const DOUBT = 2.5;
/** One channel alone in one window is a warning; critical takes two that agree, or one that lasts. */
const MOST_ALONE = 2.9;

/** What the channels say of a window; all by {@link CHANNELS}. */
export interface ChannelWords {
  /** s_c, finite and ≥ 0; 0 where a gate holds the channel back or it has no data. */
  nats: ArrayLike<number>;
  /** The same of earlier windows that share no pane with this one or each other, newest first. */
  earlier: readonly ArrayLike<number>[];
  /** h_c: values each channel is calibrated against. */
  sizes: ArrayLike<number>;
  /** w_c; 0 = not enabled. */
  weights: ArrayLike<number>;
}

/**
 * One score, in sigmas, from the nats of all channels.
 *
 *     s'_c = min(w_c s_c, ln(h_c + 2) + 4)        no channel brings more than its history can back
 *     f = 1 + .18 (C − 1)        C = enabled channels
 *     p = Q(C/f, Σ s'_c/f)      together: −Φ⁻¹(p), clipped to [−6, 8]
 *
 * A sum of seven hardly moves for one loud channel, so the loudest of those that give a probability (not the lengths `distance` and `dmd`) may also speak alone:
 *
 *     s₁ = max_c min(w_c s_c, ln(h_c + 2) + 5) − 2.5 max(1, 60/h_c)    p₁ = C e^{−s₁}    alone: −Φ⁻¹(p₁), at most 2.9
 *     score = the largest of the two and of what lasts (`lasting.ts`)
 *
 * Fisher, "Statistical methods for research workers" (1932): −ln p of a true null is exponential, C of them sum up to a gamma distribution of shape C;
 * the scaled form for dependent ones is Brown, "A method for combining non-independent, one-sided tests of significance" (1975); the smallest of C
 * probabilities, Tippett, "The methods of statistics" (1931). Constants: docs/decisions/0029, 0038 and 0048.
 *
 * Worked example: C = 6 (no `values`), h = 100, s = 2, 6.5, 9, .5, 1, .7: the third is cut to ln 102 + 4 = 8.625; f = 1.9, Σ = 19.325, p = Q(3.158, 10.171)
 * = .0030, together 2.74. Alone: s₁ = 9 − 2.5, as 9 is below ln 102 + 5; p₁ = 6 e^−6.5 = .0090, 2.37. Score 2.74.
 *
 * @param capped - s'_c by {@link CHANNELS}, out
 */
export function combineChannels(said: ChannelWords, capped: Float64Array): { score: number; loudest: Channel } {
  const { nats, sizes, weights } = said;
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
    if (isSurprise(CHANNELS[c]!)) {
      alone = Math.max(alone, Math.min(s, rarest + ALONE_BEYOND_RANK) - doubt(DOUBT, sizes[c]!));
    }
    sum += capped[c]!;
    if (loudest < 0 || capped[c]! > capped[loudest]!) loudest = c;
  }
  if (loudest < 0) throw new RangeError('combination: no channel is enabled');
  const f = 1 + CORRELATION * (enabled - 1);
  const now = Math.max(
    sigmasOfSum(enabled / f, sum / f),
    Math.min(MOST_ALONE, sigmasOfTail(Math.log(enabled) - alone)),
  );
  return { score: Math.max(now, lastingScore(said, enabled)), loudest: CHANNELS[loudest]! };
}
