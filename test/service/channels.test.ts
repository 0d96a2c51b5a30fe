import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DETECTOR_NAMES } from '../../src/config/config.ts';
import { brokenMinute, sendMinutes, startTestService, until, type TestService } from './harness.ts';

/** Eleven usual minutes, then broken ones: too few for dmd alone, which is `sparse` and without a z. */
async function sendYoungIncident({ grpc }: TestService): Promise<void> {
  await sendMinutes(grpc, 'nginx', 0, 11);
  await sendMinutes(grpc, 'nginx', 11, 16, brokenMinute);
}

test('by default a young source is heard, and every way to look at the window tells what they said', async () => {
  await using service = await startTestService({ clock: 'event' });
  await sendYoungIncident(service);
  await until('an anomaly', () => service.anomalies.length > 0);
  const { verdict, phase } = service.anomalies[0]!;
  expect(phase).toBe('start');
  expect(verdict.severity).toBe('critical');
  expect(Object.keys(verdict.channels!).sort()).toEqual(DETECTOR_NAMES.toSorted());
  const first = service.verdicts.find(({ score }) => (score ?? 0) > 2)!;
  expect(first.gates).toContain('sparse');
  expect([first.normalizedError, first.channels!.dmd]).toEqual([null, 0]);
  const path = `/api/v1/sources/${encodeURIComponent('file:nginx')}/windows/${verdict.windowId}/explain`;
  expect(await service.api(path)).toMatchObject({
    score: verdict.score,
    detector: verdict.detector,
    channels: verdict.channels,
  });
  await until('its record', () => service.received.length > 0);
  expect(service.received[0]!.attributes['logdrift.detector']).toBe(verdict.detector);
});

test('with dmd as the only channel the same source is warming', async () => {
  await using service = await startTestService({ clock: 'event', detectors: '[dmd]' });
  await sendYoungIncident(service);
  await until('12 verdicts', () => service.verdicts.length >= 12);
  expect(service.anomalies).toEqual([]);
  for (const { gates, channels } of service.verdicts)
    expect([gates.includes('warming'), channels]).toEqual([true, null]);
});

test('other channels are a cold start for stored state, the same ones in another order are not', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'logdrift-'));
  const settings = { clock: 'event', 'storage.directory': directory.path };
  const coldStarts = async (detectors: string, minute: number): Promise<number> => {
    await using service = await startTestService({ ...settings, detectors });
    await sendMinutes(service.grpc, 'nginx', minute, minute + 12);
    return service.lines.filter((line) => line.startsWith('warn') && line.includes('cold start')).length;
  };
  expect(await coldStarts('[dmd, severity]', 0)).toBe(0);
  expect(await coldStarts('[severity, dmd]', 15)).toBe(0);
  expect(await coldStarts('{severity: 1, dmd: 1}', 30)).toBe(0);
  expect(await coldStarts('{severity: 1, dmd: 0.5}', 45)).toBe(1);
  expect(await coldStarts('[dmd]', 60)).toBe(1);
});
