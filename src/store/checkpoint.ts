/**
 * The store as the service sees it: a thread with the checkpoint file, one transaction a step.
 *
 *     commit ─► in flight (1) ─► thread ─► SQLite
 *     commit ─► waiting (1) ─┐      a third commit merges into the waiting one; a failed one does, too
 *     commit ───── merge ────┘
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PART_BYTES, packInParts, unpackDeltas, type PackedDeltas } from '../shard/packed-deltas.ts';
import type { SourceDelta, StoredSource } from '../detect/persist.ts';
import { StoreError } from './database.ts';
import { applyDelta, mergeCommits } from './merge.ts';
import type {
  Commit,
  Fingerprint,
  FromStore,
  KnownSource,
  Opened,
  PackedCommit,
  StoreCalls,
  ToStore,
} from './messages.ts';

export interface StoreOptions {
  /** `storage.directory`; made when missing. */
  directory: string;
  fingerprint: Fingerprint;
  /** How long to wait for an older process that is just ending. */
  lockTimeoutMs?: number;
}

export interface Store extends AsyncDisposable {
  /**
   * Writes one step; resolves with the milliseconds its transaction took. Steps that come while one is written and one waits
   * are written together with the waiting one.
   * @throws StoreError it could not be written; it is kept and written with the next commit
   */
  commit(commit: PackedCommit): Promise<number>;
  load(key: string): Promise<StoredSource | null>;
  sources(): Promise<KnownSource[]>;
  /** `service` of the last commit. */
  service(): Promise<string | null>;
  /** Deletes the sources parked before `beforeMs`; resolves with their number. */
  prune(beforeMs: number): Promise<number>;
  /** Commits written together with another because the disk was slow or failed. */
  readonly merged: number;
}

export interface OpenedStore extends Opened {
  store: Store;
}

const FILE = 'logdrift.db';

/** A commit not yet written, and who waits for it. Packed as it came, until it has to wait longer than for the one before it. */
interface Waiting {
  commit: PackedCommit | Commit;
  written: { resolve: (durationMs: number) => void; reject: (error: unknown) => void }[];
}

/** @throws StoreError the directory cannot be used, or another process uses it */
export async function openStore({ directory, fingerprint, lockTimeoutMs = 3_000 }: StoreOptions): Promise<OpenedStore> {
  try {
    await makeDirectory(directory);
  } catch (cause) {
    const message = `storage.directory: cannot make ${directory} (${(cause as Error).message}); make it writable or name another directory`;
    throw new StoreError('LOGDRIFT_STORAGE_UNUSABLE', message, { cause });
  }
  const thread = startThread();
  try {
    const opened = await thread.call('open', { path: join(directory, FILE), fingerprint, lockTimeoutMs });
    return { store: createStore(thread), ...opened };
  } catch (error) {
    await thread.stop();
    throw error;
  }
}

/** With its parents. Not by `recursive`: that tries for ever where a file system answers ENOENT in a directory that is there (/proc). */
async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(directory) !== directory) {
      await makeDirectory(dirname(directory));
      await mkdir(directory);
    } else if (!(await isDirectory(directory))) throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

