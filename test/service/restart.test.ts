import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { startFakeOllama } from '../embed/fake-ollama.ts';
import {
  brokenMinute,
  fileLogs,
  sendMinutes,
  startTestService,
  until,
  usualMinute,
  type Settings,
  type TestService,
} from './harness.ts';

async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'logdrift-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const stored = (directory: string, settings: Settings = {}): Promise<TestService> =>
  startTestService({ clock: 'event', 'storage.directory': directory, ...settings });
const cold = (service: TestService) =>
  service.lines.filter((line) => line.startsWith('warn') && line.includes('cold start'));

/** Runs 12 minutes and stops: the source has errors. */
async function warmUp(directory: string): Promise<void> {
  await using service = await stored(directory);
  await sendMinutes(service.grpc, 'nginx', 0, 12);
  expect(service.verdictsOf('file:nginx').at(-1)!.reconstructionError).not.toBeNull();
}

test('after a restart the first whole window has an error: the downtime is a gap and not a new warm-up, on the wall clock', async () => {
  await using directory = await temporaryDirectory();
  const pace = { window_step: '100ms', window_size: '200ms', 'storage.directory': directory.path };
  const speak = (service: TestService) => service.grpc.send(fileLogs('nginx', [{ text: 'GET / 200' }]));
  let last: number;
  {
    await using service = await startTestService(pace);
    await until('an error', async () => {
      await speak(service);
      return (service.verdictsOf('file:nginx').at(-1)?.reconstructionError ?? null) !== null;
    });
    last = service.verdicts.at(-1)!.windowId;
  }
  await using service = await startTestService(pace);
  expect(service.lines).toContainEqual(expect.stringMatching(/Drift detector created for source: file:nginx/));
  // It goes on whether it speaks or not.
  expect(await service.api('/api/v1/stats')).toEqual({ enabled: true, active_detectors: 1, sources: ['file:nginx'] });
  const first = await until('a window', () => service.verdictsOf('file:nginx')[0]);
  expect(first.windowId).toBeGreaterThan(last + 1);
  expect(first.reconstructionError).not.toBeNull();
  expect(cold(service)).toEqual([]);
});

test('a restarted service continues as if it had not stopped: same errors, same templates, same open episode', async () => {
  await using directory = await temporaryDirectory();
  {
    await using service = await stored(directory.path);
    await sendMinutes(service.grpc, 'nginx', 0, 40);
    await sendMinutes(service.grpc, 'nginx', 40, 42, brokenMinute);
    expect(service.anomalies.map(({ phase }) => phase)).toEqual(['start']);
  }
  await using service = await stored(directory.path);
  const source = (await service.api('/api/v1/sources/file%3Anginx')) as { episode: { severity: string } };
  expect(source.episode.severity).toBe('critical');
  await sendMinutes(service.grpc, 'nginx', 42, 60);
  // The episode that was open ends; it does not start again.
  expect(service.anomalies[0]!.phase).toBe('end');
  const first = service.verdictsOf('file:nginx')[0]!;
  expect(first.reconstructionError).not.toBeNull();
  expect(first.normalizedError).not.toBeNull();
  expect(first.newTemplates).toEqual([]);
});

test('a source that was parked comes back after a restart with its state', async () => {
  await using directory = await temporaryDirectory();
  {
    await using service = await stored(directory.path);
    await sendMinutes(service.grpc, 'nginx', 0, 12);
    await sendMinutes(service.grpc, 'redis', 12, 50);
    expect(await service.api('/api/v1/stats')).toMatchObject({ sources: ['file:redis'] });
  }
  await using service = await stored(directory.path);
  expect(await service.api('/api/v1/stats')).toMatchObject({ sources: ['file:redis'] });
  await sendMinutes(service.grpc, 'nginx', 50, 54);
  expect(service.verdictsOf('file:nginx')[0]!.reconstructionError).not.toBeNull();
});

test('another embedder is a cold start with one clear line', async () => {
  await using directory = await temporaryDirectory();
  await warmUp(directory.path);
  await using fake = await startFakeOllama();
  await using service = await stored(directory.path, { embedding_url: fake.url });
  expect(cold(service).length).toBe(1);
  expect(cold(service)[0]).toMatch(
    /stored history cannot be used \(its embedder: hashing-1, now: ollama:embeddinggemma\)/,
  );
  await sendMinutes(service.grpc, 'nginx', 12, 15);
  expect(service.verdictsOf('file:nginx')[0]!.reconstructionError).toBeNull();
});

test('another window size is a cold start, too', async () => {
  await using directory = await temporaryDirectory();
  await warmUp(directory.path);
  await using service = await stored(directory.path, { window_size: '180s' });
  expect(cold(service).length).toBe(1);
  expect(cold(service)[0]).toContain('parameters');
});

test('a damaged file is a cold start, never a crash, and is kept for whoever wants to look', async () => {
  await using directory = await temporaryDirectory();
  await warmUp(directory.path);
  const file = join(directory.path, 'logdrift.db');
  const bytes = await readFile(file);
  bytes.fill(0x5a, 4096, Math.min(bytes.length, 4096 * 6));
  await writeFile(file, bytes);
  await using service = await stored(directory.path);
  expect(cold(service).length).toBe(1);
  expect(cold(service)[0]).toContain('is damaged');
  expect(await readdir(directory.path)).toContain('logdrift.db.damaged-1');
  await service.grpc.send(fileLogs('nginx', usualMinute(12)));
  await sendMinutes(service.grpc, 'nginx', 13, 15);
  expect(service.verdictsOf('file:nginx').length).toBe(2);
});

/** Minute by minute: a source that is a minute behind the other is late. */
async function sendBoth(service: TestService, from: number, to: number): Promise<void> {
  for (let minute = from; minute < to; minute++) {
    for (const name of ['nginx', 'whole']) await sendMinutes(service.grpc, name, minute, minute + 1);
  }
}

test('a stored row of the wrong form costs its source its past, said and counted, and no other source anything', async () => {
  await using directory = await temporaryDirectory();
  {
    await using service = await stored(directory.path);
    await sendBoth(service, 0, 12);
  }
  const sql = new DatabaseSync(join(directory.path, 'logdrift.db'));
  const blob = Buffer.from(JSON.stringify({ id: 7, text: ['GET'], firstSeenMs: 0, slot: 0, clusters: [] }));
  const damage = `UPDATE templates SET blob = ?, crc = ? WHERE number = 0 AND source_id = (SELECT id FROM sources WHERE key = 'file:nginx')`;
  expect(sql.prepare(damage).run(blob, crc32(blob)).changes).toBe(1);
  sql.close();

  await using service = await stored(directory.path);
  await sendBoth(service, 12, 22);
  const warning =
    /^warn .*Stored state of a source could not be used; it starts cold source=file:nginx error="Error: RangeError: stored template 0\.id must be text, is 7"$/;
  expect(service.lines.filter((line) => warning.test(line))).toHaveLength(1);
  expect(await service.metric('logdrift_store_restore_errors_total')).toBe(1);
  expect(service.verdictsOf('file:whole')[0]!.reconstructionError).not.toBeNull();
  const [first, ...others] = service.verdictsOf('file:nginx');
  expect(first!.gates).toContain('warming');
  expect(others.at(-1)!.reconstructionError).not.toBeNull();
});
