import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { createLog } from '../../src/telemetry/log.ts';
import { createPerSourceProducer, type SourceMetrics } from '../../src/telemetry/per-source-producer.ts';
import { createTelemetry, metricsUrl, type TelemetryOptions } from '../../src/telemetry/telemetry.ts';

interface Source extends SourceMetrics {
  anomalies: { warning: number; critical: number };
  reconstructionError: number | null;
  normalizedError: number | null;
  received: number;
  dropped: Map<string, number>;
}

function source(key: string, more: Partial<Source> = {}): Source {
  return {
    key,
    createdMs: 1_000,
    anomalies: { warning: 0, critical: 0 },
    reconstructionError: null,
    normalizedError: null,
    channelScores: null,
    received: 0,
    late: 0,
    dropped: new Map(),
    ...more,
  };
}

function telemetry(sources: Iterable<SourceMetrics>, more: Partial<TelemetryOptions> = {}) {
  return createTelemetry({
    sources,
    sourceLabel: true,
    channelScores: false,
    otlpEndpoint: null,
    otlpIntervalMs: 60_000,
    version: '0.1.0',
    instanceId: 'i-1',
    log: createLog({ write: () => {} }),
    ...more,
  });
}

/** Sample lines of the exposition, without those of the process. */
async function samples(of: { prometheusText(): Promise<string> }, pattern: RegExp): Promise<string[]> {
  const text = await of.prometheusText();
  return text.split('\n').filter((line) => !line.startsWith('#') && pattern.test(line));
}

const PER_SOURCE = /^logdrift_(anomalies|dmd|source)_/;

test('a source has both severities at 0 from the moment it appears, and no error before it is scored', async () => {
  await using t = telemetry([source('file:nginx')]);
  expect(await samples(t, PER_SOURCE)).toEqual([
    'logdrift_anomalies_detected_total{severity="warning",source="file:nginx"} 0',
    'logdrift_anomalies_detected_total{severity="critical",source="file:nginx"} 0',
    'logdrift_source_received_records_total{source="file:nginx"} 0',
    'logdrift_source_late_records_total{source="file:nginx"} 0',
  ]);
});

test('a scored source shows exactly the promised names and labels', async () => {
  const nginx = source('file:nginx', {
    anomalies: { warning: 2, critical: 1 },
    reconstructionError: 1.5,
    normalizedError: -0.25,
    received: 7,
    late: 3,
    dropped: new Map([['queue_full', 4]]),
  });
  await using t = telemetry([nginx]);
  expect(await samples(t, PER_SOURCE)).toEqual([
    'logdrift_anomalies_detected_total{severity="warning",source="file:nginx"} 2',
    'logdrift_anomalies_detected_total{severity="critical",source="file:nginx"} 1',
    'logdrift_dmd_reconstruction_error{source="file:nginx"} 1.5',
    'logdrift_dmd_normalized_error{source="file:nginx"} -0.25',
    'logdrift_source_received_records_total{source="file:nginx"} 7',
    'logdrift_source_dropped_records_total{reason="queue_full",source="file:nginx"} 4',
    'logdrift_source_late_records_total{source="file:nginx"} 3',
  ]);
  const text = await t.prometheusText();
  expect(text).toContain('# TYPE logdrift_anomalies_detected_total counter');
  expect(text).toContain('# TYPE logdrift_dmd_normalized_error gauge');
  expect(text).not.toContain('otel_scope');
});

test('channel scores are shown when asked for, by channel, and not before there are any', async () => {
  const sources = [source('file:a', { channelScores: { dmd: 0.5, novelty: 6.25 } }), source('file:new')];
  const pattern = /^logdrift_channel_score/;
  await using off = telemetry(sources);
  expect(await samples(off, pattern)).toEqual([]);
  await using on = telemetry(sources, { channelScores: true });
  expect(await samples(on, pattern)).toEqual([
    'logdrift_channel_score{channel="dmd",source="file:a"} 0.5',
    'logdrift_channel_score{channel="novelty",source="file:a"} 6.25',
  ]);
  await using worst = telemetry([...sources, source('file:b', { channelScores: { dmd: 2 } })], {
    channelScores: true,
    sourceLabel: false,
  });
  expect(await samples(worst, pattern)).toEqual([
    'logdrift_channel_score{channel="dmd"} 2',
    'logdrift_channel_score{channel="novelty"} 6.25',
  ]);
});

