import { expect, test } from 'vitest';
import { fileLogs, sendMinutes, startTestService, until, type TestService } from './harness.ts';

/** Idle after so long that it is not by mere slowness of the machine. */
const PACE = { window_step: '100ms', window_size: '200ms', cleanup_interval: '200ms', max_idle_time: '4s' };
const SEED_LINES = [
  'info  Creating drift detector for source: file:nginx (total detectors: 1)',
  'info  Drift detector created for source: file:nginx (total detectors: 1)',
  'info  Removing idle drift detector for source: file:nginx',
  'info  Drift detector removed (remaining detectors: 0)',
  'info  Cleaned up 1 idle drift detectors',
];

const speak = (service: TestService) => service.grpc.send(fileLogs('nginx', [{ text: 'GET / 200' }]));
const about = (service: TestService) => service.lines.filter((line) => /detector/i.test(line));
const newestError = (service: TestService) => service.verdictsOf('file:nginx').at(-1)?.reconstructionError ?? null;

test('an idle source is removed with its series and returns when it speaks again, without a new warm-up', async () => {
  await using service = await startTestService(PACE);
  expect(await service.api('/api/v1/stats')).toEqual({ enabled: true, active_detectors: 0, sources: [] });
  await until('the source has an error', async () => {
    await speak(service);
    return newestError(service) !== null;
  });
  expect(await service.api('/api/v1/stats')).toEqual({ enabled: true, active_detectors: 1, sources: ['file:nginx'] });
  expect(about(service)).toEqual(SEED_LINES.slice(0, 2));
  expect(await service.metrics()).toContain('source="file:nginx"');
  expect(await service.metric('logdrift_active_sources')).toBe(1);

  await until('the idle source is removed', () => about(service).length === 5);
  expect(about(service)).toEqual(SEED_LINES);
  expect(await service.api('/api/v1/stats')).toEqual({ enabled: true, active_detectors: 0, sources: [] });
  expect(await service.metrics()).not.toContain('file:nginx');
  expect(await service.metric('logdrift_active_sources')).toBe(0);
  expect((await fetch(`http://127.0.0.1:${service.ports.admin}/api/v1/sources/file%3Anginx`)).status).toBe(404);

  const before = service.verdictsOf('file:nginx').length;
  await speak(service);
  expect(await service.api('/api/v1/stats')).toEqual({ enabled: true, active_detectors: 1, sources: ['file:nginx'] });
  expect(about(service).slice(5)).toEqual(SEED_LINES.slice(0, 2));
  expect(await service.metrics()).toContain('source="file:nginx"');
  const first = await until('a window after the return', () => service.verdictsOf('file:nginx')[before]);
  expect(first.reconstructionError).not.toBeNull();
});

test('above 20 births a second the log gives a summary', async () => {
  await using service = await startTestService();
  await service.grpc.send(...Array.from({ length: 50 }, (_, k) => fileLogs(`app-${k}`, [{ text: 'hello' }])));
  await until('the summary', () => service.lines.includes('info  Created 30 more drift detectors'));
  expect(service.lines.filter((line) => line.includes('Drift detector created')).length).toBe(20);
  expect(await service.api('/api/v1/stats')).toMatchObject({ active_detectors: 50 });
});

test('on event time idleness is measured in log time', async () => {
  await using service = await startTestService({ clock: 'event' });
  await sendMinutes(service.grpc, 'nginx', 0, 3);
  await sendMinutes(service.grpc, 'redis', 3, 33);
  expect(service.lines).not.toContain('info  Removing idle drift detector for source: file:nginx');
  await sendMinutes(service.grpc, 'redis', 33, 41);
  expect(service.lines).toContain('info  Removing idle drift detector for source: file:nginx');
  expect(service.lines).toContain('info  Drift detector removed (remaining detectors: 1)');
  expect(await service.api('/api/v1/stats')).toEqual({ enabled: true, active_detectors: 1, sources: ['file:redis'] });
});
