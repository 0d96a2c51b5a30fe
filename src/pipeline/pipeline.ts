import { availableParallelism } from 'node:os';
import { Episodes, type AlertHistory, type Episode } from '../alert/episodes.ts';
import type { CloseStep } from '../clock/clock.ts';
import { EventTimeClock } from '../clock/event-time.ts';
import { WallClock } from '../clock/wall.ts';
import { DETECTOR_NAMES, type DetectorName, type DriftDetectionConfig, type SourcesConfig } from '../config/config.ts';
import type { DetectorOptions } from '../detect/detector.ts';
import { isDmdOnly } from '../detect/judge.ts';
import type { WindowExplanation } from '../detect/verdict.ts';
import { createEmbedding, type Embedding } from '../embed/batcher.ts';
import type { Embedder, EmbeddingObserver } from '../embed/embedder.ts';
import type { Attributes, DecodedRecord, ExportTarget } from '../receive/record.ts';
import type { Pace } from '../shard/messages.ts';
import { openInlineShards, openShardThreads, postVectors, type ShardPool } from '../shard/pool.ts';
import { mergeIdentity } from '../source/identity.ts';
import { Registry, type DropReason } from '../source/registry.ts';
import { createKeyMatcher } from '../source/rules.ts';
import { createSourceResolver, type SourceResolver } from '../source/source-key.ts';
import type { KnownSource } from '../store/messages.ts';
import type { Store } from '../store/checkpoint.ts';
import { createArrival } from './arrival.ts';
import { EmbeddingSpace } from './embedding-space.ts';
import { SourceLife, type SourceEvents } from './source-life.ts';
import { Steps, type JudgedStep } from './step.ts';

/** Sources that fell idle and are kept in the memory of each shard while there is no store. */
const MAX_PARKED_PER_SHARD = 256;
/** Parked sources in the store, as a multiple of `max_sources`: names invented for a week must not fill the disk. */
const MAX_PARKED_IN_STORE = 10;

/**
 * The shards of a live service keep so much of the machine busy while they score a step, so that records are received as fast as between steps;
 * after so many milliseconds, or so much of a step, they work without pauses.
 */
const BUSY_SHARE_OF_CORES = 0.25;
const MAX_PACED_MS = 5_000;
const MAX_PACED_SHARE = 0.25;

/** How long a live service on event time holds records that are far ahead of all others. */
const HOLD_MS = 60_000;

export interface PipelineOptions {
  detection: DriftDetectionConfig;
  sources: SourcesConfig;
  /** Channels of the score; `dmd` alone when left out. */
  detectors?: readonly DetectorName[];
  /** In place of the checklist's rules over `sources`: the library's callers name their sources themselves. */
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

/** Both legs of a record's trip, behind any door: receivers, replay and library hand their records to {@link Pipeline.target}. */
export interface Pipeline extends AsyncDisposable {
  readonly target: ExportTarget;
  readonly registry: Registry;
  /** Records handed to the shards and not yet mined. */
  waitingRecords(): number;
  /** The open episode of a source. */
  episode(key: string): Episode | null;
  /** Sigmas that the alert budget adds to the thresholds of a source. */
  alertRaisedBy(key: string): number;
  explain(key: string, windowId: number): Promise<WindowExplanation | null>;
  /** Event time only: the input has ended, every pane that the newest record has passed is closed and judged. */
  flush(): Promise<void>;
  /** Shutdown is near: from now on no step waits for vectors, nor a request (event time) for such a step. */
  hurry(): void;
}

/** What the checkpoint keeps beside the sources' own state. */
interface ServiceState {
  /** End of the newest judged window. */
  judgedMs: number;
  /** Embedding space of the history. */
  fingerprint: string | null;
  episodes: AlertHistory[];
  identities: [key: string, identity: [string, string][]][];
}

export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { detection, sources, store, events } = options;
  await using opening = new AsyncDisposableStack();
  const shards = options.shards === 'threads' ? shardCount(detection.templateWorkers) : 1;
  const waiting = new Int32Array(new SharedArrayBuffer(4 * detection.maxSources));
  const shardOptions = {
    size: shards,
    detector: detectorOptions(options),
    waiting,
    persist: store !== null,
    onRestoreFailed: (key: string, error: Error) => life.restoreFailed(key, error),
  };
  const pool: ShardPool = opening.use(
    options.shards === 'threads'
      ? openShardThreads({ ...shardOptions, onFatal: events.fatal })
      : openInlineShards(shardOptions),
  );
  const embedding: Embedding = opening.use(
    createEmbedding({
      embedder: options.embedder,
      // Lingering for company costs log time nothing, but a replay wall time.
      batchTimeoutMs: options.clock === 'event' ? 0 : detection.batchTimeoutMs,
      ...(options.observeEmbedding === undefined ? {} : { observe: options.observeEmbedding }),
      // Too late for its window, in time for the history.
      onLate: (text, vector) => {
        for (let shard = 0; shard < pool.size; shard++) postVectors(pool, shard, [text], new Map([[text, vector]]));
      },
    }),
  );

