import { logUpperGamma } from '../special/gamma.ts';

/**
 * `rate`: some known template comes far more or far less often than usual, or many do a little. Catches surges, scans, brute force.
 *
 *     b_i = max(0, max(up_i, lo_i) − ln 2)      the better of two tails, paid for with ln 2
 *     x = max(0, max b − ln F, −ln Q(F, Σ b))      F = templates looked at, Q = upper incomplete gamma
 *
 * Both are −ln of a probability: that one of F templates is so rare, and that all of them together are, which none shows alone. Tippett, "The methods of
 * statistics" (1931); Fisher, "Statistical methods for research workers" (1932). Why not their sum: docs/decisions/0048. up and lo: `nb-surprise.ts`.
 *
 * Worked example: F = 4, up = 11.87 for one template, the others as usual (at most ln 2): b = 11.18; 11.18 − 1.39 = 9.79, −ln Q(4, 11.18) = 5.45: x = 9.79.
 *
 * @param up - nats by slot, 0 where it does not count
 * @param slots - how many of them
 * @param present - F, at least 1
 * @param upOnly - the window lost records (`incomplete`): fewer means nothing
 * @param parts - b by slot out of this call: what each template adds, for attribution
 */
export function rateSurprise(
  { up, lo, slots, present }: { up: Float64Array; lo: Float64Array; slots: number; present: number },
  upOnly: boolean,
  parts: Float64Array,
): number {
  let loudest = 0;
  let sum = 0;
  for (let slot = 0; slot < slots; slot++) {
    const b = Math.max(0, (upOnly ? up[slot]! : Math.max(up[slot]!, lo[slot]!)) - Math.LN2);
    parts[slot] = b;
    if (b > loudest) loudest = b;
    sum += b;
  }
  return Math.max(0, loudest - Math.log(present), -logUpperGamma(present, sum));
}
