import { ErrorBaseline } from './baseline.ts';
import { REFUSED, ROW, ROW_BYTES, type RecordFrame } from './frame.ts';
import { isRecurrent, isSparse } from './gates.ts';
import type { Gate } from './history.ts';
import { Miner, MINER_DEFAULTS } from './miner/miner.ts';
import { Tokens } from './miner/tokens.ts';
import { TRACE_BYTES, unite, type PaneEntry } from './pane.ts';
import { restoreSource, saveSource, type SourceDelta, type StoredSource } from './persist.ts';
import { Redactor } from './redact.ts';
import { WindowScorer, type ScorerOptions } from './score.ts';
import { Source, type PendingWindow } from './source.ts';
import { MAX_TEMPLATES, type Template } from './template.ts';
import { VectorTable } from './vectors.ts';
import type { Severity, TopTemplate, Verdict, WindowExplanation } from './verdict.ts';

export type { Gate } from './history.ts';
export type { SourceDelta, StoredSource } from './persist.ts';
export type { Severity, TopTemplate, Verdict, WindowExplanation } from './verdict.ts';

export interface DetectorOptions extends ScorerOptions {
  stepMs: number;
  /** window size / step */
  panesPerWindow: number;
  warningThreshold: number;
  criticalThreshold: number;
  /** Seeds the miner's tables against crafted collisions; results do not depend on it. */
  hashSeed: number;
  /** Regular expressions; what they match becomes `<redacted>` before anything else sees it. */
  redact: readonly string[];
  /** Sources parked in memory when there is no store. */
  maxParked: number;
}

export interface FailedRestore {
  key: string;
  error: unknown;
}

/** What the bounds made leave since the last step. */
export interface Evictions {
  /** Clusters of the miner's trees. */
  clusters: number;
  /** Templates of a history beyond {@link MAX_TEMPLATES}. */
  templates: number;
  /** Lines whose template had no room in an overfull pane; they count as records only. */
  lines: number;
}

const MAX_TOP_TEMPLATES = 10;
const MAX_NEW_TEMPLATES = 5;

/**
 * The sources of one shard: lines in, verdicts out. Pure: no I/O, no clock, no thread; the same calls give the same bytes.
 *
 *     observe* → closeStep → (missingVectors → setVectors)? → score
 */
export class Detector {
  readonly #options: DetectorOptions;
  readonly #scorer: WindowScorer;
  readonly #vectors = new VectorTable();
  /** Scratch of the tokenizer, shared by all miners: a scan is synchronous. */
  readonly #tokens: Tokens;
  readonly #redactor: Redactor | null;
  readonly #byHandle = new Map<number, Source>();
  readonly #muted = new Set<string>();
  /** Without a store: sources that left, least recent first. */
  readonly #parked = new Map<string, Source>();
  #failedRestores: FailedRestore[] = [];
  #evictions: Evictions = { clusters: 0, templates: 0, lines: 0 };

  constructor(options: DetectorOptions) {
    this.#options = options;
    this.#scorer = new WindowScorer(options);
    this.#tokens = new Tokens({ ...MINER_DEFAULTS, hashSeed: options.hashSeed });
    this.#redactor = options.redact.length > 0 ? new Redactor(options.redact) : null;
  }

  get scratchBytes(): number {
    return this.#scorer.scratchBytes;
  }

