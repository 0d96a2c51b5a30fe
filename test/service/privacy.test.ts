import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  brokenMinute,
  MINUTE_MS,
  Sender,
  sendMinutes,
  START_MS,
  startServe,
  startTestService,
  until,
  type Line,
  type TestService,
} from './harness.ts';

const SECRETS = ['hunter2', '4111-1111-1111-1111'];
const REDACT = `['hunter\\d+', '4111(?:-\\d{4}){3}']`;
/** Stands in lines of the fault, and in no template: an id. */
const ONLY_IN_LINES = '9f8e7d6c5b4a3921';

/** A fault whose lines carry secrets, mined and in a template of the sender's own. */
function leakingMinute(minute: number): Line[] {
  const secret = (line: Line, k: number): Line =>
    k % 2 === 0
      ? { ...line, text: `login of ${ONLY_IN_LINES} with password ${SECRETS[0]} and card ${SECRETS[1]} was refused` }
      : { ...line, attributes: { 'log.record.template': `user {name} has password ${SECRETS[0]}` } };
  return brokenMinute(minute).map((line, k, { length }) => (k < length - 1 ? secret(line, k) : line));
}

async function sendLeak(sender: Sender): Promise<void> {
  await sendMinutes(sender, 'nginx', 0, 40);
  await sendMinutes(sender, 'nginx', 40, 42, leakingMinute);
}

/** Everything that a reader of the admin and telemetry ports can see. */
async function visible({ admin, telemetry }: TestService['ports']): Promise<Record<string, string>> {
  const get = async (port: number, path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  const window = START_MS / MINUTE_MS + 41;
  return {
    explain: await get(admin, `/api/v1/sources/file%3Anginx/windows/${window}/explain`),
    anomalies: await get(admin, '/api/v1/anomalies'),
    source: await get(admin, '/api/v1/sources/file%3Anginx'),
    page: await get(admin, '/'),
    metrics: await get(telemetry, '/metrics'),
  };
}

/** All bytes of all files of a directory. */
async function onDisk(directory: string): Promise<string> {
  const files = await readdir(directory);
  expect(files.length).toBeGreaterThan(0);
  const contents = await Promise.all(files.map((file) => readFile(join(directory, file))));
  // Latin-1 keeps every byte: a text cut out of a page of the database is still found.
  return Buffer.concat(contents).toString('latin1');
}

async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'logdrift-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function expectNone(places: Record<string, string>, texts: readonly string[]): void {
  for (const [place, content] of Object.entries(places)) {
    for (const text of texts) expect(content.includes(text), `${text} in ${place}`).toBe(false);
  }
}

describe('a redacted secret', () => {
  test('is in no checkpoint, page, API answer, metric, log line or anomaly record', async () => {
    await using directory = await temporaryDirectory();
    const places: Record<string, string> = {};
    {
      await using service = await startTestService({
        clock: 'event',
        redact: REDACT,
        'storage.directory': directory.path,
      });
      await sendLeak(service.grpc);
      await until('the anomaly', () => service.received.length > 0);
      Object.assign(places, await visible(service.ports));
      await service.stop();
      places['records'] = JSON.stringify(service.received);
      places['log'] = service.lines.join('\n');
    }
    places['checkpoint'] = await onDisk(directory.path);
    for (const place of ['explain', 'anomalies', 'records', 'checkpoint'])
      expect(places[place], place).toContain('with password <redacted> and card <redacted> was refused');
    for (const place of ['explain', 'records', 'checkpoint'])
      expect(places[place], place).toContain('user {name} has password <redacted>');
    expectNone(places, SECRETS);
  });

  test('is not on stdout', async () => {
    await using cli = await startServe({ clock: 'event', redact: REDACT });
    using sender = new Sender(cli.ports.grpc);
    await sendLeak(sender);
    await until('the anomaly', () => cli.stdout().includes('\n'));
    cli.process.kill('SIGTERM');
    await cli.exited;
    expect(cli.stdout()).toContain('with password <redacted> and card <redacted>');
    expectNone({ stdout: cli.stdout(), stderr: cli.stderr() }, SECRETS);
  });
});

describe.each([true, false])('with keep_samples: %s', (keep) => {
  test(`lines are ${keep ? 'shown, and not on disk' : 'nowhere'}`, async () => {
    await using directory = await temporaryDirectory();
    let places: Record<string, string>;
    let records: string;
    {
      await using service = await startTestService({
        clock: 'event',
        keep_samples: keep,
        'storage.directory': directory.path,
      });
      await sendLeak(service.grpc);
      await until('the anomaly', () => service.received.length > 0);
      places = await visible(service.ports);
      await service.stop();
      records = JSON.stringify(service.received) + JSON.stringify(service.anomalies);
    }
    const { explain, anomalies, ...others } = places;
    expect([explain!, anomalies!, records].map((text) => text.includes(ONLY_IN_LINES))).toEqual(Array(3).fill(keep));
    expectNone({ ...others, disk: await onDisk(directory.path) }, [ONLY_IN_LINES]);
    // Templates, counts and trace ids are there all the same.
    expect(explain).toContain('login of <*> with password');
    expect(explain).toContain('"trace_ids":["4bf92f3577b34da6a3ce929d0e0e4736"]');
  });
});
