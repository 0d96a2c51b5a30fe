/**
 * From counts to snapshots: x = Σᵢ aᵢ vᵢ over the templates of a window.
 *
 * | kind       | aᵢ                               | sees                                                         |
 * |------------|----------------------------------|--------------------------------------------------------------|
 * | `log_sum`  | ln(1 + countᵢ)                   | mix and volume; the default                                  |
 * | `log_mean` | ln(1 + countᵢ) / Σ ln(1 + countⱼ) | mix only                                                     |
 * | `mean`     | 1 / distinct templates           | which templates occur; misses bursts and mix shifts entirely |
 */
export type SnapshotKind = 'log_sum' | 'log_mean' | 'mean';

/** A window's counts: `counts[start + k]` records of the template in column `columns[k]`, k < length. Counts of 0 are no occurrence. */
export interface SparseCounts {
  readonly length: number;
  readonly columns: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  readonly start: number;
}

/** Vectors by column; null or absent = the template has no vector (yet) and adds nothing. All of the same dimension, finite. */
export type VectorTable = readonly (Float32Array | null | undefined)[];

/**
 * out[column] += factor · aᵢ for the templates of one window.
 *
 * With factor 1 on a zeroed `out` these are the actual weights; over the windows of a model with its weights w, the expected ones.
 */
export function addWeights(kind: SnapshotKind, window: SparseCounts, factor: number, out: Float64Array): void {
  const { length, columns, counts, start } = window;
  const unit = factor * unitWeight(kind, window);
  for (let k = 0; k < length; k++) {
    const count = counts[start + k]!;
    if (count > 0) out[columns[k]!]! += unit * (kind === 'mean' ? 1 : logCount(count));
  }
}

/** Σᵢ aᵢ values[column]: with values[column] = ⟨v, x⟩ this is ⟨the window's snapshot, x⟩, one entry of a Gram row. */
export function weightedSum(kind: SnapshotKind, window: SparseCounts, values: Float64Array): number {
  const { length, columns, counts, start } = window;
  let sum = 0;
  for (let k = 0; k < length; k++) {
    const count = counts[start + k]!;
    if (count > 0) sum += values[columns[k]!]! * (kind === 'mean' ? 1 : logCount(count));
  }
  return sum * unitWeight(kind, window);
}

/** ln(1 + n) of the counts that nearly all are: a score needs about 5,000 of them, a tenth of its time without the table. */
const LOGS = Float64Array.from({ length: 1024 }, (_, n) => Math.log1p(n));

function logCount(count: number): number {
  return count < LOGS.length ? (LOGS[count] ?? Math.log1p(count)) : Math.log1p(count);
}

/** What every weight of the window is multiplied with: 1, 1 / Σ ln(1 + count) or 1 / distinct templates; 0 for an empty window. */
function unitWeight(kind: SnapshotKind, { length, counts, start }: SparseCounts): number {
  if (kind === 'log_sum') return 1;
  let total = 0;
  for (let k = 0; k < length; k++) {
    const count = counts[start + k]!;
    if (count > 0) total += kind === 'mean' ? 1 : logCount(count);
  }
  return total > 0 ? 1 / total : 0;
}

/** out ← Σᵢ weights[i] · vectors[i], i < columns. `out` has the vectors' dimension. */
export function combine(weights: Float64Array, vectors: VectorTable, columns: number, out: Float64Array): void {
  // Lengths are read once: V8 reads a typed array's anew in every turn, which costs a third here and in `dot`.
  const dimensions = out.length;
  out.fill(0);
  let i = 0;
  while (i < columns) {
    const [v0, v1, v2, v3] = [vectors[i], vectors[i + 1], vectors[i + 2], vectors[i + 3]];
    if (i + 4 <= columns && v0 && v1 && v2 && v3) {
      // Four vectors a pass: `out` is loaded and stored a quarter as often. The order of the additions stays.
      const [w0, w1, w2, w3] = [weights[i]!, weights[i + 1]!, weights[i + 2]!, weights[i + 3]!];
      for (let d = 0; d < dimensions; d++) out[d] = out[d]! + w0 * v0[d]! + w1 * v1[d]! + w2 * v2[d]! + w3 * v3[d]!;
      i += 4;
      continue;
    }
    const weight = weights[i]!;
    if (weight !== 0 && v0) for (let d = 0; d < dimensions; d++) out[d] = out[d]! + weight * v0[d]!;
    i++;
  }
}

/** ⟨x, vector⟩ in float64. */
export function dot(x: Float64Array, vector: Float32Array): number {
  const dimensions = x.length;
  let sum = 0;
  for (let d = 0; d < dimensions; d++) sum += x[d]! * vector[d]!;
  return sum;
}
