import { logIncompleteBeta } from './beta.ts';

/** Its square stays finite. */
const LARGEST = 1e150;

/**
 * ln T_ν(−|z|), the logarithm of one tail of Student's t distribution with ν degrees of freedom (Abramowitz & Stegun 26.7.1).
 *
 *     T_ν(−|z|) = ½ I_{ν/(ν+z²)}(ν/2, ½)
 *
 * Worked example: ν = 1 (Cauchy), z = 1: ½ I_.5(½, ½) = ¼, ln = −1.3863.
 *
 * @returns ≤ ln ½; |z| above 1e150 counts as 1e150
 * @throws RangeError unless ν is positive and finite and z is a number
 */
export function logStudentTail(z: number, nu: number): number {
  if (Number.isNaN(z)) throw new RangeError('Student tail: z must be a number');
  const t = Math.min(Math.abs(z), LARGEST) ** 2 / nu;
  return logIncompleteBeta(nu / 2, 0.5, 1 / (1 + t), t / (1 + t)) - Math.LN2;
}
