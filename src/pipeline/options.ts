import type { DetectorWeights, DriftDetectionConfig, SourcesConfig } from '../config/config.ts';
import type { Embedder, EmbeddingObserver } from '../embed/embedder.ts';
import type { Attributes, DecodedRecord } from '../receive/record.ts';
import type { DropReason } from '../source/registry.ts';
import type { SourceResolver } from '../source/source-key.ts';
import type { Store } from '../store/checkpoint.ts';
import type { SourceEvents } from './source-life.ts';
import type { JudgedStep } from './step.ts';

export interface PipelineOptions {
  detection: DriftDetectionConfig;
  sources: SourcesConfig;
  /** Channels of the score and how much each counts; all when left out. */
  detectors?: DetectorWeights;
  /** In place of the rules of `source/source-key.ts`: the library's callers name their sources themselves. */
  resolver?: SourceResolver;
  clock: 'wall' | 'event';
  /** Threads for a service; in place for the library and a replay. */
  shards: 'threads' | 'inline';
  /** 0 in a replay. */
  hashSeed: number;
  embedder: Embedder;
  observeEmbedding?: Partial<EmbeddingObserver>;
  store: Store | null;
  /** Records come as they happen: a hold of records from the future ends by itself. False in a replay, where only the end of input ends it. */
  live: boolean;
  events: PipelineEvents;
}

export interface PipelineEvents extends SourceEvents {
  /** The verdicts of a step, with what they mean; awaited before the next step is judged. */
  judged(step: JudgedStep): Promise<void> | void;
  dropped(reason: DropReason, records: number): void;
  /** Records that named no source; `record` is one of them. */
  unmapped(resource: Attributes, record: DecodedRecord, records: number): void;
  /** A sender outage began (sources that fell silent) or ended (0). */
  outage(silentSources: number, stepEndMs: number): void;
  /** The wall clock jumped, a step was missed. */
  irregular(message: string): void;
  committed(durationMs: number): void;
  commitFailed(error: unknown): void;
  fatal(error: Error): void;
}
