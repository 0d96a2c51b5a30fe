/**
 * A source that keeps warning must warn louder (config: `alert_budget`, warnings per source and day).
 *
 *     excess = warnings of the last 24 h − budget          0 or less: nothing is raised
 *     raise  = (critical − warning) (1 − 2^−excess)        sigmas, added to the warning threshold
 *
 *     budget 1, thresholds 2 and 3      1st and 2nd warning of a day: 2     3rd: 2.5     4th: 2.75     5th: 2.875     … never beyond 3
 *
 * Each warning beyond the budget halves the way to the critical threshold; a day of calm gives everything back. A warning here is an episode that never
 * became critical. Critical alerts neither count nor are they held back: on the recordings a rule that did both lost a real fault in ten. Scores are
 * not touched; the raise is in the message, in `logdrift.threshold`, in the API and on the page.
 */
export interface AlertBudgetOptions {
  warningThreshold: number;
  criticalThreshold: number;
  /** Warnings a source may give in 24 h before its bar rises. */
  alertBudget: number;
}

const DAY_MS = 86_400_000;
/** 2^−16 of a level is beyond any score's meaning: older warnings need not be kept. */
const MOST_EXCESS = 16;

/** Sigmas added to the warning threshold for an episode that would begin at `nowMs`. @param warningsMs - when earlier ones began */
export function barRaise(warningsMs: readonly number[], nowMs: number, options: AlertBudgetOptions): number {
  const excess = recentWarnings(warningsMs, nowMs).length - options.alertBudget;
  if (excess <= 0) return 0;
  return Math.max(0, options.criticalThreshold - options.warningThreshold) * (1 - 2 ** -Math.min(excess, MOST_EXCESS));
}

/** Those within 24 h before `nowMs`. */
export function recentWarnings(warningsMs: readonly number[], nowMs: number): number[] {
  return warningsMs.filter((startMs) => nowMs - startMs < DAY_MS);
}

/** With one more, and without those that can no longer matter. */
export function withWarning(
  warningsMs: readonly number[],
  nowMs: number,
  { alertBudget }: AlertBudgetOptions,
): number[] {
  return [...recentWarnings(warningsMs, nowMs), nowMs].slice(-(alertBudget + MOST_EXCESS));
}
