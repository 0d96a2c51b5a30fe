import { expect, test } from 'vitest';
import { createLog } from '../../src/telemetry/log.ts';
import { startTelemetryServer } from '../../src/telemetry/server.ts';

const log = createLog({ write: () => {} });

function start(more: Partial<Parameters<typeof startTelemetryServer>[0]> = {}) {
  return startTelemetryServer({
    endpoint: '127.0.0.1:0',
    prometheusText: () => Promise.resolve('# text\n'),
    ready: () => true,
    log,
    ...more,
  });
}

test('serves /metrics, /livez and /readyz and nothing else', async () => {
  await using server = await start();
  const url = `http://127.0.0.1:${server.port}`;
  const metrics = await fetch(`${url}/metrics`);
  expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await metrics.text()).toBe('# text\n');
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  for (const path of ['/', '/api/v1/stats', '/metrics/', '/__proto__']) {
    expect((await fetch(url + path)).status, path).toBe(404);
  }
  const post = await fetch(`${url}/metrics`, { method: 'POST' });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('/readyz is 503 until the service is ready and again once it shuts down; /livez stays 200', async () => {
  let ready = false;
  await using server = await start({ ready: () => ready });
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${server.port}${path}`)).status;
  expect(await status('/readyz')).toBe(503);
  ready = true;
  expect(await status('/readyz')).toBe(200);
  ready = false;
  expect([await status('/readyz'), await status('/livez')]).toEqual([503, 200]);
});

test('a failing collection answers 500', async () => {
  await using server = await start({ prometheusText: () => Promise.reject(new Error('boom')) });
  const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('boom');
});
