import type { Cluster } from './cluster.ts';

/**
 * Clusters in the order of last use, linked through the clusters themselves:
 *
 *     oldest ⇄ … ⇄ newest
 */
export class RecencyList<Pane> {
  oldest: Cluster<Pane> | null = null;
  #newest: Cluster<Pane> | null = null;
  size = 0;

  /** Appends a cluster as the newest. */
  add(cluster: Cluster<Pane>): void {
    cluster.older = this.#newest;
    cluster.newer = null;
    if (this.#newest === null) this.oldest = cluster;
    else this.#newest.newer = cluster;
    this.#newest = cluster;
    this.size++;
  }

  remove(cluster: Cluster<Pane>): void {
    if (cluster.older === null) this.oldest = cluster.newer;
    else cluster.older.newer = cluster.newer;
    if (cluster.newer === null) this.#newest = cluster.older;
    else cluster.newer.older = cluster.older;
    cluster.older = null;
    cluster.newer = null;
    this.size--;
  }

  /** The cluster was used: it becomes the newest. */
  touch(cluster: Cluster<Pane>): void {
    if (this.#newest === cluster) return;
    this.remove(cluster);
    this.add(cluster);
  }

  *oldestFirst(): Generator<Cluster<Pane>, void> {
    for (let cluster = this.oldest; cluster !== null; cluster = cluster.newer) yield cluster;
  }
}
