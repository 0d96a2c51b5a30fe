/**
 * Streaming Drain over bytes (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017), one per source.
 *
 *     line ── scan ──► leaf: token count, field names, states, first words ──► most similar cluster, or a new one
 *
 * The tree's levels are one hash here. A line that fits a template allocates nothing and makes no string.
 */
import { isBinary } from './tokens/binary.ts';
import type { Cluster, StoredCluster } from './tree/cluster.ts';
import type { StoredFormer } from './tree/former.ts';
import { BINARY, LINES_PER_BIRTH, MINER_DEFAULTS, UNSORTED, type MinerOptions } from './options.ts';
import { lineLimit } from './tokens/rules.ts';
import { MAX_SHAPE_BYTES } from './tokens/shape.ts';
import { ShapeCache } from './shape-cache.ts';
import { Tokens } from './tokens/tokens.ts';
import { Tree, type EvictionReason } from './tree/tree.ts';
import { Variables, type Found } from './variables/variables.ts';

// A module's own constants are folded into hot code, imported ones are loaded at every use: a division by one of them takes 30 times as long.
const shapeBytes = MAX_SHAPE_BYTES;
const linesPerBirth = LINES_PER_BIRTH;

const BINARY_BYTES = new TextEncoder().encode(BINARY);
const UNSORTED_BYTES = new TextEncoder().encode(UNSORTED);

/** What a miner knows beside its clusters. */
export interface StoredMiner {
  nextNumber: number;
  lines: number;
  evicted: Record<EvictionReason, number>;
  /** Births allowed now; a miner stored without it starts with the whole burst. */
  births?: number;
  /** Templates that left; see `former.ts`. */
  former?: StoredFormer[];
}

export type { Cluster, StoredCluster } from './tree/cluster.ts';
export { LINES_PER_BIRTH, MINER_DEFAULTS, type MinerOptions } from './options.ts';

export class Miner<Pane = unknown> {
  /** Lines counted as {@link UNSORTED} since this miner was made. */
  unsortedLines = 0;
  readonly #options: MinerOptions;
  readonly #tokens: Tokens;
  readonly #tree: Tree<Pane>;
  readonly #shapes = new ShapeCache<Pane>();
  readonly #variables: Variables<Pane>;
  /** Of the line observed last; null: nothing in it is counted. */
  #found: Found | null = null;
  #lines = 0;
  #births: number;
  #unsortedCluster: Cluster<Pane> | null = null;
  #binaryCluster: Cluster<Pane> | null = null;

  /** @param tokens a thread's scratch, some 180 KiB, shared by its miners: `new Tokens({ ...MINER_DEFAULTS, hashSeed })`. */
  constructor(options: Partial<MinerOptions> = {}, tokens?: Tokens) {
    this.#options = { ...MINER_DEFAULTS, ...options };
    this.#tokens = tokens ?? new Tokens(this.#options);
    this.#variables = new Variables(this.#options.countWords);
    this.#tree = new Tree(this.#options, this.#tokens.list, this.#variables);
    this.#births = this.#options.birthBurst;
  }

  get size(): number {
    return this.#tree.recency.size;
  }

  /** Clusters that left since birth, by reason. */
  get evicted(): Readonly<Record<EvictionReason, number>> {
    return this.#tree.evicted;
  }

  get evictedTotal(): number {
    return this.evicted.clusters + this.evicted.candidates;
  }

