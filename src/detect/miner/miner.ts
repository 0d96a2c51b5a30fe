/**
 * Streaming Drain over bytes (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017), one per source.
 *
 *     line ── scan ──► leaf: token count, field names, states, first words ──► most similar cluster, or a new one
 *
 * The tree's levels are one hash here. A line that fits a template allocates nothing and makes no string.
 */
import { Cluster, compare, lanesOf, type Fit, type Leaf, type StoredCluster } from './cluster.ts';
import { byteString, tokenOf } from './layout.ts';
import { LeafTable } from './leaves.ts';
import { RecencyList } from './recency.ts';
import { HARD, SOFT, WILD, type TokenLimits } from './kinds.ts';
import { Tokens } from './tokens.ts';
import { isConstant, opposes } from './words.ts';

export interface MinerOptions extends TokenLimits {
  /** Clusters a source keeps; the least recently used leaves. */
  maxClusters: number;
  /** Clusters a line is compared with. */
  maxLeafCandidates: number;
  /** Share of a template's words that a line must have at their positions. */
  similarity: number;
}

export const MINER_DEFAULTS: MinerOptions = {
  maxClusters: 1024,
  maxLeafCandidates: 64,
  similarity: 0.7,
  prefixWords: 1,
  maxTokens: 128,
  maxLineBytes: 4096,
  hashSeed: 0,
};

/** Words in capitals that alternate are states until there are this many templates beside one another. */
const ENUMERATION = 16;

/** Why a cluster left: the source has too many, or too many that look alike. */
export type EvictionReason = 'clusters' | 'candidates';

/** What a miner knows beside its clusters. */
export interface StoredMiner {
  nextNumber: number;
  lines: number;
  evicted: Record<EvictionReason, number>;
}

export type { Cluster, StoredCluster } from './cluster.ts';

export class Miner<Pane = unknown> {
  readonly #options: MinerOptions;
  readonly #tokens: Tokens;
  readonly #leaves = new LeafTable<Pane>();
  readonly #recency = new RecencyList<Pane>();
  readonly #fit: Fit = { equal: 0, misses: 0, differs: false };
  #changed: Cluster<Pane>[] = [];
  #evictions: Cluster<Pane>[] = [];
  #evicted: Record<EvictionReason, number> = { clusters: 0, candidates: 0 };
  #nextNumber = 0;
  #lines = 0;

  /** @param tokens a thread's scratch, some 130 KiB, shared by its miners: `new Tokens({ ...MINER_DEFAULTS, hashSeed })`. */
  constructor(options: Partial<MinerOptions> = {}, tokens?: Tokens) {
    this.#options = { ...MINER_DEFAULTS, ...options };
    this.#tokens = tokens ?? new Tokens(this.#options);
  }

  get size(): number {
    return this.#recency.size;
  }

  /** Clusters that left since birth, by reason. */
  get evicted(): Readonly<Record<EvictionReason, number>> {
    return this.#evicted;
  }

  get evictedTotal(): number {
    return this.#evicted.clusters + this.#evicted.candidates;
  }

  /** The cluster of the line `bytes[start, end)`, UTF-8. */
  observe(bytes: Uint8Array, start: number, end: number): Cluster<Pane> {
    this.#tokens.scan(bytes, start, end);
    const cluster = this.#find(bytes, start) ?? this.#birth(bytes, start, false);
    return this.#touch(cluster);
  }

  /** The cluster of a template text given by the sender: used as it is, never mined. */
  observeGiven(bytes: Uint8Array, start: number, end: number): Cluster<Pane> {
    this.#tokens.scanGiven(bytes, start, end);
    const leaf = this.#leaves.find(this.#tokens.leafExact, this.#tokens.leafFold);
    return this.#touch(leaf?.candidates[0] ?? this.#birth(bytes, start, true));
  }

