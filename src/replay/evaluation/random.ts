/**
 * Numbers in [0, 1) that look random and are the same for a seed on every machine: SplitMix32, as of Steele, Lea & Flood, "Fast splittable pseudorandom
 * number generators" (2014), in its 32-bit form.
 */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let t = state ^ (state >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return ((t ^ (t >>> 15)) >>> 0) / 2 ** 32;
  };
}
