import { availableParallelism } from 'node:os';
import { detectorsIn } from '../config/config.ts';
import type { DetectorOptions } from '../detect/detector.ts';
import type { Pace } from '../shard/messages.ts';
import { openInlineShards, openShardThreads, type InlinePoolOptions, type ShardPool } from '../shard/pool.ts';
import type { PipelineOptions } from './options.ts';

/** Sources that fell idle and are kept in the memory of each shard while there is no store. */
export const MAX_PARKED_PER_SHARD = 256;

/**
 * The shards of a live service keep so much of the machine busy while they score a step, so that records are received as fast as between steps
 * (docs/decisions/0043-a-step-in-pieces.md); after so many milliseconds, or so much of a step, they work without pauses.
 */
const BUSY_SHARE_OF_CORES = 0.25;
const MAX_PACED_MS = 5_000;
const MAX_PACED_SHARE = 0.25;

function shardCount({ shards, detection }: PipelineOptions): number {
  if (shards === 'inline') return 1;
  return detection.templateWorkers ?? Math.max(1, Math.min(4, availableParallelism() - 1));
}

export function openShards(
  options: PipelineOptions,
  shared: Pick<InlinePoolOptions, 'waiting' | 'onRestoreFailed'>,
): ShardPool {
  const { shards, store, events } = options;
  const poolOptions = {
    ...shared,
    size: shardCount(options),
    detector: detectorOptions(options),
    persist: store !== null,
  };
  return shards === 'inline'
    ? openInlineShards(poolOptions)
    : openShardThreads({ ...poolOptions, onFatal: events.fatal });
}

/** On event time a step's requests wait for its verdicts: there it goes as fast as it can. */
export function paceOf(options: PipelineOptions): Pace | null {
  const { clock, shards, detection } = options;
  if (clock === 'event' || shards === 'inline') return null;
  return {
    busyShare: Math.min(1, (BUSY_SHARE_OF_CORES * availableParallelism()) / shardCount(options)),
    forMs: Math.min(MAX_PACED_MS, MAX_PACED_SHARE * detection.windowStepMs),
  };
}

function detectorOptions({ detection, detectors, hashSeed }: PipelineOptions): DetectorOptions {
  return {
    stepMs: detection.windowStepMs,
    panesPerWindow: detection.windowSizeMs / detection.windowStepMs,
    dmdWindows: detection.dmdWindows,
    delay: detection.dmdTimeDelay,
    maxRank: detection.dmdRank,
    snapshot: detection.snapshot,
    channels: detectorsIn(detectors),
    weights: detectors ?? {},
    warningThreshold: detection.warningThreshold,
    criticalThreshold: detection.criticalThreshold,
    hashSeed,
    redact: detection.redact,
    keepSamples: detection.keepSamples,
    entropyThreshold: detection.entropyThreshold,
    maxParked: MAX_PARKED_PER_SHARD,
  };
}
