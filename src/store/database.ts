/**
 * The checkpoint file: one row a window and a template, so that a step writes what it changed and nothing else.
 *
 * SQLite in WAL mode with `synchronous = NORMAL`: a killed process loses nothing committed, a power failure may lose the last
 * steps but never half of one. `locking_mode = EXCLUSIVE` keeps a second process out for as long as this one lives.
 */
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { SourceDelta, StoredSource } from '../detect/persist.ts';
import type { Commit, Fingerprint, KnownSource, OpenOptions, Opened, StoreErrorCode } from './messages.ts';

/** Version of the tables below; another one is a cold start. */
const LAYOUT = 1;

/**
 * `crc`: CRC-32 of the content beside it. SQLite notices broken pages, not flipped bits inside a blob.
 *
 * With rowids: as WITHOUT ROWID tables 500 sources of 120 windows of 1.5 KB took 287 MB instead of 132, because rows as large as
 * these leave little room in the inner pages of an index, and pages split half empty.
 */
const TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
  CREATE TABLE sources (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, meta TEXT NOT NULL, crc INTEGER NOT NULL, parked_at_ms INTEGER
  ) STRICT;
  CREATE TABLE windows (
    source_id INTEGER NOT NULL, window_id INTEGER NOT NULL, blob BLOB NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (source_id, window_id)
  ) STRICT;
  CREATE TABLE templates (
    source_id INTEGER NOT NULL, number INTEGER NOT NULL, blob BLOB NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (source_id, number)
  ) STRICT;
`;
const CONTENTS = { meta: 'value', sources: 'meta', windows: 'blob', templates: 'blob' };

/** The WAL is cut back to this after a checkpoint; a first commit of many sources would leave it large for ever. */
const WAL_LIMIT_BYTES = 8 * 1024 * 1024;

// SQLite's primary result codes (sqlite.org/rescode.html).
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** `code` says what the caller can do about it. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Opens or creates the file; a damaged one is moved aside. @throws StoreError when it is locked or cannot be used */
export function openDatabase(options: OpenOptions): { database: Database; opened: Opened } {
  try {
    return tryOpen(options);
  } catch (error) {
    if (!isDamage(error)) throw openError(error, options.path);
    const kept = moveAside(options.path);
    try {
      const { database, opened } = tryOpen(options);
      const cold = `cold start: ${options.path} is damaged (${(error as Error).message}), kept as ${kept}; every source warms up anew`;
      return { database, opened: { ...opened, cold } };
    } catch (again) {
      throw openError(again, options.path);
    }
  }
}

function tryOpen({ path, fingerprint, lockTimeoutMs }: OpenOptions): { database: Database; opened: Opened } {
  const sql = new DatabaseSync(path, { timeout: lockTimeoutMs });
  try {
    sql.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES};
    `);
    checkPages(sql);
    const cold = settleFingerprint(sql, fingerprint);
    checkContents(sql);
    const step = firstValue(sql, "SELECT value FROM meta WHERE name = 'step_end_ms'");
    const lastStepEndMs = step === undefined ? null : Number(step);
    return { database: new Database(sql), opened: { cold, lastStepEndMs } };
  } catch (error) {
    sql.close();
    throw error;
  }
}

/** A truncated file shows only where pages are missing, so all are walked once, before anything is written. */
function checkPages(sql: DatabaseSync): void {
  const check = String(firstValue(sql, 'PRAGMA integrity_check(1)'));
  if (check !== 'ok') throw new DamageError(check.split('\n').at(-1)!);
}

function checkContents(sql: DatabaseSync): void {
  for (const [table, column] of Object.entries(CONTENTS)) {
    for (const row of sql.prepare(`SELECT ${column} AS content, crc FROM ${table}`).iterate()) {
      const { content, crc } = row as { content: string | Uint8Array; crc: number };
      if (crc32(content) !== crc) throw new DamageError(`wrong checksum in table ${table}`);
    }
  }
}

