/**
 * The pane that is open: lines are counted on their clusters, and it knows which clusters those are.
 *
 *     line ─► cluster.pane: levels, samples, traces; cluster.paneCount        closing ─► one entry a cluster, under its template
 */
import { ERROR, WARN } from './channels/severity.ts';
import { addLevels, LEVEL_NAMES, levelOf } from './levels.ts';
import { survivor } from './miner/tree/cluster.ts';
import type { SlotValues } from './miner/variables/enumerations.ts';
import type { Cluster } from './miner/miner.ts';
import type { SlotNumbers } from './miner/variables/numbers.ts';
import { entryBytes, holdsTrace, keptPerPane, sampleOf, TRACE_BYTES, traceOf } from './pane.ts';
import type { Pane, PaneEntry } from './pane.ts';
import { current, MAX_TEMPLATES, type Template, type TemplateTable } from './template.ts';

/** Clusters counted in one pane: random lines must not keep a cluster each alive until the pane closes. */
const MAX_TOUCHED = 1024;
/** Of these for clusters that the history does not know, so that a flood does not crowd out the templates it does know. */
const MAX_TOUCHED_UNKNOWN = MAX_TOUCHED - MAX_TEMPLATES;

const NO_NUMBERS: readonly SlotNumbers[] = [];
const NO_VALUES: readonly SlotValues[] = [];

/** What the miner's cluster carries for us: the template it counts into, and its counters of the open pane. */
export interface ClusterPane {
  template: Template | null;
  firstMs: number;
  levels: number[];
  samples: string[];
  traces: string;
}

export interface OpenPaneOptions {
  panesPerWindow: number;
  /** False: no line is kept. */
  keepSamples: boolean;
  /** Bits: word positions that vary with less are enumerations. */
  entropyThreshold: number;
}

export class OpenPane {
  /** Of the line counted last. */
  newestMs = 0;
  /** Lines of clusters beyond {@link MAX_TOUCHED} in a pane, since somebody set it to 0. */
  overflowLines = 0;
  /** A template and pane. */
  readonly #kept: { samples: number; traces: number };
  readonly #entropyThreshold: number;
  readonly #touched: Cluster[] = [];
  #records = 0;
  #warnings = 0;
  #errors = 0;

  constructor({ panesPerWindow, keepSamples, entropyThreshold }: OpenPaneOptions) {
    const { samples, traces } = keptPerPane(panesPerWindow);
    this.#kept = { samples: keepSamples ? samples : 0, traces: traces * TRACE_BYTES };
    this.#entropyThreshold = entropyThreshold;
  }

  /**
   * Counts one mined line. Hot: no allocation once a template has its samples of this pane.
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
    this.#records++;
    if (severity >= WARN) this.#warnings++;
    if (severity >= ERROR) this.#errors++;
    this.newestMs = timeMs;
    if (cluster.paneCount === 0) {
      if (this.#touched.length >= (isKnown(cluster) ? MAX_TOUCHED : MAX_TOUCHED_UNKNOWN)) {
        this.overflowLines++;
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

  /** It closes: what was counted, by template, and the next one is open. Templates have followed their clusters. */
  take(templates: TemplateTable): Pane {
    const pane = {
      ...{ records: this.#records, warnings: this.#warnings, errors: this.#errors },
      ...{ entries: this.#takeEntries(templates), gap: false },
    };
    this.#records = this.#warnings = this.#errors = 0;
    return pane;
  }

  get byteLength(): number {
    return this.#touched.reduce(
      (sum, { pane, numbers }) =>
        sum + entryBytes({ ...(pane as ClusterPane), numbers: [], enumerations: [] }) + (numbers?.byteLength ?? 0),
      0,
    );
  }

  #takeEntries(templates: TemplateTable): PaneEntry[] {
    const entries: PaneEntry[] = [];
    for (const cluster of this.#touched) {
      const pane = cluster.pane as ClusterPane;
      if (pane.template === null) {
        // Born and evicted inside this pane: the tree has no room for it, its lines still count.
        pane.template = templates.attach(cluster, null, pane.firstMs);
        templates.detach(cluster, pane.template);
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

export function newClusterPane(template: Template | null, firstMs: number): ClusterPane {
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