  get handles(): number[] {
    return [...this.#byHandle.keys()];
  }

  /** Bytes of a source's history, without its vectors (shared) and its tree. */
  stateBytes(handle: number): number {
    return this.#byHandle.get(handle)?.history.byteLength ?? 0;
  }

  /** Distinct template texts of the shard, with or without their vector yet. */
  get vectorCount(): number {
    return this.#vectors.size;
  }

  /**
   * Starts (or resumes) a source under a handle. Stored state that cannot be used means a cold start: {@link takeFailedRestores}.
   *
   * @param stored state from the checkpoint, null for a new source or one parked in memory
   * @param resumed the source was parked: the pane before its return counts as empty; else what precedes restored state is a gap
   */
  open(
    handle: number,
    key: string,
    options: { stored?: StoredSource | null; resumed?: boolean; muted?: boolean } = {},
  ): void {
    let source = this.#parked.get(key);
    this.#parked.delete(key);
    if (source === undefined && options.stored) source = this.#restore(options.stored, options.resumed !== true);
    source ??= this.#create(key, false);
    if (options.muted === true) this.#muted.add(key);
    this.#byHandle.set(handle, source);
  }

  /** Ends a source; `keep` holds its state in memory, bounded, for the case that it speaks again. */
  close(handle: number, keep: boolean): void {
    const source = this.#byHandle.get(handle);
    if (source === undefined) return;
    this.#byHandle.delete(handle);
    this.#muted.delete(source.key);
    if (!keep) return source.templates.dispose();
    source.park();
    this.#parked.set(source.key, source);
    if (this.#parked.size > this.#options.maxParked) {
      const [oldest, left] = this.#parked.entries().next().value!;
      this.#parked.delete(oldest);
      left.templates.dispose();
    }
  }

  /** Mines and counts the records of a frame. `onMined` is told the handle of each that admission had let through. */
  observe(frame: RecordFrame, onMined?: (handle: number) => void): void {
    const view = new DataView(frame.rows);
    const rows = new Uint8Array(frame.rows);
    const text = new Uint8Array(frame.text);
    let at = 0;
    let lastHandle = REFUSED;
    let source: Source | undefined;
    for (let i = 0; i < frame.count; i++) {
      const row = i * ROW_BYTES;
      const handle = view.getInt32(row + ROW.handle, true);
      const textEnd = at + view.getUint32(row + ROW.textBytes, true);
      const templateEnd = textEnd + view.getUint32(row + ROW.templateBytes, true);
      if (handle !== REFUSED) {
        if (handle !== lastHandle) {
          source = this.#byHandle.get(handle);
          lastHandle = handle;
        }
        if (source !== undefined) {
          const timeMs = view.getFloat64(row + ROW.timeMs, true);
          const idStart = isZero(rows, row + ROW.traceId, 16) ? -1 : row + ROW.traceId;
          this.#mine(source, text, at, textEnd, templateEnd, timeMs, rows, idStart);
        }
        onMined?.(handle);
      }
      at = templateEnd;
    }
  }

  /** Closes the pane of all sources at one instant. */
  closeStep(stepEndMs: number, options: { gap: boolean; incomplete: ReadonlySet<number> }): void {
    for (const [handle, source] of this.#byHandle)
      source.closePane(stepEndMs, options.gap, options.incomplete.has(handle));
  }

  /** Template texts without a vector, each once, in order of appearance. */
  missingVectors(): string[] {
    const texts = new Set<string>();
    for (const source of this.#byHandle.values()) for (const text of source.missing()) texts.add(text);
    return [...texts];
  }

  /** @param matrix row-major, one row of `dimensions` numbers per text */
  setVectors(texts: readonly string[], dimensions: number, matrix: Float32Array): void {
    for (const [i, text] of texts.entries())
      this.#vectors.set(text, matrix.slice(i * dimensions, (i + 1) * dimensions));
  }

  /** The embedding space changed. Gram matrices are formed again once the new vectors are there. */
  forgetVectors(): void {
    this.#vectors.forget();
    for (const sources of [this.#byHandle, this.#parked]) {
      for (const source of sources.values()) {
        source.history.markAllStale();
        source.baseline.clear(); // errors of another space are of another size
      }
    }
  }

  /** Judges the oldest waiting window of a source if it ended at `stepEndMs`. @returns null when there is none or it is a gap. */
  score(handle: number, stepEndMs: number): Verdict | null {
    const source = this.#byHandle.get(handle);
    if (source === undefined || source.pending[0]?.stepEndMs !== stepEndMs) return null;
    const pending = source.pending.shift()!;
    const verdict = pending.window.gap ? null : this.#scoreWindow(source, handle, pending);
    source.sweep();
    const { clusters, templates, lines } = source.takeEvictions();
    this.#evictions.clusters += clusters;
    this.#evictions.templates += templates;
    this.#evictions.lines += lines;
    return verdict;
  }

  /** What changed in a source since the last call, for the checkpoint. */
  takeDelta(handle: number): SourceDelta | null {
    const source = this.#byHandle.get(handle);
    return source === undefined ? null : saveSource(source);
  }

  takeEvictions(): Evictions {
    const evictions = this.#evictions;
    this.#evictions = { clusters: 0, templates: 0, lines: 0 };
    return evictions;
  }

  /** Sources whose stored state could not be used since the last call; they started cold. */
  takeFailedRestores(): FailedRestore[] {
    return this.#failedRestores.splice(0);
  }

  explain(handle: number, windowId: number): WindowExplanation | null {
    const source = this.#byHandle.get(handle);
    const i = source?.history.indexOf(windowId) ?? -1;
    if (source === undefined || i < 0) return null;
    const { history } = source;
    source.refreshGram(this.#scorer);
    this.#scorer.predict(history, source.templates, i);
    const topTemplates = this.#topTemplates(source, i, new Map());
    const window = history.window(i);
    return {
      verdict: this.#verdict(source, handle, {
        windowId,
        windowEndMs: windowId * this.#options.stepMs,
        records: window.records,
        templates: history.counts(i).reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0),
        reconstructionError: orNull(window.error),
        normalizedError: orNull(window.normalizedError),
        gates: [...window.gates],
        rank: window.rank,
        newTemplates: [],
        topTemplates,
      }),
      exact: i >= this.#options.dmdWindows || history.size < history.capacity,
      topTemplates,
      modes: this.#scorer.modes(history, i).map(({ periodSteps, ...mode }) => ({
        ...mode,
        periodMs: periodSteps === null ? null : periodSteps * this.#options.stepMs,
      })),
      errors: Array.from({ length: i }, (_, k) => {
        const earlier = history.window(k);
        return {
          windowId: earlier.windowId,
          reconstructionError: orNull(earlier.error),
          normalizedError: orNull(earlier.normalizedError),
        };
      }),
    };
  }

  #create(key: string, precededByGap: boolean): Source {
    return new Source({
      key,
      miner: new Miner({ hashSeed: this.#options.hashSeed }, this.#tokens),
      baseline: new ErrorBaseline(),
      historyWindows: this.#options.dmdWindows + 1, // one more, so that the newest window can be explained exactly
      panesPerWindow: this.#options.panesPerWindow,
      vectors: this.#vectors,
      precededByGap,
    });
  }

  #restore(stored: StoredSource, precededByGap: boolean): Source | undefined {
    const source = this.#create(stored.key, precededByGap);
    try {
      restoreSource(source, stored);
      return source;
    } catch (error) {
      source.templates.dispose();
      this.#failedRestores.push({ key: stored.key, error });
      return undefined;
    }
  }

  /** Hot: positional, so that a record costs no object. */
  #mine(
    source: Source,
    bytes: Uint8Array,
    start: number,
    end: number,
    templateEnd: number,
    timeMs: number,
    ids: Uint8Array,
    idStart: number,
  ): void {
    const redactor = this.#redactor;
    if (redactor === null) {
      const cluster =
        templateEnd > end
          ? source.miner.observeGiven(bytes, end, templateEnd)
          : source.miner.observe(bytes, start, end);
      source.count(cluster, bytes, start, end, timeMs, ids, idStart);
      return;
    }
    const text = redactor.redact(bytes, start, end);
    const template = redactor.redact(bytes, end, templateEnd);
    const cluster =
      template.length > 0
        ? source.miner.observeGiven(template, 0, template.length)
        : source.miner.observe(text, 0, text.length);
    source.count(cluster, text, 0, text.length, timeMs, ids, idStart);
  }

  #scoreWindow(source: Source, handle: number, pending: PendingWindow): Verdict {
    const { history, templates } = source;
    const { dmdWindows, stepMs, warningThreshold } = this.#options;
    // Templates may have merged while the window waited for its vectors.
    const { entries, records } = unite([pending.window]);
    const newTemplates = entries.filter(({ template }) => !templates.wasSeen(template.id));
    this.#makeRoom(source, entries);
    source.refreshGram(this.#scorer);

    const i = history.push();
    for (const { template, count } of entries) {
      if (template.slot >= 0) history.setCount(i, template.slot, history.count(i, template.slot) + count);
    }
    const degraded = source.noteUnembedded();
    const { error, rank } = this.#scorer.predict(history, templates, i);
    const z = error === null ? null : source.baseline.normalizedError(error, this.#scorer.floors(history, i));
    this.#scorer.pushGramRow(history, templates, i);
    const window = {
      windowId: Math.round(pending.stepEndMs / stepMs),
      records,
      error: error ?? NaN,
      normalizedError: z ?? NaN,
      rank,
    };
    history.set(i, { ...window, gates: [], accepted: false });

    const gates: Gate[] = [];
    if (z === null) gates.push('warming');
    if (this.#muted.has(source.key)) gates.push('muted');
    if (degraded) gates.push('degraded');
    if (isSparse(history.recordsOf(Math.max(0, i - dmdWindows), i))) gates.push('sparse');
    if (z !== null && isRecurrent(history.gram, history.errorsOf(0, i + 1))) gates.push('recurrent');
    if (pending.incomplete) gates.push('incomplete');
    // A window that we saw badly teaches nothing.
    const trusted = !degraded && !pending.incomplete;
    const accepted = trusted && (error === null || source.baseline.offer(error, z));
    history.set(i, { ...window, gates, accepted });

    const loud = z !== null && z > warningThreshold;
    const topTemplates = loud
      ? this.#topTemplates(source, i, new Map(entries.map((entry) => [entry.template, entry])))
      : [];
    if (accepted) for (const { template } of entries) templates.markSeen(template.id);
    return this.#verdict(source, handle, {
      windowId: window.windowId,
      windowEndMs: pending.stepEndMs,
      records,
      templates: entries.length,
      reconstructionError: error,
      normalizedError: z,
      gates,
      rank,
      newTemplates: newTemplates.slice(0, MAX_NEW_TEMPLATES).map(({ template }) => template.text),
      topTemplates,
    });
  }

  #verdict(
    source: Source,
    handle: number,
    window: Omit<Verdict, 'source' | 'handle' | 'windowStartMs' | 'score' | 'detector' | 'severity'>,
  ): Verdict {
    const { windowId, windowEndMs, records, templates, reconstructionError, normalizedError, gates, rank } = window;
    // With dmd as the only channel the score is its z.
    const score = normalizedError;
    return {
      source: source.key,
      handle,
      windowId,
      windowStartMs: windowEndMs - this.#options.stepMs * this.#options.panesPerWindow,
      windowEndMs,
      records,
      templates,
      reconstructionError,
      normalizedError,
      score,
      detector: score === null ? null : 'dmd',
      severity: score === null ? null : this.#severity(score),
      gates,
      rank,
      newTemplates: window.newTemplates,
      topTemplates: window.topTemplates,
    };
  }

  #severity(score: number): Severity {
    if (score > this.#options.criticalThreshold) return 'critical';
    return score > this.#options.warningThreshold ? 'warning' : 'normal';
  }

  /** At most {@link MAX_TEMPLATES} columns: the rarest templates leave with their counts, of equally rare ones the youngest. */
  #makeRoom(source: Source, entries: readonly PaneEntry[]): void {
    const { history, templates } = source;
    const arriving = entries.filter(({ template }) => template.slot < 0);
    const used = templates.bySlot.reduce((n, template) => n + (template === null ? 0 : 1), 0);
    const excess = used + arriving.length - MAX_TEMPLATES;
    if (excess > 0) {
      const totals = new Map<Template, number>();
      for (const template of templates.bySlot)
        if (template !== null) totals.set(template, history.total(template.slot));
      for (const { template, count } of entries) totals.set(template, (totals.get(template) ?? 0) + count);
      const leaving = [...totals.keys()]
        .sort((a, b) => totals.get(a)! - totals.get(b)! || b.number - a.number)
        .slice(0, excess);
      for (const template of leaving) {
        templates.overflowed++;
        if (template.slot >= 0) templates.releaseSlot(template);
      }
      const left = new Set(leaving);
      for (const { template } of arriving) if (!left.has(template)) templates.assignSlot(template);
    } else for (const { template } of arriving) templates.assignSlot(template);
  }

  /** The templates that window `i`'s error consists of; {@link WindowScorer.predict} has just run for it. */
  #topTemplates(source: Source, i: number, entries: ReadonlyMap<Template, PaneEntry>): TopTemplate[] {
    return this.#scorer
      .shares()
      .slice(0, MAX_TOP_TEMPLATES)
      .map(({ column, share }) => {
        const template = source.templates.bySlot[column]!;
        const entry = entries.get(template);
        const sample = entry?.samples[0];
        const traces = entry?.traces ?? [];
        return {
          templateId: template.id,
          template: template.text,
          share,
          count: source.history.count(i, column),
          usualCount: source.history.medianCount(column, i),
          firstSeenMs: template.firstSeenMs,
          sample: sample === undefined ? null : Buffer.from(sample).toString('utf8'),
          traceIds: traces.map((ids) => Buffer.from(ids.subarray(0, 16)).toString('hex')),
          spanIds: traces.map((ids) =>
            isZero(ids, 16, TRACE_BYTES - 16) ? '' : Buffer.from(ids.subarray(16)).toString('hex'),
          ),
        };
      });
  }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function isZero(bytes: Uint8Array, start: number, length: number): boolean {
  for (let k = start; k < start + length; k++) if (bytes[k] !== 0) return false;
  return true;
}
