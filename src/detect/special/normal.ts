/**
 * Rational functions of Wichura, "Algorithm AS 241: the percentage points of the normal distribution" (1988), PPND16, about 1e-16 relative.
 * Lowest power first: central (in .180625 − q²), tail up to √−ln p = 5, far tail up to 27.
 */
const CENTRAL_TOP = [
  3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457,
  67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
];
const CENTRAL_BOTTOM = [
  1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867, 39307.89580009271061,
  28729.085735721942674, 5226.495278852545925,
];
const TAIL_TOP = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504, 1.27045825245236838258,
  0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4,
];
const TAIL_BOTTOM = [
  1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
  0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9,
];
const FAR_TOP = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123, 0.026532189526576123093,
  0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
];
const FAR_BOTTOM = [
  1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
  1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
];
const LN_2PI = 1.8378770664093456;

/**
 * −Φ⁻¹(p): how many sigmas the upper tail of a normal distribution with probability p begins at, from ln p, so that p may be far below 1e-308.
 *
 * Worked example: p = .02275, ln p = −3.7831: 2.0000. p = ½: 0.
 *
 * @param logP - ln p, p in (0, 1); where p is above ½ its own complement loses digits: take −{@link normalUpperQuantile} of that
 * @throws RangeError unless logP is finite and negative
 */
export function normalUpperQuantile(logP: number): number {
  if (!(logP < 0 && logP > -Infinity)) {
    throw new RangeError(`normal quantile: ln p must be finite and negative, got ${logP}`);
  }
  const q = 0.5 - Math.exp(logP);
  if (Math.abs(q) <= 0.425) {
    const u = 0.180625 - q * q;
    return (q * polynomial(CENTRAL_TOP, u)) / polynomial(CENTRAL_BOTTOM, u);
  }
  const r = Math.sqrt(q > 0 ? -logP : -Math.log(-Math.expm1(logP)));
  const z =
    r <= 5
      ? polynomial(TAIL_TOP, r - 1.6) / polynomial(TAIL_BOTTOM, r - 1.6)
      : r <= 27
        ? polynomial(FAR_TOP, r - 5) / polynomial(FAR_BOTTOM, r - 5)
        : farthest(logP);
  return q > 0 ? z : -z;
}

/** Below 1e-316: the fixed point of ln p = −z²/2 − ½ ln 2π − ln z + ln(1 − z⁻² + 3z⁻⁴ − …) (Abramowitz & Stegun 26.2.12), which settles at once. */
function farthest(logP: number): number {
  let z = Math.sqrt(-2 * logP);
  for (let k = 0; k < 6; k++) {
    const u = 1 / (z * z);
    const mills = Math.log1p(-u * (1 - u * (3 - u * (15 - 105 * u))));
    z = Math.sqrt(-2 * logP - LN_2PI - 2 * Math.log(z) + 2 * mills);
  }
  return z;
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let k = coefficients.length - 1; k >= 0; k--) sum = sum * x + coefficients[k]!;
  return sum;
}
