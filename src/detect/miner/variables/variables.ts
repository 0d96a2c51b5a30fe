/**
 * The variables of a source's lines: numbers, which are summarised, and words at positions that have varied, which are counted (`enumerations.ts`).
 *
 * Which positions are looked at and what is counted there depends on the lines and their clusters alone, never on what the shape cache remembers: its
 * places follow from the process's hash seed, and two replicas must agree.
 */
import { CLASS, WORD_MAX } from '../tokens/bytes.ts';
import type { Cluster, StoredCluster } from '../tree/cluster.ts';
import { Enumerations, MOST_POSITIONS, MOST_POSITIONS_OF_SOURCE } from './enumerations.ts';
import { MASK, SOFT, WILD } from '../tokens/kinds.ts';
import { MAX_SLOTS, readNumber } from './numbers.ts';
import { isSign } from '../tokens/rules.ts';
import type { Shape } from '../tokens/shape.ts';
import type { Tokens } from '../tokens/tokens.ts';

/** Number positions of a source that are summarised, over all its clusters: the first ones seen. */
export const MAX_POSITIONS = 128;
/** Numbers of a line that are looked at: some are ids or dates, which get no slot. */
const MOST_NUMBERS = 32;
// In `Found.places`, a number of a line: token, slot + 1 (4 bits), whether a sign stands before it, run (12 bits).
const TOKEN = 17;
const SLOT = 13;
const SLOT_MASK = 15;
const IS_SIGNED = 1 << 12;
const RUN = IS_SIGNED - 1;

/**
 * Where the variables of the lines of a shape stand. Reused, so that a line allocates nothing:
 *
 *     places   token slot sign run │ … │ position, value │ … │ rest of before
 *                                      └ numbers             └ end
 */
export interface Found {
  /** Tokens and runs of {@link Shape} that may be a number, slot −1 while the token has none; then values of `Enumerations.find`. */
  places: number[];
  numbers: number;
  end: number;
  /** Varying positions of the cluster that were looked at. */
  positions: number;
}

