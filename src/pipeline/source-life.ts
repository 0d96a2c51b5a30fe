import type { Episodes } from '../alert/episodes.ts';
import type { ShardPool } from '../shard/pool.ts';
import type { Registry, SourceEntry } from '../source/registry.ts';
import type { Store } from '../store/checkpoint.ts';
import type { KnownSource } from '../store/messages.ts';

export interface SourceEvents {
  created(entry: SourceEntry, total: number): void;
  removed(entry: SourceEntry, remaining: number): void;
  cleanedUp(removed: number): void;
  /** Stored state of a source could not be used: it starts cold. */
  restoreFailed(key: string, error: unknown): void;
}

export interface SourceLifeOptions {
  pool: ShardPool;
  store: Store | null;
  episodes: Episodes;
  /** What the store holds. */
  known: readonly KnownSource[];
  identities: ReadonlyMap<string, ReadonlyMap<string, string>>;
  isMuted(key: string): boolean;
  /** Parked sources beyond it are forgotten, those parked longest ago first. */
  maxParked: number;
  maxIdleMs: number;
  retentionMs: number;
  events: SourceEvents;
}

/** Birth, parking and return of sources: what the registry, the shards and the store each must be told, in order. */
export class SourceLife {
  readonly #options: SourceLifeOptions;
  /** Parked sources and when they were; with a store their state is there, else in their shard. Least recent first. */
  readonly #parked = new Map<string, number>();
  /** Sources that were active when the service stopped. */
  readonly #interrupted = new Set<string>();
  readonly #restoring = new Map<SourceEntry, Promise<void>>();
  #moves: { parked: { key: string; atMs: number }[]; forgotten: string[] } = { parked: [], forgotten: [] };

  constructor(options: SourceLifeOptions) {
    this.#options = options;
    const parked = options.known
      .filter(({ parkedAtMs }) => parkedAtMs !== null)
      .sort((a, b) => a.parkedAtMs! - b.parkedAtMs!);
    for (const { key, parkedAtMs } of parked) this.#parked.set(key, parkedAtMs!);
    for (const { key, parkedAtMs } of options.known) if (parkedAtMs === null) this.#interrupted.add(key);
  }

  /** A source has its entry: its shard gets it, with its state if it was known before. */
  born(entry: SourceEntry, total: number): void {
    const { pool, store, events, isMuted } = this.#options;
    const resumed = this.#parked.delete(entry.key);
    const interrupted = this.#interrupted.delete(entry.key);
    const open = { type: 'open', handle: entry.handle, key: entry.key, resumed, muted: isMuted(entry.key) } as const;
    events.created(entry, total);
    if (store === null || !(resumed || interrupted)) return pool.post(entry.shard, { ...open, stored: null });
    const restoring = store
      .load(entry.key)
      .catch((error: unknown) => {
        this.restoreFailed(entry.key, error);
        return null;
      })
      .then((stored) => pool.post(entry.shard, { ...open, stored }))
      .finally(() => this.#restoring.delete(entry));
    this.#restoring.set(entry, restoring);
  }

  /** Stored state was of no use: what is left of it must not mix with what the source learns now. */
  restoreFailed(key: string, error: unknown): void {
    const { store, events } = this.#options;
    events.restoreFailed(key, error);
    if (store !== null) this.#moves.forgotten.push(key);
  }

  /** Resolves when the source has arrived from the store; null when it is not on its way. */
  restoring(entry: SourceEntry): Promise<void> | null {
    return this.#restoring.get(entry) ?? null;
  }

  /** After a restart: what was active goes on, whether it speaks or not; what `max_sources` has no room for is parked. */
  async restoreActive(registry: Registry, nowMs: number): Promise<void> {
    for (const key of [...this.#interrupted]) {
      const colon = key.indexOf(':');
      const source = { key, type: key.slice(0, colon), id: key.slice(colon + 1) };
      if (registry.open(source, this.#options.identities.get(key) ?? new Map(), nowMs) === null) this.#park(key, nowMs);
    }
    this.#interrupted.clear();
    await Promise.all(this.#restoring.values());
  }

  /** Parks idle sources, forgets parked ones beyond retention. */
  cleanUp(registry: Registry, nowMs: number): void {
    const { pool, store, maxIdleMs, retentionMs, maxParked, episodes, events } = this.#options;
    const idle = registry.idle(nowMs, maxIdleMs);
    for (const entry of idle) {
      registry.remove(entry);
      pool.post(entry.shard, { type: 'close', handles: [entry.handle], keep: store === null });
      this.#park(entry.key, nowMs);
      events.removed(entry, registry.size);
    }
    if (idle.length > 0) events.cleanedUp(idle.length);
    for (const [key, parkedAtMs] of this.#parked) {
      if (nowMs - parkedAtMs <= retentionMs && this.#parked.size <= maxParked) break;
      this.#parked.delete(key);
      if (store !== null) this.#moves.forgotten.push(key);
      episodes.remove(key);
    }
  }

  /** The stored state of parked sources is of no use any more: they return as new ones. */
  forgetParked(): void {
    if (this.#options.store === null) return;
    this.#moves.forgotten.push(...this.#parked.keys());
    this.#parked.clear();
  }

  /** What the next checkpoint must know of sources that left. */
  takeMoves(): { parked: { key: string; atMs: number }[]; forgotten: string[] } {
    const moves = this.#moves;
    this.#moves = { parked: [], forgotten: [] };
    return moves;
  }

  #park(key: string, nowMs: number): void {
    this.#parked.set(key, nowMs);
    // Nobody would ever take them away.
    if (this.#options.store !== null) this.#moves.parked.push({ key, atMs: nowMs });
  }
}
