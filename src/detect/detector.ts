import { ErrorBaseline } from './baseline.ts';
import { ChannelState } from './channels/channel-state.ts';
import { isDmdOnly } from './channels/channels.ts';
import { explainWindow } from './explain.ts';
import { addEvictions, NO_EVICTIONS, type Evictions } from './evictions.ts';
import type { RecordFrame } from './frame.ts';
import { Judge, type JudgeOptions } from './judge.ts';
import { mineFrame } from './mine-frame.ts';
import { Miner, MINER_DEFAULTS } from './miner/miner.ts';
import { Tokens } from './miner/tokens/tokens.ts';
import { restoreSource, saveSource, type SourceDelta, type StoredSource } from './persist.ts';
import { Redactor } from './redact.ts';
import { Source } from './source.ts';
import { VectorTable } from './vectors.ts';
import type { Verdict, WindowExplanation } from './verdict.ts';
import { unlimited, type Work } from './work.ts';

export type { Evictions } from './evictions.ts';
export type { Gate } from './history.ts';
export type { SourceDelta, StoredSource } from './persist.ts';
export type { Severity, TopTemplate, Verdict, WindowExplanation } from './verdict.ts';

export interface DetectorOptions extends JudgeOptions {
  /** Seeds the miner's tables against crafted collisions; results do not depend on it. */
  hashSeed: number;
  /** Regular expressions; what they match becomes `<redacted>` before anything else sees it. */
  redact: readonly string[];
  /** False: no line is kept, only templates and counts. */
  keepSamples: boolean;
  /** Bits: a word position of a template that varies with less is an enumeration, whose values are counted. */
  entropyThreshold: number;
  /** Sources parked in memory when there is no store. */
  maxParked: number;
}

interface CloseOptions {
  gap: boolean;
  /** Handles. */
  incomplete: ReadonlySet<number>;
}

interface Closing extends CloseOptions {
  stepEndMs: number;
  open: Set<number>;
}

export interface FailedRestore {
  key: string;
  error: unknown;
}

/**
 * The sources of one shard: lines in, verdicts out. Pure: no I/O, no clock, no thread; the same calls give the same bytes.
 *
 *     observe* → closeStep → (missingVectors → setVectors)? → score
 *
 * What takes long can be done in pieces, with other calls in between: closing ({@link Detector.beginStep}) and scoring (`work`).
 */