export class Variables<Pane> {
  /** Room of the source. Below 0 after a restart amid a pane in which a cluster left and its positions went to others: the store has both. */
  #numbersLeft = MAX_POSITIONS;
  #wordsLeft = MOST_POSITIONS_OF_SOURCE;
  readonly #countsWords: boolean;
  readonly #found: Found = {
    places: new Array<number>(MOST_NUMBERS + 2 * MOST_POSITIONS).fill(0),
    numbers: 0,
    end: 0,
    positions: 0,
  };

  /** @param countsWords false: nothing of what varies is kept, no line may leave a trace */
  constructor(countsWords: boolean) {
    this.#countsWords = countsWords;
  }

  /** Where the variables of the line just scanned stand, which belongs to `cluster`. Holds until the next call. */
  find(tokens: Tokens, cluster: Cluster<Pane>, bytes: Uint8Array): Found {
    const found = this.#found;
    found.numbers = found.end = findNumbers(tokens, cluster, bytes, found.places);
    found.positions = 0;
    if (cluster.given || cluster.wildcards === 0 || !this.#countsWords) return found;
    const enumerations = this.#look(cluster);
    found.positions = enumerations.positions;
    found.end = enumerations.find(tokens.list, bytes, found.places, found.numbers);
    return found;
  }

  /** What was found holds no longer: more positions are looked at, or there is room now for some that had to wait. */
  isOutdated(found: Found, { enumerations, wildcards }: Cluster<Pane>): boolean {
    if (enumerations === null) return false;
    return enumerations.positions !== found.positions || (this.#wordsLeft > 0 && enumerations.hasMore(wildcards));
  }

  /** Counts the variables of a line of this shape. */
  count(shape: Shape, cluster: Cluster<Pane>, bytes: Uint8Array, found: Found): void {
    const { places, numbers, end } = found;
    for (let i = 0; i < numbers; i++) {
      const place = places[i]!;
      const run = place & RUN;
      if (!readNumber(bytes, shape.runStart[run]!, shape.runEnd[run]!, (place & IS_SIGNED) !== 0)) continue;
      let slot = ((place >> SLOT) & SLOT_MASK) - 1;
      if (slot < 0) {
        slot = cluster.slotOf(place >> TOKEN);
        if (slot < 0) {
          if (this.#numbersLeft <= 0 || cluster.slots.length === MAX_SLOTS) continue;
          slot = cluster.openSlot(place >> TOKEN);
          this.#numbersLeft--;
        }
        places[i] = place | ((slot + 1) << SLOT);
      }
      cluster.addNumber(slot);
    }
    if (end > numbers) cluster.enumerations!.count(places, numbers, end);
  }

  /** Position `index` of a cluster is about to vary: all its lines so far held its word there. */
  generalise(cluster: Cluster<Pane>, index: number): void {
    const text = cluster.token(index);
    cluster.generalise(index);
    if (this.#countsWords) this.#look(cluster).addPast(index, text, cluster.count, cluster.paneCount);
  }

  /** The lines of `from`, which is leaving, count as lines of `into` from now on. */
  merge(from: Cluster<Pane>, into: Cluster<Pane>): void {
    this.forget(from);
    if (!this.#countsWords || into.wildcards === 0) return;
    const enumerations = this.#look(into);
    for (let token = 0; 3 * token < into.lanes.length; token++) {
      if (into.lanes[3 * token + 2] === WILD && from.lanes[3 * token + 2] !== WILD)
        enumerations.addPast(token, from.token(token), from.count, from.paneCount);
    }
    if (from.enumerations === null) return;
    enumerations.takeIn(from.enumerations);
    from.enumerations = null;
  }

  /** A cluster left: its positions are free for others. */
  forget(cluster: Cluster<Pane>): void {
    this.#wordsLeft += cluster.enumerations?.positions ?? 0;
    this.#numbersLeft += cluster.slots.length;
  }

  /** A stored cluster goes on where it stood. @throws RangeError when it is damaged */
  restore(cluster: Cluster<Pane>, { slots, positions, totals }: StoredCluster): void {
    cluster.restoreVariables(slots, positions.length > 0 ? Enumerations.restore(positions, totals) : null);
    this.#numbersLeft -= slots.length;
    this.#wordsLeft -= positions.length;
  }

  /** Looks at the varying positions of a cluster, as far as there is room. */
  #look(cluster: Cluster<Pane>): Enumerations {
    const enumerations = (cluster.enumerations ??= new Enumerations());
    if (this.#wordsLeft > 0 && enumerations.hasMore(cluster.wildcards)) {
      const before = enumerations.positions;
      enumerations.open(cluster.lanes, this.#wordsLeft);
      this.#wordsLeft -= enumerations.positions - before;
    }
    return enumerations;
  }
}

/**
 * Tokens that are one number each, or one with its unit, as far as the shape tells; whether there is a number in a line is seen line by line (`12` and `1f`
 * are of one shape, and so are `1.5` and `1:5`).
 *
 * @returns where they end
 */
function findNumbers<Pane>(
  { shape, list }: Tokens,
  cluster: Cluster<Pane>,
  bytes: Uint8Array,
  places: number[],
): number {
  let end = 0;
  let token = 0;
  for (let run = 0; run < shape.runCount && end < MOST_NUMBERS; run++) {
    const from = shape.runStart[run]!;
    const to = shape.runEnd[run]!;
    while (token < list.count && list.end[token]! < to) token++;
    if (token === list.count) break;
    if (list.kind[token] !== MASK && list.kind[token] !== SOFT) continue;
    const signed = list.start[token] === from - 1 && isSign(bytes[from - 1]!);
    const mark = 2 * list.firstMark[token]!;
    const isWhole =
      list.marks[mark] === list.start[token] && list.marks[mark + 1] === to && (list.start[token] === from || signed);
    if (!isWhole || groups(bytes, from, to) > 2) continue;
    const slot = cluster.slotOf(token);
    places[end++] = (token << TOKEN) | ((slot + 1) << SLOT) | (signed ? IS_SIGNED : 0) | run;
  }
  return end;
}

/** Of a run: `12` has one, `1.5` and `12:30` have two, dates and addresses more. */
function groups(bytes: Uint8Array, from: number, to: number): number {
  let count = 1;
  for (let i = from; i < to; i++) if (CLASS[bytes[i]!]! > WORD_MAX) count++;
  return count;
}
