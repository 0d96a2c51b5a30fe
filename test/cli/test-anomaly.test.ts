import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Metadata, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { testAnomaly } from '../../src/cli/test-anomaly.ts';
import { loadConfig } from '../../src/config/load.ts';
import { partialSuccess, startGrpcReceiver, startHttpReceiver } from '../alert/otlp-receiver.ts';
import { grpcReceiver } from '../receive/senders.ts';
import { runCli, startCli, startTestService } from '../service/harness.ts';

const certificate = (name: string): string => join(import.meta.dirname, '../testdata/tls', name);
const tls = {
  certFile: certificate('server.crt'),
  keyFile: certificate('server.key'),
  clientCaFile: null,
  minVersion: '1.2' as const,
  reloadIntervalMs: 60_000,
};

/** Keys are those of `exporters.otlp`. */
async function send(settings: Record<string, string>): Promise<{ code: number; told: string }> {
  const set = Object.entries({ timeout: '2s', ...settings }).map(([key, value]) => `exporters.otlp.${key}=${value}`);
  let told = '';
  const code = await testAnomaly(loadConfig({ set, env: {} }), (line) => (told += line));
  return { code, told };
}

async function listening(server: Server): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('over HTTP one record arrives, shaped like a warning and marked as a test everywhere', async () => {
  await using receiver = await startHttpReceiver();
  const { code, told } = await send({ endpoint: receiver.endpoint, headers: '{x-tenant: shop}' });
  expect(code).toBe(0);
  expect(receiver.received).toHaveLength(1);
  const { record, scope, resource, attributes } = receiver.received[0]!;
  expect(record).toMatchObject({ eventName: 'logdrift.anomaly', severityNumber: 13, severityText: 'WARN' });
  expect(record.body.stringValue).toMatch(/^TEST, no incident: /);
  expect(scope.name).toBe('logdrift');
  expect(resource).toMatchObject({ 'service.name': 'logdrift' });
  expect(attributes).toMatchObject({
    ...{ 'logdrift.test': true, message: record.body.stringValue, source: 'test:logdrift', severity: 'warning' },
    ...{ 'logdrift.score': 2.5, 'logdrift.threshold': 2, 'logdrift.phase': 'start' },
    'log.record.uid': expect.stringMatching(/^[0-9A-Z]{26}$/) as string,
  });
  expect(receiver.requests[0]).toMatchObject({ path: '/v1/logs', headers: { 'x-tenant': 'shop' } });
  expect(told).toContain(`to      ${receiver.endpoint}/v1/logs, http/protobuf, with x-tenant\n`);
  expect(told).not.toContain('shop');
  expect(told).toContain(String(attributes['log.record.uid']));
  expect(told).toMatch(/^answer {2}accepted \(\d+ ms\)$/m);
});

test('over gRPC the same record arrives', async () => {
  await using receiver = await startGrpcReceiver();
  const { code, told } = await send({ endpoint: receiver.endpoint, protocol: 'grpc', headers: '{x-tenant: shop}' });
  expect(code).toBe(0);
  expect(receiver.received[0]).toMatchObject({
    record: { eventName: 'logdrift.anomaly' },
    attributes: { 'logdrift.test': true },
  });
  expect(receiver.calls[0]!.metadata).toMatchObject({ 'x-tenant': 'shop' });
  expect(told).toContain(`to      ${receiver.endpoint} (no TLS), grpc, with x-tenant\n`);
});

test.each(['http', 'grpc'] as const)(
  'a logdrift that gets it by %s drops it as its own, and knows no source of it',
  async (way) => {
    await using service = await startTestService();
    const { code } = await send({
      endpoint: `http://127.0.0.1:${service.ports[way]}`,
      protocol: way === 'grpc' ? 'grpc' : 'http/protobuf',
    });
    expect(code).toBe(0);
    expect(await service.metric('logdrift_dropped_records_total', { reason: 'own_anomaly' })).toBe(1);
    expect(await service.metric('logdrift_active_sources')).toBe(0);
  },
);

