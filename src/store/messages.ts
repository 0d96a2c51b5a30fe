/** What the store's two sides say to each other: types only. */
import type { PackedDeltas } from '../shard/packed-deltas.ts';
import type { SourceDelta, StoredSource } from '../detect/persist.ts';

/** A history is worth something only to the same detector: any difference is a cold start. */
export interface Fingerprint {
  /** Version of what `detect/` puts into the blobs. */
  schema: string;
  /** `Embedder.identity`. */
  embedder: string;
  /** The parameters a history depends on (window size and step, delay, rank …), as JSON. */
  parameters: string;
}

/** Everything one step changed. Applied in this order: `forgotten`, `deltas`, `parked`. */
export interface Commit {
  stepEndMs: number;
  /** A source with a delta is no longer parked. */
  deltas: SourceDelta[];
  /** JSON of what belongs to no source: episodes, the clock's anchor. */
  service: string;
  parked: { key: string; atMs: number }[];
  /** Sources whose state is deleted. */
  forgotten: string[];
}

/** A commit on its way through the main thread. */
export interface PackedCommit extends Omit<Commit, 'deltas'> {
  deltas: PackedDeltas[];
}

export interface KnownSource {
  key: string;
  /** Null: it was active at the last commit. */
  parkedAtMs: number | null;
}

export interface OpenOptions {
  /** The database file; its directory exists. */
  path: string;
  fingerprint: Fingerprint;
  /** How long to wait for another process to let go of the file. */
  lockTimeoutMs: number;
}

/** What `open` found. */
export interface Opened {
  /** One line for the log: why the history was not used. Null when it was, or when there was none. */
  cold: string | null;
  /** Of the last commit, null without one. */
  lastStepEndMs: number | null;
}

/** The calls the thread answers, one at a time, in order. */
export interface StoreCalls {
  open(options: OpenOptions): Opened;
  /** Deltas of the next commit: in one message with all of them the main thread would be busy with nothing else for 20 ms a thousand. */
  stage(deltas: PackedDeltas[]): void;
  /** With the staged deltas, which are gone whatever comes of it. @returns milliseconds the transaction took */
  commit(commit: Omit<Commit, 'deltas'>): number;
  load(key: string): StoredSource | null;
  sources(): KnownSource[];
  service(): string | null;
  /** @returns sources deleted */
  prune(beforeMs: number): number;
  close(): void;
}

export type StoreErrorCode =
  /** The directory or the file in it cannot be used. */
  | 'LOGDRIFT_STORAGE_UNUSABLE'
  /** Another process has it. */
  | 'LOGDRIFT_STORAGE_LOCKED'
  /** It worked before and fails now: disk full, I/O error, file damaged while in use. */
  | 'LOGDRIFT_STORAGE_FAILED';

export interface ToStore {
  id: number;
  call: keyof StoreCalls;
  argument: unknown;
}

export type FromStore =
  { id: number; ok: true; value: unknown } | { id: number; ok: false; code: StoreErrorCode; message: string };
