import { expect, test } from 'vitest';
import { brokenMinute, MINUTE_MS, sendMinutes, START_MS, startTestService } from './harness.ts';

interface Explained {
  window_id: number;
  rank: number;
  reconstruction_error: number;
  normalized_error: number;
  severity: string;
  exact: boolean;
  top_templates: { template: string; share: number; count: number; usual_count: number; first_seen_unix_ms: number }[];
  modes: { modulus: number; period_ms: number | null }[];
  errors: { window_id: number; reconstruction_error: number | null }[];
}

test('the newest window of a source can be explained: templates with shares, modes, earlier errors', async () => {
  await using service = await startTestService({ clock: 'event' });
  await sendMinutes(service.grpc, 'nginx', 0, 40);
  await sendMinutes(service.grpc, 'nginx', 40, 41, brokenMinute);
  await sendMinutes(service.grpc, 'nginx', 41, 42);
  const source = (await service.api('/api/v1/sources/file%3Anginx')) as { last_window: Record<string, unknown> };
  const newest = service.verdictsOf('file:nginx').at(-1)!;
  expect(source.last_window).toMatchObject({ window_id: newest.windowId, severity: 'critical', gates: [] });

  const path = `/api/v1/sources/file%3Anginx/windows/${newest.windowId}/explain`;
  const explained = (await service.api(path)) as Explained;
  expect(explained).toMatchObject({
    window_id: START_MS / MINUTE_MS + 41,
    reconstruction_error: newest.reconstructionError,
    normalized_error: newest.normalizedError,
    severity: 'critical',
    rank: newest.rank,
    exact: true,
  });
  const shares = explained.top_templates.reduce((sum, { share }) => sum + share, 0);
  expect(shares).toBeCloseTo(1, 6);
  expect(explained.top_templates[0]).toMatchObject({
    template: expect.stringContaining('upstream database connection refused') as string,
    usual_count: 0,
    first_seen_unix_ms: START_MS + 40 * MINUTE_MS + 1_000,
  });
  expect(explained.modes.length).toBe(explained.rank);
  for (const { modulus } of explained.modes) expect(modulus).toBeGreaterThanOrEqual(0);
  expect(explained.errors.length).toBe(40);
  expect(explained.errors.slice(0, 6).every(({ reconstruction_error }) => reconstruction_error === null)).toBe(true);
  expect(explained.errors[6]!.reconstruction_error).toBeGreaterThan(0);

  expect(await service.api('/api/v1/anomalies')).toMatchObject({
    anomalies: [{ source: 'file:nginx', phase: 'start', severity: 'critical' }],
  });
  const unknown = await fetch(`http://127.0.0.1:${service.ports.admin}/api/v1/sources/file%3Anginx/windows/1/explain`);
  expect(unknown.status).toBe(404);
});

test('the page is served, and events stream what happens', async () => {
  await using service = await startTestService({ clock: 'event' });
  const base = `http://127.0.0.1:${service.ports.admin}`;
  const page = await fetch(`${base}/`);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(await page.text()).toMatch(/^<!doctype html>/i);

  await sendMinutes(service.grpc, 'nginx', 0, 40);
  const leaving = new AbortController();
  const events = await fetch(`${base}/api/v1/events`, { signal: leaving.signal });
  expect(events.headers.get('content-type')).toContain('text/event-stream');
  await sendMinutes(service.grpc, 'nginx', 40, 42, brokenMinute);
  let text = '';
  for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (/event: anomaly\n(.*\n)*?\n[^]*event: step/.test(text)) break;
  }
  leaving.abort();
  const [, data] = /event: anomaly\ndata: (.*)\n/.exec(text)!;
  expect(JSON.parse(data!)).toMatchObject({ source: 'file:nginx', phase: 'start', severity: 'critical' });
  expect(text).toMatch(/event: step\ndata: \{"step_end_unix_ms":\d+,"windows":1,"gap":false\}\n/);
});