test('over TLS it needs the authority, and says where to name it', async () => {
  await using receiver = await grpcReceiver({ tls });
  const args = ['test-anomaly', '--set', 'exporters.otlp.protocol=grpc'];
  args.push('--set', `exporters.otlp.endpoint=https://localhost:${receiver.port}`);
  // The other variable, which grpc-js reads, would win.
  const trust = (name: string) => ({ NODE_EXTRA_CA_CERTS: certificate(name), GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: '' });
  await using trusting = startCli(args, { env: trust('ca.crt') });
  await using strange = startCli(args, { env: trust('other-ca.crt') });
  expect(await trusting.exited, trusting.stdout()).toMatchObject({ code: 0 });
  expect(trusting.stdout()).toMatch(/^to {6}localhost:\d+ \(TLS\), grpc\n[\s\S]*answer {2}accepted/);
  expect(await strange.exited).toMatchObject({ code: 1 });
  expect(strange.stdout()).toContain('NODE_EXTRA_CA_CERTS');
  expect(receiver.target.committed).toHaveLength(1);
});

test('a partial success that rejects the record is a failure with the reason; one that only warns is none', async () => {
  await using receiver = await startHttpReceiver([
    { status: 200, body: partialSuccess(1, 'stream limit \u001b[2J reached') },
    { status: 200, body: partialSuccess(0, 'field lengths were cut') },
  ]);
  const refused = await send({ endpoint: receiver.endpoint });
  expect(refused.code).toBe(1);
  expect(refused.told).toContain('partial success: stream limit \\x1b[2J reached');
  const warned = await send({ endpoint: receiver.endpoint });
  expect(warned.code).toBe(0);
  expect(warned.told).toContain('with a warning: field lengths were cut');
});

test.each([
  [400, 'misses something'],
  [401, 'exporters.otlp.headers'],
  [403, 'exporters.otlp.headers'],
  [404, '/v1/logs is added'],
  [308, 'redirects are not followed'],
  [415, 'exporters.otlp.protocol: grpc'],
  [429, 'overloaded or not ready'],
  [500, 'its own log says why'],
  [503, 'overloaded or not ready'],
])('HTTP %i is a failure with its reason and what to do, sent once', async (answer, advice) => {
  const body = Buffer.from('tenant is gone');
  await using receiver = await startHttpReceiver([{ status: answer, headers: { 'Content-Type': 'text/plain' }, body }]);
  const { code, told } = await send({ endpoint: receiver.endpoint });
  expect(code).toBe(1);
  expect(told).toMatch(
    new RegExp(`^answer {2}HTTP ${answer} from http://.*: tenant is gone \\(\\d+ ms\\)\\n {8}.*${advice}`, 'm'),
  );
  expect(receiver.requests).toHaveLength(1);
});

test('a web page in place of an answer is a failure: nobody took the record', async () => {
  const page = { status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: Buffer.from('<html>') };
  await using receiver = await startHttpReceiver([page]);
  const { code, told } = await send({ endpoint: receiver.endpoint });
  expect(code).toBe(1);
  expect(told).toContain('no OTLP receiver');
});

const answerOf = (type: string | null, text: string, code = 200) => ({
  status: code,
  headers: { 'Content-Type': type ?? '' },
  body: Buffer.from(text),
});

test.each([
  ['nothing at all', answerOf('application/x-protobuf', '')],
  ['204', { status: 204 }],
  ['nothing, of some type', answerOf('text/plain', '', 202)],
  ['JSON', answerOf('application/json; charset=utf-8', '{"partialSuccess":{}}')],
])('a receiver that answers with %s has accepted', async (_what, answer) => {
  await using receiver = await startHttpReceiver([answer]);
  const { code, told } = await send({ endpoint: receiver.endpoint });
  expect({ code, told }).toEqual({ code: 0, told: expect.stringMatching(/^answer {2}accepted/m) as string });
});

test.each([
  ['text', answerOf('text/plain', 'It works')],
  ['JSON that is no object', answerOf('application/json', '"It works"')],
  ['bytes that are no protobuf', answerOf('application/x-protobuf', 'OK')],
])('an answer of %s is not called accepted: any web server could have given it', async (_what, answer) => {
  await using receiver = await startHttpReceiver([answer]);
  const { code, told } = await send({ endpoint: receiver.endpoint });
  expect(code).toBe(1);
  expect(told).toMatch(/^answer {2}not certain, this is no OTLP answer: HTTP 200 from http/m);
  expect(told).toContain('look the uid up there');
});

