import type { ErrorBaseline } from './baseline.ts';
import type { ChannelState } from './channels/channel-state.ts';
import { SlotHistory } from './channels/slot-history.ts';
import { RecentDetails } from './details.ts';
import type { Evictions } from './evictions.ts';
import { History } from './history.ts';
import { survivor } from './miner/tree/cluster.ts';
import type { Cluster, Miner } from './miner/miner.ts';
import { newClusterPane, OpenPane, type ClusterPane, type OpenPaneOptions } from './open-pane.ts';
import { EMPTY_PANE, entryBytes, GAP_PANE, type Pane } from './pane.ts';
import type { WindowScorer } from './score.ts';
import { current, TemplateTable, type Template } from './template.ts';
import type { VectorTable } from './vectors.ts';
import { unlimited, type Work } from './work.ts';

/** A closed window that waits for its vectors. */
export interface PendingWindow {
  stepEndMs: number;
  /** United when the window is judged: as one pane each, those of a thousand sources would be copied by every garbage collection until then. */
  panes: readonly Pane[];
  incomplete: boolean;
}

/** Everything that belongs to one source: template tree, open pane, closed panes, history, baseline. */
export class Source {
  readonly key: string;
  readonly miner: Miner;
  readonly templates: TemplateTable;
  readonly history: History;
  baseline: ErrorBaseline;
  /** What the channels have learnt; null where `dmd` is the only one. */
  channels: ChannelState | null;
  /** Past of the numbers inside its lines; null where the channel `values` is off. */
  readonly slots: SlotHistory | null;
  /** Closed windows in order; the pipeline bounds them by scoring the oldest without its vectors. */
  readonly pending: PendingWindow[] = [];
  /** Of few windows: what is shown beside their counts. */
  readonly details = new RecentDetails();
  /** Rows of old windows changed, or the store knows nothing of this source: everything is written again. */
  historyRewritten = true;
  /** Newest window that the store has. */
  savedWindowId = -Infinity;
  readonly openPane: OpenPane;
  /** Templates without a vector when Gram rows were last formed. */
  unembedded: readonly Template[] = [];
  #panes: Pane[];
  #counted = { clusters: 0, candidates: 0, unsorted: 0 };

  constructor(
    options: OpenPaneOptions & {
      key: string;
      miner: Miner;
      baseline: ErrorBaseline;
      channels?: ChannelState | null;
      /** The channel `values` is on. */
      values?: boolean;
      historyWindows: number;
      vectors: VectorTable;
      /** The panes before the first record: empty for a new or parked source, gaps after a restart. */
      precededByGap: boolean;
    },
  ) {
    this.key = options.key;
    this.miner = options.miner;
    this.baseline = options.baseline;
    this.channels = options.channels ?? null;
    this.history = new History(options.historyWindows, { scored: this.channels !== null });
    this.slots = options.values === true ? new SlotHistory(options.historyWindows, options.panesPerWindow) : null;
    this.openPane = new OpenPane(options);
    this.templates = new TemplateTable(this.history, options.vectors);
    this.#panes = new Array<Pane>(options.panesPerWindow - 1).fill(options.precededByGap ? GAP_PANE : EMPTY_PANE);
  }