  /** The cluster of the line `bytes[start, end)`, UTF-8. */
  observe(bytes: Uint8Array, start: number, end: number): Cluster<Pane> {
    const tokens = this.#tokens;
    // What is mined of the line.
    const limit = lineLimit(bytes, start, end, this.#options.maxLineBytes);
    const flooded = this.#births <= 0;
    if (flooded) {
      if (isBinary(bytes, start, limit)) return this.#binary();
      // Once births are used up, a line that begins like no template is not read further.
      if (!tokens.begins(bytes, start, end, this.#tree.beginnings)) return this.#unsort();
    }
    const { shape } = tokens;
    const shaped = limit - start <= shapeBytes;
    if (shaped) {
      shape.read(bytes, start, limit);
      const known = this.#shapes.find(shape, bytes);
      if (known !== null && !this.#variables.isOutdated(known, known.cluster!)) {
        this.#found = known;
        return this.#touch(known.cluster!);
      }
    }
    this.#found = null;
    if (flooded) tokens.scanRest(bytes, start, end);
    else if (isBinary(bytes, start, limit)) return this.#binary();
    else tokens.scan(bytes, start, end);
    const found = this.#tree.find(bytes, start);
    if (found === null && this.#births <= 0) return this.#unsort();
    const cluster = found ?? this.#birth(bytes, start, false);
    if (shaped) {
      const variables = this.#variables.find(tokens, cluster, bytes);
      this.#found = this.#shapes.add(tokens, cluster, variables, bytes, start, limit);
    }
    return this.#touch(cluster);
  }

  /** The cluster of a template text given by the sender: used as it is, never mined. Too many new ones count as {@link UNSORTED}, like lines. */
  observeGiven(bytes: Uint8Array, start: number, end: number): Cluster<Pane> {
    this.#found = null;
    const known = this.#tree.findGiven(bytes, start, end);
    if (known === null && this.#births <= 0) return this.#unsort();
    return this.#touch(known ?? this.#birth(bytes, start, true));
  }

  /** Counts the numbers and the varying words of the line just observed, which belongs to `cluster`: `cluster.numbers`, `cluster.enumerations`. */
  countVariables(cluster: Cluster<Pane>, bytes: Uint8Array): void {
    if (this.#found !== null) this.#variables.count(this.#tokens.shape, cluster, bytes, this.#found);
  }

  #unsort(): Cluster<Pane> {
    this.unsortedLines++;
    this.#unsortedCluster = this.#own(this.#unsortedCluster, UNSORTED_BYTES);
    return this.#touch(this.#unsortedCluster);
  }

  #binary(): Cluster<Pane> {
    this.#binaryCluster = this.#own(this.#binaryCluster, BINARY_BYTES);
    return this.#touch(this.#binaryCluster);
  }

  /** The template that is `text` and not mined. Where it was before it is again, unless it has left: then its leaf is empty, for nobody shares that of a given template. */
  #own(before: Cluster<Pane> | null, text: Uint8Array): Cluster<Pane> {
    this.#found = null;
    if (before !== null && before.leaf.candidates.length > 0) return before;
    return this.#tree.findGiven(text, 0, text.length) ?? this.#birth(text, 0, true);
  }

  /** Clusters born or generalised since the last call, by number; those that left again are not among them. */
  drainChanged(): Cluster<Pane>[] {
    return this.#tree.changes.drainChanged();
  }

  /** Clusters with something in their `pane` that left since the last call, in the order they left. */
  drainEvicted(): Cluster<Pane>[] {
    return this.#tree.changes.drainEvicted();
  }

  /** Clusters with something in their `pane` that were merged into others since the last call, in order: see `Cluster.mergedInto`. */
  drainMerged(): Cluster<Pane>[] {
    return this.#tree.changes.drainMerged();
  }

  /** Living clusters, least recently used first. */
  clusters(): Iterable<Cluster<Pane>> {
    return this.#tree.recency.oldestFirst();
  }

  saveState(): StoredMiner {
    return {
      nextNumber: this.#tree.nextNumber,
      lines: this.#lines,
      births: this.#births,
      evicted: { ...this.#tree.evicted },
      former: this.#tree.former.save(),
    };
  }

  /** A miner that goes on exactly where the saved one stood, under any hash seed; clusters in any order. */
  restore(state: StoredMiner, clusters: readonly StoredCluster[]): void {
    if (this.#lines !== 0 || this.size !== 0) throw new Error('restore: this miner has seen lines already');
    this.#tree.nextNumber = state.nextNumber;
    this.#lines = state.lines;
    this.#tree.evicted = { ...state.evicted };
    this.#births = state.births ?? this.#options.birthBurst;
    this.#tree.former.restore(state.former ?? []);
    const restored = clusters.toSorted((a, b) => a.number - b.number).map((stored) => this.#tree.rebuild(stored));
    for (const cluster of restored.sort((a, b) => a.lastLine - b.lastLine)) this.#tree.recency.add(cluster);
  }

  #birth(bytes: Uint8Array, start: number, given: boolean): Cluster<Pane> {
    this.#births--;
    return this.#tree.birth(bytes, start, given);
  }

  #touch(cluster: Cluster<Pane>): Cluster<Pane> {
    cluster.count++;
    cluster.lastLine = ++this.#lines;
    if (this.#lines % linesPerBirth === 0 && this.#births < this.#options.birthBurst) this.#births++;
    this.#tree.recency.touch(cluster);
    return cluster;
  }
}
