/**
 * The two functions that keep binomial-like terms exact where differences of log-gammas would cancel.
 *
 * Source: Loader, "Fast and accurate computation of binomial probabilities" (2000):
 *
 *     Γ(z+1) = √(2πz) (z/e)^z e^δ(z)                          δ = {@link stirlingError}
 *     d(x, m) = x ln(x/m) + m − x                              = {@link deviance}, ≥ 0, 0 at x = m
 *     e^−m m^x / Γ(x+1) = e^(−δ(x) − d(x, m)) / √(2πx)
 *
 * Worked example, Poisson, m = 2, x = 2: δ(2) = ln 2 − ½ ln 4π − 2 ln 2 + 2 = .04134, d = 0, so e^−.04134 / √(4π) = .27067 = 2e⁻².
 */

const HALF_LN_2PI = 0.9189385332046728;
/** From here eight terms of the series leave less than 1e-16. */
const SERIES_FROM = 10;

/** δ(z) = ln Γ(z+1) − ½ ln(2πz) − z ln z + z for z > 0; about 1/(12z). Absolute error below 1e-14. */
export function stirlingError(z: number): number {
  if (z >= SERIES_FROM) return series(z);
  // Γ(z+1) = Γ(w+1) / ((z+1)(z+2)…w), w = z + k ≥ 10.
  let product = 1;
  let w = z;
  while (w < SERIES_FROM) product *= ++w;
  return series(w) + (w + 0.5) * Math.log(w) - w - Math.log(product) - (z + 0.5) * Math.log(z) + z;
}

/** Stirling's series with Bernoulli numbers: Abramowitz & Stegun 6.1.41. */
function series(z: number): number {
  const u = 1 / (z * z);
  return (
    (1 / 12 -
      (1 / 360 -
        (1 / 1260 - (1 / 1680 - (1 / 1188 - (691 / 360360 - (1 / 156 - (3617 / 122400) * u) * u) * u) * u) * u) * u) *
        u) /
    z
  );
}

/** d(x, m) = x ln(x/m) + m − x for x, m > 0, without cancellation where x is near m (Loader's bd0). */
export function deviance(x: number, m: number): number {
  const difference = x - m;
  if (Math.abs(difference) >= 0.1 * (x + m)) {
    const ratio = x / m;
    // The quotient overflows before its logarithm does.
    return x * (ratio < Infinity ? Math.log(ratio) : Math.log(x) - Math.log(m)) - difference;
  }
  // With v = (x−m)/(x+m): ln(x/m) = 2 atanh v, so d = (x−m) v + 2x (v³/3 + v⁵/5 + …).
  const v = difference / (x + m);
  let power = 2 * x * v;
  let sum = difference * v;
  for (let k = 3; ; k += 2) {
    power *= v * v;
    const next = sum + power / k;
    if (next === sum) return sum;
    sum = next;
  }
}

/** ln of e^−m m^x / Γ(x+1), the Poisson term for any x > 0, m > 0. */
export function logPoissonTerm(x: number, m: number): number {
  return -stirlingError(x) - deviance(x, m) - 0.5 * Math.log(x) - HALF_LN_2PI;
}

/** ln of Γ(a+b+1)/(Γ(a+1)Γ(b+1)) x^a y^b, the binomial term for any a, b > 0 and x + y = 1, x, y > 0. */
export function logBinomialTerm(a: number, b: number, x: number, y: number): number {
  const n = a + b;
  return (
    stirlingError(n) -
    stirlingError(a) -
    stirlingError(b) -
    deviance(a, n * x) -
    deviance(b, n * y) -
    0.5 * Math.log(a * (b / n)) -
    HALF_LN_2PI
  );
}
