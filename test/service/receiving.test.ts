import { expect, test } from 'vitest';
import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, SimpleLogRecordProcessor, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import { brokenMinute, fileLogs, resourceLogs, sendHttp, sendMinutes, startTestService, until } from './harness.ts';

test.each([
  ['grpc', (ports: { grpc: number; http: number }) => new GrpcExporter({ url: `http://127.0.0.1:${ports.grpc}` })],
  ['http', (ports) => new ProtoExporter({ url: `http://127.0.0.1:${ports.http}/v1/logs` })],
  ['http', (ports) => new JsonExporter({ url: `http://127.0.0.1:${ports.http}/v1/logs` })],
] satisfies [string, (ports: { grpc: number; http: number }) => LogRecordExporter][])(
  'the official JS exporter is understood (%s, %#)',
  async (transport, exporterFor) => {
    await using service = await startTestService();
    const provider = new LoggerProvider({
      resource: resourceFromAttributes({ 'service.name': 'checkout', 'service.namespace': 'shop' }),
      processors: [new SimpleLogRecordProcessor({ exporter: exporterFor(service.ports) })],
    });
    const logger = provider.getLogger('app');
    for (let k = 0; k < 20; k++) logger.emit({ body: `order ${k} paid`, attributes: { 'order.id': k } });
    await provider.forceFlush();
    await provider.shutdown();
    expect(await service.metric('logdrift_receiver_accepted_log_records_total', { transport })).toBe(20);
    expect(await service.api('/api/v1/stats')).toMatchObject({ sources: ['otlp:shop/checkout'] });
    expect(await service.api('/api/v1/sources/otlp%3Ashop%2Fcheckout')).toMatchObject({ received_records: 20 });
  },
);

test('switched off, it receives, answers and counts, and analyses nothing', async () => {
  await using service = await startTestService({ enabled: false, clock: 'event' });
  expect(service.lines.at(-1)).toBe(
    'warn  Drift detection is switched off: records are received and answered, nothing is analysed',
  );
  await sendMinutes(service.grpc, 'nginx', 0, 20);
  expect(await sendHttp(service.ports.http, fileLogs('nginx', brokenMinute(20)))).toEqual({ rejected: 0, message: '' });
  const accepted = await service.metric('logdrift_receiver_accepted_log_records_total');
  expect(accepted).toBeGreaterThan(500);
  expect(await service.metric('logdrift_dropped_records_total', { reason: 'disabled' })).toBe(accepted);
  expect(await service.api('/api/v1/stats')).toEqual({ enabled: false, active_detectors: 0, sources: [] });
  expect(service.steps).toEqual([]);
  const ready = await fetch(`http://127.0.0.1:${service.ports.telemetry}/readyz`);
  expect(ready.status).toBe(200);
});

test('records that match no source are one source, counted, with one warning that lists their keys', async () => {
  await using service = await startTestService();
  const stray = (k: number) => resourceLogs({ 'custom.team': 'blue', 'custom.host': `h${k}` }, [{ text: 'hello' }], '');
  await service.grpc.send(stray(0), stray(1));
  await service.grpc.send(stray(2));
  expect(await service.api('/api/v1/stats')).toMatchObject({ active_detectors: 1, sources: ['otlp:unknown'] });
  expect(await service.metric('logdrift_unmapped_records_total')).toBe(3);
  const warnings = () => service.lines.filter((line) => line.includes('otlp:unknown') && line.startsWith('warn'));
  await until('the warning', () => warnings().length > 0);
  await service.grpc.send(stray(3));
  expect(warnings().length).toBe(1);
  expect(warnings()[0]).toContain('custom.team');
  expect(warnings()[0]).toContain('custom.host');
  expect(warnings()[0]).toContain('service.name');
});

test('beyond max_sources new sources are accepted, counted and named in the answer; known ones go on', async () => {
  await using service = await startTestService({ max_sources: 2 });
  const say = (name: string) => service.grpc.send(fileLogs(name, [{ text: 'hello' }]));
  await say('a');
  await say('b');
  const answer = await say('c');
  expect(answer.rejected).toBe(0);
  expect(answer.message).toContain('max_sources');
  expect(await say('a')).toEqual({ rejected: 0, message: '' });
  expect(await service.metric('logdrift_dropped_records_total', { reason: 'source_limit' })).toBe(1);
  expect(await service.api('/api/v1/stats')).toMatchObject({ sources: ['file:a', 'file:b'] });
});

test('a malformed request is refused whole and changes nothing', async () => {
  await using service = await startTestService();
  const good = fileLogs('nginx', [{ text: 'hello' }]);
  await expect(service.grpc.sendBytes(Buffer.from([0x0a, 0x7f, 0x01]))).rejects.toMatchObject({ code: 3 });
  const response = await fetch(`http://127.0.0.1:${service.ports.http}/v1/logs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"resourceLogs": 5}',
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 3, message: expect.stringContaining('resourceLogs') as string });
  expect(await service.api('/api/v1/stats')).toMatchObject({ active_detectors: 0 });
  expect(await service.grpc.send()).toEqual({ rejected: 0, message: '' });
  expect(await service.grpc.send(good)).toEqual({ rejected: 0, message: '' });
});

test('sources are named as the records say', async () => {
  await using service = await startTestService();
  await service.grpc.send(
    fileLogs('nginx', [{ text: 'a' }]),
    resourceLogs({ 'service.name': 'checkout' }, [{ text: 'a' }]),
    resourceLogs(
      {
        'k8s.namespace.name': 'prod',
        'k8s.pod.name': 'api-7d4b9c-xk2lp',
        'k8s.deployment.name': 'api',
        'k8s.container.name': 'api',
      },
      [{ text: 'a' }],
    ),
    resourceLogs({ 'logdrift.source': 'syslog:sshd' }, [{ text: 'a' }]),
  );
  expect(await service.api('/api/v1/stats')).toEqual({
    enabled: true,
    active_detectors: 4,
    sources: ['file:nginx', 'otlp:checkout', 'k8s:prod/api/api', 'syslog:sshd'],
  });
});
