import { applyReflectors, createEigenScratch, MAX_ORDER, tridiagonalize, type EigenScratch } from './householder.ts';
import { diagonalize, rotateBack } from './ql.ts';

/**
 * Hankel DMD, one step ahead, in Gram space.
 *
 * Sources: Arbabi & Mezić, "Ergodic theory, dynamic mode decomposition, and computation of spectral properties of the Koopman operator" (2017), for
 * the delay embedding; Tu et al., "On dynamic mode decomposition" (2014), for the exact operator A = H₂ V S⁻¹ Uᵀ; Kutz et al., "Dynamic mode
 * decomposition" (2016), 1.3, for the method of snapshots (Gram matrix in place of the SVD).
 *
 * With snapshots x₀ … x_{N−1}, delay d and m = N − d training pairs the Hankel matrices and the newest delay vector are (d = 2, N = 5):
 *
 *          x₀ x₁ x₂          x₁ x₂ x₃          x₃
 *     H₁ = x₁ x₂ x₃     H₂ = x₂ x₃ x₄      q = x₄       K = H₁ᵀH₁     κ = H₁ᵀq
 *
 * The exact operator applied to q is H₂ V S⁻¹ Uᵀ q, and as Uᵀ = S⁻¹ Vᵀ H₁ᵀ and K = V Λ Vᵀ (Λ = S²), the last block of it is
 *
 *     x̂ = Σᵢ wᵢ x_{i+d}      w = V_r Λ_r⁻¹ V_rᵀ κ      K_ij = Σ_{k<d} G_{i+k, j+k}      κ_j = Σ_{k<d} G_{m+k, j+k}
 *
 * so only inner products G are needed: neither a (d·768)-row matrix nor a complex eigenproblem is formed.
 *
 * Worked example, p = 1, d = 2, x = 1, 2, 4, 8: m = 2, H₁ has columns (1, 2), (2, 4), K = [5 10; 10 20], λ = 25, 0, so r = 1, v = (1, 2)/√5;
 * q = (4, 8), κ = (20, 40), w = v vᵀκ / 25 = (0.8, 1.6), x̂ = 0.8·4 + 1.6·8 = 16.
 */
export interface DmdOptions {
  /** d: snapshots stacked in one column, at least 1. */
  readonly delay: number;
  readonly maxRank: number;
  /** At most one direction per this many training pairs (3: m/3), never less than one; 0 = no such bound. */
  readonly rankCapDivisor: number;
  /** Singular values of H₁ at or below tau times the largest are noise. */
  readonly tau: number;
}

export interface DmdFit {
  /** Directions used; 0 = nothing to predict from, the prediction is the zero vector. */
  rank: number;
  /** Training pairs; 0 = fewer than delay + 1 snapshots: no prediction at all. */
  m: number;
}

/** A largest inner product below this (snapshots shorter than 1e-140) is an empty history; it also keeps 1/scale finite. */
const SMALLEST_SCALE = 1e-280;

/** The kernel and its scratch memory; one for all sources of a shard. */
export class DmdKernel {
  readonly maxWindows: number;
  /** Room for the Gram matrix handed to {@link predict}: row-major, stride = number of snapshots. */
  readonly gram: Float64Array;
  /** w after {@link predict}: the first m are valid, weight i belongs to snapshot i + delay. All 0 when the rank is 0. */
  readonly weights: Float64Array;
  readonly #scratch: EigenScratch;
  readonly #order: Uint16Array;

  /** @param maxWindows - most snapshots a model is fitted to (dmd_windows) */
  constructor(maxWindows: number) {
    if (!Number.isInteger(maxWindows) || maxWindows < 1 || maxWindows > MAX_ORDER) {
      throw new RangeError(`DmdKernel maxWindows must be an integer in 1..${MAX_ORDER}, got ${maxWindows}`);
    }
    this.maxWindows = maxWindows;
    this.gram = new Float64Array(maxWindows * maxWindows);
    this.#scratch = createEigenScratch(maxWindows);
    this.weights = this.#scratch.vector;
    this.#order = new Uint16Array(maxWindows);
  }

