import {
  attribute,
  createAttributionScratch,
  reconstructionError,
  type AttributionScratch,
  type TemplateShare,
} from './attribution.ts';
import { defaultFloors } from './baseline.ts';
import { DmdKernel, type DmdOptions } from './dmd/kernel.ts';
import { addWeights, weightedSum, type SnapshotKind, type SparseCounts } from './dmd/snapshot.ts';
import { spectrum, type Mode } from './dmd/spectrum.ts';
import type { History } from './history.ts';
import { MAX_TEMPLATES, type TemplateTable } from './template.ts';
import { unlimited, type Work } from './work.ts';

/** Noise floor of singular values and cap of the rank (docs/detection.md). */
const TAU = 1e-4;
const RANK_CAP_DIVISOR = 3;

export interface ScorerOptions {
  dmdWindows: number;
  delay: number;
  maxRank: number;
  snapshot: SnapshotKind;
}

export interface Prediction {
  /** ‖x_t − x̂_t‖; null when the history is shorter than delay + 1. */
  error: number | null;
  rank: number;
}

/** Scores windows of any source; owns the scratch that all sources of a shard share. */
export class WindowScorer {
  readonly #options: ScorerOptions;
  readonly #dmd: DmdOptions;
  readonly #kernel: DmdKernel;
  readonly #actual = new Float64Array(MAX_TEMPLATES);
  readonly #expected = new Float64Array(MAX_TEMPLATES);
  readonly #products = new Float64Array(MAX_TEMPLATES);
  readonly #columns = Uint16Array.from({ length: MAX_TEMPLATES }, (_, i) => i);
  readonly #row: Float64Array;
  #attribution: AttributionScratch = createAttributionScratch(0, MAX_TEMPLATES);
  #vectors: (Float32Array | null)[] = [];
  /** The window {@link #counts} was asked for last. */
  readonly #window: { -readonly [field in keyof SparseCounts]: SparseCounts[field] };

  constructor(options: ScorerOptions) {
    this.#options = options;
    this.#dmd = { delay: options.delay, maxRank: options.maxRank, rankCapDivisor: RANK_CAP_DIVISOR, tau: TAU };
    this.#kernel = new DmdKernel(options.dmdWindows);
    this.#window = { length: 0, columns: this.#columns, counts: this.#columns, start: 0 };
    this.#row = new Float64Array(options.dmdWindows + 1);
  }

  get scratchBytes(): number {
    return (
      this.#kernel.scratchBytes +
      3 * this.#actual.byteLength +
      this.#columns.byteLength +
      this.#row.byteLength +
      this.#attribution.residual.byteLength +
      this.#attribution.deltas.byteLength
    );
  }

  /**
   * Predicts window `i` of the history from the at most `dmdWindows` windows before it (never from itself) and measures the error.
   * Leaves actual and expected weights and the residual for {@link shares}. The Gram rows of the windows before `i` must be there.
   */
  predict(history: History, templates: TemplateTable, i: number): Prediction {
    this.#load(history, templates);
    const from = Math.max(0, i - this.#options.dmdWindows);
    const n = i - from;
    this.#actual.fill(0);
    this.#expected.fill(0);
    addWeights(this.#options.snapshot, this.#counts(history, i), 1, this.#actual);
    if (n <= this.#options.delay) return { error: null, rank: 0 };
    history.gram.copyTo(this.#kernel.gram, n, from, n);
    const { rank, m } = this.#kernel.predict(this.#kernel.gram, n, this.#dmd);
    if (rank > 0) {
      for (let j = 0; j < m; j++) {
        const weight = this.#kernel.weights[j]!;
        addWeights(
          this.#options.snapshot,
          this.#counts(history, from + j + this.#options.delay),
          weight,
          this.#expected,
        );
      }
    }
    const error = reconstructionError(this.#weighted(), this.#attribution);
    return { error, rank };
  }

  /** Exact shares of the templates (by slot) in the error that {@link predict} has just measured. */
  shares(): TemplateShare[] {
    return attribute(this.#weighted(), this.#attribution);
  }

  /** Appends the Gram row of window `i`, the newest; {@link predict} has just run for it. */
  pushGramRow(history: History, templates: TemplateTable, i: number): void {
    this.#formProducts(history, templates);
    for (let j = 0; j <= i; j++) this.#row[j] = this.#product(history, j);
    history.gram.push(this.#row);
  }

  /**
   * Forms the products of new vectors and the rows of stale windows again from counts × vectors. All windows of the history must have their row.
   *
   * @returns false when `work` has ended before it was done; asked again it goes on from there, whatever became stale in between
   */
  refreshGram(history: History, templates: TemplateTable, work: Work = unlimited()): boolean {
    if (!this.#load(history, templates, work)) return false;
    for (const i of history.staleWindows()) {
      if (work.left <= 0) return false;
      this.#actual.fill(0);
      addWeights(this.#options.snapshot, this.#counts(history, i), 1, this.#actual);
      this.#formProducts(history, templates);
      history.gram.row(i, this.#row);
      for (let j = 0; j < history.size; j++) {
        // A stale window further on gives its product with this one itself, as the later of two does when it is new.
        if (j <= i || !history.isStale(j)) this.#row[j] = this.#product(history, j);
      }
      history.gram.setRow(i, this.#row);
      history.setFresh(i);
      work.left -= this.#vectors.length * (this.#vectors.length + history.size);
    }
    return true;
  }

  /** Smallest deviations that count as one sigma for a source with this history (the windows before `i`). */
  floors(history: History, i: number): { relative: number; absolute: number } {
    const from = Math.max(0, i - this.#options.dmdWindows);
    return defaultFloors(history.gram.rmsNorm(from, i - from));
  }

  /** Eigenvalues of the model that window `i` was predicted with. */
  modes(history: History, i: number): Mode[] {
    const from = Math.max(0, i - this.#options.dmdWindows);
    const n = i - from;
    if (n <= this.#options.delay) return [];
    const gram = new Float64Array(n * n);
    history.gram.copyTo(gram, n, from, n);
    return spectrum(gram, n, this.#dmd);
  }

  /** @returns whether the products of all vectors are formed */
  #load(history: History, templates: TemplateTable, work: Work = unlimited()): boolean {
    this.#vectors.length = 0;
    let dimensions = this.#attribution.residual.length;
    for (const template of templates.bySlot) {
      const values = template === null ? null : template.vector.values;
      this.#vectors.push(values);
      if (values !== null) dimensions = values.length;
    }
    if (dimensions !== this.#attribution.residual.length) {
      this.#attribution = createAttributionScratch(dimensions, MAX_TEMPLATES);
    }
    return history.products.update(this.#vectors, work);
  }

  /** ⟨v, x⟩ of every template, x the snapshot whose weights are in #actual. */
  #formProducts(history: History, templates: TemplateTable): void {
    history.products.multiply(this.#actual, templates.bySlot.length, this.#products);
  }

  /** ⟨x_j, x⟩, after {@link #formProducts}. */
  #product(history: History, j: number): number {
    return weightedSum(this.#options.snapshot, this.#counts(history, j), this.#products);
  }

  #counts(history: History, i: number): SparseCounts {
    this.#window.length = this.#vectors.length;
    this.#window.counts = history.allCounts;
    this.#window.start = history.countsStart(i);
    return this.#window;
  }

  #weighted() {
    return { columns: this.#vectors.length, actual: this.#actual, expected: this.#expected, vectors: this.#vectors };
  }
}
