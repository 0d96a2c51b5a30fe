import type { ErrorBaseline } from './baseline.ts';
import { ERROR, WARN } from './channels/severity.ts';
import type { ChannelState } from './channels/channel-state.ts';
import { SlotHistory } from './channels/slot-history.ts';
import { RecentDetails } from './details.ts';
import type { Evictions } from './evictions.ts';
import { History } from './history.ts';
import { addLevels, LEVEL_NAMES, levelOf } from './levels.ts';
import { survivor } from './miner/cluster.ts';
import type { Cluster, Miner } from './miner/miner.ts';
import type { SlotValues } from './miner/enumerations.ts';
import type { SlotNumbers } from './miner/numbers.ts';
import { entryBytes, EMPTY_PANE, GAP_PANE, holdsTrace, keptPerPane, sampleOf, TRACE_BYTES, traceOf } from './pane.ts';
import type { Pane, PaneEntry } from './pane.ts';
import type { WindowScorer } from './score.ts';
import { current, MAX_TEMPLATES, TemplateTable, type Template } from './template.ts';
import type { VectorTable } from './vectors.ts';
import { unlimited, type Work } from './work.ts';

/** Clusters counted in one pane: random lines must not keep a cluster each alive until the pane closes. */
const MAX_TOUCHED = 1024;
/** Of these for clusters that the history does not know, so that a flood does not crowd out the templates it does know. */
const MAX_TOUCHED_UNKNOWN = MAX_TOUCHED - MAX_TEMPLATES;

const NO_NUMBERS: readonly SlotNumbers[] = [];
const NO_VALUES: readonly SlotValues[] = [];

/** A closed window that waits for its vectors. */
export interface PendingWindow {
  stepEndMs: number;
  /** United when the window is judged: as one pane each, those of a thousand sources would be copied by every garbage collection until then. */
  panes: readonly Pane[];
  incomplete: boolean;
}

/** What the miner's cluster carries for us: its template and its counters of the open pane. */
interface ClusterPane {
  template: Template | null;
  firstMs: number;
  levels: number[];
  samples: string[];
  traces: string;
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
  /** Templates without a vector when Gram rows were last formed. */
  unembedded: readonly Template[] = [];
  /** A template and pane. */
  readonly #kept: { samples: number; traces: number };
  readonly #entropyThreshold: number;
  #panes: Pane[];
  #touched: Cluster[] = [];
  #openRecords = 0;
  #openWarnings = 0;
  #openErrors = 0;
  #newestMs = 0;
  /** Lines of clusters beyond {@link MAX_TOUCHED} in a pane. */
  #overflowLines = 0;
  #counted = { clusters: 0, candidates: 0, unsorted: 0 };

  constructor(options: {
    key: string;
    miner: Miner;
    baseline: ErrorBaseline;
    channels?: ChannelState | null;
    /** The channel `values` is on. */
    values?: boolean;
    historyWindows: number;
    panesPerWindow: number;
    vectors: VectorTable;
    /** False: no line is kept. */
    keepSamples: boolean;
    /** Bits: word positions that vary with less are enumerations. */
    entropyThreshold: number;
    /** The panes before the first record: empty for a new or parked source, gaps after a restart. */
    precededByGap: boolean;
  }) {
    this.key = options.key;
    this.miner = options.miner;
    this.baseline = options.baseline;
    this.channels = options.channels ?? null;
    this.history = new History(options.historyWindows, { scored: this.channels !== null });
    this.slots = options.values === true ? new SlotHistory(options.historyWindows, options.panesPerWindow) : null;
    const { samples, traces } = keptPerPane(options.panesPerWindow);
    this.#kept = { samples: options.keepSamples ? samples : 0, traces: traces * TRACE_BYTES };
    this.#entropyThreshold = options.entropyThreshold;
    this.templates = new TemplateTable(this.history, options.vectors);
    this.#panes = new Array<Pane>(options.panesPerWindow - 1).fill(options.precededByGap ? GAP_PANE : EMPTY_PANE);
  }

