import type { Episode, HeldBack } from '../alert/episode.ts';
import { Episodes } from '../alert/episodes.ts';
import type { CloseStep } from '../clock/clock.ts';
import { EventTimeClock } from '../clock/event-time.ts';
import { WallClock } from '../clock/wall.ts';
import { detectorsIn } from '../config/config.ts';
import { isDmdOnly } from '../detect/channels/channels.ts';
import type { WindowExplanation } from '../detect/verdict.ts';
import { createEmbedding, type Embedding } from '../embed/batcher.ts';
import type { ExportTarget } from '../receive/record.ts';
import { postVectors, type ShardPool } from '../shard/pool.ts';
import { mergeIdentity } from '../source/identity.ts';
import { Registry } from '../source/registry.ts';
import { createKeyMatcher } from '../source/rules.ts';
import { createSourceResolver } from '../source/source-key.ts';
import type { KnownSource } from '../store/messages.ts';
import { createArrival } from './arrival.ts';
import { EmbeddingSpace } from './embedding-space.ts';
import type { PipelineOptions } from './options.ts';
import { readServiceState, writeIdentities, writeServiceState } from './service-state.ts';
import { MAX_PARKED_PER_SHARD, openShards, paceOf } from './shards.ts';
import { SourceLife } from './source-life.ts';
import { Steps } from './step.ts';

/** Parked sources in the store, as a multiple of `max_sources`: names invented for a week must not fill the disk. */
const MAX_PARKED_IN_STORE = 10;

/** How long a live service on event time holds records that are far ahead of all others. */
const HOLD_MS = 60_000;

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
  /** Why the newest window of a source, though loud, began no anomaly. */
  alertHeldBack(key: string): HeldBack | null;
  explain(key: string, windowId: number): Promise<WindowExplanation | null>;
  /** Event time only: the input has ended, every pane that the newest record has passed is closed and judged. */
  flush(): Promise<void>;
  /** Shutdown is near: from now on no step waits for vectors, nor a request (event time) for such a step. */
  hurry(): void;
}

export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { detection, sources, store, events } = options;
  await using opening = new AsyncDisposableStack();
  const waiting = new Int32Array(new SharedArrayBuffer(4 * detection.maxSources));
  const pool: ShardPool = opening.use(
    openShards(options, { waiting, onRestoreFailed: (key, error) => life.restoreFailed(key, error) }),
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
  const episodes = new Episodes(
    { ...detection, dmdOnly: isDmdOnly(detectorsIn(options.detectors)) },
    restored?.episodes ?? [],
  );
  const life = new SourceLife({
    pool,
    store,
    episodes,
    known,
    identities: new Map((restored?.identities ?? []).map(([key, identity]) => [key, new Map(identity)])),
    isMuted: createKeyMatcher(sources.muted),
    maxParked: store === null ? MAX_PARKED_PER_SHARD * pool.size : MAX_PARKED_IN_STORE * detection.maxSources,
    maxIdleMs: detection.maxIdleMs,
    retentionMs: detection.retentionMs,
    events,
  });
  const registry = new Registry({
    maxSources: detection.maxSources,
    shards: pool.size,
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
    pace: paceOf(options),
    pool,
    registry,
    vectors: (texts, deadline) => space.vectors(embedding, texts, deadline),
    episodes,
    onOutage: (change, stepEndMs) => events.outage('started' in change ? change.started : 0, stepEndMs),
    onJudged: async (step) => {
      await events.judged(step);
      const identities = store === null ? '' : await writeIdentities(registry);
      // From here to the commit at once: a source that is parked now and speaks in between would be read without its newest window.
      if (lastCleanupMs === -Infinity) lastCleanupMs = step.stepEndMs;
      if (step.stepEndMs - lastCleanupMs >= detection.cleanupIntervalMs) {
        lastCleanupMs = step.stepEndMs;
        life.cleanUp(registry, step.stepEndMs);
      }
      if (store !== null) {
        const { stepEndMs, deltas } = step;
        const state = { judgedMs: stepEndMs, fingerprint: space.fingerprint, episodes: episodes.save() };
        const service = writeServiceState(state, identities);
        // Not awaited: the store merges what it cannot write in time.
        store.commit({ stepEndMs, deltas, service, ...life.takeMoves() }).then(events.committed, events.commitFailed);
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
    alertHeldBack: (key) => episodes.heldBack(key),
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

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
