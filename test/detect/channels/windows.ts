import { History } from '../../../src/detect/history.ts';

/** Deterministic uniform numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 4294967296;
  };
}

/** A history of the given windows (counts by slot, oldest first), all accepted unless said otherwise. */
export function historyOf(
  windows: readonly (readonly number[])[],
  options: { capacity?: number; accepted?: (i: number) => boolean } = {},
): History {
  const history = new History(options.capacity ?? 121);
  history.growSlots(Math.max(1, ...windows.map((counts) => counts.length)));
  for (const [t, counts] of windows.entries()) {
    const i = history.push();
    for (const [slot, count] of counts.entries()) history.setCount(i, slot, count);
    history.set(i, {
      windowId: t,
      records: counts.reduce((sum, count) => sum + count, 0),
      error: NaN,
      normalizedError: NaN,
      rank: 0,
      gates: [],
      accepted: options.accepted?.(t) ?? true,
    });
  }
  return history;
}

/** Every slot has been in an accepted window. */
export function allKnown(slots: number): Uint8Array {
  return new Uint8Array(slots).fill(1);
}

/** A score or a surprise that may be printed and compared: finite, no -0. */
export function isSound(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}
