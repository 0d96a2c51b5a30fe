import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { keptRank, scaleFactor, sortedDescending, type DmdOptions } from './kernel.ts';

/** One eigenvalue of the one-step operator: what the model believes repeats, grows or fades. */
export interface Mode {
  readonly real: number;
  readonly imaginary: number;
  /** Growth a step: 1 = keeps going, below = fades, above = grows. */
  readonly modulus: number;
  /** Steps in a full turn, 2π / |arg λ|; null when it does not turn. */
  readonly periodSteps: number | null;
}

/**
 * Eigenvalues of the projected one-step operator, for `explain`: rare, so it takes ml-matrix and clarity over speed.
 *
 *     Ã = U_rᵀ H₂ V_r S_r⁻¹ = Λ_r^{−1/2} V_rᵀ K′ V_r Λ_r^{−1/2}        K′ = H₁ᵀ H₂, K′_ij = Σ_{k<d} G_{i+k, j+1+k}
 *
 * (Kutz et al., "Dynamic mode decomposition", 2016, algorithm 1.1.) The last column of K′ reaches snapshot N − 1, so all of `gram` is used.
 *
 * @param gram - inner products of the model's n snapshots, row-major n x n, oldest first
 * @returns largest modulus first, then larger real part, then the positive imaginary one; nothing when nothing can be predicted
 */
export function spectrum(gram: Float64Array, n: number, options: DmdOptions): Mode[] {
  const m = n - options.delay;
  const factor = scaleFactor(gram, n * n);
  // ml-matrix iterates for ever on NaN, so nothing but finite numbers of ordinary size may get there.
  if (m < 1 || factor === 0) return [];
  const sum = (i: number, j: number): number => {
    let total = 0;
    for (let k = 0; k < options.delay; k++) total += factor * gram[(i + k) * n + j + k]!;
    return total;
  };
  const hankelGram = Matrix.zeros(m, m);
  const shifted = Matrix.zeros(m, m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      hankelGram.set(i, j, j <= i ? sum(i, j) : sum(j, i));
      shifted.set(i, j, sum(i, j + 1));
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(hankelGram, { assumeSymmetric: true });
  const eigenvalues = Float64Array.from(realEigenvalues);
  const order = sortedDescending(eigenvalues, m, new Uint16Array(m));
  const rank = keptRank(eigenvalues, order, m, options);
  if (rank === 0) return [];
  const kept = order.slice(0, rank);
  const whitened = eigenvectorMatrix.subMatrixColumn(Array.from(kept));
  kept.forEach((at, column) => whitened.mulColumn(column, 1 / Math.sqrt(eigenvalues[at]!)));
  const operator = whitened.transpose().mmul(shifted).mmul(whitened);
  const evd = new EigenvalueDecomposition(operator);
  return evd.realEigenvalues
    .map((real, k) => toMode(real, evd.imaginaryEigenvalues[k]!))
    .sort((a, b) => b.modulus - a.modulus || b.real - a.real || b.imaginary - a.imaginary);
}

function toMode(real: number, imaginary: number): Mode {
  const turn = Math.abs(Math.atan2(imaginary, real));
  return {
    real: real + 0,
    imaginary: imaginary + 0,
    modulus: Math.hypot(real, imaginary),
    periodSteps: turn > 0 ? (2 * Math.PI) / turn : null,
  };
}
