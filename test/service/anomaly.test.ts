import { describe, expect, test } from 'vitest';
import { startGrpcReceiver, startHttpReceiver, type ReceivedRecord } from '../alert/otlp-receiver.ts';
import {
  resourceLogs,
  brokenMinute,
  EXEMPLAR,
  MINUTE_MS,
  sendMinutes,
  START_MS,
  startServe,
  startTestService,
  until,
  usualMinute,
  Sender,
  fileLogs,
  passTime,
  sendHttp,
  type TestService,
} from './harness.ts';
import { encodeRequest } from '../receive/oracle.ts';

/** 40 usual minutes, 3 broken ones, then usual ones until the episode is over. */
async function sendIncident(sender: Sender, isOver: () => boolean): Promise<void> {
  await sendMinutes(sender, 'nginx', 0, 40);
  await sendMinutes(sender, 'nginx', 40, 43, brokenMinute);
  for (let minute = 43; !isOver(); minute++) {
    expect(minute).toBeLessThan(100);
    await sendMinutes(sender, 'nginx', minute, minute + 1);
  }
}

const hasEnded = (service: TestService) => () => service.anomalies.some(({ phase }) => phase === 'end');

function assertIncident(received: ReceivedRecord[]): void {
  const [start] = received;
  const end = received.find(({ attributes }) => attributes['logdrift.phase'] === 'end')!;
  expect(start).toMatchObject({
    resource: { 'service.name': 'nginx' },
    scope: { name: 'logdrift' },
    record: {
      eventName: 'logdrift.anomaly',
      severityNumber: 17,
      severityText: 'ERROR',
      timeUnixNano: String(BigInt(START_MS + 41 * MINUTE_MS) * 1_000_000n),
      traceId: EXEMPLAR.traceId,
      spanId: EXEMPLAR.spanId,
    },
    attributes: {
      source: 'file:nginx',
      severity: 'critical',
      window_id: START_MS / MINUTE_MS + 41,
      'logdrift.source': 'file:nginx',
      'logdrift.source.type': 'file',
      'logdrift.source.id': 'nginx',
      'logdrift.detector': 'dmd',
      'logdrift.phase': 'start',
      'logdrift.threshold': 3,
      'logdrift.exemplar.trace_ids': [EXEMPLAR.traceId],
    },
  });
  const { attributes, record } = start!;
  expect(attributes['normalized_error']).toBeGreaterThan(3);
  expect(attributes['logdrift.score']).toBe(attributes['normalized_error']);
  expect(attributes['reconstruction_error']).toBeGreaterThan(0);
  expect(record.body.stringValue).toMatch(/^file:nginx drifted: .*; \d+\.\d sigma \(critical above 3\.0\)$/);
  expect(record.body.stringValue).toContain('upstream database connection refused');
  expect(attributes['message']).toBe(record.body.stringValue);
  expect(attributes['logdrift.templates.new']).toEqual(
    expect.arrayContaining([expect.stringContaining('upstream database connection refused')]),
  );

  expect(end.record).toMatchObject({ eventName: 'logdrift.anomaly.resolved', severityNumber: 9, severityText: 'INFO' });
  expect(end.attributes['logdrift.episode.id']).toBe(attributes['logdrift.episode.id']);
  expect(end.attributes['logdrift.phase']).toBe('end');
  expect(end.attributes['log.record.uid']).not.toBe(attributes['log.record.uid']);
}

