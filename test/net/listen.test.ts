import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listen, ListenError, listenError } from '../../src/net/listen.ts';

test('a port in use is an error that names the key and the --set that helps', async () => {
  await using first = createServer();
  const { port } = await listen(first, '127.0.0.1:0', 'telemetry.endpoint');
  await using second = createServer();
  const error = await listen(second, `127.0.0.1:${port}`, 'telemetry.endpoint').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ListenError);
  const { code, message } = error as ListenError;
  expect(code).toBe('LOGDRIFT_PORT_IN_USE');
  expect(message).toContain(`telemetry.endpoint: 127.0.0.1:${port} is in use`);
  expect(message).toMatch(/--set telemetry\.endpoint=127\.0\.0\.1:\d+$/);
});

test('the usual holder of a well-known port is named', () => {
  const error = Object.assign(new Error('x'), { code: 'EADDRINUSE' });
  expect(listenError(error, '0.0.0.0:8888', 'telemetry.endpoint').message).toMatch(/Collector.*=0\.0\.0\.0:18888$/);
});

test.each([
  [
    '192.0.2.1:4317',
    /cannot listen on 192\.0\.2\.1:4317 \(.*EADDRNOTAVAIL.*\) – this machine has no such address: .*0\.0\.0\.0/,
  ],
  ['no-such-host.invalid:4317', /cannot listen on no-such-host\.invalid:4317 \(.*\) – the name cannot be resolved/],
])('an endpoint that is not this machine says its key and what to do: %s', async (endpoint, message) => {
  await using server = createServer();
  const failed = listen(server, endpoint, 'telemetry.endpoint');
  await expect(failed).rejects.toMatchObject({ code: 'LOGDRIFT_LISTEN_FAILED' });
  await expect(failed).rejects.toThrow(/^telemetry\.endpoint: /);
  await expect(failed).rejects.toThrow(message);
});
