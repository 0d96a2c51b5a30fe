import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, type StoreOptions } from '../../src/store/checkpoint.ts';
import { FINGERPRINT, commit, delta, packed, template, window } from './deltas.ts';

let directory: string;
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'logdrift-store-'))));
afterEach(async () => rm(directory, { recursive: true, force: true }));

const openHere = (options: Partial<StoreOptions> = {}) =>
  openStore({ directory, fingerprint: FINGERPRINT, ...options });

/** Fills a store with `sources` sources of some 100 KiB each and closes it. */
async function fill(sources: number): Promise<void> {
  const { store } = await openHere();
  const deltas = Array.from({ length: sources }, (_, index) =>
    delta(`source:${index}`, {
      windows: Array.from({ length: 100 }, (_, id) => ({ windowId: id, blob: new Uint8Array(1_000).fill(id) })),
    }),
  );
  await store.commit(packed(commit(60_000, { deltas })));
  await store[Symbol.asyncDispose]();
}

test('what was committed comes back bit for bit, also after a restart', async () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) & 255);
  // A view into the middle of a larger buffer: only the view is stored.
  const view = new Uint8Array(bytes.buffer, 1_000, 50_000);
  const meta = JSON.stringify({ text: 'naïve 日本 "quoted" \u0000 end', number: 0.1 + 0.2 });
  const source = delta('file:nginx', {
    meta,
    windows: [{ windowId: 29_000_001, blob: view }, window(29_000_000), window(28_999_999, 0, 255)],
    templates: [template(7, 1), { number: 3, blob: bytes }],
  });
  const expected = {
    key: 'file:nginx',
    meta,
    windows: [window(28_999_999, 0, 255), window(29_000_000), { windowId: 29_000_001, blob: view.slice() }],
    templates: [{ number: 3, blob: bytes }, template(7, 1)],
  };
  const first = await openHere();
  expect(first).toMatchObject({ cold: null, lastStepEndMs: null });
  expect(await first.store.service()).toBe(null);
  expect(
    await first.store.commit(packed(commit(60_000, { deltas: [source], service: '{"anchor":1}' }))),
  ).toBeGreaterThan(0);
  expect(await first.store.load('file:nginx')).toEqual(expected);
  await first.store[Symbol.asyncDispose]();

  const second = await openHere();
  await using store = second.store;
  expect(second).toMatchObject({ cold: null, lastStepEndMs: 60_000 });
  expect(await store.load('file:nginx')).toEqual(expected);
  expect(await store.load('file:other')).toBe(null);
  expect(await store.service()).toBe('{"anchor":1}');
  expect(await store.sources()).toEqual([{ key: 'file:nginx', parkedAtMs: null }]);
});

test('a delta changes what it names and leaves the rest', async () => {
  const { store } = await openHere();
  await using _closed = store;
  const before = delta('a', {
    windows: [window(1, 1), window(2, 2), window(3, 3)],
    templates: [template(1, 1), template(2, 2), template(3, 3)],
  });
  await store.commit(packed(commit(1, { deltas: [before, { ...before, key: 'untouched' }] })));
  const after = delta('a', {
    meta: '{"n":2}',
    windows: [window(3, 33), window(4, 4)],
    oldestWindowId: 2,
    templates: [template(2, 22), template(4, 4)],
    removedTemplates: [1, 99],
  });
  await store.commit(packed(commit(2, { deltas: [after] })));
  expect(await store.load('a')).toEqual({
    key: 'a',
    meta: '{"n":2}',
    windows: [window(2, 2), window(3, 33), window(4, 4)],
    templates: [template(2, 22), template(3, 3), template(4, 4)],
  });
  expect(await store.load('untouched')).toMatchObject({ windows: before.windows, templates: before.templates });
});

test('a reset takes all windows and templates of its source first', async () => {
  const { store } = await openHere();
  await using _closed = store;
  const before = delta('a', { windows: [window(1, 1), window(2, 2)], templates: [template(1, 1)] });
  await store.commit(packed(commit(1, { deltas: [before] })));
  await store.commit(packed(commit(2, { deltas: [delta('a', { reset: true, windows: [window(2, 9)] })] })));
  expect(await store.load('a')).toMatchObject({ windows: [window(2, 9)], templates: [] });
});

