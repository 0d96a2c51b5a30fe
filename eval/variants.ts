/** The configurations that are compared. */

export interface Variant {
  name: string;
  /** As after `--set`. */
  set: readonly string[];
}

const BLOCK = 'logs_config.drift_detection';

/** What runs by default. Each channel alone and left out comes from the same run. */
export const DEFAULT: Variant = { name: 'default', set: [] };

/** The plain form: DMD's z over snapshots that only know which templates occur, warning above 2, critical above 3, nothing held back. */
export const PLAIN: Variant = {
  name: 'plain (dmd over snapshot mean)',
  set: [
    'detectors=[dmd]',
    `${BLOCK}.snapshot=mean`,
    `${BLOCK}.dmd_rank=50`,
    `${BLOCK}.warning_threshold=2`,
    `${BLOCK}.critical_threshold=3`,
  ],
};

export const VARIANTS: readonly Variant[] = [
  DEFAULT,
  PLAIN,
  ...[3, 10, 38].map((rank) => ({ name: `rank ${rank}`, set: [`${BLOCK}.dmd_rank=${rank}`] })),
  ...['log_sum', 'log_mean', 'mean'].map((kind) => ({ name: `snapshot ${kind}`, set: [`${BLOCK}.snapshot=${kind}`] })),
];
