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
  /** p and q of the reduction. */
  readonly product: Float64Array;
  readonly change: Float64Array;
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
    change: new Float64Array(maxOrder),
    cosines: new Float64Array(rotations),
    sines: new Float64Array(rotations),
    planes: new Uint16Array(rotations),
  };
}

/** Largest order whose square fits the masks of {@link changeAndMultiply}. */
export const MAX_ORDER = 0xfff;

/** Below this a squared length is lost in the rounding of a matrix whose largest entry is about 1. */
const NEGLIGIBLE = 1e-200;

/**
 * Reduces the leading order x order matrix (entries of magnitude ~1 or less) and turns `vector` into Qᵀ·vector.
 *
 * The reflector of row i changes all rows above it (A ← A − u qᵀ − q uᵀ), and the next reflector v needs row i−1 changed, then the product A v. So the
 * change waits: row i−1 takes it at once and gives v, the other rows take it in the pass that forms A v. Every entry is loaded once a reflector, not twice.
 *
 *     row i+1   u u u u u u h      the reflector whose change the rows above still lack
 *     row i     v v v v v h        changed first, gives the next reflector v
 *     rows < i                     a ← a − u qᵀ − q uᵀ, p ← p + a v: one pass
 */
export function tridiagonalize(scratch: EigenScratch, order: number): void {
  const { matrix: a, diagonal, offDiagonal, halfNorms, vector, product: p, change: q } = scratch;
  halfNorms.fill(0, 0, order);
  q.fill(0, 0, order);
  mirrorDiagonalBlocks(a, order);
  for (let i = order - 1; i > 0; i--) {
    const v = i * order;
    const u = i + 1 < order ? v + order : v;
    const u0 = a[u + i]!;
    const q0 = q[i]!;
    const x = a[v + i - 1]! - (u0 * q[i - 1]! + q0 * a[u + i - 1]!);
    let rest = 0;
    for (let k = 0; k < i - 1; k++) {
      const changed = a[v + k]! - (u0 * q[k]! + q0 * a[u + k]!);
      a[v + k] = changed;
      rest += changed * changed;
    }
    diagonal[i] = a[v + i]! - 2 * u0 * q0;
    if (rest < NEGLIGIBLE) {
      offDiagonal[i - 1] = x;
      changeAndMultiply(scratch, order, i);
      q.fill(0, 0, i);
      continue;
    }
    // H (row) = (0, …, 0, g); the sign of g avoids cancellation in v = row − g e.
    const g = x > 0 ? -Math.sqrt(rest + x * x) : Math.sqrt(rest + x * x);
    const h = rest + x * x - x * g;
    offDiagonal[i - 1] = g;
    halfNorms[i] = h;
    a[v + i - 1] = x - g;

    changeAndMultiply(scratch, order, i);
    // q = p/h − (vᵀp / 2h²) v, and in the same loops vector ← H vector
    let vp = 0;
    let vb = 0;
    for (let k = 0; k < i; k++) {
      const vk = a[v + k]!;
      vp += vk * p[k]!;
      vb += vk * vector[k]!;
    }
    const half = vp / h / (2 * h);
    const turn = vb / h;
    const scale = 1 / h;
    for (let k = 0; k < i; k++) {
      const vk = a[v + k]!;
      q[k] = scale * p[k]! - half * vk;
      vector[k] = vector[k]! - turn * vk;
    }
  }
  diagonal[0] = order > 1 ? a[0]! - 2 * a[order]! * q[0]! : a[0]!;
  offDiagonal[order - 1] = 0;
}

/**
 * Over the leading i x i block, from its lower triangle: A ← A − u qᵀ − q uᵀ with u in row i+1, and p ← A v with v in row i. An entry of the product
 * serves both its places: a_jk v_k belongs to p_j and a_jk v_j to p_k.
 *
 * Four rows share one pass over u, q, v and p (order 115: one row at a time takes 1.8 times as long, two 1.2, eight no less than four). The 4 x 4 blocks
 * on the diagonal are kept whole, so that they too are walked row beside row:
 *
 *     | A A A A | B B B B |          B: loop over k < j, both places      A, C: blocks on the diagonal
 *     |         | C C C C |          rows beyond the last whole block go one by one
 */
function changeAndMultiply({ matrix: a, product: p, change: q }: EigenScratch, stride: number, rows: number): void {
  // For V8: it drops the overflow checks of sums of small numbers, and a row is finished before the next one, or it runs out of registers (a third slower).
  const order = stride & 0xffff;
  const i = rows & 0xffff;
  const v = (i * order) & 0xffffff;
  const u = i + 1 < order ? v + order : v;
  let j = 0;
  for (; j + 3 < i; j += 4) {
    const row0 = (j * order) & 0xffffff;
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
    const v0 = a[v + j]!;
    const v1 = a[v + j + 1]!;
    const v2 = a[v + j + 2]!;
    const v3 = a[v + j + 3]!;
    let p0 = 0;
    let p1 = 0;
    let p2 = 0;
    let p3 = 0;
    for (let k = 0; k < j; k++) {
      const uk = a[u + k]!;
      const qk = q[k]!;
      const vk = a[v + k]!;
      const a0 = a[row0 + k]! - (u0 * qk + q0 * uk);
      a[row0 + k] = a0;
      p0 += a0 * vk;
      const a1 = a[row1 + k]! - (u1 * qk + q1 * uk);
      a[row1 + k] = a1;
      p1 += a1 * vk;
      const a2 = a[row2 + k]! - (u2 * qk + q2 * uk);
      a[row2 + k] = a2;
      p2 += a2 * vk;
      const a3 = a[row3 + k]! - (u3 * qk + q3 * uk);
      a[row3 + k] = a3;
      p3 += a3 * vk;
      p[k] = p[k]! + (a0 * v0 + a1 * v1 + (a2 * v2 + a3 * v3));
    }
    for (let k = j; k < j + 4; k++) {
      const uk = a[u + k]!;
      const qk = q[k]!;
      const vk = a[v + k]!;
      const a0 = a[row0 + k]! - (u0 * qk + q0 * uk);
      a[row0 + k] = a0;
      p0 += a0 * vk;
      const a1 = a[row1 + k]! - (u1 * qk + q1 * uk);
      a[row1 + k] = a1;
      p1 += a1 * vk;
      const a2 = a[row2 + k]! - (u2 * qk + q2 * uk);
      a[row2 + k] = a2;
      p2 += a2 * vk;
      const a3 = a[row3 + k]! - (u3 * qk + q3 * uk);
      a[row3 + k] = a3;
      p3 += a3 * vk;
    }
    p[j] = p0;
    p[j + 1] = p1;
    p[j + 2] = p2;
    p[j + 3] = p3;
  }
  for (; j < i; j++) {
    const row = (j * order) & 0xffffff;
    const uj = a[u + j]!;
    const qj = q[j]!;
    const vj = a[v + j]!;
    let pj = 0;
    for (let k = 0; k < j; k++) {
      const ajk = a[row + k]! - (uj * q[k]! + qj * a[u + k]!);
      a[row + k] = ajk;
      pj += ajk * a[v + k]!;
      p[k] = p[k]! + ajk * vj;
    }
    a[row + j] = a[row + j]! - 2 * uj * qj;
    p[j] = pj + a[row + j]! * vj;
  }
}

/** Completes the 4 x 4 blocks on the diagonal of which only the lower triangle is there. */
function mirrorDiagonalBlocks(a: Float64Array, order: number): void {
  for (let row = 0; row < order; row++) {
    for (let k = row + 1; k < Math.min(order, (row | 3) + 1); k++) a[row * order + k] = a[k * order + row]!;
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