export class Detector {
  readonly #options: DetectorOptions;
  readonly #judge: Judge;
  readonly #vectors = new VectorTable();
  /** Scratch of the tokenizer, shared by all miners: a scan is synchronous. */
  readonly #tokens: Tokens;
  readonly #redactor: Redactor | null;
  /** The channel `values` is on. */
  readonly #values: boolean;
  readonly #byHandle = new Map<number, Source>();
  /** The source that a record counts for; its pane closes first where that is due. */
  readonly #sourceOf = (handle: number): Source | undefined => {
    this.#closePane(handle);
    return this.#byHandle.get(handle);
  };
  /** The pane that is closing, and the handles that it is still open for. */
  #closing: Closing | null = null;
  readonly #muted = new Set<string>();
  /** Without a store: sources that left, least recent first. */
  readonly #parked = new Map<string, Source>();
  #failedRestores: FailedRestore[] = [];
  #evictions: Evictions = { ...NO_EVICTIONS };

  constructor(options: DetectorOptions) {
    this.#options = options;
    this.#judge = new Judge(options);
    this.#tokens = new Tokens({ ...MINER_DEFAULTS, hashSeed: options.hashSeed });
    this.#values = options.channels.includes('values');
    this.#redactor = options.redact.length > 0 ? new Redactor(options.redact) : null;
  }

  get scratchBytes(): number {
    return this.#judge.scorer.scratchBytes;
  }

  get handles(): number[] {
    return [...this.#byHandle.keys()];
  }

  /** Bytes of what a source keeps beside its tree and its vectors: see {@link Source.byteLength}. */
  stateBytes(handle: number): number {
    return this.#byHandle.get(handle)?.byteLength ?? 0;
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
    this.#closing?.open.delete(handle);
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
    mineFrame(frame, { sourceOf: this.#sourceOf, redactor: this.#redactor, onMined });
  }

  /** Closes the pane of all sources at one instant. */
  closeStep(stepEndMs: number, options: CloseOptions): void {
    this.beginStep(stepEndMs, options);
    while (this.closeNext(stepEndMs));
  }

  /** {@link closeStep} in pieces: what is observed from now on is in the next pane, also of sources that are yet to be closed. */
  beginStep(stepEndMs: number, options: CloseOptions): void {
    if (this.#closing !== null) while (this.closeNext(this.#closing.stepEndMs));
    this.#closing = { stepEndMs, ...options, open: new Set(this.#byHandle.keys()) };
  }

  /** @returns false when the step is closed for all sources */
  closeNext(stepEndMs: number): boolean {
    if (this.#closing?.stepEndMs !== stepEndMs) return false;
    const { value: handle } = this.#closing.open.values().next();
    if (handle === undefined) this.#closing = null;
    else this.#closePane(handle);
    return this.#closing !== null;
  }

  #closePane(handle: number): void {
    if (this.#closing?.open.delete(handle) !== true) return;
    const { stepEndMs, gap, incomplete } = this.#closing;
    this.#byHandle.get(handle)!.closePane(stepEndMs, gap, incomplete.has(handle));
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
        source.channels?.forgetErrors();
      }
    }
  }

  /**
   * Judges the oldest waiting window of a source if it ended at `stepEndMs`.
   *
   * @returns null when there is none or it is a gap; 'unfinished' when `work` has ended: to be asked again
   */
  score(handle: number, stepEndMs: number): Verdict | null;
  score(handle: number, stepEndMs: number, work: Work): Verdict | null | 'unfinished';
  score(handle: number, stepEndMs: number, work: Work = unlimited()): Verdict | null | 'unfinished' {
    const source = this.#byHandle.get(handle);
    const [pending] = source?.pending ?? [];
    if (source === undefined || pending?.stepEndMs !== stepEndMs) return null;
    let verdict: Verdict | null = null;
    if (!pending.panes.some(({ gap }) => gap)) {
      verdict = this.#judge.judge(source, pending, { handle, muted: this.#muted.has(source.key), work });
      if (verdict === null) return 'unfinished';
    }
    source.pending.shift();
    source.sweep();
    addEvictions(this.#evictions, source.takeEvictions());
    return verdict;
  }

  /** What changed in a source since the last call, for the checkpoint. */
  takeDelta(handle: number): SourceDelta | null {
    const source = this.#byHandle.get(handle);
    return source === undefined ? null : saveSource(source);
  }

  takeEvictions(): Evictions {
    const evictions = this.#evictions;
    this.#evictions = { ...NO_EVICTIONS };
    return evictions;
  }

  /** Sources whose stored state could not be used since the last call; they started cold. */
  takeFailedRestores(): FailedRestore[] {
    return this.#failedRestores.splice(0);
  }

  explain(handle: number, windowId: number): WindowExplanation | null {
    const source = this.#byHandle.get(handle);
    return source === undefined ? null : explainWindow(this.#judge, this.#options, { source, handle, windowId });
  }

  #create(key: string, precededByGap: boolean): Source {
    return new Source({
      key,
      // Values of enumerations are pieces of lines.
      miner: new Miner({ hashSeed: this.#options.hashSeed, countWords: this.#options.keepSamples }, this.#tokens),
      baseline: new ErrorBaseline(),
      channels: isDmdOnly(this.#options.channels) ? null : new ChannelState(),
      values: this.#values,
      historyWindows: this.#options.dmdWindows + 1, // one more, so that the newest window can be explained exactly
      panesPerWindow: this.#options.panesPerWindow,
      vectors: this.#vectors,
      keepSamples: this.#options.keepSamples,
      entropyThreshold: this.#options.entropyThreshold,
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
}