test('a parked source keeps its state until it returns or is older than the retention', async () => {
  const { store } = await openHere();
  await using _closed = store;
  const deltas = ['a', 'b', 'c'].map((key) => delta(key, { windows: [window(1, 1)] }));
  await store.commit(packed(commit(1, { deltas })));
  await store.commit(
    packed(
      commit(2, {
        parked: [
          { key: 'a', atMs: 100 },
          { key: 'b', atMs: 200 },
        ],
      }),
    ),
  );
  expect(await store.sources()).toEqual([
    { key: 'a', parkedAtMs: 100 },
    { key: 'b', parkedAtMs: 200 },
    { key: 'c', parkedAtMs: null },
  ]);
  await store.commit(packed(commit(3, { deltas: [delta('b')] })));
  expect(await store.prune(1_000)).toBe(1);
  expect(await store.sources()).toEqual([
    { key: 'b', parkedAtMs: null },
    { key: 'c', parkedAtMs: null },
  ]);
  expect(await store.load('a')).toBe(null);
  expect(await store.load('b')).toMatchObject({ windows: [window(1, 1)] });
});

test('a source that parks keeps the last delta of the same commit', async () => {
  const { store } = await openHere();
  await using _closed = store;
  await store.commit(packed(commit(1, { deltas: [delta('a', { meta: 'last' })], parked: [{ key: 'a', atMs: 5 }] })));
  expect(await store.sources()).toEqual([{ key: 'a', parkedAtMs: 5 }]);
  expect(await store.load('a')).toMatchObject({ meta: 'last' });
});

test('a forgotten source is gone, and a delta of the same commit begins a new one', async () => {
  const { store } = await openHere();
  await using _closed = store;
  const deltas = ['a', 'b'].map((key) => delta(key, { windows: [window(1, 1)], templates: [template(1, 1)] }));
  await store.commit(packed(commit(1, { deltas })));
  await store.commit(
    packed(commit(2, { forgotten: ['a', 'b', 'never there'], deltas: [delta('b', { windows: [window(2, 2)] })] })),
  );
  expect(await store.load('a')).toBe(null);
  expect(await store.load('b')).toMatchObject({ windows: [window(2, 2)], templates: [] });
});

test.each([
  ['schema', '2'],
  ['embedder', 'ollama:embeddinggemma'],
  ['parameters', '{"windowStepMs":30000}'],
])('another %s is a cold start with one line that says so, once', async (name, value) => {
  await fill(2);
  const fingerprint = { ...FINGERPRINT, [name]: value };
  const changed = await openHere({ fingerprint });
  expect(changed.cold).toMatch(/^cold start: .*$/);
  expect(changed.cold).toContain(name);
  expect(changed.cold).toContain(value);
  expect(changed.lastStepEndMs).toBe(null);
  expect(await changed.store.sources()).toEqual([]);
  expect(await changed.store.service()).toBe(null);
  await changed.store.commit(packed(commit(1, { deltas: [delta('new')] })));
  await changed.store[Symbol.asyncDispose]();
  const again = await openHere({ fingerprint });
  await using store = again.store;
  expect(again.cold).toBe(null);
  expect(await store.sources()).toEqual([{ key: 'new', parkedAtMs: null }]);
});

const damages: Record<string, (path: string) => Promise<void>> = {
  'garbage all through': (path) => writeFile(path, 'not a database '.repeat(1_000)),
  'garbage in its first page': async (path) => overwrite(path, 0),
  'garbage in a page of the middle': async (path) => overwrite(path, (await stat(path)).size >> 1),
  'garbage in an index': async (path) => {
    const bytes = await readFile(path);
    // A page that begins with 10 is a leaf of an index; how many entries it has stands at 3 (sqlite.org/fileformat.html, 1.6).
    const leaves = Array.from({ length: bytes.length / 4_096 }, (_, page) => page * 4_096).filter(
      (at) => bytes[at] === 10,
    );
    const fullest = leaves.sort((one, other) => bytes.readUInt16BE(other + 3) - bytes.readUInt16BE(one + 3))[0]!;
    bytes.fill(0x05, fullest + 4_000, fullest + 4_096);
    await writeFile(path, bytes);
  },
  'half of its pages missing': async (path) => truncate(path, (await stat(path)).size >> 1),
  'a few bytes flipped inside a blob': async (path) => {
    const bytes = await readFile(path);
    const blob = bytes.indexOf(Buffer.alloc(900, 42));
    bytes.fill(0, blob + 10, blob + 20);
    await writeFile(path, bytes);
  },
  'a few bytes missing': async (path) => truncate(path, (await stat(path)).size - 100),
};