test.each([
  [status.UNAUTHENTICATED, 'exporters.otlp.headers'],
  [status.UNIMPLEMENTED, 'does not receive OTLP logs'],
  [status.UNAVAILABLE, 'overloaded or not ready'],
  [status.INVALID_ARGUMENT, 'misses something'],
])('gRPC status %i is a failure with its reason and what to do, sent once', async (answer, advice) => {
  await using receiver = await startGrpcReceiver([
    { code: answer, details: 'tenant is gone', metadata: new Metadata() },
  ]);
  const { code, told } = await send({ endpoint: receiver.endpoint, protocol: 'grpc' });
  expect(code).toBe(1);
  expect(told).toMatch(new RegExp(`^answer {2}${status[answer]} from .*: tenant is gone.*\\n {8}.*${advice}`, 'm'));
  expect(receiver.calls).toHaveLength(1);
});

test('a destination that repeats the credentials it refuses does not get them printed', async () => {
  const token = `eyJhbGciOiJI${'x'.repeat(900)}`;
  const headers = `{authorization: 'Bearer ${token}', x-tenant: shop-eu-west}`;
  const says = `tenant shop-eu-west does not know Bearer ${token}`;
  const answer = { status: 401, headers: { 'Content-Type': 'text/plain' }, body: Buffer.from(says) };
  await using http = await startHttpReceiver([answer]);
  await using grpc = await startGrpcReceiver([
    { code: status.UNAUTHENTICATED, details: says, metadata: new Metadata() },
  ]);
  const overHttp = await send({ endpoint: http.endpoint, headers });
  const overGrpc = await send({ endpoint: grpc.endpoint, protocol: 'grpc', headers });
  for (const { code, told } of [overHttp, overGrpc]) {
    expect(code).toBe(1);
    expect(told).toContain('tenant shop-eu-west does not know Bearer … (');
  }
  expect(http.requests[0]!.headers['authorization']).toBe(`Bearer ${token}`);
});

test.each(['http/protobuf', 'grpc'])('%s: whatever else listens there is told from a good route', async (protocol) => {
  await using http = await startHttpReceiver();
  await using grpc = await startGrpcReceiver();
  await using secret = await listening(
    createTlsServer({ key: readFileSync(tls.keyFile), cert: readFileSync(tls.certFile) }),
  );
  await using rude = await listening(createTcpServer((socket) => socket.destroy()));
  const other = protocol === 'grpc' ? http.endpoint : `http://${grpc.endpoint}`;
  for (const [endpoint, advice] of [
    [other, 'exporters.otlp.protocol'],
    [other.replace('http:', 'https:'), 'write http:// in place of https://'],
    [`http://127.0.0.1:${secret.port}`, 'does it want TLS'],
    [`http://127.0.0.1:${rude.port}`, 'closed the connection'],
    ['http://127.0.0.1:1', 'nothing listens there'],
    ['http://collector.invalid:4318', 'cannot be resolved'],
  ] as const) {
    const { code, told } = await send({ endpoint, protocol });
    expect({ code, told }, endpoint).toEqual({ code: 1, told: expect.stringContaining(advice) as string });
  }
});

test.each(['http/protobuf', 'grpc'])(
  '%s: a destination that never answers is given up after the timeout',
  async (protocol) => {
    await using mute = await listening(createTcpServer());
    const { code, told } = await send({ endpoint: `http://127.0.0.1:${mute.port}`, protocol, timeout: '100ms' });
    expect(code).toBe(1);
    expect(told).toContain('exporters.otlp.timeout');
  },
);

test('without a destination the command says so, and which key to set', async () => {
  const { code, stdout, stderr } = await runCli('test-anomaly');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^logdrift: exporters\.otlp\.endpoint is not set: .*--set exporters\.otlp\.endpoint=.*\n$/);
});
