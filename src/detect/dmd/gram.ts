/**
 * Inner products of a source's kept snapshots, oldest first, without the snapshots themselves.
 *
 * Ring over both axes of a symmetric matrix, lower triangle packed row by row, here with capacity 4 after six pushes
 * (s2 is the oldest kept snapshot, s5 the newest; s4 and s5 overwrote the slots of s0 and s1):
 *
 *     slot   0    1    2    3              packed: | 00 | 10 11 | 20 21 22 | 30 31 32 33 |
 *            s4   s5   s2   s3                       row of slot 2 = products of s2 with slots 0, 1, 2
 *                      ^ oldest = 2
 *     logical index i lives in slot (oldest + i) mod 4:  0 -> 2, 1 -> 3, 2 -> 0, 3 -> 1
 *
 * A push writes one row and one column of the square, that is `size` numbers; nothing is ever moved.
 */
export class GramRing {
  readonly capacity: number;
  readonly #packed: Float64Array;
  #oldest = 0;
  #size = 0;

  /** @param capacity - snapshots kept at once: the windows a model may use, plus the one being scored */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`GramRing capacity must be a positive integer, got ${capacity}`);
    }
    this.capacity = capacity;
    this.#packed = new Float64Array((capacity * (capacity + 1)) / 2);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#packed.byteLength;
  }

  /**
   * Appends a snapshot. A full ring drops its oldest one first, so `row` is always about the snapshots that stay.
   *
   * @param row - inner products of the new snapshot with those that stay, oldest first, then with itself:
   *   min(size + 1, capacity) numbers; anything behind them is ignored
   * @throws RangeError if the row is shorter
   */
  push(row: Float64Array): void {
    const size = Math.min(this.#size + 1, this.capacity);
    if (row.length < size) {
      throw new RangeError(`GramRing.push needs ${size} inner products, got ${row.length}`);
    }
    if (size === this.#size) this.removeOldest();
    this.#size = size;
    const newest = this.#slot(size - 1);
    for (let i = 0; i < size; i++) this.#packed[packedIndex(this.#slot(i), newest)] = row[i]!;
  }

  /** Replaces the products of the i-th snapshot with all `size` snapshots, oldest first. */
  setRow(i: number, row: Float64Array): void {
    const slot = this.#slot(i);
    for (let j = 0; j < this.#size; j++) this.#packed[packedIndex(this.#slot(j), slot)] = row[j]!;
  }

  removeOldest(): void {
    if (this.#size === 0) return;
    this.#oldest = this.#slot(1);
    this.#size--;
  }

  clear(): void {
    this.#oldest = 0;
    this.#size = 0;
  }

  /** Inner product of the logical i-th and j-th snapshot, oldest = 0. @throws RangeError outside 0..size-1 */
  at(i: number, j: number): number {
    if (!(i >= 0 && i < this.#size && j >= 0 && j < this.#size)) {
      throw new RangeError(`GramRing.at(${i}, ${j}) with ${this.#size} snapshots`);
    }
    return this.#packed[packedIndex(this.#slot(i), this.#slot(j))]!;
  }

  /** Writes the products of the i-th snapshot with all `size` snapshots, oldest first, to the front of `out`. */
  row(i: number, out: Float64Array): void {
    for (let j = 0; j < this.#size; j++) out[j] = this.at(i, j);
  }

  /**
   * Writes the products of snapshots from..from+n-1 as a full square.
   *
   * @param dense - row-major, n rows of `stride` numbers; only the first n of each are written
   * @throws RangeError if the ring does not hold these snapshots or `dense` is too small
   */
  copyTo(dense: Float64Array, stride: number, from: number, n: number): void {
    if (!(from >= 0 && n >= 0 && from + n <= this.#size && stride >= n && dense.length >= (n - 1) * stride + n)) {
      throw new RangeError(
        `GramRing.copyTo: snapshots ${from}..${from + n - 1} of ${this.#size}, stride ${stride}, room ${dense.length}`,
      );
    }
    const { capacity } = this;
    const packed = this.#packed;
    const first = this.#slot(from);
    for (let i = 0, slot = first; i < n; i++, slot = slot + 1 === capacity ? 0 : slot + 1) {
      for (let j = 0, other = first; j <= i; j++, other = other + 1 === capacity ? 0 : other + 1) {
        const product = packed[packedIndex(slot, other)]!;
        dense[i * stride + j] = product;
        dense[j * stride + i] = product;
      }
    }
  }

  /** Root mean square of the norms of snapshots from..from+n-1; 0 when n is 0. */
  rmsNorm(from: number, n: number): number {
    let sum = 0;
    for (let i = from; i < from + n; i++) sum += this.at(i, i) / n;
    return Math.sqrt(sum);
  }

  #slot(i: number): number {
    const slot = this.#oldest + i;
    return slot < this.capacity ? slot : slot - this.capacity;
  }
}

function packedIndex(a: number, b: number): number {
  return a > b ? (a * (a + 1)) / 2 + b : (b * (b + 1)) / 2 + a;
}
