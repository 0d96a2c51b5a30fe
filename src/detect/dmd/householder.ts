/**
 * Householder reduction of a symmetric matrix to tridiagonal form, T = Qᵀ A Q, with Q kept as its reflectors.
 *
 * Golub & Van Loan, Matrix Computations (4th ed.), 8.3.1, run from the last row up (as EISPACK's tred1): the reflector of
 * row i is made from A[i, 0..i-1], which is contiguous here, and is kept in that very place:
 *
 *     a  .  .  .  .        a  .  .  .  .          diagonal     T[i][i]
 *     a  a  .  .  .        a  a  .  .  .          offDiagonal  T[i][i+1]
 *     a  a  a  .  .   ->   u₂ u₂ d₂ .  .          reflectors   Hᵢ = I − u uᵀ / h, h = uᵀu / 2
 *     a  a  a  a  .        u₃ u₃ u₃ d₃ .          Q = H₄ H₃ H₂
 *     a  a  a  a  a        u₄ u₄ u₄ u₄ d₄
 */

/** Reused memory of one symmetric eigenproblem of at most `maxOrder` rows. */
export interface EigenScratch {
  /** Row-major, stride = order of the problem at hand; only the lower triangle is read. Holds the reflectors afterwards. */
  readonly matrix: Float64Array;
  /** Diagonal of T, then the eigenvalues. */
  readonly diagonal: Float64Array;
  /** offDiagonal[i] = T[i][i+1]. */
  readonly offDiagonal: Float64Array;
  /** h of every reflector, 0 where there is none. */
  readonly halfNorms: Float64Array;
  /** The vector taken along: b, Qᵀb, Zᵀ Qᵀ b and back. */
  readonly vector: Float64Array;
  readonly product: Float64Array;
  /** Rotations of the QL sweeps in the order they were made; `planes[k]` = i for a rotation of (i, i+1). */
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
  readonly planes: Uint16Array;
}

/**
 * QL with Wilkinson's shift makes 0.4 n² rotations on Hankel Gram matrices of order 115, at most 1.2 n² on random matrices of that order and 1.6 n² on
 * small ones (measured over 30,000). What happens beyond the room is in `ql.ts`.
 */
const ROTATIONS_PER_SQUARE = 2;

export function createEigenScratch(maxOrder: number): EigenScratch {
  const rotations = ROTATIONS_PER_SQUARE * maxOrder * maxOrder;
  return {
    matrix: new Float64Array(maxOrder * maxOrder),
    diagonal: new Float64Array(maxOrder),
    offDiagonal: new Float64Array(maxOrder),
    halfNorms: new Float64Array(maxOrder),
    vector: new Float64Array(maxOrder),
    product: new Float64Array(maxOrder),
    cosines: new Float64Array(rotations),
    sines: new Float64Array(rotations),
    planes: new Uint16Array(rotations),
  };
}

/** Below this a squared length is lost in the rounding of a matrix whose largest entry is about 1. */
const NEGLIGIBLE = 1e-200;

/** Reduces the leading order x order matrix (entries of magnitude ~1 or less) and turns `vector` into Qᵀ·vector. */
export function tridiagonalize(scratch: EigenScratch, order: number): void {
  const { matrix: a, diagonal, offDiagonal, halfNorms, product: p } = scratch;
  halfNorms.fill(0, 0, order);
  for (let i = order - 1; i > 0; i--) {
    const row = i * order;
    const last = row + i - 1;
    diagonal[i] = a[row + i]!;
    let rest = 0;
    for (let j = row; j < last; j++) rest += a[j]! * a[j]!;
    const x = a[last]!;
    if (rest < NEGLIGIBLE) {
      offDiagonal[i - 1] = x;
      continue;
    }
    // H x = (0, …, 0, g); the sign of g avoids cancellation in u = x − g e.
    const g = x > 0 ? -Math.sqrt(rest + x * x) : Math.sqrt(rest + x * x);
    const h = rest + x * x - x * g;
    offDiagonal[i - 1] = g;
    halfNorms[i] = h;
    a[last] = x - g;

    multiply(a, order, i, p);
    // q = p − (uᵀp / 2h) u;   A ← A − u qᵀ − q uᵀ
    let up = 0;
    for (let j = 0; j < i; j++) {
      p[j] = p[j]! / h;
      up += a[row + j]! * p[j]!;
    }
    const half = up / (2 * h);
    for (let j = 0; j < i; j++) p[j] = p[j]! - half * a[row + j]!;
    subtractRankTwo(a, order, i, p);
    reflect(scratch, order, i);
  }
  diagonal[0] = a[0]!;
  offDiagonal[order - 1] = 0;
}