  const restored = await readServiceState(store);
  const known: KnownSource[] = store === null ? [] : await store.sources();
  const episodes = new Episodes({ ...detection, dmdOnly: isDmdOnly(channelsOf(options)) }, restored?.episodes ?? []);
  const life = new SourceLife({
    pool,
    store,
    episodes,
    known,
    identities: new Map((restored?.identities ?? []).map(([key, identity]) => [key, new Map(identity)])),
    isMuted: createKeyMatcher(sources.muted),
    maxParked: store === null ? MAX_PARKED_PER_SHARD * shards : MAX_PARKED_IN_STORE * detection.maxSources,
    maxIdleMs: detection.maxIdleMs,
    retentionMs: detection.retentionMs,
    events,
  });
  const registry = new Registry({
    maxSources: detection.maxSources,
    shards,
    onCreate: (entry) => life.born(entry, registry.size),
  });

  const space = new EmbeddingSpace(options.embedder, restored?.fingerprint ?? null, () => {
    for (let shard = 0; shard < pool.size; shard++) pool.post(shard, { type: 'forget-vectors' });
    life.forgetParked();
    events.irregular(
      'the embedding service makes other vectors than before: histories are formed again, error baselines start anew',
    );
  });

  let lastCleanupMs = -Infinity;
  const steps = new Steps({
    panesPerWindow: detection.windowSizeMs / detection.windowStepMs,
    embedWaitMs: detection.embedWaitMs,
    pace: paceOf(options, shards),
    pool,
    registry,
    vectors: (texts, deadline) => space.vectors(embedding, texts, deadline),
    episodes,
    onOutage: (change, stepEndMs) => events.outage('started' in change ? change.started : 0, stepEndMs),
    onJudged: async (step) => {
      await events.judged(step);
      if (lastCleanupMs === -Infinity) lastCleanupMs = step.stepEndMs;
      if (step.stepEndMs - lastCleanupMs >= detection.cleanupIntervalMs) {
        lastCleanupMs = step.stepEndMs;
        await life.cleanUp(registry, step.stepEndMs);
      }
      if (store !== null) {
        const state: ServiceState = {
          judgedMs: step.stepEndMs,
          fingerprint: space.fingerprint,
          episodes: episodes.save(),
          identities: [...registry].map((entry) => [entry.key, [...entry.identity]]),
        };
        // Not awaited: the store merges what it cannot write in time.
        store
          .commit({
            stepEndMs: step.stepEndMs,
            deltas: step.deltas,
            service: JSON.stringify(state),
            ...life.takeMoves(),
          })
          .then(events.committed, events.commitFailed);
      }
    },
  });

  const closeStep: CloseStep = async (stepEndMs, gap) => {
    try {
      if (gap && options.clock === 'wall') registry.excuse(stepEndMs);
      await steps.close(stepEndMs, gap);
    } catch (error) {
      // Every later step waits for this one: nothing would be judged any more.
      events.fatal(asError(error));
      throw error;
    }
  };
  const clock = options.clock === 'wall' ? wallClock(options, closeStep) : eventClock(options, closeStep);
  opening.use(clock);
  await pool.ready();
  // Switched off, nothing is analysed: no source, no step, and the store is left as it is.
  if (detection.enabled) {
    if (restored !== null && clock instanceof EventTimeClock) clock.resumeAt(restored.judgedMs);
    await life.restoreActive(registry, Math.max(restored?.judgedMs ?? 0, clock.nowMs()));
    if (clock instanceof WallClock) clock.start(restored?.judgedMs ?? null);
  }

