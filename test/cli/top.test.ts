import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAdminServer } from '../../src/admin/server.ts';
import { top, type Terminal } from '../../src/cli/top.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { brokenMinute, runCli, sendMinutes, startTestService, until, usualMinute } from '../service/harness.ts';

let directory: string;
let token: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'logdrift-'));
  token = join(directory, 'token');
  await writeFile(token, 'a-token\n');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Stands for a terminal: what is written to it, and keys. */
function screen(columns = 100, rows = 20) {
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => void raw.push(on) });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns, rows });
  let written = '';
  stdout.setEncoding('utf8').on('data', (text: string) => (written += text));
  return {
    terminal: { stdin, stdout } as unknown as Terminal,
    raw,
    press: (key: string) => stdin.write(key),
    resize: (size: { columns: number; rows: number }) => Object.assign(stdout, size).emit('resize'),
    written: () => written,
    /** Lines of the newest frame. */
    frame: () => stripVTControlCharacters(written.split('\u001b[H').at(-1)!).split('\r\n'),
    frames: () => written.split('\u001b[H').length - 1,
  };
}

const config = (...set: string[]) => loadConfig({ set, env: {} });
const at = (port: number): URL => new URL(`http://127.0.0.1:${port}`);

async function answering(answer: (response: ServerResponse, authorization: string | undefined) => void) {
  const server = createServer((request, response) => answer(response, request.headers.authorization));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('where stdout is no terminal the sources are one table of plain text, the loud one first', async () => {
  await using service = await startTestService({ clock: 'event' });
  const minute = (k: number) => (k < 30 ? usualMinute(k) : brokenMinute(k));
  for (let k = 0; k < 32; k++) {
    await sendMinutes(service.grpc, 'a-calm', k, k + 1);
    await sendMinutes(service.grpc, 'shop', k, k + 1, minute);
  }
  const { code, stdout, stderr } = await runCli('top', '--admin', `http://127.0.0.1:${service.ports.admin}`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [title, head, first, second, ...rest] = stdout.split('\n');
  expect(title).toBe(`logdrift 127.0.0.1:${service.ports.admin}: 2 sources, 1 anomaly open`);
  expect(head).toMatch(/^SOURCE {2,}STATE {2,}SIGMA {2,}RECORDS {2,}TEMPLATES$/);
  expect(first).toMatch(/^file:shop +critical for \d+ \w+, peak \d\.\d σ +\d\.\d +\d+ +\d+$/);
  expect(second).toMatch(/^file:a-calm +normal +-?\d\.\d +\d+ +\d+$/);
  expect(rest).toEqual(['']);
  expect(stdout).not.toMatch(/\u001b/);
});

test('on a terminal it draws again and again, follows its size, and q leaves it as it was', async () => {
  await using service = await startTestService();
  const { terminal, ...shown } = screen();
  const running = top({ admin: at(service.ports.admin), config: config(), terminal });
  await until('a first frame', () => shown.frames() >= 1);
  expect(shown.frame()[0]).toMatch(/: no source yet, no anomaly open, \d\d:\d\d:\d\d {2}\(q quits\)$/);
  await sendMinutes(service.grpc, 'nginx', 0, 1);
  await until('the new source', () => shown.frame().some((line) => line.startsWith('file:nginx')));
  const before = shown.frames();
  shown.resize({ columns: 30, rows: 4 });
  expect(shown.frames()).toBe(before + 1);
  expect(Math.max(...shown.frame().map((line) => line.length))).toBeLessThanOrEqual(30);
  expect(shown.frame().length).toBeLessThanOrEqual(4);
  shown.press('q');
  expect(await running).toBe(0);
  expect(shown.raw).toEqual([true, false]);
  expect(shown.written()).toMatch(
    /^\u001b\[\?1049h\u001b\[\?25l\u001b\[\?7l[\s\S]*\u001b\[\?7h\u001b\[\?25h\u001b\[\?1049l$/,
  );
});

test.each(['SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const)('%s leaves the terminal as it was, too', async (signal) => {
  await using service = await adminPort(token);
  const { terminal, ...shown } = screen();
  const settings = config(`admin.token_file=${token}`);
  const listeners = process.listenerCount(signal);
  const running = top({ admin: at(service.port), config: settings, terminal });
  await until('a first frame', () => shown.frames() >= 1);
  process.emit(signal, signal);
  expect(await running).toBe(0);
  expect(shown.raw).toEqual([true, false]);
  expect(shown.written()).toMatch(/\u001b\[\?7h\u001b\[\?25h\u001b\[\?1049l$/);
  expect(process.listenerCount(signal)).toBe(listeners);
});

test('a terminal that says its size is 0 gets a table of the usual size', async () => {
  await using service = await startTestService();
  const { terminal, ...shown } = screen(0, 0);
  const running = top({ admin: at(service.ports.admin), config: config(), terminal });
  await until('a first frame', () => shown.frames() >= 1);
  shown.press('q');
  expect(await running).toBe(0);
  expect(shown.frame()[0]).toMatch(/^logdrift 127\.0\.0\.1:\d+: no source yet/);
  expect(shown.frame()[2]).toMatch(/^SOURCE /);
});

test('a service that goes away is said above the last table, and Ctrl-C still leaves', async () => {
  const service = await startTestService();
  await sendMinutes(service.grpc, 'nginx', 0, 1);
  const { terminal, ...shown } = screen(200);
  const running = top({ admin: at(service.ports.admin), config: config(), terminal });
  await until('a first frame', () => shown.frames() >= 1);
  await service.stop();
  await until('the problem', () => shown.frame()[0]!.includes('nothing answers at'));
  expect(shown.frame().some((line) => line.startsWith('file:nginx'))).toBe(true);
  shown.press('\u0003');
  expect(await running).toBe(0);
});

test('the token is that of admin.token_file, and is asked for by name', async () => {
  await using service = await adminPort(token);
  const ask = (...set: string[]): Promise<number> =>
    top({ admin: at(service.port), config: config(...set), terminal: plain() });
  expect(await ask(`admin.token_file=${token}`)).toBe(0);
  await expect(ask()).rejects.toThrow(/asks for a token: .*admin\.token_file=FILE/);
  const wrong = join(directory, 'wrong');
  await writeFile(wrong, 'another');
  await expect(ask(`admin.token_file=${wrong}`)).rejects.toThrow(/does not know this token/);
  await expect(ask(`admin.token_file=${join(directory, 'nowhere')}`)).rejects.toMatchObject({
    code: 'LOGDRIFT_ADMIN_TOKEN',
  });
});

test('without --admin it asks where the configuration has the admin port, on this machine', async () => {
  await using service = await adminPort(token);
  const { port } = at(service.port);
  for (const host of ['127.0.0.1', 'localhost', '0.0.0.0']) {
    const set = [`admin.endpoint=${host}:${port}`, `admin.token_file=${token}`];
    expect(await top({ admin: null, config: config(...set), terminal: plain() })).toBe(0);
  }
  await expect(top({ admin: null, config: config('admin.endpoint=127.0.0.1:0'), terminal: plain() })).rejects.toThrow(
    /say which with --admin URL/,
  );
});

test('where nothing listens, or something else does, the command says so and exits 1', async () => {
  const { code, stdout, stderr } = await runCli('top', '--admin', '127.0.0.1:1');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^logdrift: nothing answers at http:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\): is logdrift serve running\?.*\n$/,
  );

  const asked = (port: number) => top({ admin: at(port), config: config(), terminal: plain() });
  await using empty = await answering((response) => response.writeHead(404).end());
  await expect(asked(empty.port)).rejects.toThrow(/is not the admin port .*HTTP 404/);
  await using other = await answering((response) => void response.end('{"sources":[{"key":7}]}'));
  await expect(asked(other.port)).rejects.toThrow(/is not the admin port/);
  await using endless = await answering((response) => {
    const chunk = Buffer.alloc(1_048_576, ' ');
    const more = (): void =>
      void (response.destroyed || (response.write(chunk) ? setImmediate(more) : response.once('drain', more)));
    more();
  });
  await expect(asked(endless.port)).rejects.toThrow(/above 64 MiB/);
});

test('a token goes to the address that was given and nowhere else', async () => {
  const seen: (string | undefined)[] = [];
  await using elsewhere = await answering((response, authorization) => {
    seen.push(authorization);
    response.end('{"sources":[]}');
  });
  await using redirecting = await answering((response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${elsewhere.port}/api/v1/sources` }).end(),
  );
  const asked = top({ admin: at(redirecting.port), config: config(`admin.token_file=${token}`), terminal: plain() });
  await expect(asked).rejects.toThrow(/HTTP 302/);
  expect(seen).toEqual([]);
});

/** A service's admin port, with a service that knows no source behind it. */
function adminPort(tokenFile: string) {
  return startAdminServer({
    endpoint: '127.0.0.1:0',
    tokenFile,
    log: createLog({ write: () => {} }),
    stats: () => ({ enabled: true, activeDetectors: 0, sources: [] }),
    sources: () => [],
    source: () => null,
    explain: () => Promise.resolve(null),
    anomalies: () => [],
    subscribe: () => () => {},
  });
}

function plain(): Terminal {
  return { stdin: new PassThrough(), stdout: new PassThrough().resume() };
}