/** Keeps the tables when they were made by the same detector, else makes them empty; returns why. */
function settleFingerprint(sql: DatabaseSync, fingerprint: Fingerprint): string | null {
  const layout = Number(firstValue(sql, 'PRAGMA user_version'));
  const tables = sql.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[];
  const difference =
    layout === LAYOUT ? differenceTo(sql, fingerprint) : `its layout is version ${layout}, ours is ${LAYOUT}`;
  if (tables.length > 0 && difference === null) return null;
  // Takes the lock, too: a first transaction that writes.
  sql.exec('BEGIN IMMEDIATE');
  for (const { name } of tables) sql.exec(`DROP TABLE "${name.replaceAll('"', '""')}"`);
  sql.exec(`${TABLES} PRAGMA user_version = ${LAYOUT};`);
  const put = sql.prepare(STATEMENTS.putMeta);
  for (const [name, value] of Object.entries(fingerprint)) put.run(`fingerprint_${name}`, value, crc32(value));
  sql.exec('COMMIT');
  return tables.length === 0
    ? null
    : `cold start: the stored history cannot be used (${difference}); every source warms up anew`;
}

function differenceTo(sql: DatabaseSync, fingerprint: Fingerprint): string | null {
  const get = sql.prepare('SELECT value FROM meta WHERE name = ?');
  for (const name of ['schema', 'embedder', 'parameters'] as const) {
    const stored = (get.get(`fingerprint_${name}`) as { value: string } | undefined)?.value ?? 'unknown';
    if (stored !== fingerprint[name]) return `its ${name}: ${shorten(stored)}, now: ${shorten(fingerprint[name])}`;
  }
  return null;
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function firstValue(sql: DatabaseSync, query: string): unknown {
  const row = sql.prepare(query).get();
  return row === undefined ? undefined : Object.values(row)[0];
}

class DamageError extends Error {}

function primaryCode(error: unknown): number {
  return ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff;
}

function isDamage(error: unknown): boolean {
  return error instanceof DamageError || [SQLITE_CORRUPT, SQLITE_NOTADB].includes(primaryCode(error));
}

function openError(error: unknown, path: string): StoreError {
  if ([SQLITE_BUSY, SQLITE_LOCKED].includes(primaryCode(error))) {
    const message = `${path} is in use by another logdrift; stop it, or give this one another storage.directory`;
    return new StoreError('LOGDRIFT_STORAGE_LOCKED', message, { cause: error });
  }
  const message = `storage.directory: cannot use ${path} (${(error as Error).message}); make it writable or name another directory`;
  return new StoreError('LOGDRIFT_STORAGE_UNUSABLE', message, { cause: error });
}

/** Renames the file to `….damaged-<n>`, one higher than the last one, which leaves: one is kept for whoever wants to look. */
function moveAside(path: string): string {
  const directory = dirname(path);
  const prefix = `${basename(path)}.damaged-`;
  const older = readdirSync(directory).filter((name) => name.startsWith(prefix));
  const newest = Math.max(0, ...older.map((name) => Number(name.slice(prefix.length)) || 0));
  const kept = `${prefix}${newest + 1}`;
  renameSync(path, join(directory, kept));
  for (const name of older) rmSync(join(directory, name), { force: true });
  for (const suffix of ['-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
  return kept;
}

/** The open file. All calls are synchronous: this lives in the store's thread. */
export class Database {
  readonly #sql: DatabaseSync;
  readonly #statements: Record<keyof typeof STATEMENTS, StatementSync>;

  constructor(sql: DatabaseSync) {
    this.#sql = sql;
    const prepared = Object.entries(STATEMENTS).map(([name, text]) => [name, sql.prepare(text)] as const);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof STATEMENTS, StatementSync>;
  }

  /** @returns milliseconds it took */
  commit({ stepEndMs, deltas, service, parked, forgotten }: Commit): number {
    const startMs = performance.now();
    this.#transaction(() => {
      for (const key of forgotten) this.#forget(key);
      for (const delta of deltas) this.#apply(delta);
      for (const { key, atMs } of parked) this.#statements.park.run(atMs, key);
      this.#statements.putMeta.run('service', service, crc32(service));
      this.#statements.putMeta.run('step_end_ms', String(stepEndMs), crc32(String(stepEndMs)));
    });
    return performance.now() - startMs;
  }

  load(key: string): StoredSource | null {
    const source = this.#statements.source.get(key) as { id: number; meta: string } | undefined;
    if (source === undefined) return null;
    const windows = this.#statements.windows.all(source.id) as unknown as StoredSource['windows'];
    const templates = this.#statements.templates.all(source.id) as unknown as StoredSource['templates'];
    return {
      key,
      meta: source.meta,
      windows: windows.map(({ windowId, blob }) => ({ windowId, blob })),
      templates: templates.map(({ number, blob }) => ({ number, blob })),
    };
  }

  sources(): KnownSource[] {
    const rows = this.#statements.sources.all() as unknown as KnownSource[];
    return rows.map(({ key, parkedAtMs }) => ({ key, parkedAtMs }));
  }

  service(): string | null {
    return (this.#statements.getMeta.get('service') as { value: string } | undefined)?.value ?? null;
  }

  /** Deletes the sources parked before `beforeMs`; returns how many. */
  prune(beforeMs: number): number {
    const old = this.#statements.parkedBefore.all(beforeMs) as { key: string }[];
    this.#transaction(() => old.forEach(({ key }) => this.#forget(key)));
    return old.length;
  }

  close(): void {
    this.#sql.close();
  }

  #apply(delta: SourceDelta): void {
    const { id } = this.#statements.putSource.get(delta.key, delta.meta, crc32(delta.meta)) as { id: number };
    if (delta.reset) {
      this.#statements.deleteWindows.run(id);
      this.#statements.deleteTemplates.run(id);
    }
    this.#statements.deleteOldWindows.run(id, delta.oldestWindowId);
    for (const number of delta.removedTemplates) this.#statements.deleteTemplate.run(id, number);
    for (const { windowId, blob } of delta.windows) this.#statements.putWindow.run(id, windowId, blob, crc32(blob));
    for (const { number, blob } of delta.templates) this.#statements.putTemplate.run(id, number, blob, crc32(blob));
  }

  #forget(key: string): void {
    const source = this.#statements.source.get(key) as { id: number } | undefined;
    if (source === undefined) return;
    this.#statements.deleteWindows.run(source.id);
    this.#statements.deleteTemplates.run(source.id);
    this.#statements.deleteSource.run(source.id);
  }

  #transaction(work: () => void): void {
    this.#sql.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#sql.exec('COMMIT');
    } catch (error) {
      // A full disk rolls back by itself.
      if (this.#sql.isTransaction) this.#sql.exec('ROLLBACK');
      throw error;
    }
  }
}

