import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Metadata, status } from '@grpc/grpc-js';
import { beforeEach, expect, test } from 'vitest';
import { recordUid } from '../../src/alert/anomaly-record.ts';
import type { Anomaly } from '../../src/alert/anomaly.ts';
import { Episodes } from '../../src/alert/episodes.ts';
import { createAnomalyExporter, type AnomalyExporterOptions } from '../../src/alert/otlp-export.ts';
import { logsUrl, retryAfterMs } from '../../src/alert/otlp-http.ts';
import type { OtlpExporterConfig } from '../../src/config/config.ts';
import type { Verdict } from '../../src/detect/verdict.ts';
import { createLog, type Log } from '../../src/telemetry/log.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { partialSuccess, startGrpcReceiver, startHttpReceiver } from './otlp-receiver.ts';
import { STEP_MS, topTemplate, verdict } from './verdict.ts';
import { EPISODE_OPTIONS } from './episode-options.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const API_2: ReadonlyMap<string, string> = new Map([
  ['service.name', 'api-2'],
  ['service.namespace', 'shop'],
]);

let lines: string[];
let log: Log;
beforeEach(() => {
  lines = [];
  log = createLog({ write: (line) => lines.push(line) });
});

function exporter(otlp: Partial<OtlpExporterConfig>, more: Partial<AnomalyExporterOptions> = {}) {
  return createAnomalyExporter({
    otlp: { endpoint: null, protocol: 'http/protobuf', headers: {}, timeoutMs: 60_000, queueSize: 1_000, ...otlp },
    version: '0.1.0',
    instanceId: 'node-1',
    log,
    now: () => 1_795_353_600_500,
    initialBackoffMs: 5,
    ...more,
  });
}

function start(more: Partial<Verdict> = {}): Anomaly {
  return new Episodes(EPISODE_OPTIONS).observe(verdict({ score: 3.5, ...more }))!;
}

function telemetry() {
  const options = { sources: [], sourceLabel: true, channelScores: false, otlpEndpoint: null, otlpIntervalMs: 60_000 };
  return createTelemetry({ ...options, version: '0.1.0', instanceId: 'node-1', log });
}

/** Only what never comes takes as long. */
const soon = () => AbortSignal.timeout(60_000);

test('an anomaly arrives with the Resource of its source, severity, attributes and trace id', async () => {
  await using receiver = await startHttpReceiver();
  await using out = exporter({ endpoint: receiver.endpoint, headers: { 'x-tenant': 'shop' } });
  const anomaly = start({
    windowId: 29_922_560,
    score: 3.5,
    normalizedError: 3.5,
    reconstructionError: 1.25,
    newTemplates: ['connect ECONNREFUSED <*>'],
    topTemplates: [topTemplate(), topTemplate({ template: 'x', traceIds: [TRACE_ID], spanIds: [SPAN_ID] })],
  });
  out.send(anomaly, API_2);
  expect(await out.flush(soon())).toBe(0);

  expect(receiver.requests[0]).toMatchObject({
    path: '/v1/logs',
    headers: { 'content-type': 'application/x-protobuf', 'x-tenant': 'shop', 'user-agent': 'logdrift/0.1.0' },
  });
  const [received] = receiver.received;
  expect(received!.resource).toEqual({ 'service.name': 'api-2', 'service.namespace': 'shop' });
  expect(received!.scope).toMatchObject({ name: 'logdrift', version: '0.1.0' });
  expect(received!.record).toMatchObject({
    timeUnixNano: '1795353600000000000',
    observedTimeUnixNano: '1795353600500000000',
    eventName: 'logdrift.anomaly',
    severityNumber: 17,
    severityText: 'ERROR',
    body: { stringValue: anomaly.message },
    traceId: TRACE_ID,
    spanId: SPAN_ID,
  });
  expect(received!.attributes).toEqual({
    message: anomaly.message,
    source: 'otlp:api-2',
    severity: 'critical',
    window_id: 29_922_560,
    normalized_error: 3.5,
    reconstruction_error: 1.25,
    'logdrift.source': 'otlp:api-2',
    'logdrift.source.type': 'otlp',
    'logdrift.source.id': 'api-2',
    'logdrift.severity': 'critical',
    'logdrift.score': 3.5,
    'logdrift.threshold': 3,
    'logdrift.detector': 'dmd',
    'logdrift.error.reconstruction': 1.25,
    'logdrift.error.normalized': 3.5,
    'logdrift.episode.id': anomaly.episodeId,
    'logdrift.phase': 'start',
    'logdrift.window.id': 29_922_560,
    'logdrift.window.start': '2026-11-22T13:18:00.000Z',
    'logdrift.window.end': '2026-11-22T13:20:00.000Z',
    'logdrift.window.record_count': 240,
    'logdrift.templates.new': ['connect ECONNREFUSED <*>'],
    'logdrift.templates.top': ['GET /product/<*>', 'x'],
    'logdrift.model.rank': 10,
    'logdrift.exemplar.trace_ids': [TRACE_ID],
    'logdrift.instance.id': 'node-1',
    'log.record.template': 'GET /product/<*>',
    'logdrift.template.id': '00112233aabbccdd',
    'log.record.uid': recordUid(anomaly, 'node-1'),
  });
});

