import type { TokenLimits } from './tokens/kinds.ts';

export interface MinerOptions extends TokenLimits {
  /** Clusters a source keeps; the least recently used leaves. */
  maxClusters: number;
  /** Clusters a line is compared with. */
  maxLeafCandidates: number;
  /** Share of a template's words that a line must have at their positions. */
  similarity: number;
  /** Templates that may be born at once; beyond it one in {@link LINES_PER_BIRTH} lines, the others count as {@link UNSORTED}. */
  birthBurst: number;
  /** False: words at positions that vary are not kept. */
  countWords: boolean;
}

export const MINER_DEFAULTS: MinerOptions = {
  maxClusters: 1024,
  maxLeafCandidates: 64,
  similarity: 0.7,
  birthBurst: 1024,
  countWords: true,
  prefixWords: 1,
  maxTokens: 128,
  maxLineBytes: 4096,
  hashSeed: 0,
};

/**
 * The template of lines that came when too many others were new: a source that writes noise has one template for it, instead of a
 * thousand that push out those in use.
 */
export const UNSORTED = '<unsorted>';
/** The template of lines that are no text. */
export const BINARY = '<binary>';
/** Once the burst is used up. Steady sources need a birth in thousands of lines. */
export const LINES_PER_BIRTH = 64;
