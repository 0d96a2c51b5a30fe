/**
 * `rate`: some known template comes far more or far less often than usual, or many do a little. Catches surges, scans, brute force.
 *
 *     b_i = max(0, max(up_i, lo_i) − ln 2)      the better of two tails, paid for with ln 2
 *     x = max(0, max b − ln F) + Σ min(b_i, 14)/√F      F = templates looked at
 *
 * The first term pays ln F for having looked at F templates; the second adds up what none of them shows alone. 14 nats = one in a million: no single
 * template may fill the sum. Source: docs/decisions/0029; up and lo: `nb-surprise.ts`.
 *
 * Worked example: F = 4, up = 11.87 for one template, the others as usual (at most ln 2): b = 11.18, x = (11.18 − 1.39) + 11.18/2 = 15.38.
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
    sum += Math.min(b, MOST_IN_SUM);
  }
  return Math.max(0, loudest - Math.log(present)) + sum / Math.sqrt(present);
}

const MOST_IN_SUM = 14;
