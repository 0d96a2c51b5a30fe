import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startHttpReceiver, type Answer } from '../alert/otlp-receiver.ts';
import { startFakeOllama } from '../embed/fake-ollama.ts';
import {
  assignments,
  brokenMinute,
  fileLogs,
  passTime,
  runCli,
  Sender,
  sendMinutes,
  START_MS,
  startServe,
  startTestService,
  until,
} from './harness.ts';

describe('SIGTERM', () => {
  test('loses nothing accepted: what waits for its vectors is judged, checkpointed and there after the restart', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'logdrift-'));
    try {
      await using fake = await startFakeOllama();
      const settings = { clock: 'event', 'storage.directory': directory, embedding_url: fake.url } as const;
      {
        await using serve = await startServe({ ...settings, template_workers: 1 });
        using sender = new Sender(serve.ports.grpc);
        await sendMinutes(sender, 'nginx', 0, 3);
        // From here on the embedding service answers nothing: minute 3 has a template without a vector.
        fake.misbehave = () => true;
        const line = { timeMs: START_MS + 3 * 60_000 + 30_000, text: 'never seen before this minute' };
        await sender.send(
          fileLogs(
            'nginx',
            Array.from({ length: 2_000 }, () => line),
          ),
        );
        const answers = passTime(sender, 4).then(
          () => 'answered',
          () => 'cut',
        );
        await until('the window waits for its vectors', () =>
          fake.requests.flat().some((text) => text.startsWith('never seen')),
        );
        serve.process.kill('SIGTERM');
        expect((await serve.exited).code).toBe(0);
        expect(await answers).toBe('answered');
        expect(serve.stderr()).toMatch(/logdrift is stopping; a second signal stops at once signal=SIGTERM\n/);
        expect(serve.stderr()).toMatch(/logdrift stopped undelivered=0 /);
      }
      fake.misbehave = null;
      await using service = await startTestService({ ...settings, template_workers: 1 });
      const window = `/api/v1/sources/file%3Anginx/windows/${START_MS / 60_000 + 4}/explain`;
      expect(await service.api(window)).toMatchObject({
        records: expect.any(Number) as number,
        gates: expect.arrayContaining(['degraded']) as string[],
      });
      const { records } = (await service.api(window)) as { records: number };
      expect(records).toBeGreaterThan(2_000);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  test('finishes the request that is under way, then takes no more', async () => {
    await using serve = await startServe({
      'logs_config.drift_detection.redact': '["[a-z]*[a-z]*!"]', // slow, so that the request waits for room
      template_workers: 1,
    });
    using sender = new Sender(serve.ports.grpc);
    const answered = sender.send(
      fileLogs(
        'nginx',
        Array.from({ length: 12_000 }, () => ({ text: 'abcdefghij'.repeat(6) })),
      ),
    );
    const stats = `http://127.0.0.1:${serve.ports.admin}/api/v1/stats`;
    await until('the request is decoded', async () => (await (await fetch(stats)).text()).includes('file:nginx'));
    serve.process.kill('SIGTERM');
    const { rejected } = await answered;
    expect(rejected).toBeLessThanOrEqual(2_000);
    expect((await serve.exited).code).toBe(0);
    await expect(sender.send(fileLogs('nginx', [{ text: 'too late' }]))).rejects.toMatchObject({ code: 14 });
  });

  test('delivers the anomalies that are queued for a destination that was away', async () => {
    const away: Answer = { status: 503, headers: { 'Retry-After': '60' } };
    await using receiver = await startHttpReceiver([away]);
    await using serve = await startServe({ clock: 'event', 'exporters.otlp.endpoint': receiver.endpoint });
    using sender = new Sender(serve.ports.grpc);
    await sendMinutes(sender, 'nginx', 0, 40);
    await sendMinutes(sender, 'nginx', 40, 41, brokenMinute);
    await passTime(sender, 41);
    await until('the first attempt', () => receiver.requests.length === 1);
    expect(receiver.received).toEqual([]);
    serve.process.kill('SIGTERM');
    expect((await serve.exited).code).toBe(0);
    expect(receiver.received.map(({ attributes }) => attributes['logdrift.phase'])).toEqual(['start']);
    expect(serve.stderr()).toContain('undelivered=0');
  });

  test('does not wait for ever for a destination that stays away', async () => {
    await using receiver = await startHttpReceiver(Array.from({ length: 1_000 }, () => ({ status: 503 })));
    await using serve = await startServe({ clock: 'event', 'exporters.otlp.endpoint': receiver.endpoint });
    using sender = new Sender(serve.ports.grpc);
    await sendMinutes(sender, 'nginx', 0, 40);
    await sendMinutes(sender, 'nginx', 40, 42, brokenMinute);
    await until('the first attempt', () => receiver.requests.length > 0);
    serve.process.kill('SIGTERM');
    // It leaves by itself: whoever is cut at the end of the grace leaves with 1.
    expect((await serve.exited).code).toBe(0);
    expect(serve.stderr()).toContain('undelivered=1');
  });

  test('once more leaves at once', async () => {
    await using receiver = await startHttpReceiver(Array.from({ length: 1_000 }, () => ({ status: 503 })));
    await using serve = await startServe({ clock: 'event', 'exporters.otlp.endpoint': receiver.endpoint });
    using sender = new Sender(serve.ports.grpc);
    await sendMinutes(sender, 'nginx', 0, 40);
    await sendMinutes(sender, 'nginx', 40, 42, brokenMinute);
    await until('the first attempt', () => receiver.requests.length > 0);
    serve.process.kill('SIGTERM');
    await until('the first signal is heard', () => serve.stderr().includes('logdrift is stopping'));
    serve.process.kill('SIGTERM');
    expect((await serve.exited).code).toBe(1);
    expect(serve.stderr()).not.toContain('logdrift stopped');
  });

  test('before anything came ends cleanly, and so does SIGINT', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await using serve = await startServe();
      serve.process.kill(signal);
      expect(await serve.exited).toEqual({ code: 0, signal: null });
      expect(serve.stdout()).toBe('');
    }
  });
});

describe('a port in use', () => {
  const keys = [
    'telemetry.endpoint',
    'admin.endpoint',
    'receivers.otlp.protocols.grpc.endpoint',
    'receivers.otlp.protocols.http.endpoint',
  ];

  test.each(keys)('%s: the error names the key and what helps, and what was open is closed', async (key) => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    await expect(startTestService({ [key]: `127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'LOGDRIFT_PORT_IN_USE',
      message: expect.stringMatching(
        new RegExp(`^${key}: 127\\.0\\.0\\.1:${port} is in use .*--set ${key}=127\\.0\\.0\\.1:\\d+$`),
      ) as string,
    });
    await holder[Symbol.asyncDispose]();
  });

  test('ends the command with one line and exit code 1', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const set = [...assignments({}), `admin.endpoint=127.0.0.1:${port}`].flatMap((assignment) => ['--set', assignment]);
    const { code, stdout, stderr } = await runCli('serve', ...set);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^logdrift: admin\.endpoint: .* is in use .*\n$/);
    await holder[Symbol.asyncDispose]();
  });
});
