import type { History } from '../history.ts';
import { createCountModel, fitCount, lowerSurprise, upperSurprise } from './nb-surprise.ts';

/**
 * What the counts of one window say about each of its templates, for the channels `rate`, `silence`, `distance` and the floor of `dmd`.
 *
 * Means and variances are computed anew from the stored counts at every window, not carried along: 100 templates x 120 windows cost 35 µs, templates
 * merge and leave with their columns, windows are left out after the fact, and sums that are only ever recomputed from what is stored, oldest first,
 * give the same bits after a restart without being stored themselves.
 *
 * One for all sources of a shard; everything is valid until the next {@link load}.
 */
export class TemplateCounts {
  /** Templates there is room for; grows with {@link load}. */
  slots = 0;
  /** Accepted windows: |A|. */
  n = 0;
  /** F: templates ever accepted that are in A or in this window, at least 1. */
  present = 1;
  /** By slot, over A; variance with n − 1. */
  mean = new Float64Array(0);
  variance = new Float64Array(0);
  /** Nats by slot; 0 for templates never accepted, which are the novelty channel's. */
  up = new Float64Array(0);
  lo = new Float64Array(0);
  /** By slot: count in the window being judged. */
  now: Uint32Array = new Uint32Array(0);
  readonly #model = createCountModel();
  /** Where the counts of the windows of A begin; emptied and filled by {@link load}. */
  readonly #starts: number[] = [];

  /**
   * @param i - window being judged; its counts are in the history
   * @param from - first of the windows before it that count as its past (i − dmd_windows, at least 0)
   * @param slots - columns in use (`TemplateTable.bySlot.length`)
   * @param known - by slot: 1 where the template has ever been in an accepted window
   */
  load(history: History, i: number, from: number, slots: number, known: ArrayLike<number>): void {
    this.#grow(slots);
    this.slots = slots;
    this.now = history.counts(i);
    this.#moments(history, i, from);
    let present = 0;
    for (let slot = 0; slot < slots; slot++) {
      this.up[slot] = 0;
      this.lo[slot] = 0;
      const mean = this.mean[slot]!;
      const count = this.now[slot]!;
      if (known[slot] !== 1 || (mean === 0 && count === 0)) continue;
      present++;
      fitCount(this.#model, this.n, mean, this.variance[slot]!);
      this.up[slot] = upperSurprise(this.#model, count);
      // At or above the mean it is at most ln 2, which moves no channel.
      if (count < this.#model.mu) this.lo[slot] = lowerSurprise(this.#model, count);
    }
    this.present = Math.max(1, present);
  }

  /** Two passes: the textbook's one-pass variance cancels for large steady counts. */
  #moments(history: History, i: number, from: number): void {
    const { mean, variance, slots } = this;
    mean.fill(0, 0, slots);
    variance.fill(0, 0, slots);
    const counts = history.allCounts;
    const starts = this.#starts;
    starts.length = 0;
    for (let j = from; j < i; j++) if (history.accepted(j)) starts.push(history.countsStart(j));
    const n = starts.length;
    for (const start of starts) {
      for (let slot = 0; slot < slots; slot++) mean[slot] = mean[slot]! + counts[start + slot]!;
    }
    this.n = n;
    if (n === 0) return;
    for (let slot = 0; slot < slots; slot++) mean[slot] = mean[slot]! / n;
    if (n === 1) return;
    for (const start of starts) {
      for (let slot = 0; slot < slots; slot++) {
        const deviation = counts[start + slot]! - mean[slot]!;
        variance[slot] = variance[slot]! + deviation * deviation;
      }
    }
    for (let slot = 0; slot < slots; slot++) variance[slot] = variance[slot]! / (n - 1);
  }

  #grow(slots: number): void {
    if (slots <= this.mean.length) return;
    const room = Math.max(32, 2 * slots);
    this.mean = new Float64Array(room);
    this.variance = new Float64Array(room);
    this.up = new Float64Array(room);
    this.lo = new Float64Array(room);
  }
}
