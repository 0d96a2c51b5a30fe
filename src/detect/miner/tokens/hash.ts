/**
 * Two 32-bit lanes over the bytes of a token: `exact` as they are, `fold` without case, so one pass gives the token's
 * identity and the key of the word list. Seeded per process: a sender cannot aim at the buckets of our tables. Nothing
 * is ordered by these values, and template ids do not use them.
 */

export const EXACT_PRIME = 0x5bd1e995;
export const FOLD_PRIME = 0x27d4eb2f;

/** A masked part of a token, in stored text and as hash input. NUL separates tokens, so no token contains it otherwise. */
export const MARK = '\0';
export const MARK_EXACT = 0x6d61736b;
export const MARK_FOLD = 0x3c2a3e00;

/** Folds one word, run of punctuation or mark into a token's lane, or one token into a line's lane. */
export function mix(lane: number, value: number): number {
  const mixed = Math.imul(lane ^ value, 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) | 0;
}

/** Spreads a lane over all 32 bits before it becomes a table key. */
export function avalanche(lane: number): number {
  let h = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}

/** The fold lane of one lower-case ASCII word, as the tokenizer computes it. */
export function foldWord(word: string, seed: number): number {
  let fold = seed ^ FOLD_PRIME;
  for (let i = 0; i < word.length; i++) fold = Math.imul(fold ^ (word.charCodeAt(i) | 0x20), FOLD_PRIME);
  return fold;
}
