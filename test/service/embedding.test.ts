import { describe, expect, test } from 'vitest';
import type { ServerResponse } from 'node:http';
import { fakeVector, respond, startFakeOllama, type FakeOllama } from '../embed/fake-ollama.ts';
import { sendMinutes, START_MS, startTestService, until, type Line, type TestService } from './harness.ts';

type Misbehaviour = NonNullable<FakeOllama['misbehave']>;

/** On event time a step waits for its vectors, so these bound what a failing service costs the test. */
function withOllama(fake: FakeOllama, embedWait = '60ms'): Promise<TestService> {
  return startTestService({ clock: 'event', embedding_url: fake.url, embed_wait: embedWait, batch_timeout: '0ms' });
}

/** Three templates from the first minute on. */
function minuteOf(minute: number): Line[] {
  const timeMs = START_MS + minute * 60_000 + 30_000;
  const line = (text: string): Line => ({ timeMs, text });
  return [
    ...Array.from({ length: 20 + (minute % 3) }, (_, k) => line(`GET /product/${k} served`)),
    ...Array.from({ length: 5 }, (_, k) => line(`POST /cart/${k} accepted`)),
    line('heartbeat from worker ok'),
  ];
}

async function isUp(service: TestService): Promise<boolean> {
  const base = `http://127.0.0.1:${service.ports.telemetry}`;
  const [ready, live] = await Promise.all([fetch(`${base}/readyz`), fetch(`${base}/livez`)]);
  return ready.status === 200 && live.status === 200;
}

const withRows = (rows: (input: string[]) => unknown[]): Misbehaviour => {
  return (input, response) => respond(response, 200, { embeddings: rows(input) });
};
const FAILURES: [name: string, misbehave: Misbehaviour][] = [
  ['refuses', (_input, response: ServerResponse) => respond(response, 503, 'loading model')],
  ['hangs up', (_input, response) => Boolean(response.destroy())],
  ['never answers', () => true],
  ['answers with vectors of different lengths', withRows((input) => input.map((text, k) => fakeVector(text, 8 + k)))],
  ['answers with NaN', withRows((input) => input.map(() => [null, 1, 2, 3, 4, 5, 6, 7]))],
  ['answers with too few vectors', withRows(() => [])],
  ['answers with another JSON', (_input, response) => respond(response, 200, { error: 'model not found' })],
  ['answers with no JSON', (_input, response) => respond(response, 200, '<html>login</html>')],
];

describe('an embedding service that', () => {
  test.each(FAILURES)(
    '%s costs no window: they are kept, judged degraded, and the service stays up',
    async (_name, misbehave) => {
      await using fake = await startFakeOllama();
      fake.misbehave = misbehave;
      await using service = await withOllama(fake);
      await sendMinutes(service.grpc, 'nginx', 0, 6, minuteOf);

      const verdicts = service.verdictsOf('file:nginx');
      expect(verdicts.map((verdict) => verdict.windowId)).toEqual(verdicts.map((_, k) => START_MS / 60_000 + 1 + k));
      expect(verdicts.length).toBe(5);
      for (const verdict of verdicts) {
        expect(verdict.gates).toContain('degraded');
        expect(verdict.records).toBeGreaterThan(20);
      }
      expect(service.anomalies).toEqual([]);
      expect(await isUp(service)).toBe(true);
      if (misbehave === FAILURES[2]![1]) return; // Nothing has failed yet: the request is still allowed its time.
      const errors = () => service.metric('logdrift_embedding_errors_total');
      const quarantined = () => service.metric('logdrift_embedding_quarantined_texts_total');
      await until('it is counted', async () => (await errors()) + (await quarantined()) > 0);
      const warnings = () => service.lines.filter((line) => line.startsWith('warn'));
      await until('it is told', () => warnings().length > 0);
      expect(warnings().length).toBeLessThan(4); // not one a window
    },
  );
});

test('nobody listening costs no window either', async () => {
  await using service = await startTestService({
    clock: 'event',
    embedding_url: 'http://127.0.0.1:1',
    embed_wait: '100ms',
    batch_timeout: '0ms',
  });
  await sendMinutes(service.grpc, 'nginx', 0, 4, minuteOf);
  expect(service.verdictsOf('file:nginx').map((verdict) => verdict.gates.includes('degraded'))).toEqual([
    true,
    true,
    true,
  ]);
  expect(await isUp(service)).toBe(true);
  await until(
    'it is counted',
    async () => (await service.metric('logdrift_embedding_errors_total', { reason: 'unreachable' })) > 0,
  );
});

test('vectors that come after their window repair the history: what follows is judged in full', async () => {
  await using fake = await startFakeOllama();
  await using service = await withOllama(fake, '50ms');
  fake.misbehave = (_input, response) => respond(response, 503, 'busy');
  await sendMinutes(service.grpc, 'nginx', 0, 5, minuteOf);
  expect(service.verdicts.every((verdict) => verdict.gates.includes('degraded'))).toBe(true);

  fake.misbehave = null;
  let minute = 5;
  while (service.verdicts.at(-1)!.gates.includes('degraded')) {
    expect(minute).toBeLessThan(200); // 50 ms each, against a backoff of seconds
    await sendMinutes(service.grpc, 'nginx', minute, ++minute, minuteOf);
  }
  await sendMinutes(service.grpc, 'nginx', minute, minute + 6, minuteOf);
  const [newest] = service.verdicts.slice(-1);
  expect(newest!.gates).not.toContain('degraded');
  expect(newest!.reconstructionError).not.toBeNull();
  // Windows judged blind are whole now: the newest model predicts well, as it does for a source that never lost a vector.
  await using untouched = await startTestService({ clock: 'event', embedding_url: fake.url });
  await sendMinutes(untouched.grpc, 'nginx', 0, minute + 6, minuteOf);
  expect(newest!.reconstructionError).toBeCloseTo(untouched.verdicts.at(-1)!.reconstructionError!, 9);
});

test('a slow service is not waited for beyond embed_wait, and its vectors are used when they come', async () => {
  await using fake = await startFakeOllama();
  fake.delayMs = 400;
  await using service = await withOllama(fake, '50ms');
  await sendMinutes(service.grpc, 'nginx', 0, 2, minuteOf);
  expect(service.verdicts.map((verdict) => verdict.gates.includes('degraded'))).toEqual([true]);
  let minute = 2;
  while (service.verdicts.at(-1)!.gates.includes('degraded')) {
    expect(minute).toBeLessThan(200);
    await sendMinutes(service.grpc, 'nginx', minute, ++minute, minuteOf);
  }
  expect(await service.metric('logdrift_embedding_errors_total')).toBe(0);
});

test('sources that share a template share its vector', async () => {
  await using fake = await startFakeOllama();
  await using service = await withOllama(fake, '10s');
  await sendMinutes(service.grpc, 'early', 0, 3, minuteOf);
  for (let minute = 3; minute < 6; minute++) {
    for (const source of ['early', 'late-a', 'late-b'])
      await sendMinutes(service.grpc, source, minute, minute + 1, minuteOf);
  }
  expect(service.verdictsOf('file:late-b').length).toBeGreaterThan(1);
  expect(service.verdicts.some((verdict) => verdict.gates.includes('degraded'))).toBe(false);
  const asked = fake.requests.flat();
  expect(asked.length).toBe(new Set(asked).size);
  expect(fake.warmUps).toBe(1);
  expect(await service.metric('logdrift_embedding_request_duration_seconds_count')).toBe(fake.requests.length);
  expect(fake.paths.every((path) => path === '/api/embed')).toBe(true);
});
