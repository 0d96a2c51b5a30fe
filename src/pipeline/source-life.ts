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
  #restoring = new Set<Promise<void>>();
  #moves: { parked: { key: string; atMs: number }[]; forgotten: string[] } = { parked: [], forgotten: [] };

  constructor(options: SourceLifeOptions) {
    this.#options = options;
    for (const { key, parkedAtMs } of options.known) {
      if (parkedAtMs === null) this.#interrupted.add(key);
      else this.#parked.set(key, parkedAtMs);
    }
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
        events.restoreFailed(entry.key, error);
        return null;
      })
      .then((stored) => pool.post(entry.shard, { ...open, stored }))
      .finally(() => this.#restoring.delete(restoring));
    this.#restoring.add(restoring);
  }

  /** Resolves when no source is on its way from the store; null when none is. */
  restoring(): Promise<void> | null {
    return this.#restoring.size === 0 ? null : Promise.all(this.#restoring).then(() => undefined);
  }

  /** After a restart: what was active goes on, whether it speaks or not. */
  async restoreActive(registry: Registry, nowMs: number): Promise<void> {
    for (const key of [...this.#interrupted]) {
      const colon = key.indexOf(':');
      const source = { key, type: key.slice(0, colon), id: key.slice(colon + 1) };
      registry.open(source, this.#options.identities.get(key) ?? new Map(), nowMs);
    }
    await this.restoring();
  }

  /** Parks idle sources, forgets parked ones beyond retention. */
  async cleanUp(registry: Registry, nowMs: number): Promise<void> {
    const { pool, store, maxIdleMs, retentionMs, maxParked, episodes, events } = this.#options;
    const idle = registry.idle(nowMs, maxIdleMs);
    for (const entry of idle) {
      registry.remove(entry);
      pool.post(entry.shard, { type: 'close', handles: [entry.handle], keep: store === null });
      this.#parked.set(entry.key, nowMs);
      this.#moves.parked.push({ key: entry.key, atMs: nowMs });
      events.removed(entry, registry.size);
    }
    if (idle.length > 0) events.cleanedUp(idle.length);
    for (const [key, parkedAtMs] of this.#parked) {
      const crowded = store === null && this.#parked.size > maxParked;
      if (nowMs - parkedAtMs <= retentionMs && !crowded) break;
      this.#parked.delete(key);
      this.#moves.forgotten.push(key);
      episodes.remove(key);
    }
  }

  /** What the next checkpoint must know of sources that left. */
  takeMoves(): { parked: { key: string; atMs: number }[]; forgotten: string[] } {
    const moves = this.#moves;
    this.#moves = { parked: [], forgotten: [] };
    return moves;
  }
}
