import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { AdminEvent } from '../../src/admin/events.ts';
import type { SourceSummary } from '../../src/admin/json.ts';
import { Recent } from '../../src/admin/recent.ts';
import { startAdminServer, type AdminOptions } from '../../src/admin/server.ts';
import { Episodes } from '../../src/alert/episodes.ts';
import type { WindowExplanation } from '../../src/detect/verdict.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { topTemplate, verdict } from '../alert/verdict.ts';
import { EPISODE_OPTIONS } from '../alert/episode-options.ts';

const XSS = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>';
const directory = mkdtempSync(join(tmpdir(), 'logdrift-admin-'));
afterAll(() => rmSync(directory, { recursive: true }));

function tokenFile(content: string): string {
  const path = join(directory, `token-${createHash('sha256').update(content).digest('hex').slice(0, 8)}`);
  writeFileSync(path, content);
  return path;
}

function summary(key: string, recent: Recent | null = null): SourceSummary {
  return {
    key,
    createdMs: 1_000,
    lastSeenMs: 2_000,
    received: 5,
    late: 1,
    dropped: new Map([['late', 1]]),
    anomalies: { warning: 1, critical: 0 },
    muted: false,
    recent: recent?.source(key) ?? null,
    episode: null,
    alertRaisedBy: 0.5,
    alertHeldBack: 'second_look',
  };
}

const explanation: WindowExplanation = {
  verdict: verdict({ score: 3.5 }),
  exact: true,
  topTemplates: [topTemplate({ template: XSS })],
  modes: [{ real: 0.5, imaginary: 0.5, modulus: 0.7071, periodMs: 480_000 }],
  errors: [{ windowId: 999, reconstructionError: 0.5, normalizedError: null }],
};

async function start(more: Partial<AdminOptions> = {}) {
  const subscribers = new Set<(event: AdminEvent) => void>();
  const server = await startAdminServer({
    endpoint: '127.0.0.1:0',
    tokenFile: null,
    log: createLog({ write: () => {} }),
    stats: () => ({ enabled: true, activeDetectors: 2, sources: ['file:nginx', 'k8s:prod/api'] }),
    sources: () => [summary('file:nginx'), summary('k8s:prod/api')],
    source: (key) => (key === 'k8s:prod/api' ? summary(key) : null),
    explain: (key, windowId) => Promise.resolve(key === 'k8s:prod/api' && windowId === 1_000 ? explanation : null),
    anomalies: () => [],
    subscribe: (send) => {
      subscribers.add(send);
      return () => subscribers.delete(send);
    },
    ...more,
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    port: server.port,
    subscribers,
    emit: (event: AdminEvent) => subscribers.forEach((send) => send(event)),
    get: (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers }),
    json: async (path: string) => (await fetch(url + path)).json() as Promise<Record<string, unknown>>,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** With a Host header of one's choice, which fetch forbids. */
function statusWithHost(port: number, host: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/api/v1/stats', headers: { host, ...headers }, agent: false };
    httpRequest(options, (response) => resolve(response.resume().statusCode!))
      .on('error', reject)
      .end();
  });
}

test('/api/v1/stats answers exactly the three keys of the contract', async () => {
  await using admin = await start();
  const response = await admin.get('/api/v1/stats');
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.text()).toBe('{"enabled":true,"active_detectors":2,"sources":["file:nginx","k8s:prod/api"]}');
});

test('a source whose key holds slashes and colons is found by its encoded key', async () => {
  await using admin = await start();
  const source = await admin.json('/api/v1/sources/k8s%3Aprod%2Fapi');
  expect(source).toMatchObject({ key: 'k8s:prod/api', received_records: 5, dropped_records: { late: 1 }, windows: [] });
  expect((await admin.get('/api/v1/sources/file%3Aunknown')).status).toBe(404);
});

test('the list of sources carries the last window and the scores of the windows before it', async () => {
  const recent = new Recent();
  for (const [i, score] of [null, 0.5, 3.5].entries()) {
    recent.observe(verdict({ source: 'file:nginx', windowId: 1_000 + i, score }));
  }
  await using admin = await start({ sources: () => [summary('file:nginx', recent)] });
  const { sources } = (await admin.json('/api/v1/sources')) as { sources: Record<string, unknown>[] };
  expect(sources[0]).toMatchObject({ scores: [null, 0.5, 3.5], last_window: { window_id: 1_002, score: 3.5 } });
});

