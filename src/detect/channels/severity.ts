import { createCountModel, fitCounts, upperSurprise } from './nb-surprise.ts';

/** Lowest OTLP severity numbers of the two ranges (OpenTelemetry logs data model, "Field: SeverityNumber"). */
export const WARN = 13;
export const ERROR = 17;

/** Windows just before the one that is judged that are no part of its past; half of the past where that is shorter. */
export const RARE_GUARD = 12;

const model = createCountModel();

/**
 * `severity`: more warnings or more errors than usual, whatever they say. Catches nearly every hard fault.
 *
 *     x = max(up(records ≥ WARN), up(records ≥ ERROR))
 *
 * Errors are rare, so one more in the past halves the surprise of the next: the newest windows are no part of that past, or a fault that begins softly would
 * be what it is compared with ({@link RARE_GUARD}, in radar "guard cells": Rohling, "Radar CFAR thresholding" (1983)). Source: docs/decisions/0029 and 0048; up: `nb-surprise.ts`.
 *
 * Worked example: 100 accepted windows with 2 warnings each (var 0: μ = 1.980, V = 2.099, r = 33.1) and no error (μ = .0196); now 3 records at WARN of
 * which 1 is an ERROR: up(3) = 1.15, up(1) = 3.95, so x = 3.95, from the error.
 *
 * @param warnings - records at WARN or above in this window
 * @param errors - those of them at ERROR or above
 * @param history - the same two of accepted windows
 */
export function severitySurprise(
  warnings: number,
  errors: number,
  history: { warnings: ArrayLike<number>; errors: ArrayLike<number> },
): number {
  return Math.max(upOf(warnings, history.warnings), upOf(errors, history.errors));
}

function upOf(now: number, counts: ArrayLike<number>): number {
  if (now === 0) return 0;
  fitCounts(model, counts, counts.length);
  return upperSurprise(model, now);
}