  const target = createArrival({
    enabled: detection.enabled,
    resolver: options.resolver ?? createSourceResolver(sources),
    registry,
    clock,
    identify: (current, resource) => mergeIdentity(current, resource),
    restoring: (entry) => life.restoring(entry),
    waiting,
    // On event time a fast sender is slowed, never refused.
    ...(options.clock === 'event' ? { patienceMs: Infinity } : {}),
    post: (shard, frame) => pool.postFrame(shard, frame),
    onDrop: (reason, records) => events.dropped(reason, records),
    onUnmapped: events.unmapped,
  });

  const parts = opening.move();
  let closed: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    // No new panes, then judge what is closed, then the parts in reverse order. The open pane is never judged.
    const finished = steps.finish(); // before the clock, which on event time waits for steps that wait for their vectors
    finished.catch(() => undefined); // awaited below
    try {
      await clock[Symbol.asyncDispose]();
      await steps.finish();
    } finally {
      await parts.disposeAsync();
    }
  };
  return {
    target,
    registry,
    waitingRecords: () => sumOf(waiting),
    episode: (key) => episodes.get(key),
    alertRaisedBy: (key) => episodes.raisedBy(key, clock.nowMs()),
    explain: async (key, windowId) => {
      const entry = registry.get(key);
      return entry === undefined ? null : pool.explain(entry.shard, entry.handle, windowId);
    },
    flush: async () => {
      if (clock instanceof EventTimeClock) await clock.flush();
    },
    hurry: () => void steps.finish().catch(() => undefined), // who closes the steps sees the error
    [Symbol.asyncDispose]: () => (closed ??= close()),
  };
}

/** A loop: asked every 10 ms while records come in. */
function sumOf(counts: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i]!;
  return sum;
}

function shardCount(templateWorkers: number | null): number {
  return templateWorkers ?? Math.max(1, Math.min(4, availableParallelism() - 1));
}

/** On event time a step's requests wait for its verdicts: there it goes as fast as it can. */
function paceOf({ clock, shards, detection }: PipelineOptions, size: number): Pace | null {
  if (clock === 'event' || shards === 'inline') return null;
  return {
    busyShare: Math.min(1, (BUSY_SHARE_OF_CORES * availableParallelism()) / size),
    forMs: Math.min(MAX_PACED_MS, MAX_PACED_SHARE * detection.windowStepMs),
  };
}

function channelsOf({ detectors = DETECTOR_NAMES }: PipelineOptions): readonly DetectorName[] {
  return detectors;
}

function detectorOptions(options: PipelineOptions): DetectorOptions {
  const { detection, hashSeed } = options;
  return {
    stepMs: detection.windowStepMs,
    panesPerWindow: detection.windowSizeMs / detection.windowStepMs,
    dmdWindows: detection.dmdWindows,
    delay: detection.dmdTimeDelay,
    maxRank: detection.dmdRank,
    snapshot: detection.snapshot,
    channels: channelsOf(options),
    warningThreshold: detection.warningThreshold,
    criticalThreshold: detection.criticalThreshold,
    hashSeed,
    redact: detection.redact,
    keepSamples: detection.keepSamples,
    entropyThreshold: detection.entropyThreshold,
    maxParked: MAX_PARKED_PER_SHARD,
  };
}

function wallClock({ detection, events }: PipelineOptions, closeStep: CloseStep): WallClock {
  return new WallClock({
    stepMs: detection.windowStepMs,
    closeStep: (stepEndMs, gap) => closeStep(stepEndMs, gap).catch(() => undefined), // reported as fatal
    onIrregular: events.irregular,
  });
}

function eventClock({ detection, live }: PipelineOptions, closeStep: CloseStep): EventTimeClock {
  return new EventTimeClock({
    stepMs: detection.windowStepMs,
    allowedLatenessMs: detection.allowedLatenessMs,
    maxIdleMs: detection.maxIdleMs,
    closeStep,
    holdMs: live ? HOLD_MS : null,
  });
}

async function readServiceState(store: Store | null): Promise<ServiceState | null> {
  const text = store === null ? null : await store.service();
  return text === null ? null : (JSON.parse(text) as ServiceState);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