test('the series of a removed source disappear, and start anew when it comes back', async () => {
  const registry = new Map([
    ['a', source('otlp:a', { received: 9 })],
    ['b', source('otlp:b')],
  ]);
  const live = { [Symbol.iterator]: () => registry.values() };
  await using t = telemetry(live);
  expect((await t.prometheusText()).includes('otlp:a')).toBe(true);
  registry.delete('a');
  const text = await t.prometheusText();
  expect(text).not.toContain('otlp:a');
  expect(text).toContain('otlp:b');
  registry.set('a', source('otlp:a'));
  expect(await t.prometheusText()).toContain('logdrift_source_received_records_total{source="otlp:a"} 0');
});

test('source keys with quotes, backslashes and newlines cannot break the exposition', async () => {
  await using t = telemetry([source('otlp:a"} 1\n evil\\')]);
  expect((await samples(t, /received_records_total/))[0]).toMatch(/\{source="otlp:a\\"\} 1\\n evil\\\\"\} 0$/);
});

test('without the source label counters are sums that a leaving source does not lower, gauges show the worst', async () => {
  const registry = new Map([
    ['a', source('a', { received: 5, normalizedError: 1, dropped: new Map([['queue_full', 1]]) })],
    ['b', source('b', { received: 7, normalizedError: 4, anomalies: { warning: 1, critical: 0 } })],
  ]);
  await using t = telemetry({ [Symbol.iterator]: () => registry.values() }, { sourceLabel: false });
  const expected = [
    'logdrift_anomalies_detected_total{severity="warning"} 1',
    'logdrift_anomalies_detected_total{severity="critical"} 0',
    'logdrift_dmd_normalized_error 4',
    'logdrift_source_received_records_total 12',
    'logdrift_source_dropped_records_total{reason="queue_full"} 1',
    'logdrift_source_late_records_total 0',
  ];
  expect(await samples(t, PER_SOURCE)).toEqual(expected);
  t.retire(registry.get('b')!);
  registry.delete('b');
  expect(await samples(t, PER_SOURCE)).toEqual(expected.with(2, 'logdrift_dmd_normalized_error 1'));
});

test('the metrics of the service itself carry exactly these names', async () => {
  await using t = telemetry([], {
    observed: {
      activeSources: () => 3,
      receiverInflightBytes: () => 1024,
      exporterQueueSize: () => 1,
      exporterQueueCapacity: () => 1_000,
      ingestStalled: () => false,
    },
  });
  const i = t.instruments;
  i.receiver.acceptedRecords.add(5, { transport: 'grpc' });
  i.receiver.requests.add(1, { transport: 'http', outcome: 'refused', code: '503' });
  i.sources.droppedRecords.add(2, { reason: 'queue_full' });
  i.sources.unmappedRecords.add(1, { reason: 'no_attributes' });
  i.sources.evictedTemplates.add(1, { reason: 'history' });
  i.step.lastTimestampSeconds.record(1_795_353_600);
  i.step.lastDurationSeconds.record(0.25);
  i.step.durationSeconds.record(0.25);
  i.embedding.errors.add(1, { reason: 'timeout' });
  i.embedding.requestDurationSeconds.record(0.01);
  i.store.commitDurationSeconds.record(0.01);
  const text = await t.prometheusText();
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
  expect(families.sort()).toEqual([
    'logdrift_active_sources gauge',
    'logdrift_build_info gauge',
    'logdrift_dropped_records_total counter',
    'logdrift_embedding_cache_hits_total counter',
    'logdrift_embedding_cache_misses_total counter',
    'logdrift_embedding_errors_total counter',
    'logdrift_embedding_quarantined_texts_total counter',
    'logdrift_embedding_request_duration_seconds histogram',
    'logdrift_embedding_requests_total counter',
    'logdrift_evicted_templates_total counter',
    'logdrift_exporter_dropped_log_records_total counter',
    'logdrift_exporter_queue_capacity gauge',
    'logdrift_exporter_queue_size gauge',
    'logdrift_exporter_send_failed_log_records_total counter',
    'logdrift_exporter_sent_log_records_total counter',
    'logdrift_ingest_stalled gauge',
    'logdrift_last_step_duration_seconds gauge',
    'logdrift_last_step_timestamp_seconds gauge',
    'logdrift_missed_steps_total counter',
    'logdrift_receiver_accepted_log_records_total counter',
    'logdrift_receiver_failed_log_records_total counter',
    'logdrift_receiver_inflight_bytes gauge',
    'logdrift_receiver_refused_log_records_total counter',
    'logdrift_receiver_requests_total counter',
    'logdrift_step_duration_seconds histogram',
    'logdrift_steps_total counter',
    'logdrift_store_commit_duration_seconds histogram',
    'logdrift_store_commit_errors_total counter',
    'logdrift_store_restore_errors_total counter',
    'logdrift_unmapped_records_total counter',
    'logdrift_unsorted_log_records_total counter',
    'process_cpu_seconds_total counter',
    'process_resident_memory_bytes gauge',
  ]);
  expect(text).toContain('logdrift_receiver_accepted_log_records_total{transport="grpc"} 5');
  expect(text).toContain('logdrift_receiver_accepted_log_records_total{transport="http"} 0');
  expect(text).toContain('logdrift_receiver_requests_total{transport="http",outcome="refused",code="503"} 1');
  expect(text).toContain('logdrift_active_sources 3');
  expect(text).toMatch(/logdrift_build_info\{version="0\.1\.0",node="\d+/);
});

test('a push carries the per-source series with cumulative sums that start when the source did', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const registry = new Set([source('otlp:a', { received: 5, createdMs: 42_000 })]);
  const producer = createPerSourceProducer({
    sources: registry,
    sourceLabel: true,
    channelScores: false,
    scope: { name: 'logdrift', version: '0.1.0' },
    now: () => 60_000,
  });
  const reader = new PeriodicExportingMetricReader({ exporter, metricProducers: [producer] });
  const provider = new MeterProvider({ readers: [reader] });
  await provider.forceFlush();
  registry.clear();
  await provider.forceFlush();
  const [first, second] = exporter.getMetrics().map((pushed) => pushed.scopeMetrics.flatMap((scope) => scope.metrics));
  const received = first!.find((metric) => metric.descriptor.name === 'logdrift_source_received_records')!;
  expect(received).toMatchObject({ isMonotonic: true, aggregationTemporality: AggregationTemporality.CUMULATIVE });
  expect(received.dataPoints[0]).toMatchObject({
    attributes: { source: 'otlp:a' },
    value: 5,
    startTime: [42, 0],
    endTime: [60, 0],
  });
  expect(second ?? []).toEqual([]);
  await provider.shutdown();
});

test('the push reaches /v1/metrics of a real receiver as protobuf', async () => {
  const requests: { url: string; type: string; body: Buffer }[] = [];
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ url: request.url!, type: request.headers['content-type']!, body: Buffer.concat(chunks) });
      response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  {
    await using t = telemetry([source('file:nginx', { normalizedError: 2 })], {
      otlpEndpoint: `http://127.0.0.1:${port}`,
    });
    await t.flush();
    expect(requests).toHaveLength(1);
  }
  expect(requests).toHaveLength(2); // the last push, on shutdown
  expect(requests[0]).toMatchObject({ url: '/v1/metrics', type: 'application/x-protobuf' });
  const body = requests[0]!.body.toString('latin1');
  expect(body).toContain('logdrift_dmd_normalized_error');
  expect(body).toContain('file:nginx');
  receiver.closeAllConnections();
  receiver.close();
});

test('a push endpoint that refuses for good is one log line, not a crash', async () => {
  const receiver = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(400).end());
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  const lines: string[] = [];
  {
    await using t = telemetry([], {
      otlpEndpoint: `http://127.0.0.1:${port}/v1/metrics`,
      log: createLog({ write: (line) => lines.push(line) }),
    });
    await t.flush().catch(() => {});
    await t.flush().catch(() => {});
  }
  expect(lines.filter((line) => line.includes('Metrics push failed'))).toHaveLength(1);
  receiver.closeAllConnections();
  receiver.close();
});

test('the push URL is completed once', () => {
  expect(metricsUrl('http://c:4318')).toBe('http://c:4318/v1/metrics');
  expect(metricsUrl('http://c:4318/')).toBe('http://c:4318/v1/metrics');
  expect(metricsUrl('http://c:4318/v1/metrics')).toBe('http://c:4318/v1/metrics');
});