test('a window is explained, in snake_case; unknown ones are 404, nonsense is 400', async () => {
  await using admin = await start();
  const path = '/api/v1/sources/k8s%3Aprod%2Fapi/windows';
  expect(await admin.json(`${path}/1000/explain`)).toMatchObject({
    window_id: 1_000,
    exact: true,
    rank: 10,
    top_templates: [{ template: XSS, share: 0.6, usual_count: 120, first_seen_unix_ms: 0 }],
    modes: [{ modulus: 0.7071, period_ms: 480_000 }],
    errors: [{ window_id: 999, reconstruction_error: 0.5, normalized_error: null }],
  });
  expect((await admin.get(`${path}/7/explain`)).status).toBe(404);
  expect((await admin.get(`${path}/x/explain`)).status).toBe(400);
  expect((await admin.get('/api/v1/sources/%zz')).status).toBe(400);
});

test('the last 1,000 anomalies are kept, newest first', async () => {
  const recent = new Recent();
  const episodes = new Episodes(EPISODE_OPTIONS);
  for (let i = 0; i < 1_005; i++) recent.anomaly(episodes.observe(verdict({ source: `s${i}`, score: 2.5 }))!);
  await using admin = await start({ anomalies: () => recent.anomalies() });
  const { anomalies } = (await admin.json('/api/v1/anomalies')) as { anomalies: { source: string; phase: string }[] };
  expect([anomalies.length, anomalies[0]!.source, anomalies.at(-1)!.source]).toEqual([1_000, 's1004', 's5']);
});

test('a source remembers 120 windows', () => {
  const recent = new Recent();
  for (let i = 0; i < 130; i++) recent.observe(verdict({ windowId: i, score: i }));
  const { windows } = recent.source('otlp:api-2')!;
  expect([windows.length, windows[0]!.windowId, windows.at(-1)!.windowId]).toEqual([120, 10, 129]);
});

test('everything but GET is 405, everything unknown 404, both as JSON', async () => {
  await using admin = await start();
  const post = await fetch(`${admin.url}/api/v1/stats`, { method: 'POST' });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET']);
  for (const path of ['/x', '/api', '/api/v1', '/api/v1/', '/api/v2/stats', '/api/v1/stats/x', '/api/v1/__proto__']) {
    const response = await admin.get(path);
    expect(response.status, path).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } });
  }
});

test('a fault inside is 500 without its details', async () => {
  await using admin = await start({ explain: () => Promise.reject(new Error('secret path /x')) });
  const response = await admin.get('/api/v1/sources/a/windows/1/explain');
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
});

describe('Host', () => {
  test('only loopback names and the configured host are answered, against DNS rebinding', async () => {
    await using admin = await start();
    const { port } = admin;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'LOCALHOST', `[::1]:${port}`, '127.1.2.3']) {
      expect(await statusWithHost(port, host), host).toBe(200);
    }
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', '10.0.0.1', '[::2]', 'a b']) {
      expect(await statusWithHost(port, host), host).toBe(403);
    }
  });
});