  get scratchBytes(): number {
    let bytes = this.gram.byteLength + this.#order.byteLength;
    for (const array of Object.values(this.#scratch) as (Float64Array | Uint16Array)[]) bytes += array.byteLength;
    return bytes;
  }

  /**
   * Fits the model to `n` snapshots and predicts the one that follows them, as weights of the snapshots.
   *
   * @param gram - inner products, row-major n x n, oldest first; any finite numbers (the answer is then finite too)
   * @throws RangeError if n exceeds `maxWindows`
   */
  predict(gram: Float64Array, n: number, options: DmdOptions): DmdFit {
    if (n > this.maxWindows || gram.length < n * n) {
      throw new RangeError(`DmdKernel.predict: ${n} snapshots, room for ${this.maxWindows}, gram of ${gram.length}`);
    }
    const m = Math.max(0, n - options.delay);
    const rank = m > 0 ? this.#fit(gram, n, m, options) : 0;
    if (rank === 0) this.weights.fill(0, 0, m);
    return { rank, m };
  }

  #fit(gram: Float64Array, n: number, m: number, options: DmdOptions): number {
    const factor = scaleFactor(gram, n * n);
    if (factor === 0) return 0;
    const scratch = this.#scratch;
    buildHankelGram({ gram, n, m, factor, scratch });

    tridiagonalize(scratch, m);
    const rotations = diagonalize(scratch, m);
    const { diagonal: eigenvalues, vector } = scratch;
    const order = sortedDescending(eigenvalues, m, this.#order);
    const rank = keptRank(eigenvalues, order, m, options);
    for (let i = 0; i < m; i++) {
      const at = order[i]!;
      vector[at] = i < rank ? vector[at]! / eigenvalues[at]! : 0;
    }
    if (rank === 0) return 0;
    rotateBack(scratch, rotations);
    applyReflectors(scratch, m);
    return rank;
  }
}

/**
 * K (lower triangle, m x m) and κ, scaled. κ is row m of the same sums.
 *
 * Summed afresh, five delays a pass: the running recurrence K_{i+1,j+1} = K_ij − G_ij + G_{i+d,j+d} would save a part of its 25 µs and leave the rounding
 * of one huge window in every entry after it.
 */
function buildHankelGram(input: {
  gram: Float64Array;
  n: number;
  m: number;
  factor: number;
  scratch: EigenScratch;
}): void {
  const { gram, n, m, factor, scratch } = input;
  const { matrix, vector } = scratch;
  for (let i = 0; i <= m; i++) {
    const target = i < m ? matrix : vector;
    const row = i < m ? i * m : 0;
    const width = i < m ? i + 1 : m;
    target.fill(0, row, row + width);
    let k = 0;
    for (; k + 4 < n - m; k += 5) {
      const at0 = (i + k) * n + k;
      const at1 = at0 + n + 1;
      const at2 = at1 + n + 1;
      const at3 = at2 + n + 1;
      const at4 = at3 + n + 1;
      for (let j = 0; j < width; j++) {
        const sum = factor * gram[at0 + j]! + factor * gram[at1 + j]! + factor * gram[at2 + j]!;
        target[row + j] = target[row + j]! + sum + (factor * gram[at3 + j]! + factor * gram[at4 + j]!);
      }
    }
    for (; k < n - m; k++) {
      const at = (i + k) * n + k;
      for (let j = 0; j < width; j++) target[row + j] = target[row + j]! + factor * gram[at + j]!;
    }
  }
}

/** r = min(maxRank, max(1, ⌊m / divisor⌋), #{λᵢ > τ² λ₁}); 0 when λ₁ is not positive. */
export function keptRank(
  eigenvalues: Float64Array,
  order: Uint16Array,
  m: number,
  { maxRank, rankCapDivisor, tau }: DmdOptions,
): number {
  const first = eigenvalues[order[0]!]!;
  if (!(first > 0)) return 0;
  const cap = rankCapDivisor > 0 ? Math.max(1, Math.floor(m / rankCapDivisor)) : m;
  // Eigenvalues within rounding of 0 have no direction of their own, whatever tau says.
  const threshold = Math.max(tau * tau, m * Number.EPSILON) * first;
  const most = Math.min(maxRank, cap, m);
  let rank = 0;
  while (rank < most && eigenvalues[order[rank]!]! > threshold) rank++;
  return rank;
}

/** Indices of the first n values, largest first, ties in index order. */
export function sortedDescending(values: Float64Array, n: number, order: Uint16Array): Uint16Array {
  for (let i = 0; i < n; i++) {
    let k = i;
    while (k > 0 && values[order[k - 1]!]! < values[i]!) {
      order[k] = order[k - 1]!;
      k--;
    }
    order[k] = i;
  }
  return order;
}

/**
 * What inner products are multiplied with so that the largest is about 1: squares of any input then neither overflow nor vanish. A power of two,
 * so all results are rounded as if unscaled. 0 when there is nothing to scale: all zero, or not finite.
 */
export function scaleFactor(gram: Float64Array, count: number): number {
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const magnitude = Math.abs(gram[i]!);
    if (magnitude > largest) largest = magnitude;
    else if (Number.isNaN(magnitude)) return 0;
  }
  return largest >= SMALLEST_SCALE && largest < Infinity ? 2 ** -Math.floor(Math.log2(largest)) : 0;
}
