import { logUpperGamma } from '../special/gamma.ts';
import { CHANNELS, isSurprise } from './channels.ts';
import type { ChannelWords } from './combination.ts';
import { CORRELATION, doubt, sigmasOfSum, sigmasOfTail } from './sigmas.ts';

/** Windows that share no pane, the newest among them. */
export const LASTING_WINDOWS = 3;
/** What is over does not count: an earlier window brings at most so many nats more than this one. */
const MORE_THAN_NOW = 2;
/** Nats beyond the rarest rank that a channel may add in one window, to the sum of all and when it speaks alone. */
const BEYOND_RANK = 1;
const ALONE_BEYOND_RANK = 3;
const DOUBT = 3.5;

/**
 * Chance is loud once, a fault lasts. The nats of the newest n = 2 or 3 windows that share no pane (t, t − window, …), each earlier one at most 2 above now:
 *
 *     S = Σ_k Σ_c min(s_c,k, ln(h_c + 2) + 1)       f = 1 + .18 (nC − 1)       together: −Φ⁻¹(Q(nC/f, S/f))
 *     A = max_c Σ_k min(s_c,k, ln(h_c + 2) + 3) − 3.5 max(1, 60/h_c)            alone:    −Φ⁻¹(3 C Q(n, A))
 *
 * The sum of n exponentials is a gamma variable of shape n; 3 for having looked at one window, two and three. What one channel says in several windows may
 * be critical, in one it may not. Which windows, limits and constants: docs/decisions/0038 and 0048.
 *
 * Worked example: C = 7, h = 120, `severity` says 7 now, 6 before and 5 before that, nothing else anything: n = 3: A = 18 − 3.5, Q(3, 14.5) = 6.1e-5, 21 of it 1.3e-3:
 * 3.02 sigma, where the 7 by itself is 1.42.
 *
 * @param enabled - C
 */
export function lastingScore({ nats, earlier, sizes, weights }: ChannelWords, enabled: number): number {
  let score = -Infinity;
  let all = 0;
  single.fill(0);
  for (let k = 0; k <= Math.min(earlier.length, LASTING_WINDOWS - 1); k++) {
    for (let c = 0; c < CHANNELS.length; c++) {
      if (!(weights[c]! > 0)) continue;
      const rarest = Math.log(sizes[c]! + 2);
      const s = weights[c]! * (k === 0 ? nats[c]! : Math.min(earlier[k - 1]![c]!, nats[c]! + MORE_THAN_NOW));
      all += Math.min(s, rarest + BEYOND_RANK);
      single[c]! += Math.min(s, rarest + ALONE_BEYOND_RANK);
    }
    if (k === 0) continue;
    const n = k + 1;
    const f = 1 + CORRELATION * (n * enabled - 1);
    score = Math.max(score, sigmasOfSum((n * enabled) / f, all / f));
    const alone = loudest(sizes);
    // Below n the tail is no tail.
    if (alone > n) {
      score = Math.max(score, sigmasOfTail(Math.log(LASTING_WINDOWS * enabled) + logUpperGamma(n, alone)));
    }
  }
  return score;
}

/** A: the most that one channel brings beyond its doubt. */
function loudest(sizes: ArrayLike<number>): number {
  let most = 0;
  for (let c = 0; c < CHANNELS.length; c++) {
    if (isSurprise(CHANNELS[c]!)) most = Math.max(most, single[c]! - doubt(DOUBT, sizes[c]!));
  }
  return most;
}

/** Scratch; {@link lastingScore} is synchronous. */
const single = new Float64Array(CHANNELS.length);
