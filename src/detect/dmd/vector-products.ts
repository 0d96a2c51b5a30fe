import { unlimited, type Work } from '../work.ts';
import type { VectorTable } from './snapshot.ts';

/**
 * C_ab = ⟨v_a, v_b⟩ of the template vectors of one source, so that inner products of snapshots need no vector of 768 numbers:
 *
 *     x = Σ_b w_b v_b        ⟨v_a, x⟩ = Σ_b C_ab w_b
 *
 * A vector that changes (a template generalised, its vector came late) has its row and column formed again, nothing else. No difference is ever added to
 * an old entry: each is, to the bit, a function of its two vectors, so rounding cannot pile up, and a restored source has the numbers of one that never
 * stopped.
 *
 * All of them at 256 templates are 25 million multiplications, 20 ms: {@link VectorProducts.update} can be done in pieces.
 *
 * Lower triangle packed row by row, C_ab at a (a + 1) / 2 + b for b ≤ a: it stays in place when rows are added.
 */
export class VectorProducts {
  #packed = new Float64Array(0);
  /** What the products are of, by column; products with null are 0. Undefined: still to be formed. */
  readonly #vectors: (Float32Array | null | undefined)[] = [];

  get bytes(): number {
    return this.#packed.byteLength;
  }

  /** Makes these the vectors. One that is the same array as before costs a comparison. @returns false when `work` has ended before it was done */
  update(vectors: VectorTable, work: Work = unlimited()): boolean {
    let changed: number[] | null = null;
    for (let a = 0; a < Math.max(vectors.length, this.#vectors.length); a++) {
      if (a < this.#vectors.length && (vectors[a] ?? null) === this.#vectors[a]) continue;
      this.#vectors[a] = undefined;
      (changed ??= []).push(a);
    }
    if (changed === null) return true;
    this.#grow(this.#vectors.length);
    for (let k = 0; k < changed.length; k += 4) {
      if (work.left <= 0) return false;
      const columns = changed.slice(k, k + 4);
      for (const a of columns) this.#vectors[a] = vectors[a] ?? null;
      work.left -= this.#form(columns);
    }
    return true;
  }

  /** out[a] ← Σ_b C_ab weights[b] for a and b < columns, which must not be more than the vectors there are. */
  multiply(weights: Float64Array, columns: number, out: Float64Array): void {
    const packed = this.#packed;
    let row = 0;
    for (let a = 0; a < columns; a++) {
      const weight = weights[a]!;
      let sum = 0;
      for (let b = 0; b < a; b++) {
        const product = packed[row + b]!;
        sum += product * weights[b]!;
        out[b] = out[b]! + product * weight;
      }
      out[a] = sum + packed[row + a]! * weight;
      row += a + 1;
    }
  }

  #grow(rows: number): void {
    const room = Math.ceil(rows / 8) * 8;
    const length = (room * (room + 1)) / 2;
    if (length <= this.#packed.length) return;
    const grown = new Float64Array(length);
    grown.set(this.#packed);
    this.#packed = grown;
  }

  /** The products of up to four columns with all that are formed; the others will be formed with them. @returns multiplications */
  #form(columns: readonly number[]): number {
    const vectors = this.#vectors;
    const dimensions = Math.max(0, ...columns.map((a) => vectors[a]?.length ?? 0));
    const four = new Float64Array(4 * dimensions);
    for (const [k, a] of columns.entries()) interleave(vectors[a]!, k, four);
    const products = new Float64Array(4);
    let work = 0;
    for (let b = 0; b < vectors.length; b++) {
      const vector = vectors[b];
      if (vector === undefined) continue;
      products.fill(0);
      if (vector !== null && dimensions > 0) fourProducts(vector, four, products);
      for (let k = 0; k < columns.length; k++) this.#packed[packedIndex(columns[k]!, b)] = products[k]!;
      work += four.length;
    }
    return work;
  }
}

function interleave(vector: Float32Array | null, k: number, four: Float64Array): void {
  if (vector === null) return;
  for (let d = 0; d < vector.length; d++) four[4 * d + k] = vector[d]!;
}

/**
 * out[k] ← ⟨vector, fourₖ⟩ in float64; four vectors lie number beside number. One at a time takes 2.2 times as long: every sum waits for its last
 * addition, and `vector` is widened four times.
 */
function fourProducts(vector: Float32Array, four: Float64Array, out: Float64Array): void {
  const dimensions = vector.length;
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  for (let d = 0; d < dimensions; d++) {
    const value = vector[d]!;
    sum0 += value * four[4 * d]!;
    sum1 += value * four[4 * d + 1]!;
    sum2 += value * four[4 * d + 2]!;
    sum3 += value * four[4 * d + 3]!;
  }
  out[0] = sum0;
  out[1] = sum1;
  out[2] = sum2;
  out[3] = sum3;
}

function packedIndex(a: number, b: number): number {
  return a > b ? (a * (a + 1)) / 2 + b : (b * (b + 1)) / 2 + a;
}
