import type { History } from './history.ts';
import { addLevels, NO_LEVELS, type Levels } from './levels.ts';
import { unclassed, type SharedTemplate } from './miner/tree/classes.ts';
import type { Cluster } from './miner/miner.ts';
import type { Vector, VectorTable } from './vectors.ts';

/** A source's history knows at most this many templates; beyond it the rarest leave with their counts. */
export const MAX_TEMPLATES = 256;
/** Ids that a source has ever accepted, so that a template that left does not come back as new. */
const MAX_SEEN = 4096;

/**
 * A template of one source, or one status class or level of it: what the history counts. Clusters of the miner point to it; one that generalises renames
 * its template in place, so the history follows and nothing looks new or vanished.
 */
export interface Template {
  /** Grows by one per template of the source; its key in the store. */
  readonly number: number;
  id: string;
  text: string;
  /** What people see it under, together with its other status classes and levels. */
  shared: SharedTemplate;
  firstSeenMs: number;
  /** Records by level since it was first seen. */
  levels: Levels;
  /** Column in the history, -1 while no kept window counts it. */
  slot: number;
  vector: Vector;
  /** Live clusters of the miner that count into it. */
  clusters: Set<Cluster>;
  /** Where its counts went when it was merged into an equal one. */
  mergedInto: Template | null;
  /** The store has a row of it. */
  stored: boolean;
}

/** Which `<*>` of its text, or of the one it shares, the number at token `token` is, from 1; null once the miner has dropped the template. */
export function placeholderOf({ clusters }: Template, token: number, text: 'own' | 'shared'): number | null {
  // All clusters of a template have its text.
  const [cluster] = clusters;
  return cluster?.placeholderOf(token, text) ?? null;
}

/** Follows merges to the template that counts now. */
export function current(template: Template): Template {
  let t = template;
  while (t.mergedInto !== null) t = t.mergedInto;
  return t;
}

export class TemplateTable {
  readonly bySlot: (Template | null)[] = [];
  /** Templates whose row must be written at the next checkpoint. */
  readonly changed = new Set<Template>();
  /** Numbers whose row must leave the store. */
  readonly removed: number[] = [];
  /** Templates that left because of {@link MAX_TEMPLATES}. */
  overflowed = 0;
  nextNumber = 0;
  #byId = new Map<string, Template>();
  #seen = new Set<string>();
  /** Templates without clusters and perhaps without a column: the next sweep decides. */
  #orphans = new Set<Template>();
  seenChanged = false;
  #history: History;
  #vectors: VectorTable;

  constructor(history: History, vectors: VectorTable) {
    this.#history = history;
    this.#vectors = vectors;
  }

  /** The template a new or changed cluster counts into from now on. */
  attach(cluster: Cluster, previous: Template | null, timeMs: number): Template {
    if (previous !== null && previous.id === cluster.id) {
      // A number that became a word is `<*>` before and after: the text is the same, the cluster is not.
      this.changed.add(previous);
      return previous;
    }
    const same = this.#byId.get(cluster.id);
    if (previous !== null && previous.clusters.size === 1) {
      if (same === undefined) {
        this.#rename(previous, cluster);
        return previous;
      }
      this.#merge(previous, same);
      same.clusters.add(cluster);
      this.changed.add(same);
      return same;
    }
    // Born, or one of several clusters of one text went its own way.
    previous?.clusters.delete(cluster);
    if (previous !== null) this.changed.add(previous);
    const template = same ?? this.create(cluster, timeMs);
    template.clusters.add(cluster);
    this.changed.add(template);
    return template;
  }

  /** The cluster was merged into one that counts into `into`: its template follows, when no other cluster says the same. */
  join(cluster: Cluster, from: Template | null, into: Template): Template {
    from?.clusters.delete(cluster);
    if (from === null || from === into) return into;
    this.changed.add(from);
    if (from.clusters.size === 0) {
      this.#merge(from, into);
      this.changed.add(into);
    }
    return into;
  }

  create(
    { id, text, shared = unclassed({ id, text }) }: Pick<Template, 'id' | 'text'> & { shared?: SharedTemplate },
    firstSeenMs: number,
    number = this.nextNumber,
  ): Template {
    const template: Template = {
      number,
      id,
      text,
      shared,
      firstSeenMs,
      levels: NO_LEVELS,
      slot: -1,
      vector: this.#vectors.hold(text),
      clusters: new Set(),
      mergedInto: null,
      stored: false,
    };
    this.nextNumber = Math.max(this.nextNumber, number + 1);
    this.#byId.set(id, template);
    this.changed.add(template);
    // Until the sweep finds that something uses it.
    this.#orphans.add(template);
    return template;
  }