describe('token', () => {
  test('with a token file the data needs the token, the page does not', async () => {
    await using admin = await start({ tokenFile: tokenFile('s3cret\n') });
    const status = async (authorization?: string) =>
      (await admin.get('/api/v1/stats', authorization ? { authorization } : {})).status;
    expect(await status()).toBe(401);
    expect(await status('Bearer wrong')).toBe(401);
    expect(await status('Bearer s3cre')).toBe(401);
    expect(await status('Basic s3cret')).toBe(401);
    expect(await status('Bearer s3cret')).toBe(200);
    expect(await status('bearer s3cret')).toBe(200);
    expect((await admin.get('/api/v1/events')).status).toBe(401);
    expect((await admin.get('/')).status).toBe(200);
    expect((await admin.get('/api/v1/stats')).headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test('off loopback it is compulsory, and then any Host is answered', async () => {
    await expect(start({ endpoint: '0.0.0.0:0' })).rejects.toThrow(/admin\.token_file/);
    await using admin = await start({ endpoint: '0.0.0.0:0', tokenFile: tokenFile('t') });
    expect(await statusWithHost(admin.port, 'logdrift.prod.svc', { authorization: 'Bearer t' })).toBe(200);
    expect(await statusWithHost(admin.port, 'logdrift.prod.svc')).toBe(401);
  });

  test('a missing or empty token file is an error that names the key', async () => {
    await expect(start({ tokenFile: join(directory, 'none') })).rejects.toThrow(
      /^admin\.token_file: cannot read .*none/,
    );
    await expect(start({ tokenFile: tokenFile(' \n') })).rejects.toThrow(/must hold one token/);
  });
});

describe('page', () => {
  test('it allows its own script and style and nothing else', async () => {
    await using admin = await start();
    const response = await admin.get('/');
    const html = await response.text();
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    for (const tag of ['script', 'style'] as const) {
      const inline = [...html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))];
      expect(inline).toHaveLength(1);
      const hash = createHash('sha256').update(inline[0]![1]!).digest('base64');
      expect(policy).toContain(`${tag}-src 'sha256-${hash}'`);
    }
    expect(html).not.toMatch(/ (?:style|on\w+)="|(?:src|href)=/);
  });

  test('its script never turns text into markup', async () => {
    await using admin = await start();
    const script = /<script>([\s\S]*)<\/script>/.exec(await (await admin.get('/')).text())![1]!;
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|srcdoc/);
    expect(() => new Function(script)).not.toThrow();
  });

  test('every element that its script asks for by name is on the page', async () => {
    await using admin = await start();
    const html = await (await admin.get('/')).text();
    const asked = new Set([...html.matchAll(/\$\('([\w-]+)'\)/g)].map(([, id]) => id!));
    expect(asked.size).toBeGreaterThan(10);
    for (const id of asked) expect(html.split(`id="${id}"`), id).toHaveLength(2);
  });

  test('hostile source keys and templates only ever travel as JSON, which no browser renders', async () => {
    const episodes = new Episodes(EPISODE_OPTIONS);
    const recent = new Recent();
    const hostile = verdict({
      source: XSS,
      score: 3.5,
      topTemplates: [topTemplate({ template: XSS, samples: [XSS] })],
    });
    recent.observe(hostile);
    recent.anomaly(episodes.observe(hostile)!);
    await using admin = await start({
      sources: () => [summary(XSS, recent)],
      source: (key) => summary(key, recent),
      anomalies: () => recent.anomalies(),
    });
    for (const path of ['/api/v1/sources', `/api/v1/sources/${encodeURIComponent(XSS)}`, '/api/v1/anomalies']) {
      const response = await admin.get(path);
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(JSON.stringify(await response.json())).toContain(JSON.stringify(XSS).slice(1, -1));
    }
    expect(await (await admin.get('/')).text()).not.toContain('onerror');
  });
});

describe('events', () => {
  test('an anomaly and a step reach every client, newlines and all', async () => {
    await using admin = await start();
    const readers = await Promise.all([openEvents(admin.url), openEvents(admin.url)]);
    admin.emit({ event: 'anomaly', data: { source: XSS, message: 'two\nlines' } });
    admin.emit({ event: 'step', data: { sources: 2 } });
    for (const reader of readers) {
      expect(await reader.next()).toEqual({ event: 'anomaly', data: { source: XSS, message: 'two\nlines' } });
      expect(await reader.next()).toEqual({ event: 'step', data: { sources: 2 } });
      await reader.close();
    }
  });

  test('more than 32 streams are refused, and one that ends makes room', async () => {
    await using admin = await start();
    const readers = await Promise.all(Array.from({ length: 32 }, () => openEvents(admin.url)));
    expect((await admin.get('/api/v1/events')).status).toBe(503);
    await readers[0]!.close();
    await expect
      .poll(async () => {
        const response = await admin.get('/api/v1/events');
        await response.body?.cancel();
        return response.status;
      })
      .toBe(200);
    await Promise.all(readers.slice(1).map((reader) => reader.close()));
  });

  test('a client that does not read is cut off, the others go on', async () => {
    await using admin = await start();
    const stalled = await new Promise<IncomingMessage>((resolve) => {
      httpRequest(`${admin.url}/api/v1/events`, (response) => resolve(response.pause())).end();
    });
    const cut = new Promise((resolve) => stalled.on('close', resolve).on('error', () => {}));
    const reader = await openEvents(admin.url);
    const data = 'x'.repeat(500_000);
    for (let i = 0; i < 40; i++) {
      admin.emit({ event: 'step', data });
      expect(await reader.next()).toMatchObject({ event: 'step' });
    }
    stalled.resume();
    await cut;
    admin.emit({ event: 'step', data: 'last' });
    expect(await reader.next()).toEqual({ event: 'step', data: 'last' });
    await reader.close();
  });

  test('closing the server ends the streams and unsubscribes', async () => {
    const admin = await start();
    const reader = await openEvents(admin.url);
    expect(admin.subscribers.size).toBe(1);
    await admin[Symbol.asyncDispose]();
    expect(admin.subscribers.size).toBe(0);
    await expect(reader.next()).rejects.toThrow();
  });
});

async function openEvents(url: string) {
  const abort = new AbortController();
  const response = await fetch(`${url}/api/v1/events`, { signal: abort.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async next(): Promise<unknown> {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end >= 0) {
          const match = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end));
          text = text.slice(end + 2);
          if (match) return { event: match[1], data: JSON.parse(match[2]!) as unknown };
          continue;
        }
        const { done, value } = await reader.read();
        if (done) throw new Error('the stream has ended');
        text += value;
      }
    },
    async close() {
      await reader.cancel().catch(() => {});
      abort.abort();
    },
  };
}
