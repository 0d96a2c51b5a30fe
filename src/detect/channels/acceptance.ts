/** Scores above this are not learnt from … */
const EXCLUDE_ABOVE = 3;
/** … but no more than this many of the last {@link TRAILING}: a changed normal is learnt within a quarter of an hour. */
const MAX_LEFT_OUT = 12;
const TRAILING = 120;

/**
 * Which windows teach the channels what is normal: all but those scoring above 3, at most 12 of the last 120 (design section 6, "Learning").
 *
 * Windows with records missing (`incomplete`) are not offered, only left unaccepted.
 */
export class Acceptance {
  /** Oldest first, one character a window: x = left out. A string, because it is what the store keeps. */
  #offered: string;

  /** @param offered - what {@link save} gave; @throws RangeError if it cannot have come from there */
  constructor(offered = '') {
    if (typeof offered !== 'string' || !/^[.x]*$/.test(offered)) {
      throw new RangeError('stored acceptance must be a string of . and x');
    }
    this.#offered = offered.slice(-TRAILING);
  }

  /** @param score - null while warming: accepted */
  offer(score: number | null): boolean {
    let leftOut = 0;
    for (const mark of this.#offered) if (mark === 'x') leftOut++;
    const accepted = score === null || score <= EXCLUDE_ABOVE || leftOut >= MAX_LEFT_OUT;
    this.#offered = (this.#offered + (accepted ? '.' : 'x')).slice(-TRAILING);
    return accepted;
  }

  save(): string {
    return this.#offered;
  }
}