async function overwrite(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(8_192, 0xa5), 0, 8_192, position);
  await file.close();
}

test.each(Object.keys(damages))(
  'a file with %s is moved aside and the start is cold, with one line',
  async (damage) => {
    await fill(3);
    const path = join(directory, 'logdrift.db');
    await damages[damage]!(path);
    const damaged = await readFile(path);
    const opened = await openHere();
    await using store = opened.store;
    expect(opened.cold).toMatch(/^cold start: .*logdrift\.db is damaged \(.+\), kept as logdrift\.db\.damaged-1; .*$/);
    expect(await readFile(`${path}.damaged-1`)).toEqual(damaged);
    expect(await store.sources()).toEqual([]);
    await store.commit(packed(commit(1, { deltas: [delta('a')] })));
    expect(await store.load('a')).not.toBe(null);
  },
);

test('only the last damaged file is kept', async () => {
  const path = join(directory, 'logdrift.db');
  for (const content of ['first', 'second', 'third']) {
    await writeFile(path, content.repeat(1_000));
    await (await openHere()).store[Symbol.asyncDispose]();
  }
  const kept = (await readdir(directory)).filter((name) => name.includes('damaged'));
  expect(kept).toEqual(['logdrift.db.damaged-3']);
  expect(await readFile(join(directory, kept[0]!), 'utf8')).toContain('third');
});

test('a directory that cannot be made or holds something else is an error that names it and its key', async () => {
  await writeFile(join(directory, 'file'), '');
  const below = join(directory, 'file', 'below');
  const occupied = join(directory, 'occupied');
  await mkdir(join(occupied, 'logdrift.db'), { recursive: true });
  // There mkdir answers ENOENT although the parent is there: Node's recursive one never ends.
  const odd = process.platform === 'linux' ? ['/proc/logdrift'] : [];
  for (const unusable of [below, occupied, ...odd]) {
    const error = await openHere({ directory: unusable }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'LOGDRIFT_STORAGE_UNUSABLE' });
    expect((error as Error).message).toContain('storage.directory');
    expect((error as Error).message).toContain(unusable);
  }
});

test('a second process on the same directory is refused, also when it only reads so far, and let in afterwards', async () => {
  await fill(1);
  const holder = await openHere();
  const child = startChild();
  child.stdout.resume();
  let output = '';
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  await once(child, 'close');
  expect(output).toContain('LOGDRIFT_STORAGE_LOCKED');
  expect(output).toContain('storage.directory');
  await expect(openHere({ lockTimeoutMs: 50 })).rejects.toMatchObject({ code: 'LOGDRIFT_STORAGE_LOCKED' });
  await holder.store[Symbol.asyncDispose]();
  await using _store = (await openHere()).store;
});

test('a process that waits gets the file when the other lets go in time', async () => {
  const { store } = await openHere();
  const next = openHere({ lockTimeoutMs: 60_000 });
  setTimeout(() => void store[Symbol.asyncDispose](), 200);
  await using _store = (await next).store;
});

test('a killed process loses no step it was told is written, and no step is half there', async () => {
  const child = startChild();
  let acknowledged = 0;
  for await (const line of createInterface(child.stdout)) {
    acknowledged = Number(line) || 0;
    if (acknowledged === 25) child.kill('SIGKILL');
  }
  const opened = await openHere();
  await using store = opened.store;
  expect(opened.cold).toBe(null);
  const step = opened.lastStepEndMs!;
  expect(step).toBeGreaterThanOrEqual(acknowledged);
  expect(await store.service()).toBe(String(step));
  for (const key of ['a', 'b', 'c']) {
    const source = await store.load(key);
    expect(source!.meta).toBe(String(step));
    expect(source!.windows.map(({ windowId }) => windowId)).toEqual(
      Array.from({ length: step }, (_, index) => index + 1),
    );
  }
});

