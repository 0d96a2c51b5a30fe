import {
  Detector,
  type DetectorOptions,
  type SourceDelta,
  type StoredSource,
  type Verdict,
} from '../../src/detect/detector.ts';
import { CHANNELS } from '../../src/detect/channels/channels.ts';
import { ROW, ROW_BYTES, type RecordFrame } from '../../src/detect/frame.ts';
import { HASHING_DIMENSIONS, hashEmbed } from '../../src/embed/hashing.ts';
import { applyDelta } from '../../src/store/merge.ts';

export const STEP_MS = 60_000;

export const DEFAULTS: DetectorOptions = {
  stepMs: STEP_MS,
  panesPerWindow: 2,
  dmdWindows: 120,
  delay: 5,
  maxRank: 50,
  snapshot: 'log_sum',
  channels: ['dmd'],
  warningThreshold: 2,
  criticalThreshold: 3,
  hashSeed: 0,
  redact: [],
  keepSamples: true,
  entropyThreshold: 2.5,
  maxParked: 4,
};

/** A short history whose model costs next to nothing: for long random runs. */
export const SMALL: Partial<DetectorOptions> = { dmdWindows: 24, delay: 2 };

/** All channels there are. */
export const SEVEN: DetectorOptions['channels'] = [...CHANNELS];
/** Those that need no numbers inside the lines. */
export const SIX: DetectorOptions['channels'] = CHANNELS.filter((channel) => channel !== 'values');

/** One record as the receiver hands it over; hex ids. */
export interface Line {
  text: string;
  handle?: number;
  /** Given by the sender: used in place of mining. */
  template?: string;
  trace?: string;
  span?: string;
  timeMs?: number;
  /** OTLP severity number. */
  severity?: number;
}

const utf8 = new TextEncoder();

export function frameOf(lines: readonly (Line | string)[]): RecordFrame {
  const rows = new Uint8Array(lines.length * ROW_BYTES);
  const view = new DataView(rows.buffer);
  const texts: Uint8Array[] = [];
  for (const [i, entry] of lines.entries()) {
    const line = typeof entry === 'string' ? { text: entry } : entry;
    const text = utf8.encode(line.text);
    const template = utf8.encode(line.template ?? '');
    const row = i * ROW_BYTES;
    view.setFloat64(row + ROW.timeMs, line.timeMs ?? 0, true);
    view.setInt32(row + ROW.handle, line.handle ?? 0, true);
    view.setUint32(row + ROW.severity, line.severity ?? 0, true);
    view.setUint32(row + ROW.textBytes, text.length, true);
    view.setUint32(row + ROW.templateBytes, template.length, true);
    rows.set(Buffer.from(line.trace ?? '', 'hex'), row + ROW.traceId);
    rows.set(Buffer.from(line.span ?? '', 'hex'), row + ROW.spanId);
    texts.push(text, template);
  }
  const text = new Uint8Array(Buffer.concat(texts));
  return { count: lines.length, rows: rows.buffer, text: text.buffer, textBytes: text.length };
}

/** `count` records of one given template. */
export function times(count: number, template: string, handle = 0): Line[] {
  return Array.from({ length: count }, () => ({ text: `a line of ${template}`, template, handle }));
}

/** Several detectors are often given the same texts. */
const vectors = new Map<string, Float32Array>();

function vectorOf(text: string): Float32Array {
  let vector = vectors.get(text);
  if (vector === undefined) {
    vector = new Float32Array(HASHING_DIMENSIONS);
    hashEmbed(text, vector);
    vectors.set(text, vector);
  }
  return vector;
}

export interface StepOptions {
  gap?: boolean;
  /** Handles. */
  incomplete?: number[];
  /** Which of the missing texts get their vector before the windows are judged; all. */
  embed?: (text: string) => boolean;
}

/** A detector with the hashing embedder beside it, driven a step at a time as a shard drives it. */
export class Drive {
  readonly detector: Detector;
  /** Id of the newest closed window. */
  windowId: number;

  constructor(options: Partial<DetectorOptions> = {}, windowId = 1000) {
    this.detector = new Detector({ ...DEFAULTS, ...options });
    this.windowId = windowId;
  }

  observe(lines: readonly (Line | string)[]): void {
    if (lines.length > 0) this.detector.observe(frameOf(lines));
  }

  close(options: StepOptions = {}): void {
    this.windowId++;
    this.detector.closeStep(this.windowId * STEP_MS, {
      gap: options.gap ?? false,
      incomplete: new Set(options.incomplete),
    });
  }

  embed(which: (text: string) => boolean = () => true): string[] {
    const texts = this.detector.missingVectors().filter(which);
    const matrix = new Float32Array(texts.length * HASHING_DIMENSIONS);
    for (const [i, text] of texts.entries()) matrix.set(vectorOf(text), i * HASHING_DIMENSIONS);
    this.detector.setVectors(texts, HASHING_DIMENSIONS, matrix);
    return texts;
  }

  score(windowId = this.windowId): Verdict[] {
    return this.detector.handles.flatMap((handle) => this.detector.score(handle, windowId * STEP_MS) ?? []);
  }

  /** Records of one pane, its end, and the verdicts of the windows that end with it. */
  step(lines: readonly (Line | string)[], options: StepOptions = {}): Verdict[] {
    this.observe(lines);
    this.close(options);
    this.embed(options.embed);
    return this.score();
  }
}

/** The store of one source: every step's delta applied, as `store/` applies it. */
export class Shelf {
  stored: StoredSource | null = null;

  keep(detector: Detector, handle = 0): void {
    const delta = detector.takeDelta(handle);
    if (delta !== null) this.apply(delta);
  }

  /** Copied: nothing may be shared with the live source. */
  apply(delta: SourceDelta): void {
    this.stored = applyDelta(this.stored, structuredClone(delta));
  }
}