  /** Clusters born or generalised since the last call, by number; those that left again are not among them. */
  drainChanged(): Cluster<Pane>[] {
    if (this.#changed.length === 0) return [];
    const changed = this.#changed.filter((cluster) => cluster.changed);
    this.#changed = [];
    for (const cluster of changed) cluster.changed = false;
    return changed.sort((a, b) => a.number - b.number);
  }

  /** Clusters with something in their `pane` that left since the last call, in the order they left. */
  drainEvicted(): Cluster<Pane>[] {
    const evictions = this.#evictions;
    if (evictions.length > 0) this.#evictions = [];
    return evictions;
  }

  /** Living clusters, least recently used first. */
  clusters(): Iterable<Cluster<Pane>> {
    return this.#recency.oldestFirst();
  }

  saveState(): StoredMiner {
    return { nextNumber: this.#nextNumber, lines: this.#lines, evicted: { ...this.#evicted } };
  }

  /** A miner that goes on exactly where the saved one stood, under any hash seed; clusters in any order. */
  restore(state: StoredMiner, clusters: readonly StoredCluster[]): void {
    if (this.#lines !== 0 || this.size !== 0) throw new Error('restore: this miner has seen lines already');
    this.#nextNumber = state.nextNumber;
    this.#lines = state.lines;
    this.#evicted = { ...state.evicted };
    const restored = clusters.toSorted((a, b) => a.number - b.number).map((stored) => this.#rebuild(stored));
    for (const cluster of restored.sort((a, b) => a.lastLine - b.lastLine)) this.#recency.add(cluster);
  }

  #find(bytes: Uint8Array, start: number): Cluster<Pane> | null {
    const tokens = this.#tokens;
    const leaf = this.#leaves.find(tokens.leafExact, tokens.leafFold);
    if (leaf === null) return null;
    const { similarity } = this.#options;
    const fit = this.#fit;
    const { candidates } = leaf;
    let best: Cluster<Pane> | null = null;
    let bestEqual = 0;
    let bestMisses = 0;
    let differs = false;
    for (let i = 0; i < candidates.length; i++) {
      const cluster = candidates[i]!;
      // equal ≥ similarity · (equal + misses) and equal ≤ words
      compare(cluster.lanes, tokens, Math.floor((cluster.words * (1 - similarity)) / similarity), fit);
      const { equal, misses } = fit;
      if (equal < similarity * (equal + misses)) continue;
      // Larger equal / (equal + misses) first, then more equal words, then the older.
      const order = misses * bestEqual - bestMisses * equal;
      if (best === null || order < 0 || (order === 0 && equal > bestEqual)) {
        best = cluster;
        bestEqual = equal;
        bestMisses = misses;
        differs = fit.differs;
      }
    }
    return best === null || !differs || this.#adapt(best, bytes, start) ? best : null;
  }

  /** Turns the positions where the line differs into wildcards; false when that would hide a change of state. */
  #adapt(cluster: Cluster<Pane>, bytes: Uint8Array, start: number): boolean {
    const line = this.#tokens;
    const layout = line.capture(bytes, start);
    const { lanes } = cluster;
    const different: number[] = [];
    for (let i = 0; i < line.count; i++) {
      const own = lanes[3 * i + 2]!;
      if (own === WILD || (lanes[3 * i] === line.exact[i] && lanes[3 * i + 1] === line.fold[i])) continue;
      different.push(i);
      const other = line.kind[i]!;
      if ((own !== HARD && own !== SOFT) || (other !== HARD && other !== SOFT)) continue;
      if (this.#mustStayApart(cluster, cluster.token(i), tokenOf(layout, i, other))) return false;
    }
    for (const i of different) cluster.generalise(i);
    this.#markChanged(cluster);
    return true;
  }

  #mustStayApart(cluster: Cluster<Pane>, own: string, other: string): boolean {
    if (opposes(own, other)) return true;
    return cluster.leaf.candidates.length < ENUMERATION && isConstant(own) && isConstant(other);
  }

  #birth(bytes: Uint8Array, start: number, given: boolean): Cluster<Pane> {
    const tokens = this.#tokens;
    const full = this.#leaves.find(tokens.leafExact, tokens.leafFold);
    if (full !== null && full.candidates.length >= this.#options.maxLeafCandidates) {
      this.#evict(leastRecent(full), 'candidates');
    } else if (this.size >= this.#options.maxClusters) this.#evict(this.#recency.oldest!, 'clusters');
    // Only now: the leaf may have left with its last cluster.
    const leaf = this.#leaves.findOrAdd(tokens.leafExact, tokens.leafFold);
    const text = given
      ? { tokens: [byteString(bytes, start, tokens.scannedEnd)], separators: ['', ''] }
      : tokens.capture(bytes, start);
    const cluster = new Cluster<Pane>(this.#nextNumber++, text, tokens.lanes(), leaf, given);
    leaf.candidates.push(cluster);
    this.#recency.add(cluster);
    this.#markChanged(cluster);
    return cluster;
  }

  #rebuild(stored: StoredCluster): Cluster<Pane> {
    const tokens = this.#tokens;
    const lanes = lanesOf(stored, tokens);
    if (stored.given) {
      const bytes = Buffer.from(stored.tokens[0]!, 'latin1');
      tokens.scanGiven(bytes, 0, bytes.length);
    } else tokens.placeInLeaf(lanes);
    const leaf = this.#leaves.findOrAdd(tokens.leafExact, tokens.leafFold);
    const text = { tokens: [...stored.tokens], separators: [...stored.separators] };
    const cluster = new Cluster<Pane>(stored.number, text, lanes, leaf, stored.given);
    cluster.count = stored.count;
    cluster.lastLine = stored.lastLine;
    leaf.candidates.push(cluster);
    return cluster;
  }

  #touch(cluster: Cluster<Pane>): Cluster<Pane> {
    cluster.count++;
    cluster.lastLine = ++this.#lines;
    this.#recency.touch(cluster);
    return cluster;
  }

  #evict(cluster: Cluster<Pane>, reason: EvictionReason): void {
    const { candidates } = cluster.leaf;
    candidates.splice(candidates.indexOf(cluster), 1);
    this.#recency.remove(cluster);
    if (candidates.length === 0) this.#leaves.remove(cluster.leaf);
    cluster.changed = false;
    this.#evicted[reason]++;
    // Nothing hangs on it: nobody needs to hear. In a flood of births this is what bounds the list.
    if (cluster.pane !== null) this.#evictions.push(cluster);
  }

  #markChanged(cluster: Cluster<Pane>): void {
    if (cluster.changed) return;
    cluster.changed = true;
    this.#changed.push(cluster);
    if (this.#changed.length > 2 * this.#options.maxClusters)
      this.#changed = this.#changed.filter((other) => other.changed);
  }
}

function leastRecent<Pane>(leaf: Leaf<Pane>): Cluster<Pane> {
  return leaf.candidates.reduce((least, cluster) => (cluster.lastLine < least.lastLine ? cluster : least));
}