const STATEMENTS = {
  putSource: `INSERT INTO sources (key, meta, crc) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET meta = excluded.meta, crc = excluded.crc, parked_at_ms = NULL RETURNING id`,
  source: 'SELECT id, meta FROM sources WHERE key = ?',
  sources: 'SELECT key, parked_at_ms AS parkedAtMs FROM sources ORDER BY key',
  park: 'UPDATE sources SET parked_at_ms = ? WHERE key = ?',
  parkedBefore: 'SELECT key FROM sources WHERE parked_at_ms < ?',
  deleteSource: 'DELETE FROM sources WHERE id = ?',
  windows: 'SELECT window_id AS windowId, blob FROM windows WHERE source_id = ? ORDER BY window_id',
  putWindow: 'INSERT OR REPLACE INTO windows (source_id, window_id, blob, crc) VALUES (?, ?, ?, ?)',
  deleteWindows: 'DELETE FROM windows WHERE source_id = ?',
  deleteOldWindows: 'DELETE FROM windows WHERE source_id = ? AND window_id < ?',
  templates: 'SELECT number, blob FROM templates WHERE source_id = ? ORDER BY number',
  putTemplate: 'INSERT OR REPLACE INTO templates (source_id, number, blob, crc) VALUES (?, ?, ?, ?)',
  deleteTemplate: 'DELETE FROM templates WHERE source_id = ? AND number = ?',
  deleteTemplates: 'DELETE FROM templates WHERE source_id = ?',
  getMeta: 'SELECT value FROM meta WHERE name = ?',
  putMeta: 'INSERT OR REPLACE INTO meta (name, value, crc) VALUES (?, ?, ?)',
};
