/** Windows that score above this, the default warning threshold, are not learnt … */
const EXCLUDE_ABOVE = 2;
/** … but a run of them is, beyond so many: a changed normal is learnt within a quarter of an hour. */
const LONGEST_RUN = 12;

/**
 * Which windows teach the channels what is normal:
 *
 *     score  . . . ! ! ! . . . . ! ! ! ! ! ! ! ! ! ! ! ! ! ! ! . .      ! = above 2
 *     learnt y y y n n n y y y y n n n n n n n n n n n n y y y y y
 *                               └────────  12  ────────┘ from here on the new level is learnt
 *
 * What was left out counts as normal all the same once it is old ({@link History.accepted}). Windows with records missing (`incomplete`) are not offered.
 */
export class Acceptance {
  /** Newest offered windows above the threshold, one after another. */
  #run: number;

  /** @param run - what {@link save} gave; @throws RangeError if it cannot have come from there */
  constructor(run = 0) {
    if (!Number.isInteger(run) || run < 0 || run > LONGEST_RUN) {
      throw new RangeError(`stored acceptance must be a run of 0 to ${LONGEST_RUN} windows`);
    }
    this.#run = run;
  }

  /** @param score - null while warming: accepted */
  offer(score: number | null): boolean {
    if (score === null || score <= EXCLUDE_ABOVE) {
      this.#run = 0;
      return true;
    }
    if (this.#run === LONGEST_RUN) return true;
    this.#run++;
    return false;
  }

  save(): number {
    return this.#run;
  }
}
