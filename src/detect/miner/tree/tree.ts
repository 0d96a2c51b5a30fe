/**
 * The templates of a source, and what becomes of them when a line comes: which one it fits, what that one gives up for it, what is born, merged, evicted.
 */
import { Changes } from './changes.ts';
import { Cluster, lanesOf, survivor, type Leaf, type StoredCluster } from './cluster.ts';
import { FormerTemplates } from './former.ts';
import { HARD, NAME, SOFT, WILD } from '../tokens/kinds.ts';
import { byteString, tokenOf } from '../tokens/layout.ts';
import { LeafKey, OPEN } from '../tokens/leaf-key.ts';
import { LeafTable } from './leaves.ts';
import { covers } from './merging.ts';
import type { MinerOptions } from '../options.ts';
import { RecencyList } from './recency.ts';
import { isBetweenBlanks } from '../tokens/rules.ts';
import { siblingsOf } from './siblings.ts';
import { mostSimilar, type Fit } from './similar.ts';
import type { TokenList } from '../tokens/token-list.ts';
import type { Variables } from '../variables/variables.ts';
import { areConstants, isProse, opposes } from '../tokens/words.ts';

/** Words in capitals that alternate are states until there are this many templates beside one another. */
const ENUMERATION = 16;
/** Templates that a line is tried on: those it fits best. */
const MOST_TRIES = 8;

/** Why a cluster left: the source has too many, or too many that look alike. */
export type EvictionReason = 'clusters' | 'candidates';

/** The tree of one source. A thread's miners share the line that they look at. */
export class Tree<Pane> {
  /** Next cluster's. */
  nextNumber = 0;
  /** Clusters that left since birth. */
  evicted: Record<EvictionReason, number> = { clusters: 0, candidates: 0 };
  readonly recency = new RecencyList<Pane>();
  readonly changes: Changes<Pane>;
  readonly former = new FormerTemplates();
  readonly #leaves = new LeafTable<Pane>();
  /** Of the line, as if its first word varied. */
  readonly #openKey: LeafKey;
  readonly #options: MinerOptions;
  /** The line that is looked at. */
  readonly #line: TokenList;
  readonly #variables: Variables<Pane>;
  /** Of the line that is looked at: templates that it must not be. */
  readonly #refused: Cluster<Pane>[] = [];
  readonly #fit: Fit = { equal: 0, misses: 0, differs: false };

  constructor(options: MinerOptions, line: TokenList, variables: Variables<Pane>) {
    this.#options = options;
    this.#line = line;
    this.#variables = variables;
    this.changes = new Changes(options.maxClusters);
    this.#openKey = new LeafKey(line);
  }

  /** What the lines of its templates begin with, see `LeafKey.beginning`. */
  get beginnings(): ReadonlyMap<number, unknown> {
    return this.#leaves.beginnings;
  }

  /** The template that a sender gave as these bytes. */
  findGiven(bytes: Uint8Array, start: number, end: number): Cluster<Pane> | null {
    const line = this.#line;
    line.scanGiven(bytes, start, end);
    const leaf = this.#leaves.find(line.leaf.exact, line.leaf.fold);
    return leaf?.candidates[0] ?? null;
  }