/**
 * p ← A u over the leading i x i block, u in row i, from the lower triangle only: an entry is loaded once and used for both its places.
 *
 * Here and in {@link subtractRankTwo} four rows share one pass over u and p. These two loops were nine tenths of scoring; four rows at a time made
 * them 2.4 times as fast (order 115). The corners that are left over go entry by entry.
 */
function multiply(a: Float64Array, order: number, i: number, p: Float64Array): void {
  const u = i * order;
  let j = 0;
  for (; j + 3 < i; j += 4) {
    const row0 = j * order;
    const row1 = row0 + order;
    const row2 = row1 + order;
    const row3 = row2 + order;
    const u0 = a[u + j]!;
    const u1 = a[u + j + 1]!;
    const u2 = a[u + j + 2]!;
    const u3 = a[u + j + 3]!;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let k = 0; k < j; k++) {
      const a0 = a[row0 + k]!;
      const a1 = a[row1 + k]!;
      const a2 = a[row2 + k]!;
      const a3 = a[row3 + k]!;
      const uk = a[u + k]!;
      sum0 += a0 * uk;
      sum1 += a1 * uk;
      sum2 += a2 * uk;
      sum3 += a3 * uk;
      p[k] = p[k]! + (a0 * u0 + a1 * u1 + (a2 * u2 + a3 * u3));
    }
    p[j] = sum0;
    p[j + 1] = sum1;
    p[j + 2] = sum2;
    p[j + 3] = sum3;
    for (let row = j; row < j + 4; row++) multiplyRow(row, j);
  }
  for (; j < i; j++) {
    p[j] = 0;
    multiplyRow(j, 0);
  }

  function multiplyRow(row: number, from: number): void {
    const uj = a[u + row]!;
    let sum = p[row]!;
    for (let k = from; k < row; k++) {
      const ajk = a[row * order + k]!;
      sum += ajk * a[u + k]!;
      p[k] = p[k]! + ajk * uj;
    }
    p[row] = sum + a[row * order + row]! * uj;
  }
}

/** A ← A − u qᵀ − q uᵀ over the leading i x i block, lower triangle, u in row i. */
function subtractRankTwo(a: Float64Array, order: number, i: number, q: Float64Array): void {
  const u = i * order;
  let j = 0;
  for (; j + 3 < i; j += 4) {
    const row0 = j * order;
    const row1 = row0 + order;
    const row2 = row1 + order;
    const row3 = row2 + order;
    const u0 = a[u + j]!;
    const u1 = a[u + j + 1]!;
    const u2 = a[u + j + 2]!;
    const u3 = a[u + j + 3]!;
    const q0 = q[j]!;
    const q1 = q[j + 1]!;
    const q2 = q[j + 2]!;
    const q3 = q[j + 3]!;
    for (let k = 0; k <= j; k++) {
      const uk = a[u + k]!;
      const qk = q[k]!;
      a[row0 + k] = a[row0 + k]! - (u0 * qk + q0 * uk);
      a[row1 + k] = a[row1 + k]! - (u1 * qk + q1 * uk);
      a[row2 + k] = a[row2 + k]! - (u2 * qk + q2 * uk);
      a[row3 + k] = a[row3 + k]! - (u3 * qk + q3 * uk);
    }
    for (let row = j + 1; row < j + 4; row++) subtractRow(row, j + 1);
  }
  for (; j < i; j++) subtractRow(j, 0);

  function subtractRow(row: number, from: number): void {
    for (let k = from; k <= row; k++) {
      a[row * order + k] = a[row * order + k]! - (a[u + row]! * q[k]! + q[row]! * a[u + k]!);
    }
  }
}

/** vector ← Q · vector */
export function applyReflectors(scratch: EigenScratch, order: number): void {
  for (let i = 2; i < order; i++) if (scratch.halfNorms[i]! > 0) reflect(scratch, order, i);
}

/** vector ← Hᵢ · vector */
function reflect({ matrix, halfNorms, vector }: EigenScratch, order: number, i: number): void {
  const row = i * order;
  let dot = 0;
  for (let j = 0; j < i; j++) dot += matrix[row + j]! * vector[j]!;
  dot /= halfNorms[i]!;
  for (let j = 0; j < i; j++) vector[j] = vector[j]! - dot * matrix[row + j]!;
}