function createStore(thread: Thread): Store {
  let waiting: Waiting | null = null;
  let writing: Promise<void> | null = null;
  let merged = 0;

  function add(commit: PackedCommit | Commit, written: Waiting['written']): void {
    if (waiting === null) waiting = { commit, written };
    else {
      waiting = {
        commit: mergeCommits(unpacked(waiting.commit), unpacked(commit)),
        written: [...waiting.written, ...written],
      };
      merged++;
    }
  }

  async function writeWaiting(): Promise<void> {
    while (waiting !== null) {
      const { commit, written }: Waiting = waiting;
      waiting = null;
      try {
        const durationMs = await send(commit);
        for (const { resolve } of written) resolve(durationMs);
      } catch (error) {
        for (const { reject } of written) reject(error);
        keep(commit);
        return;
      }
    }
  }

  async function send({ deltas, ...commit }: PackedCommit | Commit): Promise<number> {
    for (const part of inMessages(deltas)) await thread.call('stage', part);
    return thread.call('commit', commit);
  }

  /** Deltas build on each other: what could not be written goes ahead of what comes next. */
  function keep(commit: PackedCommit | Commit): void {
    const next: Waiting | null = waiting;
    waiting = { commit: unpacked(commit), written: [] };
    if (next !== null) add(next.commit, next.written);
  }

  function write(): Promise<void> {
    writing ??= writeWaiting().finally(() => {
      writing = null;
      // Those who came while the last one failed still wait for their turn.
      if (waiting !== null && waiting.written.length > 0) void write();
    });
    return writing;
  }

  async function settled(): Promise<void> {
    while (writing !== null) await writing;
  }

  return {
    get merged() {
      return merged;
    },
    commit(commit) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      add(commit, [{ resolve, reject }]);
      void write();
      return promise;
    },
    async load(key) {
      await settled();
      // Only after a failure something still waits here: the file is behind, the deltas are not lost.
      const unwritten = waiting === null ? null : unpacked(waiting.commit);
      const stored = unwritten?.forgotten.includes(key) ? null : await thread.call('load', key);
      const delta = unwritten?.deltas.find((candidate) => candidate.key === key);
      return delta === undefined ? stored : applyDelta(stored, delta);
    },
    async sources() {
      await settled();
      return thread.call('sources', undefined);
    },
    async service() {
      await settled();
      return thread.call('service', undefined);
    },
    async prune(beforeMs) {
      await settled();
      return thread.call('prune', beforeMs);
    },
    async [Symbol.asyncDispose]() {
      await settled();
      if (waiting !== null) await write();
      await thread.call('close', undefined).catch(() => undefined);
      await thread.stop();
    },
  };
}

/** With blobs of their own, for they may wait long and outlive what they came with. */
function unpacked({ deltas, ...commit }: PackedCommit | Commit): Commit {
  if (!isPacked(deltas)) return { ...commit, deltas };
  const own = <Row extends { blob: Uint8Array }>(rows: Row[]): Row[] =>
    rows.map((row) => ({ ...row, blob: new Uint8Array(row.blob) }));
  const copied = ({ windows, templates, ...delta }: SourceDelta): SourceDelta => ({
    ...delta,
    windows: own(windows),
    templates: own(templates),
  });
  return { ...commit, deltas: unpackDeltas(deltas).map(copied) };
}

function isPacked(deltas: PackedDeltas[] | SourceDelta[]): deltas is PackedDeltas[] {
  return deltas[0] instanceof Uint8Array;
}

/** Some {@link PART_BYTES} a message: the main thread copies no more in one go. */
function* inMessages(deltas: PackedDeltas[] | SourceDelta[]): Generator<PackedDeltas[]> {
  let message: PackedDeltas[] = [];
  let bytes = 0;
  for (const part of isPacked(deltas) ? deltas : packInParts(deltas)) {
    message.push(part);
    bytes += part.length;
    if (bytes < PART_BYTES) continue;
    yield message;
    message = [];
    bytes = 0;
  }
  if (message.length > 0) yield message;
}

interface Thread {
  call<Name extends keyof StoreCalls>(
    name: Name,
    argument: Parameters<StoreCalls[Name]>[0],
  ): Promise<ReturnType<StoreCalls[Name]>>;
  stop(): Promise<void>;
}

/** The thread behind numbered calls. When it dies all calls fail, now and later; the service goes on without checkpoints. */
function startThread(): Thread {
  const worker = new Worker(new URL(`./thread${extname(import.meta.filename)}`, import.meta.url), { name: 'store' });
  const open = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>();
  let nextId = 0;
  let dead: StoreError | null = null;

  worker.on('message', (answer: FromStore) => {
    const caller = open.get(answer.id)!;
    open.delete(answer.id);
    if (answer.ok) caller.resolve(answer.value as never);
    else caller.reject(new StoreError(answer.code, answer.message));
  });
  const die = (cause?: unknown) => {
    dead ??= new StoreError('LOGDRIFT_STORAGE_FAILED', 'the store thread ended', { cause });
    for (const { reject } of open.values()) reject(dead);
    open.clear();
  };
  worker.on('error', die);
  worker.on('exit', () => die());

  return {
    call(name, argument) {
      if (dead !== null) return Promise.reject(dead);
      const { promise, resolve, reject } = Promise.withResolvers<never>();
      const id = nextId++;
      open.set(id, { resolve, reject });
      worker.postMessage({ id, call: name, argument } satisfies ToStore);
      return promise;
    },
    stop: async () => void (await worker.terminate()),
  };
}