  /** The template that the line fits, which may have given up words for it; null when there is none. */
  find(bytes: Uint8Array, start: number): Cluster<Pane> | null {
    const { exact, fold } = this.#line.leaf;
    const found = this.#findIn(this.#leaves.find(exact, fold), -1, bytes, start);
    if (found !== null || !this.#leaves.beginnings.has(OPEN)) return found;
    // `eth0: link up` and `wlan0: link up` made it `<*>: link up`: so is `lo: link up`.
    const key = this.#openKey;
    key.ofLine(true);
    return key.place < 0 ? null : this.#findIn(this.#leaves.find(key.exact, key.fold), key.place, bytes, start);
  }

  /** @param open where a template of this leaf must vary, -1 for nowhere */
  #findIn(leaf: Leaf<Pane> | null, open: number, bytes: Uint8Array, start: number): Cluster<Pane> | null {
    if (leaf === null) return null;
    const line = this.#line;
    const refused = this.#refused;
    refused.length = 0;
    while (refused.length < MOST_TRIES) {
      const best = mostSimilar(leaf, line, this.#options, this.#fit, refused);
      if (best === null) return null;
      const mayBe = open < 0 || (best.isOpen && best.lanes[3 * open + 2] === WILD);
      if (mayBe && (!this.#fit.differs || this.#adapt(best, bytes, start))) return best;
      // It says the opposite somewhere; another may say the same.
      refused.push(best);
    }
    return null;
  }

  /**
   * Turns the positions where the line differs into wildcards; false when that would hide a change of state, or when it is one word of the sentence: `stored as
   * bytes` and `stored as values` are two events until a third says that a value stands there, see {@link siblingsOf}.
   */
  #adapt(cluster: Cluster<Pane>, bytes: Uint8Array, start: number): boolean {
    const line = this.#line;
    const layout = line.capture(bytes, start);
    const { lanes } = cluster;
    const different: number[] = [];
    let words = 0;
    for (let i = 0; i < line.count; i++) {
      const own = lanes[3 * i + 2]!;
      if (own === WILD || (lanes[3 * i] === line.exact[i] && lanes[3 * i + 1] === line.fold[i])) continue;
      different.push(i);
      const other = line.kind[i]!;
      if (!mayOppose(own) || !mayOppose(other)) continue;
      const [before, now] = [cluster.token(i), tokenOf(layout, i, other)];
      if (this.#mustStayApart(cluster, before, now)) return false;
      const areWords = own === HARD && other === HARD && isProse(before) && isProse(now);
      if (areWords && isBetweenBlanks(bytes, start, line.start[i]!, line.end[i]!, line.scannedEnd)) words++;
    }
    if (words === 1) return false;
    for (const i of different) this.#variables.generalise(cluster, i);
    this.#settle(cluster);
    return true;
  }

  #mustStayApart(cluster: Cluster<Pane>, own: string, other: string): boolean {
    if (opposes(own, other)) return true;
    return cluster.leaf.candidates.length < ENUMERATION && areConstants(own, other);
  }

  /** A new template: that of the line, or the text `given` by the sender. */
  birth(bytes: Uint8Array, start: number, given: boolean): Cluster<Pane> {
    const line = this.#line;
    const full = this.#leaves.find(line.leaf.exact, line.leaf.fold);
    if (full !== null && full.candidates.length >= this.#options.maxLeafCandidates) {
      this.#evict(leastRecent(full), 'candidates');
    } else if (this.recency.size >= this.#options.maxClusters) this.#evict(this.recency.oldest!, 'clusters');
    // Only now: the leaf may have left with its last cluster.
    const leaf = this.#leaves.findOrAdd(line.leaf);
    const text = given
      ? { tokens: [byteString(bytes, start, line.scannedEnd)], separators: ['', ''] }
      : line.capture(bytes, start);
    const cluster = new Cluster<Pane>(this.nextNumber++, text, line.lanes(), leaf, given);
    leaf.candidates.push(cluster);
    this.#leaves.changed(leaf);
    this.recency.add(cluster);
    this.changes.changed(cluster);
    if (!given) {
      this.#returnAs(cluster, this.former.take(cluster));
      this.#generaliseSiblings(cluster);
    }
    if (cluster.mergedInto === null) return cluster;
    // Not the sibling that took it in: that may have merged too, and another may say more of the line, which is what the tree will answer next time.
    return this.find(bytes, start) ?? survivor(cluster);
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
    this.#leaves.changed(cluster.leaf);
    this.changes.changed(cluster);
    let others: Iterable<Cluster<Pane>> = cluster.leaf.candidates;
    if (cluster.isOpen) {
      this.#leaves.open(cluster.leaf);
      // Those that begin with a word lie elsewhere.
      others = this.recency.oldestFirst();
    }
    for (const other of [...others].filter((one) => covers(cluster, one))) this.#merge(other, cluster);
  }

  /** A stored one, which has no place in {@link recency} yet. */
  rebuild(stored: StoredCluster): Cluster<Pane> {
    const line = this.#line;
    const lanes = lanesOf(stored, line);
    if (stored.given) {
      const bytes = Buffer.from(stored.tokens[0]!, 'latin1');
      line.scanGiven(bytes, 0, bytes.length);
    } else line.leaf.ofStored(lanes);
    const leaf = this.#leaves.findOrAdd(line.leaf);
    const text = { tokens: [...stored.tokens], separators: [...stored.separators] };
    const cluster = new Cluster<Pane>(stored.number, text, lanes, leaf, stored.given);
    cluster.count = stored.count;
    cluster.lastLine = stored.lastLine;
    this.#variables.restore(cluster, stored);
    leaf.candidates.push(cluster);
    if (cluster.isOpen) this.#leaves.open(leaf);
    return cluster;
  }

  /** Lines of `from` count as lines of `into` from now on. */
  #merge(from: Cluster<Pane>, into: Cluster<Pane>): void {
    this.#remove(from);
    this.#variables.merge(from, into);
    into.count += from.count;
    from.mergedInto = into;
    this.changes.merged(from);
  }

  #remove(cluster: Cluster<Pane>): void {
    const { candidates } = cluster.leaf;
    candidates.splice(candidates.indexOf(cluster), 1);
    this.#leaves.changed(cluster.leaf);
    this.recency.remove(cluster);
    if (candidates.length === 0) this.#leaves.remove(cluster.leaf);
    cluster.changed = false;
  }

  #evict(cluster: Cluster<Pane>, reason: EvictionReason): void {
    this.former.remember(cluster);
    this.#remove(cluster);
    this.#variables.forget(cluster);
    this.evicted[reason]++;
    this.changes.evicted(cluster);
  }
}

function mayOppose(kind: number): boolean {
  return kind === HARD || kind === SOFT || kind === NAME;
}

function leastRecent<Pane>(leaf: Leaf<Pane>): Cluster<Pane> {
  return leaf.candidates.reduce((least, cluster) => (cluster.lastLine < least.lastLine ? cluster : least));
}
