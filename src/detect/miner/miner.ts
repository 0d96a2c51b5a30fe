/**
 * Streaming Drain over bytes (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017), one per source.
 *
 *     line ── scan ──► leaf: token count, field names, states, first words ──► most similar cluster, or a new one
 *
 * The tree's levels are one hash here. A line that fits a template allocates nothing and makes no string.
 */
import { Changes } from './changes.ts';
import { Cluster, lanesOf, survivor, type Leaf, type StoredCluster } from './cluster.ts';
import { byteString, tokenOf } from './layout.ts';
import { FormerTemplates, type StoredFormer } from './former.ts';
import { LeafTable } from './leaves.ts';
import { covers } from './merging.ts';
import { RecencyList } from './recency.ts';
import { LINES_PER_BIRTH, MINER_DEFAULTS, UNSORTED, type MinerOptions } from './options.ts';
import { lineLimit } from './rules.ts';
import { MAX_SHAPE_BYTES } from './shape.ts';
import { ShapeCache } from './shape-cache.ts';
import { HARD, NAME, SOFT, WILD } from './kinds.ts';
import { siblingsOf } from './siblings.ts';
import { mostSimilar, type Fit } from './similar.ts';
import { Tokens } from './tokens.ts';
import { Variables, type Found } from './variables.ts';
import { areConstants, opposes } from './words.ts';

/** Words in capitals that alternate are states until there are this many templates beside one another. */
const ENUMERATION = 16;

const UNSORTED_BYTES = new TextEncoder().encode(UNSORTED);

/** Why a cluster left: the source has too many, or too many that look alike. */
export type EvictionReason = 'clusters' | 'candidates';

/** What a miner knows beside its clusters. */
export interface StoredMiner {
  nextNumber: number;
  lines: number;
  evicted: Record<EvictionReason, number>;
  /** Births allowed now; a miner stored without it starts with the whole burst. */
  births?: number;
  /** Templates that left; see {@link FormerTemplates}. */
  former?: StoredFormer[];
}

export type { Cluster, StoredCluster } from './cluster.ts';
export { LINES_PER_BIRTH, MINER_DEFAULTS, type MinerOptions } from './options.ts';

export class Miner<Pane = unknown> {
  /** Lines counted as {@link UNSORTED} since this miner was made. */
  unsortedLines = 0;
  readonly #options: MinerOptions;
  readonly #tokens: Tokens;
  readonly #leaves = new LeafTable<Pane>();
  readonly #recency = new RecencyList<Pane>();
  readonly #shapes = new ShapeCache<Pane>();
  readonly #variables: Variables<Pane>;
  readonly #former = new FormerTemplates();
  /** Of the line observed last; null: nothing in it is counted. */
  #found: Found | null = null;
  readonly #fit: Fit = { equal: 0, misses: 0, differs: false };
  readonly #changes: Changes<Pane>;
  #evicted: Record<EvictionReason, number> = { clusters: 0, candidates: 0 };
  #nextNumber = 0;
  #lines = 0;
  #births: number;
  #unsorted: Cluster<Pane> | null = null;

