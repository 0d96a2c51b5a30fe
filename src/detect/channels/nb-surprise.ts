import { logIncompleteBeta } from '../special/beta.ts';

/**
 * How surprising a count is, given the counts of the accepted windows: −ln of a tail of a negative binomial distribution, in nats.
 *
 * Log counts are over-dispersed (a Poisson tail would cry at every burst), so variance and mean are fitted apart; the prior weighs four windows of
 * a count with variance μ + .25μ², and the 5 % term says that nobody's rate is known better than that. docs/detection.md; the negative binomial
 * tails as incomplete beta functions: Johnson, Kemp & Kotz, "Univariate discrete distributions" (2005), 5.6. n windows, sd with n − 1:
 *
 *     μ = (n·mean + 2)/(n + 2)        nₑ = max(2, n/2)      (neighbouring windows overlap, so they tell half as much)
 *     v = max(var, μ)(1 + 1/nₑ) + (.05μ)²
 *     V = max(1.001μ, (nₑ v + 4(μ + spread·μ²))/(nₑ + 4))   spread = .25
 *     r = μ²/(V − μ)       q = r/(r + μ)
 *     lo = −ln P(X ≤ c) = −ln I_q(r, c + 1)      up = −ln P(X ≥ c) = −ln I_{1−q}(c, r),  0 if c = 0
 *
 * Worked example: n = 10 windows with 3, 4, 5, 4, 4, 3, 4, 5, 4, 4: mean 4, var .444; μ = 3.5, nₑ = 5, v = 4.2306, V = 5.2670, r = 6.9326,
 * q = .6645. 4 now: up = .82, lo = .34 (nothing); 20 now: up = 11.87; 0 now: lo = 2.83.
 */
export interface CountModel {
  mu: number;
  /** Size of the negative binomial, in (0, ∞). */
  r: number;
  /** Probability r/(r + μ); its complement apart, because 1 − q would lose it at large μ. */
  q: number;
  complement: number;
}

/** Weight of μ² in the prior's variance: the novelty channel's histories are nearly all 0 and need the wide one. */
const COUNT_SPREAD = 0.25;
export const NOVELTY_SPREAD = 1;
/** Imagined windows of one record each: what has not been seen in two hours comes once in one, not once in eight. */
const PRIOR_COUNT = 2;

export function createCountModel(): CountModel {
  return { mu: 0, r: 0, q: 0, complement: 0 };
}

/**
 * Fits `model` in place (a window has a hundred of them) to `n` windows with this mean and sample variance.
 *
 * @param n - accepted windows; 0 leaves only the prior
 * @param mean - mean count, ≥ 0
 * @param variance - with n − 1; 0 where n < 2
 */
export function fitCount(model: CountModel, n: number, mean: number, variance: number, spread = COUNT_SPREAD): void {
  const mu = (n * mean + PRIOR_COUNT) / (n + PRIOR_COUNT);
  const effective = Math.max(2, n / 2);
  const v = Math.max(variance, mu) * (1 + 1 / effective) + (0.05 * mu) ** 2;
  const V = Math.max(1.001 * mu, (effective * v + 4 * (mu + spread * mu * mu)) / (effective + 4));
  const r = (mu * mu) / (V - mu);
  model.mu = mu;
  model.r = r;
  model.q = r / (r + mu);
  model.complement = mu / (r + mu);
}

/** up: nats of a count of `count` or more. */
export function upperSurprise(model: CountModel, count: number): number {
  return count > 0 ? 0 - logIncompleteBeta(count, model.r, model.complement, model.q) : 0;
}

/** lo: nats of a count of `count` or less. */
export function lowerSurprise(model: CountModel, count: number): number {
  return 0 - logIncompleteBeta(model.r, count + 1, model.q, model.complement);
}

/** Fits `model` to the counts of `n` accepted windows: for what is not a template (totals, severities, new templates). */
export function fitCounts(model: CountModel, counts: ArrayLike<number>, n: number, spread = COUNT_SPREAD): void {
  let sum = 0;
  for (let j = 0; j < n; j++) sum += counts[j]!;
  const mean = n > 0 ? sum / n : 0;
  let squares = 0;
  for (let j = 0; j < n; j++) squares += (counts[j]! - mean) ** 2;
  fitCount(model, n, mean, n > 1 ? squares / (n - 1) : 0, spread);
}
