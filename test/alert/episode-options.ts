import type { EpisodeOptions } from '../../src/alert/episode.ts';

/** No budget and no refractory period: each threshold crossed is told. */
export const EPISODE_OPTIONS: EpisodeOptions = {
  warningThreshold: 2,
  criticalThreshold: 3,
  alertBudget: Infinity,
  refractoryMs: 0,
};
