import { expect, test } from 'vitest';
import { encodeRequest } from '../receive/oracle.ts';
import { fileLogs, passTime, START_MS, startTestService, until, type Line, type TestService } from './harness.ts';

function lines(count: number, text: (k: number) => string): Line[] {
  return Array.from({ length: count }, (_, k) => ({ text: text(k), timeMs: START_MS + 30_000 + k / 10_000 }));
}

/** Windows of two panes: a record is in two of them, so the first one is looked at. */
const inFirstWindow = (service: TestService, source: string) => service.verdictsOf(source)[0]!.records;

/** Redaction that backtracks makes mining slow enough to flood on any machine. */
const SLOW = { 'logs_config.drift_detection.redact': '["[a-z]*[a-z]*!"]', template_workers: 1 };
const COSTLY = 'abcdefghij'.repeat(7);
const FLOOD = 25_000;

test('20,000 records of one source in one request to an idle service lose none', async () => {
  await using service = await startTestService({ clock: 'event' });
  const answer = await service.grpc.send(
    fileLogs(
      'nginx',
      lines(20_000, (k) => `GET /product/${k} 200 in ${k % 90} ms`),
    ),
  );
  expect(answer).toEqual({ rejected: 0, message: '' });
  await passTime(service.grpc, 1);
  expect(inFirstWindow(service, 'file:nginx')).toBe(20_000);
  expect(await service.metric('logdrift_receiver_accepted_log_records_total')).toBe(20_001);
  expect(await service.metric('logdrift_receiver_refused_log_records_total')).toBe(0);
});

async function assertCounts(service: TestService, rejected: number, calm: number): Promise<void> {
  const accepted = FLOOD - rejected;
  expect(rejected).toBeGreaterThan(0);
  expect(rejected).toBeLessThanOrEqual(FLOOD - 10_000);
  expect(await service.metric('logdrift_receiver_accepted_log_records_total')).toBe(accepted + calm);
  expect(await service.metric('logdrift_receiver_refused_log_records_total')).toBe(rejected);
  expect(await service.metric('logdrift_dropped_records_total', { reason: 'waiting_limit' })).toBe(rejected);
  expect(await service.api('/api/v1/sources/file%3Aflood')).toMatchObject({
    received_records: accepted,
    dropped_records: { waiting_limit: rejected },
  });
  expect(await service.api('/api/v1/sources/file%3Acalm')).toMatchObject({
    received_records: calm,
    dropped_records: {},
  });
}

test('a flooded source loses only its own excess, and what the answer says is what the metrics say', async () => {
  await using service = await startTestService({ ...SLOW, window_step: '1s', window_size: '1s' });
  const now = (line: Line): Line => ({ text: line.text });
  const flood = encodeRequest({ resourceLogs: [fileLogs('flood', lines(FLOOD, () => COSTLY).map(now))] });
  const flooded = service.grpc.sendBytes(flood);
  await until('the flood has begun', () => service.service.pipeline.waitingRecords() > 0);
  const calm = await service.grpc.send(fileLogs('calm', lines(500, (k) => `request ${k} served`).map(now)));
  const { rejected, message } = await flooded;

  expect(calm).toEqual({ rejected: 0, message: '' });
  expect(message).toMatch(/^file:flood sends faster than it is analysed: \d+ records .* other sources lost nothing$/);
  expect(message).toContain(` ${rejected} records `);
  await assertCounts(service, rejected, 500);
});

test('a source in the same request as the flood loses nothing', async () => {
  await using service = await startTestService({ ...SLOW, window_step: '1s', window_size: '1s' });
  const now = (line: Line): Line => ({ text: line.text });
  const answer = await service.grpc.send(
    fileLogs('flood', lines(FLOOD, () => COSTLY).map(now)),
    fileLogs('calm', lines(500, (k) => `request ${k} served`).map(now)),
  );
  await assertCounts(service, answer.rejected, 500);
});

test('on event time a flood is slowed and nothing of it refused: its window holds every record', async () => {
  await using service = await startTestService({ ...SLOW, clock: 'event' });
  const answer = await service.grpc.send(
    fileLogs(
      'flood',
      lines(FLOOD, () => COSTLY),
    ),
  );
  expect(answer).toEqual({ rejected: 0, message: '' });
  await passTime(service.grpc, 1);
  expect(inFirstWindow(service, 'file:flood')).toBe(FLOOD);
});