  /** The window of the kept panes and the one that closes now goes to {@link pending}. */
  closePane(stepEndMs: number, gap: boolean, incomplete: boolean): void {
    this.#reconcile();
    const pane = this.openPane.take(this.templates);
    this.#panes.push(gap ? GAP_PANE : pane);
    this.pending.push({ stepEndMs, panes: [...this.#panes], incomplete });
    this.#panes.shift();
  }

  /**
   * Texts of this source that still need a vector: of all its templates, also those that no kept window counts. They have theirs from when
   * they last occurred; a restored source must ask for them while it can, or an outage of the embedder would meet it less prepared.
   */
  *missing(): Generator<string> {
    for (const { vector } of this.templates.all()) if (vector.values === null) yield vector.text;
  }

  /**
   * Rows of the Gram matrix that templates or vectors made stale are formed again, also those that lacked a vector which is there now.
   *
   * @returns false when `work` has ended before it was done
   */
  refreshGram(scorer: WindowScorer, work: Work = unlimited()): boolean {
    for (const template of this.unembedded) {
      if (template.slot >= 0 && template.vector.values !== null) this.history.markStale(template.slot);
    }
    this.noteUnembedded();
    if (this.history.staleWindows().length > 0) this.historyRewritten = true;
    return scorer.refreshGram(this.history, this.templates, work);
  }

  /** Gram rows are being formed now. @returns whether some vector is missing */
  noteUnembedded(): boolean {
    this.unembedded = this.templates.bySlot.filter((template) => template?.vector.values === null) as Template[];
    return this.unembedded.length > 0;
  }

  /** Bytes of its history, its panes and what its channels have learnt, without its tree and its vectors, which others share. */
  get byteLength(): number {
    const panes = this.#panes.flatMap(({ entries }) => entries).reduce((sum, entry) => sum + entryBytes(entry), 0);
    const learnt = (this.slots?.byteLength ?? 0) + (this.channels?.byteLength ?? 0);
    return this.history.byteLength + learnt + panes + this.openPane.byteLength;
  }

  /** What the bounds made leave since the last call. */
  takeEvictions(): Evictions {
    const before = this.#counted;
    const now = (this.#counted = { ...this.miner.evicted, unsorted: this.miner.unsortedLines });
    const evictions = {
      clusters: now.clusters - before.clusters,
      candidates: now.candidates - before.candidates,
      templates: this.templates.overflowed,
      lines: this.openPane.overflowLines,
      unsorted: now.unsorted - before.unsorted,
    };
    this.templates.overflowed = 0;
    this.openPane.overflowLines = 0;
    return evictions;
  }

  /** Forgets templates that nothing uses. */
  sweep(): void {
    this.templates.sweep(() => {
      const used = new Set<Template>();
      for (const { entries } of [...this.#panes, ...this.pending.flatMap(({ panes }) => panes)]) {
        for (const { template } of entries) used.add(current(template));
      }
      return used;
    });
    this.slots?.follow();
  }

  /** It fell idle: nothing of the past waits to be judged, and when it speaks again the pane before counts as empty. */
  park(): void {
    this.#reconcile();
    this.openPane.take(this.templates);
    this.pending.length = 0;
    this.#panes.fill(EMPTY_PANE);
    this.sweep();
  }

  /** Restored clusters count into restored templates. The history is there already. */
  adopt(owners: ReadonlyMap<number, Template>): void {
    for (const cluster of this.miner.clusters()) {
      const template = owners.get(cluster.number)!;
      template.clusters.add(cluster);
      cluster.pane = newClusterPane(template, template.firstSeenMs);
    }
    // One that generalised after the pane had closed was stored with its new text, its template still with the old one.
    for (const cluster of this.miner.clusters()) {
      const pane = cluster.pane as ClusterPane;
      const template = pane.template!;
      if (cluster.id !== template.id) pane.template = this.templates.attach(cluster, current(template), pane.firstMs);
    }
    this.#counted = { ...this.miner.evicted, unsorted: this.miner.unsortedLines };
  }

  /** Rows of templates whose lines hold new variables are written again. */
  noteVariables(): void {
    for (const cluster of this.miner.clusters()) {
      const template = (cluster.pane as ClusterPane | null)?.template ?? null;
      if (template !== null && cluster.hasUnsavedVariables) this.templates.changed.add(current(template));
    }
  }

  /** Templates follow the clusters that were born, generalised or left since the last pane. */
  #reconcile(): void {
    // First, so that what is left of a template alone may rename it.
    for (const cluster of this.miner.drainEvicted()) {
      const pane = cluster.pane as ClusterPane | null;
      if (pane?.template) this.templates.detach(cluster, current(pane.template));
    }
    for (const cluster of this.miner.drainChanged()) {
      // Without a pane there was no room to count its lines; it lives on all the same and needs its template.
      const pane = (cluster.pane ??= newClusterPane(null, this.openPane.newestMs)) as ClusterPane;
      const previous = pane.template === null ? null : current(pane.template);
      pane.template = this.templates.attach(cluster, previous, pane.firstMs);
    }
    for (const cluster of this.miner.drainMerged()) this.#follow(cluster);
  }

  /** What a cluster counted belongs to the one it was merged into. */
  #follow(cluster: Cluster): void {
    const pane = cluster.pane as ClusterPane;
    const template = pane.template === null ? null : current(pane.template);
    const target = (survivor(cluster).pane as ClusterPane | null)?.template ?? null;
    if (target !== null) pane.template = this.templates.join(cluster, template, current(target));
    else if (template !== null) this.templates.detach(cluster, template);
  }
}
