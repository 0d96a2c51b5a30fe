/**
 * Multiplications that may still be done before others get their turn. What works with it stops when none are left and says so; what it has begun, a
 * column or a row, it finishes, so `left` may end below 0.
 */
export interface Work {
  left: number;
}

/** For callers that have all the time. */
export function unlimited(): Work {
  return { left: Infinity };
}
