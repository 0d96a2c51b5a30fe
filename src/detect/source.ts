import type { ErrorBaseline } from './baseline.ts';
import { History } from './history.ts';
import type { Cluster, Miner } from './miner/miner.ts';
import { EMPTY_PANE, GAP_PANE, MAX_SAMPLE_BYTES, MAX_SAMPLES, MAX_TRACES, TRACE_BYTES, unite } from './pane.ts';
import type { Pane, PaneEntry } from './pane.ts';
import { current, TemplateTable, type Template } from './template.ts';
import type { VectorTable } from './vectors.ts';

/** Distinct templates told apart in one pane: random lines must not keep a cluster each alive until the pane closes. */
const MAX_TOUCHED = 1024;

/** A closed window that waits for its vectors. */
export interface PendingWindow {
  stepEndMs: number;
  window: Pane;
  incomplete: boolean;
}

/** What the miner's cluster carries for us: its template and its counters of the open pane. */
interface ClusterPane {
  template: Template | null;
  firstMs: number;
  samples: Uint8Array[];
  traces: Uint8Array[];
}

/** Everything that belongs to one source: template tree, open pane, closed panes, history, baseline. */
export class Source {
  readonly key: string;
  readonly miner: Miner;
  readonly templates: TemplateTable;
  readonly history: History;
  baseline: ErrorBaseline;
  /** Closed windows in order; the pipeline bounds them by scoring the oldest without its vectors. */
  readonly pending: PendingWindow[] = [];
  /** Set when rows of old windows changed: the store must write the history again. */
  historyRewritten = false;
  /** Newest window that the store has. */
  savedWindowId = -Infinity;
  #panes: Pane[];
  #touched: Cluster[] = [];
  #openRecords = 0;
  /** Templates that the newest window was scored without. */
  #scoredWithout: Template[] = [];
  /** Lines of templates beyond {@link MAX_TOUCHED} in a pane. */
  #overflowLines = 0;
  #countedEvictions = 0;

  constructor(options: {
    key: string;
    miner: Miner;
    baseline: ErrorBaseline;
    historyWindows: number;
    panesPerWindow: number;
    vectors: VectorTable;
    /** The panes before the first record: empty for a new or parked source, gaps after a restart. */
    precededByGap: boolean;
  }) {
    this.key = options.key;
    this.miner = options.miner;
    this.baseline = options.baseline;
    this.history = new History(options.historyWindows);
    this.templates = new TemplateTable(this.history, options.vectors);
    this.#panes = new Array<Pane>(options.panesPerWindow - 1).fill(options.precededByGap ? GAP_PANE : EMPTY_PANE);
  }

  /** Counts one mined line in the open pane. Hot: no allocation once a template has its samples of this pane. */
  count(cluster: Cluster, bytes: Uint8Array, start: number, end: number, timeMs: number, ids: Uint8Array, idStart: number): void {
    this.#openRecords++;
    if (cluster.paneCount === 0) {
      if (this.#touched.length === MAX_TOUCHED) {
        this.#overflowLines++;
        return;
      }
      this.#touched.push(cluster);
      cluster.pane ??= { template: null, firstMs: timeMs, samples: [], traces: [] } satisfies ClusterPane;
    }
    cluster.paneCount++;
    const pane = cluster.pane as ClusterPane;
    if (pane.samples.length < MAX_SAMPLES) pane.samples.push(bytes.slice(start, Math.min(end, start + MAX_SAMPLE_BYTES)));
    if (pane.traces.length < MAX_TRACES && idStart >= 0 && !holds(pane.traces, ids, idStart)) {
      pane.traces.push(ids.slice(idStart, idStart + TRACE_BYTES));
    }
  }

  /** The union of the kept panes and the one that closes now goes to {@link pending}. */
  closePane(stepEndMs: number, gap: boolean, incomplete: boolean): void {
    this.#reconcile();
    const pane: Pane = { records: this.#openRecords, entries: this.#takeEntries(), gap };
    this.#openRecords = 0;
    this.#panes.push(pane);
    this.pending.push({ stepEndMs, window: unite(this.#panes), incomplete });
    this.#panes.shift();
  }

  /** Texts of this source that still need a vector. */
  *missing(): Generator<string> {
    for (const { window } of this.pending) {
      for (const entry of window.entries) {
        const { vector } = current(entry.template);
        if (vector.values === null) yield vector.text;
      }
    }
    for (const template of this.templates.bySlot) {
      if (template !== null && template.vector.values === null) yield template.vector.text;
    }
  }

  /** Rows of the history that were formed without a vector are stale once it is there. */
  repairHistory(): void {
    for (const template of this.#scoredWithout) {
      if (template.slot >= 0 && template.vector.values !== null) this.history.markStale(template.slot);
    }
  }

  /** @returns whether the window must be scored without some vector. */
  noteMissingVectors(): boolean {
    this.#scoredWithout = this.templates.bySlot.filter((template) => template?.vector.values === null) as Template[];
    return this.#scoredWithout.length > 0;
  }

  /** What the bounds made leave since the last call. */
  takeEvictions(): { clusters: number; templates: number; lines: number } {
    const clusters = this.miner.evictedTotal - this.#countedEvictions;
    const evictions = { clusters, templates: this.templates.overflowed, lines: this.#overflowLines };
    this.#countedEvictions += clusters;
    this.templates.overflowed = 0;
    this.#overflowLines = 0;
    return evictions;
  }

  isInPanes(template: Template): boolean {
    const holdsIt = (pane: Pane) => pane.entries.some((entry) => entry.template === template);
    return this.#panes.some(holdsIt) || this.pending.some(({ window }) => holdsIt(window));
  }

  /** Parked and back: what lies between is a gap of the clock, but the pane before the return counts as empty. */
  resume(): void {
    this.#panes.fill(EMPTY_PANE);
  }

  /** A restored cluster counts into a restored template. */
  adopt(cluster: Cluster, template: Template): void {
    template.clusters.add(cluster);
    cluster.pane = { template, firstMs: 0, samples: [], traces: [] } satisfies ClusterPane;
  }

  /** Templates follow the clusters that were born, generalised or left since the last pane. */
  #reconcile(): void {
    for (const cluster of this.miner.drainChanged()) {
      const pane = cluster.pane as ClusterPane | null;
      if (pane === null) continue;
      const previous = pane.template === null ? null : current(pane.template);
      pane.template = this.templates.attach(cluster, previous, pane.firstMs);
    }
    for (const cluster of this.miner.drainEvicted()) {
      const pane = cluster.pane as ClusterPane | null;
      if (pane?.template) this.templates.detach(cluster, current(pane.template));
    }
  }

  #takeEntries(): PaneEntry[] {
    const entries: PaneEntry[] = [];
    for (const cluster of this.#touched) {
      const pane = cluster.pane as ClusterPane;
      if (pane.template === null) {
        // Born and evicted inside this pane: the tree has no room for it, its lines still count.
        pane.template = this.templates.attach(cluster, null, pane.firstMs);
        this.templates.detach(cluster, pane.template);
      }
      entries.push({ template: pane.template, count: cluster.paneCount, samples: pane.samples, traces: pane.traces });
      cluster.paneCount = 0;
      pane.samples = [];
      pane.traces = [];
    }
    this.#touched.length = 0;
    return entries;
  }
}

function holds(traces: readonly Uint8Array[], ids: Uint8Array, start: number): boolean {
  return traces.some((trace) => {
    for (let k = 0; k < 16; k++) if (trace[k] !== ids[start + k]) return false;
    return true;
  });
}
