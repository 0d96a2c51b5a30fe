import { setImmediate as nextTurn } from 'node:timers/promises';

/** As long as a request may decode. */
const SLICE_MS = 4;

/**
 * For work of the main thread that grows with the number of sources: `await turns()` after each piece of it. Requests, ticks and probes get
 * their turn whenever 4 ms have passed.
 */
export function createTurns(): () => Promise<void> | void {
  let sliceMs = performance.now();
  const turn = async (): Promise<void> => {
    await nextTurn();
    sliceMs = performance.now();
  };
  return () => (performance.now() - sliceMs < SLICE_MS ? undefined : turn());
}
