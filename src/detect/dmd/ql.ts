import type { EigenScratch } from './householder.ts';

/**
 * Eigenvalues of a symmetric tridiagonal matrix by implicit QL with Wilkinson's shift, T = Z Λ Zᵀ, with Z kept as its rotations.
 *
 * Golub & Van Loan, Matrix Computations (4th ed.), 8.3.3-8.3.5; EISPACK imtql2. Rotating ONE vector instead of n eigenvectors and
 * replaying the rotations backwards is what makes a window cost n² here in place of 3 n³.
 */

/** Wilkinson's shift needs 1 to 3 sweeps an eigenvalue. */
const MAX_SWEEPS = 60;
const EPSILON = Number.EPSILON;

/**
 * Leaves the eigenvalues (unsorted) in `diagonal` and Zᵀ·vector in `vector`.
 *
 * Always ends, always finite: a coupling that does not vanish in MAX_SWEEPS, or for which there is no room left to store rotations, is cut,
 * which is the same as scoring a matrix that differs by that coupling. No input is known to reach this.
 *
 * @returns how many rotations were made, for {@link rotateBack}
 */
export function diagonalize(scratch: EigenScratch, order: number): number {
  const { diagonal: d, offDiagonal: e, vector, cosines, sines, planes } = scratch;
  // Householder left errors of this size in every entry, so smaller couplings carry nothing.
  let largest = 0;
  for (let i = 0; i < order; i++) largest = Math.max(largest, Math.abs(d[i]!), Math.abs(e[i]!));
  const floor = 0.5 * EPSILON * largest;

  let made = 0;
  for (let l = 0; l < order; l++) {
    for (let sweep = 0; ; sweep++) {
      let m = l;
      while (m < order - 1 && Math.abs(e[m]!) > floor) m++;
      if (m === l) break;
      if (sweep === MAX_SWEEPS || made + m - l > planes.length) {
        e[l] = 0;
        break;
      }
      const gap = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      const root = Math.sqrt(gap * gap + 1);
      let g = d[m]! - d[l]! + e[l]! / (gap + (gap < 0 ? -root : root));
      let s = 1;
      let c = 1;
      let shift = 0;
      let split = false;
      for (let i = m - 1; i >= l; i--) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        const r = Math.sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r === 0) {
          // The matrix fell apart inside the sweep: undo the shift here and look for the new block.
          d[i + 1] = d[i + 1]! - shift;
          split = true;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - shift;
        const t = (d[i]! - g) * s + 2 * c * b;
        shift = s * t;
        d[i + 1] = g + shift;
        g = c * t - b;

        const upper = vector[i + 1]!;
        const lower = vector[i]!;
        vector[i + 1] = s * lower + c * upper;
        vector[i] = c * lower - s * upper;
        cosines[made] = c;
        sines[made] = s;
        planes[made] = i;
        made++;
      }
      if (!split) {
        d[l] = d[l]! - shift;
        e[l] = g;
      }
      e[m] = 0;
    }
  }
  return made;
}

/** vector ← Z · vector */
export function rotateBack({ vector, cosines, sines, planes }: EigenScratch, made: number): void {
  for (let k = made - 1; k >= 0; k--) {
    const i = planes[k]!;
    const c = cosines[k]!;
    const s = sines[k]!;
    const upper = vector[i + 1]!;
    const lower = vector[i]!;
    vector[i] = c * lower + s * upper;
    vector[i + 1] = c * upper - s * lower;
  }
}
