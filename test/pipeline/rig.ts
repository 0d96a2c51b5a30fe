/** A whole pipeline with its real parts, and what its tests ask of it. */
import { loadConfig } from '../../src/config/load.ts';
import { hashingEmbedder } from '../../src/embed/hashing.ts';
import type { Embedder } from '../../src/embed/embedder.ts';
import { openPipeline, type Pipeline } from '../../src/pipeline/pipeline.ts';
import type { JudgedStep } from '../../src/pipeline/step.ts';
import { newDecodedRecord } from '../../src/receive/decoded.ts';
import type { ExportResult, Intake } from '../../src/receive/record.ts';
import type { Store } from '../../src/store/checkpoint.ts';

export interface RigOptions {
  clock: 'wall' | 'event';
  shards?: 'threads' | 'inline';
  /** `window_step=10s`: keys of `logs_config.drift_detection`. */
  set?: string[];
  store?: Store | null;
  embedder?: Embedder;
}

export interface Line {
  source: string;
  timeMs: number;
  observedMs?: number;
  text?: string;
}

export interface Rig extends AsyncDisposable {
  readonly pipeline: Pipeline;
  readonly steps: JudgedStep[];
  /** created, removed, outage, irregular, …: one line each. */
  readonly story: string[];
  readonly dropped: Map<string, number>;
  readonly fatal: Error[];
  readonly unmapped: () => number;
  begin(...lines: Line[]): Intake;
  send(...lines: Line[]): Promise<ExportResult>;
  /** `source@hh:mm` of every verdict so far, in order. */
  verdicts(): string[];
}

export async function openRig(options: RigOptions): Promise<Rig> {
  const config = loadConfig({ set: (options.set ?? []).map((key) => `logs_config.drift_detection.${key}`), env: {} });
  const embedder = options.embedder ?? hashingEmbedder();
  const steps: JudgedStep[] = [];
  const story: string[] = [];
  const dropped = new Map<string, number>();
  const fatal: Error[] = [];
  let unmapped = 0;
  const pipeline = await openPipeline({
    detection: config.driftDetection,
    sources: config.sources,
    clock: options.clock,
    shards: options.shards ?? 'inline',
    hashSeed: 0,
    embedder,
    store: options.store ?? null,
    live: options.shards === 'threads',
    events: {
      judged: (step) => void steps.push(step),
      dropped: (reason, records) => void dropped.set(reason, (dropped.get(reason) ?? 0) + records),
      unmapped: (_resource, _record, records) => void (unmapped += records),
      outage: (silent) => void story.push(`outage ${silent}`),
      irregular: (message) => void story.push(message),
      created: (entry, total) => void story.push(`created ${entry.key} ${total}`),
      removed: (entry, remaining) => void story.push(`removed ${entry.key} ${remaining}`),
      cleanedUp: (removed) => void story.push(`cleaned ${removed}`),
      restoreFailed: (key) => void story.push(`cold ${key}`),
      committed: () => undefined,
      commitFailed: (error) => void fatal.push(error as Error),
      fatal: (error) => void fatal.push(error),
    },
  });
  const begin = (...lines: Line[]): Intake => {
    const intake = pipeline.target.begin();
    let source = '';
    for (const line of lines) {
      if (line.source !== source) {
        source = line.source;
        intake.sink.resource(new Map(source === '' ? [] : [['logdrift.source', source]]));
        intake.sink.scope('');
      }
      const text = Buffer.from(line.text ?? 'GET /index.html 200');
      intake.sink.record({
        ...newDecodedRecord(text),
        textEnd: text.length,
        timeMs: line.timeMs,
        observedTimeMs: line.observedMs ?? 0,
      });
    }
    return intake;
  };
  return {
    pipeline,
    steps,
    story,
    dropped,
    fatal,
    unmapped: () => unmapped,
    begin,
    send: (...lines) => begin(...lines).commit(new AbortController().signal),
    verdicts: () =>
      steps.flatMap((step) => step.verdicts).map((verdict) => `${verdict.source}@${minute(verdict.windowEndMs)}`),
    async [Symbol.asyncDispose]() {
      await pipeline[Symbol.asyncDispose]();
      await embedder[Symbol.asyncDispose]();
    },
  };
}

export function minute(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}

/** A time of the day all tests play on. */
export function at(time: string): number {
  return Date.parse(`2026-08-21T${time}Z`);
}

export function times<T>(n: number, make: (i: number) => T): T[] {
  return Array.from({ length: n }, (_, i) => make(i));
}