describe('an injected drift becomes an anomaly record, and its end another, at a real OTLP receiver', () => {
  test('over HTTP/protobuf', async () => {
    await using receiver = await startHttpReceiver();
    await using service = await startTestService({
      clock: 'event',
      detectors: '[dmd]',
      'exporters.otlp.endpoint': receiver.endpoint,
    });
    await sendIncident(service.grpc, hasEnded(service));
    await until('all records', () => receiver.received.length === service.anomalies.length);
    assertIncident(receiver.received);
    expect(receiver.requests[0]!.path).toBe('/v1/logs');
    const started = service.anomalies.filter(({ phase }) => phase !== 'end').length;
    expect(await service.metric('logdrift_anomalies_detected_total', { source: 'file:nginx' })).toBe(started);
    const sent = () => service.metric('logdrift_exporter_sent_log_records_total');
    await until('all are counted as sent', async () => (await sent()) === receiver.received.length);
  });

  test('over gRPC', async () => {
    await using receiver = await startGrpcReceiver();
    await using service = await startTestService({
      clock: 'event',
      detectors: '[dmd]',
      'exporters.otlp.endpoint': receiver.endpoint,
      'exporters.otlp.protocol': 'grpc',
    });
    await sendIncident(service.grpc, hasEnded(service));
    await until('all records', () => receiver.received.length === service.anomalies.length);
    assertIncident(receiver.received);
  });
});

test('with no destination an anomaly is one JSON line on stdout, and nothing else is', async () => {
  await using serve = await startServe({ clock: 'event', detectors: '[dmd]' });
  using sender = new Sender(serve.ports.grpc);
  await sendIncident(sender, () => serve.stdout().includes('"phase":"end"'));
  const lines = serve
    .stdout()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toMatchObject({ source: 'file:nginx', severity: 'critical', phase: 'start', detector: 'dmd' });
  const ended = lines.find((line) => line['phase'] === 'end');
  expect(ended).toMatchObject({ source: 'file:nginx', episode_id: lines[0]!['episode_id'] });
});

test('a destination that is away for a while gets the anomaly when it is back, once', async () => {
  await using receiver = await startHttpReceiver([{ status: 503 }]);
  await using service = await startTestService({ clock: 'event', 'exporters.otlp.endpoint': receiver.endpoint });
  await sendMinutes(service.grpc, 'nginx', 0, 40);
  await sendMinutes(service.grpc, 'nginx', 40, 41, brokenMinute);
  await passTime(service.grpc, 41);
  await until('the anomaly', () => receiver.received.length > 0);
  expect(receiver.received.length).toBe(1);
  expect(receiver.requests.map(({ status }) => status)).toEqual([503, 200]);
  expect(await service.metric('logdrift_anomalies_detected_total')).toBe(1);
});

test('a muted source is scored and raises no alert', async () => {
  await using service = await startTestService({ clock: 'event', 'sources.muted': '["file:ngi*"]' });
  await sendMinutes(service.grpc, 'nginx', 0, 40);
  await sendMinutes(service.grpc, 'nginx', 40, 42, brokenMinute);
  const loud = service.verdicts.find((verdict) => verdict.severity === 'critical');
  expect(loud?.gates).toContain('muted');
  expect(service.anomalies).toEqual([]);
});

test('our own anomalies coming back are dropped and counted, by scope and by event name', async () => {
  await using service = await startTestService();
  const ours = resourceLogs({ 'service.name': 'nginx' }, [{ text: 'otlp:nginx drifted: 3.4 sigma' }], 'logdrift');
  const renamed = {
    resource: { attributes: [{ key: 'service.name', value: { stringValue: 'nginx' } }] },
    scopeLogs: [
      { scope: { name: 'routed' }, logRecords: [{ body: { stringValue: 'drifted' }, eventName: 'logdrift.anomaly' }] },
    ],
  };
  expect(await sendHttp(service.ports.http, ours)).toEqual({ rejected: 0, message: '' });
  expect(await service.grpc.sendBytes(encodeRequest({ resourceLogs: [renamed] }))).toEqual({
    rejected: 0,
    message: '',
  });
  expect(await service.metric('logdrift_dropped_records_total', { reason: 'own_anomaly' })).toBe(2);
  expect(await service.api('/api/v1/stats')).toEqual({ enabled: true, active_detectors: 0, sources: [] });
  await service.grpc.send(fileLogs('nginx', usualMinute(0)));
  expect(await service.metric('logdrift_dropped_records_total', { reason: 'own_anomaly' })).toBe(2);
});
