/** Refuses requests while the process is short of memory (the Collector's memory_limiter: above the soft limit data is refused). */
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

const MIB = 1_048_576;
/** V8 ends the process at its heap limit, whatever the machine has left. */
const HEAP_SHARE = 0.9;
/** What of the limit is kept free when nobody says otherwise, as in the Collector. */
const SPIKE_SHARE = 0.2;

export interface MemoryLimiterOptions {
  /** Hard limit; null: `limitPercentage` of what the container or the machine has. */
  limitMib: number | null;
  limitPercentage: number;
  /** Kept free below the limit; null: a fifth of it. */
  spikeLimitMib: number | null;
  checkIntervalMs: number;
}

/** @returns asks why nothing may be taken in now; null = it may. Measures at most once in `checkIntervalMs`. */
export function createMemoryLimiter(options: MemoryLimiterOptions): () => string | null {
  const limitBytes =
    options.limitMib === null ? (availableBytes() * options.limitPercentage) / 100 : options.limitMib * MIB;
  const spikeBytes = options.spikeLimitMib === null ? limitBytes * SPIKE_SHARE : options.spikeLimitMib * MIB;
  const softBytes = limitBytes - spikeBytes;
  let checkedMs = -Infinity;
  let shortage: string | null = null;

  return () => {
    const nowMs = performance.now();
    if (nowMs - checkedMs < options.checkIntervalMs) return shortage;
    checkedMs = nowMs;
    shortage = findShortage(softBytes);
    return shortage;
  };
}

function findShortage(softBytes: number): string | null {
  const rssBytes = process.memoryUsage.rss();
  if (rssBytes > softBytes) return `memory is short: ${mib(rssBytes)} in use, soft limit ${mib(softBytes)}`;
  const { used_heap_size: usedBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
  if (usedBytes > heapLimitBytes * HEAP_SHARE) {
    return `memory is short: ${mib(usedBytes)} of a heap of ${mib(heapLimitBytes)} in use`;
  }
  return null;
}

/** The container's limit, or what the machine has. */
function availableBytes(): number {
  const constrainedBytes = process.constrainedMemory();
  return constrainedBytes > 0 ? Math.min(constrainedBytes, totalmem()) : totalmem();
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}
