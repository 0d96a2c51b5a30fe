import { createCountModel, fitCounts, NOVELTY_SPREAD, upperSurprise } from './nb-surprise.ts';

const model = createCountModel();

/**
 * `novelty`: templates that were never in an accepted window of this source, ever. Catches new errors, new versions.
 *
 *     x = up(number of them), prior variance μ + μ²; 0 if there are none
 *
 * A source that always has something new is used to it: the history holds every accepted window's number at its time.
 *
 * Worked example: n = 100 accepted windows without any: mean 0, μ = .0196, V = .0200; 1 new template: x = 3.95, 5 of them: x = 19.7.
 *
 * @param now - never accepted templates in this window
 * @param history - the same number of each accepted window when it was judged, 0 for the very first
 * @param n - how many
 */
export function noveltySurprise(now: number, history: ArrayLike<number>, n: number): number {
  if (now === 0) return 0;
  fitCounts(model, history, n, NOVELTY_SPREAD);
  return upperSurprise(model, now);
}
