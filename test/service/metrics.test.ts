import { expect, test } from 'vitest';
import { brokenMinute, sendMinutes, startTestService, type TestService } from './harness.ts';

const PER_SOURCE = /^logdrift_(anomalies|dmd)_/;

async function perSource(service: TestService): Promise<string[]> {
  return (await service.metrics()).split('\n').filter((line) => PER_SOURCE.test(line));
}

test('the three series of the seed have exactly the promised names and labels', async () => {
  await using service = await startTestService({ clock: 'event' });
  expect(await perSource(service)).toEqual([]);

  await sendMinutes(service.grpc, 'nginx', 0, 1);
  // Both severities are there at 0 before anything was found, so that increase() sees the first anomaly.
  expect(await perSource(service)).toEqual([
    'logdrift_anomalies_detected_total{severity="warning",source="file:nginx"} 0',
    'logdrift_anomalies_detected_total{severity="critical",source="file:nginx"} 0',
  ]);

  await sendMinutes(service.grpc, 'nginx', 1, 40);
  await sendMinutes(service.grpc, 'nginx', 40, 41, brokenMinute);
  await sendMinutes(service.grpc, 'nginx', 41, 42);
  const { reconstructionError, normalizedError } = service.verdictsOf('file:nginx').at(-1)!;
  expect(normalizedError).toBeGreaterThan(3);
  expect((await perSource(service)).sort()).toEqual([
    'logdrift_anomalies_detected_total{severity="critical",source="file:nginx"} 1',
    'logdrift_anomalies_detected_total{severity="warning",source="file:nginx"} 0',
    `logdrift_dmd_normalized_error{source="file:nginx"} ${normalizedError}`,
    `logdrift_dmd_reconstruction_error{source="file:nginx"} ${reconstructionError}`,
  ]);
  const text = await service.metrics();
  expect(text).toContain('# TYPE logdrift_anomalies_detected_total counter\n');
  expect(text).toContain('# TYPE logdrift_dmd_reconstruction_error gauge\n');
  expect(text).toContain('# TYPE logdrift_dmd_normalized_error gauge\n');
  expect(text).not.toContain('otel_scope');
});

test('the service tells its own state: records, sources, steps, embeddings', async () => {
  await using service = await startTestService({ clock: 'event' });
  await sendMinutes(service.grpc, 'nginx', 0, 3);
  const text = await service.metrics();
  const names = new Set([...text.matchAll(/^([a-z_]+)(?:\{|\s)/gm)].map(([, name]) => name));
  for (const name of [
    'logdrift_receiver_accepted_log_records_total',
    'logdrift_receiver_refused_log_records_total',
    'logdrift_active_sources',
    'logdrift_last_step_timestamp_seconds',
    'logdrift_last_step_duration_seconds',
    'logdrift_steps_total',
    'logdrift_embedding_requests_total',
    'logdrift_embedding_cache_hits_total',
    'logdrift_embedding_cache_misses_total',
    'logdrift_exporter_queue_size',
  ]) {
    expect(names, name).toContain(name);
  }
  expect(await service.metric('logdrift_steps_total')).toBe(service.steps.length);
  expect(await service.metric('logdrift_last_step_timestamp_seconds')).toBe(service.steps.at(-1)!.stepEndMs / 1000);
});

test('without the source label the series of all sources are one', async () => {
  await using service = await startTestService({ clock: 'event', 'telemetry.source_label': false });
  await sendMinutes(service.grpc, 'nginx', 0, 2);
  await sendMinutes(service.grpc, 'redis', 0, 2);
  expect(await service.metrics()).not.toContain('source=');
  expect((await perSource(service)).filter((line) => line.startsWith('logdrift_anomalies')).sort()).toEqual([
    'logdrift_anomalies_detected_total{severity="critical"} 0',
    'logdrift_anomalies_detected_total{severity="warning"} 0',
  ]);
});
