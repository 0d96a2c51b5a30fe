import type { EigenScratch } from './householder.ts';

/**
 * Eigenvalues of a symmetric tridiagonal matrix by implicit QL with Wilkinson's shift, T = Z Λ Zᵀ, with Z kept as its rotations.
 *
 * Golub & Van Loan, Matrix Computations (4th ed.), 8.3.3-8.3.5; EISPACK imtql2. Rotating ONE vector instead of n eigenvectors and
 * replaying the rotations backwards is what makes a window cost n² here in place of 3 n³.
 *
 * A rotation waits for the one before it, so its length in cycles is the cost. In the books' form g → r = √(f² + g²) → c = g/r → c t − b, a root and a
 * division follow each other in that chain; with t' = (…)/r² in place of t = (…)/r the chain is one division, and root, c and s (for the vector, and
 * for f and b of the next rotation) are formed beside it: 81 µs in place of 135 µs at order 115.
 */

/** Wilkinson's shift needs 1 to 3 sweeps an eigenvalue. */
const MAX_SWEEPS = 60;
const EPSILON = Number.EPSILON;
/** Squares below this have lost their digits; entries of such size beside a largest one of about 1 are none. */
const NEGLIGIBLE = 1e-200;

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
      let f = e[m - 1]!;
      let b = f;
      let ff = f * f;
      let shift = 0;
      let upper = vector[m]!;
      let i = m - 1;
      for (; i >= l; i--) {
        const rr = ff + g * g;
        if (rr < NEGLIGIBLE) break;
        const r = Math.sqrt(rr);
        const inverse = 1 / rr;
        const s = f * (r * inverse);
        const c = g * (r * inverse);
        e[i + 1] = r;
        const h = d[i + 1]! - shift;
        // t' = t / r = ((d_i − h) s + 2 c b) / r, so that shift = s t = f t' and the next g = c t − b = g t' − b.
        const t = ((d[i]! - h) * f + 2 * g * b) * inverse;
        shift = f * t;
        d[i + 1] = h + shift;
        const next = i > l ? e[i - 1]! : 0;
        g = g * t - b;
        ff = f * f * inverse * (next * next);
        f = s * next;
        b = c * next;

        const lower = vector[i]!;
        vector[i + 1] = s * lower + c * upper;
        upper = c * lower - s * upper;
        cosines[made] = c;
        sines[made] = s;
        planes[made] = i;
        made++;
      }
      vector[i + 1] = upper;
      if (i < l) {
        d[l] = d[l]! - shift;
        e[l] = g;
      } else {
        // The matrix fell apart inside the sweep: undo the shift here and look for the new block.
        d[i + 1] = d[i + 1]! - shift;
        e[i + 1] = 0;
      }
      e[m] = 0;
    }
  }
  return made;
}

/** vector ← Z · vector */
export function rotateBack({ vector, cosines, sines, planes }: EigenScratch, made: number): void {
  // A sweep goes up row by row: what the next rotation starts from stays in a register.
  let plane = -1;
  let lower = 0;
  for (let k = made - 1; k >= 0; k--) {
    const i = planes[k]!;
    if (i !== plane) {
      if (plane >= 0) vector[plane] = lower;
      lower = vector[i]!;
    }
    const c = cosines[k]!;
    const s = sines[k]!;
    const upper = vector[i + 1]!;
    vector[i] = c * lower + s * upper;
    lower = c * upper - s * lower;
    plane = i + 1;
  }
  if (plane >= 0) vector[plane] = lower;
}
