const FIRST_PLACES = 4;

/**
 * Count, mean and squares by window and place: a ring of rows that grows to the side.
 *
 *              place 0          place 1      …
 *     row r0 │ k ȳ Σ(y−ȳ)²     k ȳ Σ
 *     row r1 │ 0 0 0           k ȳ Σ
 *
 * Float32: a tenth of an e-fold is never news, and 120 windows x 32 places are 45 KiB so.
 */
export class SlotCells {
  readonly capacity: number;
  /** Rows held. */
  size = 0;
  /** At {@link at}: count, mean, squares. Others once a place is opened. */
  values: Float32Array;
  #head = 0;
  #places = FIRST_PLACES;

  /** @param capacity - rows */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.values = new Float32Array(3 * capacity * FIRST_PLACES);
  }

  /** An empty row; the oldest leaves when full. */
  push(): void {
    if (this.size === this.capacity) {
      this.#head = (this.#head + 1) % this.capacity;
      this.size--;
    }
    const row = this.at(this.size++, 0);
    this.values.fill(0, row, row + 3 * this.#places);
  }

  /** Where the cell of the `i`-th oldest row begins. */
  at(i: number, place: number): number {
    const row = this.#head + i;
    return 3 * ((row < this.capacity ? row : row - this.capacity) * this.#places + place);
  }

  write(i: number, place: number, count: number, mean: number, squares: number): void {
    const at = this.at(i, place);
    this.values[at] = count;
    this.values[at + 1] = mean;
    this.values[at + 2] = squares;
  }

  /** A place is taken, by somebody new: it is empty in all rows. */
  openPlace(place: number): void {
    while (place >= this.#places) this.#grow();
    for (let row = 0; row < this.capacity; row++) {
      const at = 3 * (row * this.#places + place);
      this.values.fill(0, at, at + 3);
    }
  }

  /** Whether some row has values at the place. */
  isUsed(place: number): boolean {
    for (let i = 0; i < this.size; i++) if (this.values[this.at(i, place)]! > 0) return true;
    return false;
  }

  #grow(): void {
    const wide = 2 * this.#places;
    const grown = new Float32Array(3 * this.capacity * wide);
    for (let row = 0; row < this.capacity; row++) {
      grown.set(this.values.subarray(3 * row * this.#places, 3 * (row + 1) * this.#places), 3 * row * wide);
    }
    this.values = grown;
    this.#places = wide;
  }
}