  /** @param tokens a thread's scratch, some 130 KiB, shared by its miners: `new Tokens({ ...MINER_DEFAULTS, hashSeed })`. */
  constructor(options: Partial<MinerOptions> = {}, tokens?: Tokens) {
    this.#options = { ...MINER_DEFAULTS, ...options };
    this.#tokens = tokens ?? new Tokens(this.#options);
    this.#variables = new Variables(this.#options.countWords);
    this.#changes = new Changes(this.#options.maxClusters);
    this.#births = this.#options.birthBurst;
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
    // Once births are used up, a line that begins like no template is not read further.
    if (this.#births <= 0 && !this.#tokens.scan(bytes, start, end, this.#leaves.beginnings)) return this.#unsort();
    const { shape } = this.#tokens;
    // What is mined of the line.
    const limit = lineLimit(bytes, start, end, this.#options.maxLineBytes);
    const shaped = limit - start <= MAX_SHAPE_BYTES;
    if (shaped) {
      shape.read(bytes, start, limit);
      const known = this.#shapes.find(shape, bytes);
      if (known !== null && !this.#variables.isOutdated(known, known.cluster!)) {
        this.#found = known;
        return this.#touch(known.cluster!);
      }
    }
    this.#found = null;
    this.#tokens.scan(bytes, start, end);
    const found = this.#find(bytes, start);
    if (found === null && this.#births <= 0) return this.#unsort();
    const cluster = found ?? this.#birth(bytes, start, false);
    if (shaped) {
      const variables = this.#variables.find(this.#tokens, cluster, bytes);
      this.#found = this.#shapes.add(this.#tokens, cluster, variables, bytes, start, limit);
    }
    return this.#touch(cluster);
  }

  /** The cluster of a template text given by the sender: used as it is, never mined. Too many new ones count as {@link UNSORTED}, like lines. */
  observeGiven(bytes: Uint8Array, start: number, end: number): Cluster<Pane> {
    this.#found = null;
    const known = this.#findGiven(bytes, start, end);
    if (known === null && this.#births <= 0) return this.#unsort();
    return this.#touch(known ?? this.#birth(bytes, start, true));
  }

  /** Counts the numbers and the varying words of the line just observed, which belongs to `cluster`: `cluster.numbers`, `cluster.enumerations`. */
  countVariables(cluster: Cluster<Pane>, bytes: Uint8Array): void {
    if (this.#found !== null) this.#variables.count(this.#tokens.shape, cluster, bytes, this.#found);
  }

  #unsort(): Cluster<Pane> {
    this.unsortedLines++;
    this.#found = null;
    if (this.#unsorted !== null) return this.#touch(this.#unsorted);
    this.#unsorted = this.#findGiven(UNSORTED_BYTES, 0, UNSORTED_BYTES.length) ?? this.#birth(UNSORTED_BYTES, 0, true);
    return this.#touch(this.#unsorted);
  }

  #findGiven(bytes: Uint8Array, start: number, end: number): Cluster<Pane> | null {
    this.#tokens.list.scanGiven(bytes, start, end);
    const leaf = this.#leaves.find(this.#tokens.list.leafExact, this.#tokens.list.leafFold);
    return leaf?.candidates[0] ?? null;
  }

  /** Clusters born or generalised since the last call, by number; those that left again are not among them. */
  drainChanged(): Cluster<Pane>[] {
    return this.#changes.drainChanged();
  }

  /** Clusters with something in their `pane` that left since the last call, in the order they left. */
  drainEvicted(): Cluster<Pane>[] {
    return this.#changes.drainEvicted();
  }

  /** Clusters with something in their `pane` that were merged into others since the last call, in order: see `Cluster.mergedInto`. */
  drainMerged(): Cluster<Pane>[] {
    return this.#changes.drainMerged();
  }

  /** Living clusters, least recently used first. */
  clusters(): Iterable<Cluster<Pane>> {
    return this.#recency.oldestFirst();
  }

  saveState(): StoredMiner {
    return {
      nextNumber: this.#nextNumber,
      lines: this.#lines,
      births: this.#births,
      evicted: { ...this.#evicted },
      former: this.#former.save(),
    };
  }

  /** A miner that goes on exactly where the saved one stood, under any hash seed; clusters in any order. */
  restore(state: StoredMiner, clusters: readonly StoredCluster[]): void {
    if (this.#lines !== 0 || this.size !== 0) throw new Error('restore: this miner has seen lines already');
    this.#nextNumber = state.nextNumber;
    this.#lines = state.lines;
    this.#evicted = { ...state.evicted };
    this.#births = state.births ?? this.#options.birthBurst;
    this.#former.restore(state.former ?? []);
    const restored = clusters.toSorted((a, b) => a.number - b.number).map((stored) => this.#rebuild(stored));
    for (const cluster of restored.sort((a, b) => a.lastLine - b.lastLine)) this.#recency.add(cluster);
  }

  #find(bytes: Uint8Array, start: number): Cluster<Pane> | null {
    const tokens = this.#tokens.list;
    const leaf = this.#leaves.find(tokens.leafExact, tokens.leafFold);
    if (leaf === null) return null;
    const best = mostSimilar(leaf, tokens, this.#options, this.#fit);
    return best === null || !this.#fit.differs || this.#adapt(best, bytes, start) ? best : null;
  }

  /** Turns the positions where the line differs into wildcards; false when that would hide a change of state. */
  #adapt(cluster: Cluster<Pane>, bytes: Uint8Array, start: number): boolean {
    const line = this.#tokens.list;
    const layout = line.capture(bytes, start);
    const { lanes } = cluster;
    const different: number[] = [];
    for (let i = 0; i < line.count; i++) {
      const own = lanes[3 * i + 2]!;
      if (own === WILD || (lanes[3 * i] === line.exact[i] && lanes[3 * i + 1] === line.fold[i])) continue;
      different.push(i);
      const other = line.kind[i]!;
      if (!mayOppose(own) || !mayOppose(other)) continue;
      if (this.#mustStayApart(cluster, cluster.token(i), tokenOf(layout, i, other))) return false;
    }
    for (const i of different) this.#variables.generalise(cluster, i);
    this.#settle(cluster);
    return true;
  }

  #mustStayApart(cluster: Cluster<Pane>, own: string, other: string): boolean {
    if (opposes(own, other)) return true;
    return cluster.leaf.candidates.length < ENUMERATION && areConstants(own, other);
  }

  #birth(bytes: Uint8Array, start: number, given: boolean): Cluster<Pane> {
    const tokens = this.#tokens.list;
    const full = this.#leaves.find(tokens.leafExact, tokens.leafFold);
    if (full !== null && full.candidates.length >= this.#options.maxLeafCandidates) {
      this.#evict(leastRecent(full), 'candidates');
    } else if (this.size >= this.#options.maxClusters) this.#evict(this.#recency.oldest!, 'clusters');
    // Only now: the leaf may have left with its last cluster.
    const leaf = this.#leaves.findOrAdd(tokens);
    const text = given
      ? { tokens: [byteString(bytes, start, tokens.scannedEnd)], separators: ['', ''] }
      : tokens.capture(bytes, start);
    this.#births--;
    const cluster = new Cluster<Pane>(this.#nextNumber++, text, tokens.lanes(), leaf, given);
    leaf.candidates.push(cluster);
    leaf.version++;
    this.#recency.add(cluster);
    this.#changes.changed(cluster);
    if (!given) {
      this.#returnAs(cluster, this.#former.take(cluster));
      this.#generaliseSiblings(cluster);
    }
    if (cluster.mergedInto === null) return cluster;
    // Not the sibling that took it in: that may have merged too, and another may say more of the line, which is what the tree will answer next time.
    return this.#find(bytes, start) ?? survivor(cluster);
  }

  /** Its template is back: what varied in it varies again, and it has the id that it had. */
  #returnAs(cluster: Cluster<Pane>, places: readonly number[] | null): void {
    if (places === null) return;
    for (const place of places) this.#variables.generalise(cluster, place);
    this.#settle(cluster);
  }

  /** A position where enough templates differ that are equal else holds a variable. */
  #generaliseSiblings(cluster: Cluster<Pane>): void {
    const siblings = siblingsOf(cluster);
    if (siblings === null) return;
    const { place, others } = siblings;
    if (others.some((other) => this.#mustStayApart(cluster, cluster.token(place), other.token(place)))) return;
    for (const one of [...others, cluster]) {
      if (one.mergedInto !== null) continue;
      this.#variables.generalise(one, place);
      this.#settle(one);
    }
  }

  /** A cluster gave up words: those that say no more than it does now are merged into it. */
  #settle(cluster: Cluster<Pane>): void {
    cluster.leaf.version++;
    this.#changes.changed(cluster);
    for (const other of cluster.leaf.candidates.filter((one) => covers(cluster, one))) this.#merge(other, cluster);
  }

  #rebuild(stored: StoredCluster): Cluster<Pane> {
    const tokens = this.#tokens.list;
    const lanes = lanesOf(stored, tokens);
    if (stored.given) {
      const bytes = Buffer.from(stored.tokens[0]!, 'latin1');
      tokens.scanGiven(bytes, 0, bytes.length);
    } else tokens.placeInLeaf(lanes);
    const leaf = this.#leaves.findOrAdd(tokens);
    const text = { tokens: [...stored.tokens], separators: [...stored.separators] };
    const cluster = new Cluster<Pane>(stored.number, text, lanes, leaf, stored.given);
    cluster.count = stored.count;
    cluster.lastLine = stored.lastLine;
    this.#variables.restore(cluster, stored);
    leaf.candidates.push(cluster);
    return cluster;
  }

  #touch(cluster: Cluster<Pane>): Cluster<Pane> {
    cluster.count++;
    cluster.lastLine = ++this.#lines;
    if (this.#lines % LINES_PER_BIRTH === 0 && this.#births < this.#options.birthBurst) this.#births++;
    this.#recency.touch(cluster);
    return cluster;
  }

  /** Lines of `from` count as lines of `into` from now on. */
  #merge(from: Cluster<Pane>, into: Cluster<Pane>): void {
    this.#remove(from);
    this.#variables.merge(from, into);
    into.count += from.count;
    from.mergedInto = into;
    this.#changes.merged(from);
  }

  #remove(cluster: Cluster<Pane>): void {
    const { candidates } = cluster.leaf;
    candidates.splice(candidates.indexOf(cluster), 1);
    cluster.leaf.version++;
    this.#recency.remove(cluster);
    if (candidates.length === 0) this.#leaves.remove(cluster.leaf);
    if (cluster === this.#unsorted) this.#unsorted = null;
    cluster.changed = false;
  }

  #evict(cluster: Cluster<Pane>, reason: EvictionReason): void {
    this.#former.remember(cluster);
    this.#remove(cluster);
    this.#variables.forget(cluster);
    this.#evicted[reason]++;
    this.#changes.evicted(cluster);
  }
}

function mayOppose(kind: number): boolean {
  return kind === HARD || kind === SOFT || kind === NAME;
}

function leastRecent<Pane>(leaf: Leaf<Pane>): Cluster<Pane> {
  return leaf.candidates.reduce((least, cluster) => (cluster.lastLine < least.lastLine ? cluster : least));
}
