/** Why records are accepted but not analysed, or refused. Names are the `reason` label. */
export type DropReason = 'late' | 'future' | 'waiting_limit' | 'source_limit' | 'own_anomaly' | 'excluded' | 'disabled';

/** Of the windows that closed with a pane. */
export interface ClosedWindows {
  /** Handles of sources that lost more than 5 % of theirs. */
  incomplete: number[];
  /** Records lost, by handle; only those above 0. */
  lost: Map<number, number>;
}

/** One live source as the main thread knows it. Its templates, windows and model live in its shard. */
export interface SourceEntry {
  readonly handle: number;
  readonly key: string;
  readonly type: string;
  readonly id: string;
  readonly shard: number;
  /** Attributes that identify it, copied into its anomalies' Resource. */
  identity: ReadonlyMap<string, string>;
  /** On the injected clock. */
  readonly createdMs: number;
  lastSeenMs: number;
  /** Requests that are handing records over: it cannot leave meanwhile. */
  arriving: number;
  /** Records handed to the shard. */
  received: number;
  late: number;
  dropped: Map<DropReason, number>;
  /** Of the open pane and of the closed panes of the newest window (newest first). */
  paneReceived: number;
  paneLost: number;
  closedPanes: { received: number; lost: number }[];
  anomalies: { warning: number; critical: number };
  reconstructionError: number | null;
  normalizedError: number | null;
  /** Nats by channel; null while there are none. */
  channelScores: Readonly<Record<string, number>> | null;
}

/** Panes looked back at for a sender outage (`pipeline/outage.ts`). */
export const OUTAGE_PANES = 10;

export interface RegistryOptions {
  maxSources: number;
  shards: number;
  onCreate(entry: SourceEntry): void;
}

/** New sources: a burst of `maxSources`, then one a second, so that invented names cannot keep the shards busy with births. */
const NEW_SOURCES_PER_MS = 60 / 60_000;

/** The live sources, by key and by handle. A handle indexes the shared `waiting` counters and is reused after its source has left. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #byKey = new Map<string, SourceEntry>();
  readonly #byHandle: (SourceEntry | undefined)[] = [];
  readonly #free: number[] = [];
  #tokens: number;
  #tokensAtMs = -Infinity;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#tokens = options.maxSources;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** In order of appearance. */
  [Symbol.iterator](): MapIterator<SourceEntry> {
    return this.#byKey.values();
  }

  get(key: string): SourceEntry | undefined {
    return this.#byKey.get(key);
  }

  at(handle: number): SourceEntry | undefined {
    return this.#byHandle[handle];
  }

  /** FNV-1a: a source keeps its shard over restarts, whatever the order of appearance. */
  shardOf(key: string): number {
    let hash = 0x811c9dc5;
    for (let k = 0; k < key.length; k++) hash = Math.imul(hash ^ key.charCodeAt(k), 0x01000193);
    return (hash >>> 0) % this.#options.shards;
  }

  /** The entry of a key, created if there is room. @returns null when `max_sources` or the birth rate forbids it. */
  open(
    source: { key: string; type: string; id: string },
    identity: ReadonlyMap<string, string>,
    nowMs: number,
  ): SourceEntry | null {
    const known = this.#byKey.get(source.key);
    if (known !== undefined) return known;
    if (this.#byKey.size >= this.#options.maxSources || !this.#takeToken(nowMs)) return null;
    const handle = this.#free.pop() ?? this.#byHandle.length;
    const entry: SourceEntry = {
      handle,
      key: source.key,
      type: source.type,
      id: source.id,
      shard: this.shardOf(source.key),
      identity,
      createdMs: nowMs,
      lastSeenMs: nowMs,
      arriving: 0,
      received: 0,
      late: 0,
      dropped: new Map(),
      paneReceived: 0,
      paneLost: 0,
      closedPanes: [],
      anomalies: { warning: 0, critical: 0 },
      reconstructionError: null,
      normalizedError: null,
      channelScores: null,
    };
    this.#byHandle[handle] = entry;
    this.#byKey.set(entry.key, entry);
    this.#options.onCreate(entry);
    return entry;
  }

  remove(entry: SourceEntry): void {
    this.#byKey.delete(entry.key);
    this.#byHandle[entry.handle] = undefined;
    this.#free.push(entry.handle);
  }

  idle(nowMs: number, maxIdleMs: number): SourceEntry[] {
    return [...this].filter((entry) => entry.arriving === 0 && nowMs - entry.lastSeenMs > maxIdleMs);
  }

  /** We saw nothing for a while (suspend, clock jump): nobody's silence is counted from before. */
  excuse(nowMs: number): void {
    for (const entry of this) entry.lastSeenMs = Math.max(entry.lastSeenMs, nowMs);
  }

  /**
   * Moves the pane counters on.
   *
   * @param unseen we missed the pane: it says nothing about the source
   * @returns what the windows that close with it have lost
   */
  closePane(panesPerWindow: number, unseen: boolean): ClosedWindows {
    const incomplete: number[] = [];
    const lost = new Map<number, number>();
    for (const entry of this) {
      if (!unseen) entry.closedPanes.unshift({ received: entry.paneReceived, lost: entry.paneLost });
      entry.closedPanes.length = Math.min(entry.closedPanes.length, Math.max(OUTAGE_PANES, panesPerWindow));
      entry.paneReceived = 0;
      entry.paneLost = 0;
      let received = 0;
      let lostInWindow = 0;
      for (const pane of entry.closedPanes.slice(0, panesPerWindow)) {
        received += pane.received;
        lostInWindow += pane.lost;
      }
      if (lostInWindow > 0) lost.set(entry.handle, lostInWindow);
      if (lostInWindow > 0.05 * (received + lostInWindow)) incomplete.push(entry.handle);
    }
    return { incomplete, lost };
  }

  /** A bucket on the injected clock: it never runs backwards and never overflows. */
  #takeToken(nowMs: number): boolean {
    if (this.#tokensAtMs !== -Infinity && nowMs > this.#tokensAtMs) {
      this.#tokens = Math.min(this.#options.maxSources, this.#tokens + (nowMs - this.#tokensAtMs) * NEW_SOURCES_PER_MS);
    }
    this.#tokensAtMs = Math.max(this.#tokensAtMs, nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
