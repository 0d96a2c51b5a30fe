/**
 * What a source does every night is no incident. The channels remember two hours; this remembers when loud times began, for a week:
 *
 *     Mon 02:31 !   Tue 02:33 !   Wed 02:30 -   Thu 02:31 -        ! = told   - = expected
 *
 * A loud time that would begin an episode within ten minutes of the time of day at which others began on two of the last seven days is expected: nothing begins
 * for half an hour. Scores and verdicts are as they are.
 */
const DAY_MS = 86_400_000;
const REMEMBERED_DAYS = 7;
const APART_MS = 10 * 60_000;
const DAYS_THAT_MAKE_A_SCHEDULE = 2;
/** A loud time that goes on for longer was not what came before: level changes are learnt within a quarter of an hour. */
export const EXPECTED_MS = 30 * 60_000;
/** Begins that are remembered of a source, at most. */
const MOST_BEGINS = 32;

/** @param beginsMs - when earlier loud times began */
export function isScheduled(beginsMs: readonly number[], nowMs: number): boolean {
  const days = new Set<number>();
  for (const beginMs of beginsMs) {
    const day = Math.round((nowMs - beginMs) / DAY_MS);
    if (day >= 1 && day <= REMEMBERED_DAYS && Math.abs(nowMs - beginMs - day * DAY_MS) <= APART_MS) days.add(day);
  }
  return days.size >= DAYS_THAT_MAKE_A_SCHEDULE;
}

/** With one more, and without those that can no longer matter. */
export function withBegin(beginsMs: readonly number[], nowMs: number): number[] {
  return [...recentBegins(beginsMs, nowMs), nowMs].slice(-MOST_BEGINS);
}

export function recentBegins(beginsMs: readonly number[], nowMs: number): number[] {
  return beginsMs.filter((beginMs) => nowMs - beginMs <= REMEMBERED_DAYS * DAY_MS + APART_MS);
}