test('an anomaly has the Resource of logdrift where anomaly.resource is self', async () => {
  await using receiver = await startHttpReceiver();
  await using out = exporter({ endpoint: receiver.endpoint }, { resource: 'self' });
  out.send(start(), API_2);
  expect(await out.flush(soon())).toBe(0);
  expect(receiver.received[0]).toMatchObject({
    resource: { 'service.name': 'logdrift', 'service.instance.id': 'node-1' },
    attributes: { 'logdrift.source': 'otlp:api-2' },
  });
  expect(receiver.received[0]!.resource).not.toHaveProperty('service.namespace');
});

test('docs/operations.md says what every attribute of an anomaly is', async () => {
  await using receiver = await startHttpReceiver();
  await using out = exporter({ endpoint: receiver.endpoint });
  const traced = topTemplate({ traceIds: [TRACE_ID], spanIds: [SPAN_ID] });
  const anomaly = start({ reconstructionError: 1, newTemplates: ['a'], topTemplates: [traced] });
  out.send({ ...anomaly, raisedBy: 0.5, verdict: { ...anomaly.verdict, gates: ['recurrent'] } }, API_2, 7);
  expect(await out.flush(soon())).toBe(0);
  const table = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')
    .split('\n## The record of an anomaly\n')[1]!
    .split('\n## ')[0]!;
  const described = new Set(
    [...table.matchAll(/^\|(.*?)\|/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
    ),
  );
  const sent = Object.keys(receiver.received[0]!.attributes);
  expect(sent.filter((name) => !described.has(name))).toEqual([]);
  expect([...described].filter((name) => !sent.includes(name))).toEqual([]);
});

test('what of its window was not analysed is told', async () => {
  await using receiver = await startHttpReceiver();
  await using out = exporter({ endpoint: receiver.endpoint });
  out.send(start(), API_2, 7);
  expect(await out.flush(soon())).toBe(0);
  expect(receiver.received[0]!.attributes['logdrift.dropped_records']).toBe(7);
});

test('a warning is WARN 13, a resolved episode INFO 9 under an event name of its own', async () => {
  await using receiver = await startHttpReceiver();
  await using out = exporter({ endpoint: `${receiver.endpoint}/v1/logs` });
  const episodes = new Episodes(EPISODE_OPTIONS);
  for (const [i, score] of [2.5, 0, 0].entries()) {
    const anomaly = episodes.observe(verdict({ windowId: 1_000 + i, score }));
    if (anomaly) out.send(anomaly, API_2);
  }
  await out.flush(soon());
  expect(receiver.requests.map((request) => request.path)).toEqual(['/v1/logs']);
  expect(receiver.received.map(({ record }) => [record.eventName, record.severityNumber, record.severityText])).toEqual(
    [
      ['logdrift.anomaly', 13, 'WARN'],
      ['logdrift.anomaly.resolved', 9, 'INFO'],
    ],
  );
  expect(receiver.received[1]!.attributes).toMatchObject({ severity: 'warning', 'logdrift.phase': 'end' });
});

test('what is null is left out, a source key without a type has none', async () => {
  await using receiver = await startHttpReceiver();
  await using out = exporter({ endpoint: receiver.endpoint });
  out.send(start({ source: 'default', normalizedError: null }), new Map());
  await out.flush(soon());
  const [received] = receiver.received;
  expect(received!.record.traceId).toBe('');
  const keys = Object.keys(received!.attributes);
  for (const absent of [
    'normalized_error',
    'logdrift.error.normalized',
    'logdrift.source.type',
    'log.record.template',
    'logdrift.template.id',
  ]) {
    expect(keys).not.toContain(absent);
  }
  expect(received!.attributes['logdrift.source.id']).toBe('default');
});

test('long template lists are cut to 5 entries of 256 characters', async () => {
  await using receiver = await startHttpReceiver();
  await using out = exporter({ endpoint: receiver.endpoint });
  const topTemplates = Array.from({ length: 9 }, (_, i) => topTemplate({ template: `${i}${'x'.repeat(400)}` }));
  out.send(start({ topTemplates }), API_2);
  await out.flush(soon());
  const top = receiver.received[0]!.attributes['logdrift.templates.top'] as string[];
  expect(top).toHaveLength(5);
  expect(top.every((template) => template.length === 256)).toBe(true);
});

test('the uid has ULID layout, is equal on retry and differs between phases and nodes', () => {
  const anomaly = start();
  const uid = recordUid(anomaly, 'node-1');
  expect(uid).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  expect(recordUid(anomaly, 'node-1')).toBe(uid);
  expect(recordUid(anomaly, 'node-2')).not.toBe(uid);
  expect(recordUid({ ...anomaly, phase: 'end' }, 'node-1')).not.toBe(uid);
  const timeMs = [...uid.slice(0, 10)].reduce((ms, c) => ms * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(c), 0);
  expect(timeMs).toBe(1_000 * STEP_MS);
});

test('the anomalies of one step share a request, grouped by source', async () => {
  await using receiver = await startHttpReceiver();
  await using out = exporter({ endpoint: receiver.endpoint });
  for (let i = 0; i < 20; i++) out.send(start({ source: `otlp:s${i}` }), API_2);
  await out.flush(soon());
  expect([receiver.requests.length, receiver.received.length]).toEqual([1, 20]);
});

test.each([429, 502, 503, 504])('%i is retried until it succeeds, with the same uid', async (code) => {
  await using receiver = await startHttpReceiver([{ status: code }, { status: code }]);
  await using out = exporter({ endpoint: receiver.endpoint });
  const anomaly = start();
  out.send(anomaly, API_2);
  expect(await out.flush(soon())).toBe(0);
  expect(receiver.requests.map((request) => request.status)).toEqual([code, code, 200]);
  expect(receiver.received.map(({ attributes }) => attributes['log.record.uid'])).toEqual([
    recordUid(anomaly, 'node-1'),
  ]);
});

test('Retry-After is honoured', async () => {
  await using receiver = await startHttpReceiver([{ status: 503, headers: { 'Retry-After': '1' } }]);
  await using out = exporter({ endpoint: receiver.endpoint });
  out.send(start(), API_2);
  await out.flush(soon());
  const [first, second] = receiver.requests;
  expect(second!.atMs - first!.atMs).toBeGreaterThan(900);
});

test.each([400, 401, 404, 413, 500])(
  '%i loses the batch at once, counted and logged, and the next one goes on',
  async (code) => {
    await using receiver = await startHttpReceiver([
      { status: code, headers: { 'Content-Type': 'text/plain' }, body: Buffer.from('no such tenant') },
    ]);
    await using t = telemetry();
    await using out = exporter({ endpoint: receiver.endpoint }, { metrics: t.instruments.exporter });
    out.send(start(), API_2);
    await out.flush(soon());
    out.send(start(), API_2);
    await out.flush(soon());
    expect(receiver.requests.map((request) => request.status)).toEqual([code, 200]);
    expect(lines.join('')).toMatch(new RegExp(`rejected anomalies.*records=1.*HTTP ${code} .*no such tenant`));
    const text = await t.prometheusText();
    expect(text).toContain('logdrift_exporter_send_failed_log_records_total 1');
    expect(text).toContain('logdrift_exporter_sent_log_records_total 1');
  },
);

test('a partial success is counted and logged, not retried', async () => {
  await using receiver = await startHttpReceiver([{ status: 200, body: partialSuccess(1, 'too old') }]);
  await using t = telemetry();
  await using out = exporter({ endpoint: receiver.endpoint }, { metrics: t.instruments.exporter });
  out.send(start(), API_2);
  out.send(start({ source: 'otlp:b' }), API_2);
  await out.flush(soon());
  expect(receiver.requests).toHaveLength(1);
  expect(lines.join('')).toMatch(/only in part.*rejected=1 message="too old"/);
  const text = await t.prometheusText();
  expect(text).toContain('logdrift_exporter_sent_log_records_total 1');
  expect(text).toContain('logdrift_exporter_send_failed_log_records_total 1');
});

test('while the destination is away the queue holds the newest, counts the rest and never waits', async () => {
  await using t = telemetry();
  const out = exporter({ endpoint: 'http://127.0.0.1:1', queueSize: 3 }, { metrics: t.instruments.exporter });
  for (let i = 0; i < 10; i++) out.send(start({ source: `otlp:s${i}` }), API_2);
  expect(out.queueSize).toBe(3);
  expect(await out.flush(AbortSignal.timeout(100))).toBe(3);
  expect(await t.prometheusText()).toContain('logdrift_exporter_dropped_log_records_total{reason="queue_full"} 7');
  await out[Symbol.asyncDispose]();
  expect(await t.prometheusText()).toContain('logdrift_exporter_dropped_log_records_total{reason="shutdown"} 3');
});

test('what waited for the destination is delivered in order once it is there', async () => {
  await using receiver = await startHttpReceiver([{ status: 503 }, { status: 503 }]);
  await using out = exporter({ endpoint: receiver.endpoint, queueSize: 3 });
  for (let i = 0; i < 5; i++) out.send(start({ source: `otlp:s${i}` }), API_2);
  await out.flush(soon());
  expect(receiver.received.map(({ attributes }) => attributes['source'])).toEqual(['otlp:s2', 'otlp:s3', 'otlp:s4']);
});

test('a destination that never answers is given up after the timeout and tried again', async () => {
  let connections = 0;
  const mute = createServer((socket) => {
    connections++;
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { port } = mute.address() as { port: number };
  const out = exporter({ endpoint: `http://127.0.0.1:${port}`, timeoutMs: 50 });
  out.send(start(), API_2);
  await expect.poll(() => connections).toBeGreaterThan(1);
  expect(await out.flush(AbortSignal.abort())).toBe(1);
  await out[Symbol.asyncDispose]();
  mute.close();
});

test('gRPC carries the same record, with headers as metadata', async () => {
  await using receiver = await startGrpcReceiver();
  await using out = exporter({ endpoint: receiver.endpoint, protocol: 'grpc', headers: { 'X-Tenant': 'shop' } });
  const anomaly = start();
  out.send(anomaly, API_2);
  expect(await out.flush(soon())).toBe(0);
  expect(receiver.calls[0]!.metadata).toMatchObject({ 'x-tenant': 'shop' });
  expect(receiver.received[0]).toMatchObject({
    resource: { 'service.name': 'api-2' },
    scope: { name: 'logdrift' },
    record: { eventName: 'logdrift.anomaly', severityNumber: 17 },
    attributes: { 'log.record.uid': recordUid(anomaly, 'node-1') },
  });
});

test('gRPC retries UNAVAILABLE, and RESOURCE_EXHAUSTED only with a RetryInfo', async () => {
  // google.rpc.Status { code 8, details [Any { google.rpc.RetryInfo { retry_delay { nanos: 1_000_000 } } }] }
  const retryDelay = Buffer.from([0x0a, 0x04, 0x10, 0xc0, 0x84, 0x3d]);
  const type = Buffer.from('type.googleapis.com/google.rpc.RetryInfo');
  const any = Buffer.concat([
    Buffer.from([0x0a, type.length]),
    type,
    Buffer.from([0x12, retryDelay.length]),
    retryDelay,
  ]);
  const details = Buffer.concat([Buffer.from([0x08, 8, 0x1a, any.length]), any]);
  const withRetryInfo = new Metadata();
  withRetryInfo.set('grpc-status-details-bin', details);
  await using receiver = await startGrpcReceiver([
    { code: status.UNAVAILABLE, details: 'starting' },
    { code: status.RESOURCE_EXHAUSTED, details: 'full', metadata: withRetryInfo },
    null,
    { code: status.RESOURCE_EXHAUSTED, details: 'too large' },
    { code: status.INVALID_ARGUMENT, details: 'bad' },
  ]);
  await using out = exporter({ endpoint: `http://${receiver.endpoint}`, protocol: 'grpc' });
  out.send(start({ source: 'otlp:kept' }), API_2);
  await out.flush(soon());
  expect([receiver.calls.length, receiver.received.length]).toEqual([3, 1]);
  out.send(start({ source: 'otlp:lost' }), API_2);
  await out.flush(soon());
  out.send(start({ source: 'otlp:lost' }), API_2);
  await out.flush(soon());
  expect([receiver.calls.length, receiver.received.length]).toEqual([5, 1]);
});

test('a gRPC destination that is away leaves the records queued', async () => {
  await using out = exporter({ endpoint: '127.0.0.1:1', protocol: 'grpc' });
  out.send(start(), API_2);
  expect(await out.flush(AbortSignal.timeout(200))).toBe(1);
});

test('without an endpoint every anomaly is one JSON line on stdout', async () => {
  const stdout = new PassThrough();
  await using out = exporter({}, { stdout });
  out.send(start(), API_2);
  out.send(start({ source: 'otlp:b' }), API_2);
  await out.flush(soon());
  const printed = String(stdout.read()).trimEnd().split('\n');
  expect(printed.map((line) => (JSON.parse(line) as { source: string }).source)).toEqual(['otlp:api-2', 'otlp:b']);
});

test('a reader of stdout that is slow loses the oldest lines, counted; one that has gone stops the printing, not the service', async () => {
  const stdout = new PassThrough({ highWaterMark: 1 });
  await using t = telemetry();
  await using out = exporter({ queueSize: 2 }, { stdout, metrics: t.instruments.exporter });
  for (let i = 0; i < 5; i++) out.send(start({ source: `s${i}` }), API_2);
  expect(out.queueSize).toBe(2);
  expect(await t.prometheusText()).toContain('logdrift_exporter_dropped_log_records_total{reason="queue_full"} 2');
  stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  await new Promise((resolve) => stdout.once('close', resolve));
  out.send(start(), API_2);
  expect(lines.filter((line) => line.includes('stdout is closed'))).toHaveLength(1);
  expect(await t.prometheusText()).toContain('logdrift_exporter_dropped_log_records_total{reason="stdout_closed"} 3');
});

test('an endpoint is completed with /v1/logs once; a bad one names its key', () => {
  expect(logsUrl('collector:4318').href).toBe('http://collector:4318/v1/logs');
  expect(logsUrl('https://c/otlp/').href).toBe('https://c/otlp/v1/logs');
  expect(logsUrl('http://c:4318/v1/logs').href).toBe('http://c:4318/v1/logs');
  expect(() => exporter({ endpoint: 'http://' })).toThrow(/exporters\.otlp.*"http:\/\/"/);
});

test('Retry-After is seconds or a date', () => {
  expect(retryAfterMs('7')).toBe(7_000);
  expect(retryAfterMs('Sun, 22 Nov 2026 13:00:05 GMT', Date.UTC(2026, 10, 22, 13))).toBe(5_000);
  expect(retryAfterMs('soon')).toBeNull();
  expect(retryAfterMs(undefined)).toBeNull();
});
