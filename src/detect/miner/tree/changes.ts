import type { Cluster } from './cluster.ts';

/** What happened to a miner's clusters since somebody asked. */
export class Changes<Pane> {
  readonly #maxClusters: number;
  #changed: Cluster<Pane>[] = [];
  #merged: Cluster<Pane>[] = [];
  #evicted: Cluster<Pane>[] = [];

  constructor(maxClusters: number) {
    this.#maxClusters = maxClusters;
  }

  /** Born or generalised. */
  changed(cluster: Cluster<Pane>): void {
    if (cluster.changed) return;
    cluster.changed = true;
    this.#changed.push(cluster);
    // Those that left again do not wait to be asked for.
    if (this.#changed.length > 2 * this.#maxClusters) this.#changed = this.#changed.filter((other) => other.changed);
  }

  /** Nothing hangs on a cluster without a pane: nobody needs to hear. In a flood of births this is what bounds the lists. */
  merged(cluster: Cluster<Pane>): void {
    if (cluster.pane !== null) this.#merged.push(cluster);
  }

  evicted(cluster: Cluster<Pane>): void {
    if (cluster.pane !== null) this.#evicted.push(cluster);
  }

  /** By number. */
  drainChanged(): Cluster<Pane>[] {
    if (this.#changed.length === 0) return [];
    const changed = this.#changed.filter((cluster) => cluster.changed);
    this.#changed = [];
    for (const cluster of changed) cluster.changed = false;
    return changed.sort((a, b) => a.number - b.number);
  }

  drainEvicted(): Cluster<Pane>[] {
    const evicted = this.#evicted;
    if (evicted.length > 0) this.#evicted = [];
    return evicted;
  }

  drainMerged(): Cluster<Pane>[] {
    const merged = this.#merged;
    if (merged.length > 0) this.#merged = [];
    return merged;
  }
}
