import type { Anomaly } from '../alert/anomaly.ts';
import type { HeldBack } from '../alert/episode.ts';
import type { Episodes } from '../alert/episodes.ts';
import type { PackedDeltas } from '../shard/packed-deltas.ts';
import type { Verdict } from '../detect/verdict.ts';
import { addEvictions, NO_EVICTIONS, type Evictions } from '../detect/evictions.ts';
import type { FromShard, Pace } from '../shard/messages.ts';
import { postVectors, type ShardPool } from '../shard/pool.ts';
import type { Registry } from '../source/registry.ts';
import { SenderOutage } from './outage.ts';
import { createTurns } from './turns.ts';

/** Closed windows that may wait for their vectors; one more and the oldest is judged without. */
const MAX_UNJUDGED = 5;

/** 768 KiB of vectors, copied twice: half a millisecond. */
const VECTORS_A_MESSAGE = 256;

export interface StepOptions {
  panesPerWindow: number;
  /** How long a window waits for its vectors before it is judged degraded. */
  embedWaitMs: number;
  /** How the shards spread the scoring of a step over time; null: as fast as they can. */
  pace: Pace | null;
  pool: ShardPool;
  registry: Registry;
  /** Vectors of template texts, as many as there are when `deadline` aborts. */
  vectors(texts: string[], deadline: AbortSignal): Promise<Map<string, Float32Array>>;
  episodes: Episodes;
  /** After the verdicts of a step are out and before the next step is judged; it may be awaited (checkpoint, idle cleanup). */
  onJudged(step: JudgedStep): Promise<void> | void;
  onOutage(change: { started: number } | { ended: true }, stepEndMs: number): void;
}

export interface JudgedStep {
  stepEndMs: number;
  gap: boolean;
  /** From the tick to the last verdict. */
  durationMs: number;
  /** Sorted by source. */
  verdicts: Verdict[];
  /** In the order of the verdicts. */
  anomalies: Anomaly[];
  /** Records of its window that were not analysed, by the handle of their source; only those above 0. */
  lost: ReadonlyMap<number, number>;
  /** Of every loud window that began no episode though no gate held it. */
  heldBack: HeldBack[];
  deltas: PackedDeltas[];
  evictions: Evictions;
}

interface ClosedStep {
  stepEndMs: number;
  gap: boolean;
  closedAtMs: number;
  lost: ReadonlyMap<number, number>;
  /** Texts each shard has no vector for. */
  missing: Promise<Extract<FromShard, { type: 'closed' }>[]>;
  /** Ends the wait for vectors. */
  hurry: AbortController;
}

/**
 * The step leg. Panes close on time ({@link Steps.close} posts the tick at once); windows are judged one step after another, as
 * soon as their vectors are there.
 */
export class Steps {
  readonly #options: StepOptions;
  readonly #outage = new SenderOutage();
  readonly #unjudged: ClosedStep[] = [];
  #chain: Promise<void> = Promise.resolve();
  #hurried = false;

  constructor(options: StepOptions) {
    this.#options = options;
  }

  /** Closes the pane that ends at `stepEndMs` for all sources. @returns when its windows are judged and reported. */
  close(stepEndMs: number, gap: boolean): Promise<void> {
    const { pool, registry, panesPerWindow, onOutage } = this.#options;
    const outage = this.#outage.observe(registry, gap);
    if (outage.started > 0) onOutage({ started: outage.started }, stepEndMs);
    if (outage.ended) onOutage({ ended: true }, stepEndMs);
    const isGap = gap || outage.gap;
    const { incomplete, lost } = registry.closePane(panesPerWindow, gap);
    const step: ClosedStep = {
      stepEndMs,
      gap: isGap,
      closedAtMs: performance.now(),
      lost,
      missing: pool.tick({ type: 'tick', stepEndMs, gap: isGap, incomplete }),
      hurry: new AbortController(),
    };
    this.#unjudged.push(step);
    if (this.#hurried) step.hurry.abort();
    if (this.#unjudged.length > MAX_UNJUDGED) this.#unjudged[0]!.hurry.abort();
    this.#chain = this.#chain.then(() => this.#judge(step));
    return this.#chain;
  }

  /** Shutdown: what is closed, now or later, is judged without vectors that are not there yet. */
  async finish(): Promise<void> {
    this.#hurried = true;
    for (const step of this.#unjudged) step.hurry.abort();
    this.#options.pool.hurry();
    await this.#chain;
  }

  async #judge(step: ClosedStep): Promise<void> {
    const { pool, registry, episodes, onJudged } = this.#options;
    await this.#sendVectors(step);
    // With another step behind it there is no time for pauses.
    const pace = this.#unjudged.length > 1 ? null : this.#options.pace;
    const scored = await pool.score(step.stepEndMs, pace);
    const turns = createTurns();
    const verdicts = scored.flatMap((shard) => shard.verdicts).sort((a, b) => (a.source < b.source ? -1 : 1));
    const anomalies: Anomaly[] = [];
    const heldBack: HeldBack[] = [];
    for (const verdict of verdicts) {
      await turns();
      const entry = registry.at(verdict.handle);
      const anomaly = episodes.observe(verdict);
      if (anomaly !== null) anomalies.push(anomaly);
      const held = episodes.heldBack(verdict.source);
      if (held !== null) heldBack.push(held);
      // It may have left since, and its handle may be another's.
      if (entry?.key !== verdict.source) continue;
      entry.reconstructionError = verdict.reconstructionError;
      entry.normalizedError = verdict.normalizedError;
      entry.channelScores = verdict.channels;
      if (anomaly !== null && anomaly.phase !== 'end') entry.anomalies[anomaly.severity]++;
    }
    this.#unjudged.shift();
    await onJudged({
      stepEndMs: step.stepEndMs,
      gap: step.gap,
      durationMs: performance.now() - step.closedAtMs,
      verdicts,
      anomalies,
      lost: step.lost,
      heldBack,
      deltas: scored.flatMap((shard) => shard.deltas),
      evictions: sum(scored.map((shard) => shard.evictions)),
    });
  }

  async #sendVectors(step: ClosedStep): Promise<void> {
    const { pool, vectors: vectorsOf, embedWaitMs } = this.#options;
    const closed = await step.missing;
    const texts = [...new Set(closed.flatMap((shard) => shard.missing))];
    if (texts.length === 0) return;
    const leftMs = Math.max(0, embedWaitMs - (performance.now() - step.closedAtMs));
    const deadline = setTimeout(() => step.hurry.abort(), leftMs);
    const vectors = await vectorsOf(texts, step.hurry.signal);
    clearTimeout(deadline);
    const turns = createTurns();
    for (const [shard, { missing }] of closed.entries()) {
      for (let k = 0; k < missing.length; k += VECTORS_A_MESSAGE) {
        postVectors(pool, shard, missing.slice(k, k + VECTORS_A_MESSAGE), vectors);
        await turns();
      }
    }
  }
}

function sum(evictions: Evictions[]): Evictions {
  const total = { ...NO_EVICTIONS };
  for (const ofShard of evictions) addEvictions(total, ofShard);
  return total;
}
