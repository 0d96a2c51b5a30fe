import { describe, expect, test } from 'vitest';
import { ErrorBaseline } from '../../../src/detect/baseline.ts';
import { GramRing } from '../../../src/detect/dmd/gram.ts';
import { DmdKernel, type DmdOptions } from '../../../src/detect/dmd/kernel.ts';
import { spectrum } from '../../../src/detect/dmd/spectrum.ts';
import { distance, inner, predictFrom, readReference, referenceNames, type ReferenceCase } from './reference.ts';

/** Runs a reference stream the way a source runs: one Gram row a window, the newest window never in its own model. */
function* score({ params, snapshots }: ReferenceCase) {
  const options: DmdOptions = {
    delay: params.delay,
    maxRank: params.max_rank,
    rankCapDivisor: params.rank_cap_divisor,
    tau: params.tau,
  };
  const ring = new GramRing(params.buffer + 1);
  const kernel = new DmdKernel(params.buffer);
  const row = new Float64Array(params.buffer + 1);
  const kept: Float64Array[] = [];
  for (const x of snapshots) {
    if (kept.length > params.buffer) kept.shift();
    kept.push(x);
    kept.forEach((y, j) => (row[j] = inner(x, y)));
    ring.push(row);
    const n = kept.length - 1;
    ring.copyTo(kernel.gram, n, 0, n);
    const fit = kernel.predict(kernel.gram, n, options);
    const prediction = n > 0 ? predictFrom(kept, kernel.weights, fit.m, params.delay) : new Float64Array(params.p);
    const error = fit.m < 1 ? null : distance(x, prediction);
    yield { fit, prediction, error, modes: () => spectrum(kernel.gram, n, options) };
  }
}

describe.each(referenceNames)('reference %s', (name) => {
  const reference = readReference(name);

  test('rank, error and prediction are numpy’s at every window', () => {
    let t = 0;
    for (const { fit, prediction, error } of score(reference)) {
      const expected = reference.windows[t]!;
      const at = `${name} window ${t}`;
      expect(Math.max(0, expected.m), at).toBe(fit.m);
      if (expected.error === null) expect(error, at).toBeNull();
      else {
        expect(fit.rank, at).toBe(expected.rank);
        const tolerance = 1e-9 + 1e-8 * expected.error;
        expect(Math.abs(error! - expected.error), at).toBeLessThanOrEqual(tolerance);
        if (expected.prediction) {
          expect(distance(prediction, Float64Array.from(expected.prediction)), at).toBeLessThanOrEqual(tolerance);
        }
      }
      t++;
    }
    expect(t).toBe(reference.windows.length);
  });

  test('normalised errors follow the reference’s acceptance rule', () => {
    const { params } = reference;
    const baseline = new ErrorBaseline({
      capacity: params.baseline,
      minBaseline: params.min_baseline,
      excludeAbove: params.exclude_above,
      maxLeftOut: params.max_excluded_run,
      leftOutWindow: params.max_excluded_run,
    });
    const floors = { relative: params.sd_floor_rel, absolute: params.sd_floor_abs };
    let t = 0;
    let compared = 0;
    for (const { error } of score(reference)) {
      const expected = reference.windows[t++]!;
      if (error === null) continue;
      const z = baseline.normalizedError(error, floors);
      baseline.offer(error, z);
      expect(z === null, `window ${expected.t}`).toBe(expected.normalized === null);
      if (z === null || expected.error! <= 1e-6) continue;
      expect(Math.abs(z - expected.normalized!), `window ${expected.t}`).toBeLessThan(
        1e-6 * Math.max(1, Math.abs(expected.normalized!)),
      );
      compared++;
    }
    if (name !== 'linear_p4') expect(compared).toBeGreaterThan(0);
  });

  test('eigenvalues of the one-step operator are numpy’s, as sets', () => {
    let t = 0;
    let compared = 0;
    for (const { modes } of score(reference)) {
      const expected = reference.windows[t++]!.eigenvalues;
      if (!expected) continue;
      const found = modes();
      expect(found.length).toBe(expected.length);
      const left = [...expected];
      for (const mode of found) {
        const gaps = left.map(([real, imaginary]) => Math.hypot(real - mode.real, imaginary - mode.imaginary));
        const nearest = gaps.indexOf(Math.min(...gaps));
        expect(gaps[nearest], `window ${t - 1}`).toBeLessThan(1e-7);
        left.splice(nearest, 1);
      }
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });
});
