import { expect, test } from 'vitest';
import { fileLogs, passTime, sendHttp, sendMinutes, START_MS, startTestService, until, MINUTE_MS } from './harness.ts';

test('sources that start at different moments flush together, on the wall clock', async () => {
  await using service = await startTestService({ window_step: '200ms', window_size: '400ms' });
  await service.grpc.send(fileLogs('early', [{ text: 'hello from the early one' }]));
  await until('a window of the early source', () => service.verdictsOf('file:early').length > 0);
  await sendHttp(service.ports.http, fileLogs('late', [{ text: 'hello from the late one' }]));
  await until('windows of the late source', () => service.verdictsOf('file:late').length >= 3);

  const late = service.verdictsOf('file:late');
  const early = service.verdictsOf('file:early').slice(-late.length);
  expect(late.map((verdict) => verdict.windowEndMs)).toEqual(early.map((verdict) => verdict.windowEndMs));
  for (const { windowEndMs, windowId } of late) {
    expect(windowEndMs % 200).toBe(0);
    expect(windowId).toBe(windowEndMs / 200);
  }
  for (const step of service.steps) {
    expect(new Set(step.verdicts.map((verdict) => verdict.windowEndMs)).size).toBeLessThanOrEqual(1);
  }
});

test('window 7 of a source is the first with an error, whenever the source started', async () => {
  await using service = await startTestService({ clock: 'event' });
  await sendMinutes(service.grpc, 'nginx', 0, 4);
  for (let minute = 4; minute < 12; minute++) {
    await sendMinutes(service.grpc, 'nginx', minute, minute + 1);
    await sendMinutes(service.grpc, 'redis', minute, minute + 1);
  }
  await passTime(service.grpc, 12);

  for (const [source, firstMinute] of [
    ['file:nginx', 0],
    ['file:redis', 4],
  ] as const) {
    const verdicts = service.verdictsOf(source);
    expect(verdicts[0]!.windowEndMs).toBe(START_MS + (firstMinute + 1) * MINUTE_MS);
    expect(verdicts.slice(0, 6).map((verdict) => verdict.reconstructionError)).toEqual(Array(6).fill(null));
    expect(verdicts[6]!.reconstructionError).toBeGreaterThan(0);
    expect(verdicts[6]!.normalizedError).toBeNull();
  }
  // Verdicts leave in the order of (window end, source).
  const sources = service.steps.at(-1)!.verdicts.map((verdict) => verdict.source);
  expect(sources).toEqual(expect.arrayContaining(['file:nginx', 'file:redis']));
  expect(sources).toEqual(sources.toSorted());
});

test('a window is the union of its panes, and a source that is silent goes on with empty windows', async () => {
  await using service = await startTestService({ clock: 'event' });
  const at = (minute: number, records: number) =>
    fileLogs(
      'nginx',
      Array.from({ length: records }, (_, k) => ({
        timeMs: START_MS + minute * MINUTE_MS + k,
        text: `request ${k} done`,
      })),
    );
  await service.grpc.send(at(0, 3));
  await service.grpc.send(at(1, 5));
  await passTime(service.grpc, 4);
  expect(service.verdictsOf('file:nginx').map((verdict) => verdict.records)).toEqual([3, 8, 5, 0]);
});

test('a late record is counted and not analysed', async () => {
  await using service = await startTestService({ clock: 'event' });
  await sendMinutes(service.grpc, 'nginx', 0, 3);
  const judged = service.verdicts.length;
  const answer = await service.grpc.send(fileLogs('nginx', [{ timeMs: START_MS, text: 'from a pane long closed' }]));
  expect(answer).toEqual({ rejected: 0, message: '' });
  expect(await service.metric('logdrift_dropped_records_total', { reason: 'late' })).toBe(1);
  expect(await service.api('/api/v1/sources/file%3Anginx')).toMatchObject({ late_records: 1 });
  expect(service.verdicts.length).toBe(judged);
});