  /**
   * Counts one mined line in the open pane. Hot: no allocation once a template has its samples of this pane.
   *
   * @param severity OTLP severity number, 0 = none
   * @returns false when the pane has no room for its template
   */
  count(
    cluster: Cluster,
    bytes: Uint8Array,
    start: number,
    end: number,
    timeMs: number,
    ids: Uint8Array,
    idStart: number,
    severity: number,
  ): boolean {
    this.#openRecords++;
    if (severity >= WARN) this.#openWarnings++;
    if (severity >= ERROR) this.#openErrors++;
    this.#newestMs = timeMs;
    if (cluster.paneCount === 0) {
      if (this.#touched.length >= (isKnown(cluster) ? MAX_TOUCHED : MAX_TOUCHED_UNKNOWN)) {
        this.#overflowLines++;
        return false;
      }
      this.#touched.push(cluster);
      cluster.pane ??= newClusterPane(null, timeMs);
    }
    cluster.paneCount++;
    const pane = cluster.pane as ClusterPane;
    pane.levels[levelOf(severity)]!++;
    if (pane.samples.length < this.#kept.samples) pane.samples.push(sampleOf(bytes, start, end));
    if (pane.traces.length < this.#kept.traces && idStart >= 0 && !holdsTrace(pane.traces, ids, idStart)) {
      pane.traces += traceOf(ids, idStart);
    }
    return true;
  }

  /** The window of the kept panes and the one that closes now goes to {@link pending}. */
  closePane(stepEndMs: number, gap: boolean, incomplete: boolean): void {
    this.#reconcile();
    const entries = this.#takeEntries();
    const [records, warnings, errors] = [this.#openRecords, this.#openWarnings, this.#openErrors];
    this.#panes.push(gap ? GAP_PANE : { records, warnings, errors, entries, gap });
    this.#clearTallies();
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
    const open = this.#touched.reduce(
      (sum, { pane, numbers }) =>
        sum + entryBytes({ ...(pane as ClusterPane), numbers: [], enumerations: [] }) + (numbers?.byteLength ?? 0),
      0,
    );
    const learnt = (this.slots?.byteLength ?? 0) + (this.channels?.byteLength ?? 0);
    return this.history.byteLength + learnt + panes + open;
  }

  /** What the bounds made leave since the last call. */
  takeEvictions(): Evictions {
    const before = this.#counted;
    const now = (this.#counted = { ...this.miner.evicted, unsorted: this.miner.unsortedLines });
    const evictions = {
      clusters: now.clusters - before.clusters,
      candidates: now.candidates - before.candidates,
      templates: this.templates.overflowed,
      lines: this.#overflowLines,
      unsorted: now.unsorted - before.unsorted,
    };
    this.templates.overflowed = 0;
    this.#overflowLines = 0;
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
    this.#takeEntries();
    this.#clearTallies();
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
      const pane = (cluster.pane ??= newClusterPane(null, this.#newestMs)) as ClusterPane;
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

  #clearTallies(): void {
    this.#openRecords = 0;
    this.#openWarnings = 0;
    this.#openErrors = 0;
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
      const { template, levels, samples, traces } = pane;
      const numbers = cluster.numbers?.take() ?? NO_NUMBERS;
      // Those of a cluster that was merged went with it; who asks first takes them, and the window adds up both.
      const enumerations = survivor(cluster).enumerations?.take(this.#entropyThreshold) ?? NO_VALUES;
      entries.push({ template, count: cluster.paneCount, levels, samples, traces, numbers, enumerations });
      const counted = current(template);
      counted.levels = addLevels(counted.levels, levels);
      cluster.paneCount = 0;
      pane.levels = newLevels();
      pane.samples = [];
      pane.traces = '';
    }
    this.#touched.length = 0;
    return entries;
  }
}

function newClusterPane(template: Template | null, firstMs: number): ClusterPane {
  return { template, firstMs, levels: newLevels(), samples: [], traces: '' };
}

function newLevels(): number[] {
  return LEVEL_NAMES.map(() => 0);
}

/** Whether the history counts a cluster's template. */
function isKnown({ pane }: Cluster): boolean {
  const template = (pane as ClusterPane | null)?.template ?? null;
  return template !== null && current(template).slot >= 0;
}
