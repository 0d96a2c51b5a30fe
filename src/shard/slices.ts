import type { Pace } from './messages.ts';

/** A shard steps aside for arrivals after this long. */
export const SLICE_MS = 5;

/** Lets messages in, after a pause of so many milliseconds. */
export type Turn = (pauseMs: number) => Promise<void>;

/** Cuts work of many pieces into slices: `if (slices.isOver()) await slices.next()` after each piece. */
export interface Slices {
  isOver(): boolean;
  next(): Promise<void>;
}

/**
 * @param turn null where nothing else can arrive: one slice without end
 * @param pace asked before every pause; null for none
 */
export function createSlices(turn: Turn | null, pace: () => Pace | null): Slices {
  const startMs = performance.now();
  let sliceMs = startMs;
  return {
    isOver: () => turn !== null && performance.now() - sliceMs > SLICE_MS,
    async next() {
      const nowMs = performance.now();
      await turn!(pauseMs(pace(), nowMs - sliceMs, nowMs - startMs));
      sliceMs = performance.now();
    },
  };
}

/** Pause after a slice of `busyMs`. Wall time: beside much other work a slice takes longer, and what follows it, too. */
export function pauseMs(pace: Pace | null, busyMs: number, sinceStartMs: number): number {
  if (pace === null || sinceStartMs >= pace.forMs) return 0;
  return Math.min(busyMs * (1 / pace.busyShare - 1), pace.forMs - sinceStartMs);
}