test('steps that come faster than the disk are written together, in order, and none waits behind more than one', async () => {
  const { store } = await openHere();
  await using _closed = store;
  const durations = Array.from({ length: 50 }, (_, index) =>
    store.commit(
      packed(
        commit(index, {
          deltas: [delta('a', { meta: String(index), windows: [window(index, index)], oldestWindowId: index - 9 })],
        }),
      ),
    ),
  );
  // Asked for while all of them are still under way: sees the last one.
  const loaded = await store.load('a');
  await Promise.all(durations);
  expect(store.merged).toBe(48);
  expect(loaded!.meta).toBe('49');
  expect(loaded!.windows.map(({ windowId }) => windowId)).toEqual([40, 41, 42, 43, 44, 45, 46, 47, 48, 49]);
});

test('a step that cannot be written rejects, is not lost, and is written with the next one', async () => {
  const { store } = await openHere();
  await using _closed = store;
  await store.commit(packed(commit(1, { deltas: [delta('a', { windows: [window(1, 1)] })] })));
  // SQLite's STRICT tables refuse a fraction where an integer belongs.
  const broken = delta('a', { meta: '2', windows: [window(2, 2)], templates: [template(0.5, 1)] });
  await expect(store.commit(packed(commit(2, { deltas: [broken] })))).rejects.toMatchObject({
    code: 'LOGDRIFT_STORAGE_FAILED',
    message: expect.stringMatching(/^storage\.directory: commit failed in .*logdrift\.db: /),
  });
  expect(await store.load('a')).toMatchObject({ meta: '2' });
  const next = delta('a', { meta: '3', windows: [window(3, 3)], removedTemplates: [0.5] });
  await store.commit(packed(commit(3, { deltas: [next] })));
  expect(await store.load('a')).toMatchObject({ meta: '3', windows: [window(1, 1), window(2, 2), window(3, 3)] });
});

test('a step that travels to the thread in parts is one transaction: all of it is written or nothing', async () => {
  const { store } = await openHere();
  await using _closed = store;
  const large = (source: number, step: number) =>
    delta(`file:${source}`, {
      meta: String(step),
      windows: [{ windowId: step, blob: new Uint8Array(100_000).fill(step) }],
      oldestWindowId: step,
    });
  const step = (id: number) => commit(id, { deltas: Array.from({ length: 12 }, (_, source) => large(source, id)) });
  await store.commit(packed(step(1)));
  const broken = step(2);
  broken.deltas.push(delta('file:broken', { windows: [window(2.5, 2)] }));
  await expect(store.commit(packed(broken))).rejects.toMatchObject({ code: 'LOGDRIFT_STORAGE_FAILED' });
  expect(await store.service()).toBe('{"step":1}');
  expect(await store.sources()).toHaveLength(12);
  await store.commit(packed(commit(3, { deltas: [large(0, 3)], forgotten: ['file:broken'] })));
  expect(await store.service()).toBe('{"step":3}');
  expect(await store.load('file:0')).toMatchObject({ meta: '3', windows: [{ windowId: 3 }] });
  expect(await store.load('file:11')).toMatchObject({ meta: '2', windows: [{ windowId: 2 }] });
});

test('disposing writes what still waits', async () => {
  const { store } = await openHere();
  const commits = [1, 2, 3].map((step) => store.commit(packed(commit(step, { service: String(step) }))));
  await store[Symbol.asyncDispose]();
  await Promise.all(commits);
  await using again = (await openHere()).store;
  expect(await again.service()).toBe('3');
});

test('after disposing every call is refused', async () => {
  const { store } = await openHere();
  await store[Symbol.asyncDispose]();
  await expect(store.service()).rejects.toMatchObject({ code: 'LOGDRIFT_STORAGE_FAILED' });
});

function startChild() {
  const script = join(import.meta.dirname, 'commit-for-ever.ts');
  return spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'pipe'] });
}