  /** The miner dropped a cluster; the template stays while the history counts it. */
  detach(cluster: Cluster, template: Template): void {
    template.clusters.delete(cluster);
    this.changed.add(template);
    this.#orphans.add(template);
  }

  /** Gives a template its column. */
  assignSlot(template: Template, slot = this.#freeSlot()): void {
    template.slot = slot;
    this.changed.add(template);
    while (this.bySlot.length <= slot) this.bySlot.push(null);
    this.bySlot[slot] = template;
    this.#history.growSlots(slot + 1);
  }

  /** Takes the column of a template away, with its counts. */
  releaseSlot(template: Template): void {
    this.#history.clearSlot(template.slot);
    this.bySlot[template.slot] = null;
    template.slot = -1;
    this.changed.add(template);
    this.#orphans.add(template);
  }

  /**
   * Frees columns whose counts have all left, and forgets templates that no cluster, column or kept pane uses.
   *
   * @param inPanes templates of the kept panes and waiting windows; asked for only when it matters
   */
  sweep(inPanes: () => ReadonlySet<Template>): void {
    for (const template of this.bySlot) {
      if (template !== null && this.#history.isUnused(template.slot)) this.releaseSlot(template);
    }
    for (const template of this.#orphans) {
      if (template.slot >= 0 || template.clusters.size > 0) this.#orphans.delete(template);
    }
    if (this.#orphans.size === 0) return;
    const kept = inPanes();
    for (const template of this.#orphans) if (!kept.has(template)) this.#remove(template);
  }

  wasSeen(id: string): boolean {
    return this.#seen.has(id);
  }

  /** Remembers an accepted id; the first remembered of those that the history no longer counts leaves. */
  markSeen(id: string): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    this.seenChanged = true;
    while (this.#seen.size > MAX_SEEN) {
      const oldest = this.#seen.values().next().value!;
      this.#seen.delete(oldest);
      if ((this.#byId.get(oldest)?.slot ?? -1) >= 0) this.#seen.add(oldest);
    }
  }

  /** Anything has ever been accepted. */
  get hasSeen(): boolean {
    return this.#seen.size > 0;
  }

  get seen(): Iterable<string> {
    return this.#seen;
  }

  all(): Iterable<Template> {
    return this.#byId.values();
  }

  /** Gives the vectors back when the source leaves the shard. */
  dispose(): void {
    for (const template of this.#byId.values()) this.#vectors.release(template.vector);
    this.#byId.clear();
  }

  #rename(template: Template, cluster: Cluster): void {
    const seen = this.#seen.has(template.id);
    this.#byId.delete(template.id);
    this.#vectors.release(template.vector);
    template.id = cluster.id;
    template.text = cluster.text;
    template.shared = cluster.shared;
    template.vector = this.#vectors.hold(cluster.text);
    this.#byId.set(template.id, template);
    if (template.slot >= 0) this.#history.markStale(template.slot);
    if (seen) this.markSeen(template.id);
    this.changed.add(template);
  }

  #merge(from: Template, into: Template): void {
    if (from.slot >= 0) {
      if (into.slot >= 0) {
        this.#history.mergeSlots(from.slot, into.slot);
        this.bySlot[from.slot] = null;
      } else {
        // The column changes hands: a new one could be one too many.
        this.#history.markStale(from.slot);
        this.assignSlot(into, from.slot);
      }
      from.slot = -1;
    }
    if (this.#seen.has(from.id)) this.markSeen(into.id);
    into.firstSeenMs = Math.min(into.firstSeenMs, from.firstSeenMs);
    into.levels = addLevels(into.levels, from.levels);
    from.mergedInto = into;
    from.clusters.clear();
    this.#remove(from);
  }

  #remove(template: Template): void {
    this.#orphans.delete(template);
    this.#byId.delete(template.id);
    this.#vectors.release(template.vector);
    this.changed.delete(template);
    // What was never stored need not leave: without a store nobody empties this list.
    if (template.stored) this.removed.push(template.number);
  }

  #freeSlot(): number {
    const free = this.bySlot.indexOf(null);
    return free >= 0 ? free : this.bySlot.length;
  }
}
