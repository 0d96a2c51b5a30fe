import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Readable } from 'node:stream';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import { Agent, Client, request } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { openHttpReceiver } from '../../src/receive/http.ts';
import type { ObservedRequest, ReceiverOptions } from '../../src/receive/receiver.ts';
import type { DecodedRecord, ExportTarget } from '../../src/receive/record.ts';
import { ReceiveError } from '../../src/receive/status.ts';
import { encodeRequest, requestOf, Response, Status } from './oracle.ts';
import { recordingSink, recordingTarget } from './recording-target.ts';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const REQUEST = encodeRequest(requestOf([{ body: { stringValue: 'hello' } }]));
const JSON_REQUEST = Buffer.from(JSON.stringify(requestOf([{ body: { stringValue: 'hello' } }])));
const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

async function receiver(options: Partial<ReceiverOptions> = {}) {
  const target = recordingTarget();
  const observed: ObservedRequest[] = [];
  const opened = await openHttpReceiver({
    endpoint: '127.0.0.1:0',
    maxRequestBytes: 67_108_864,
    target,
    observe: (request) => void observed.push(request),
    ...options,
  });
  open.push(opened);
  const agent = new Agent();
  open.push({ [Symbol.asyncDispose]: () => agent.close() });
  const send = async (
    body: Buffer | Readable | null,
    headers: Record<string, string> = {},
    path = '/v1/logs',
    method = 'POST',
  ) => {
    const url = `http://127.0.0.1:${opened.port}${path}`;
    const response = await request(url, {
      method,
      body,
      headers: { 'content-type': PROTOBUF, ...headers },
      dispatcher: agent,
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      body: Buffer.from(await response.body.arrayBuffer()),
    };
  };
  return Object.assign(opened, { target, observed, send });
}

describe('success', () => {
  test('protobuf is answered with zero bytes of protobuf', async () => {
    const { send, target, observed } = await receiver();
    const response = await send(REQUEST);
    expect([response.status, response.headers['content-type'], response.body.length]).toEqual([200, PROTOBUF, 0]);
    expect(target.committed.map((record) => record.text)).toEqual(['hello']);
    expect(observed).toEqual([
      {
        transport: 'http',
        code: '200',
        acceptedRecords: 1,
        refusedRecords: 0,
        failedRecords: 0,
        bytes: REQUEST.length,
      },
    ]);
  });

  test('JSON is answered with {}, also when the type has parameters', async () => {
    const { send, target } = await receiver();
    for (const type of [JSON_TYPE, 'Application/JSON; charset=utf-8']) {
      const response = await send(JSON_REQUEST, { 'content-type': type });
      expect([response.status, response.headers['content-type'], response.body.toString()]).toEqual([
        200,
        JSON_TYPE,
        '{}',
      ]);
    }
    expect(target.committed.map((record) => record.text)).toEqual(['hello', 'hello']);
  });

  test('requests without a record are a success', async () => {
    const { send } = await receiver();
    expect((await send(Buffer.alloc(0))).status).toBe(200);
    expect((await send(Buffer.from('{}'), { 'content-type': JSON_TYPE })).status).toBe(200);
    expect((await send(Buffer.from('{"resourceLogs":[]}'), { 'content-type': JSON_TYPE })).status).toBe(200);
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
    ['identity', (bytes: Buffer) => bytes],
  ])('%s is unpacked', async (encoding, compress) => {
    const { send, target } = await receiver();
    expect((await send(compress(REQUEST), { 'content-encoding': encoding })).status).toBe(200);
    expect(
      (await send(compress(JSON_REQUEST), { 'content-encoding': encoding, 'content-type': JSON_TYPE })).status,
    ).toBe(200);
    expect(target.committed).toHaveLength(2);
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ])(
    '%s of any size is unpacked, on the spot and in a thread, with and without its length',
    async (encoding, compress) => {
      const { send, target } = await receiver();
      for (const bytes of [10, 65_000, 70_000, 300_000]) {
        for (const byte of [1, 40_503]) {
          // Digits that hardly repeat, and one that does: 15 and 1,000 times as small.
          const text = Array.from({ length: bytes / 10 }, (_, i) => String((i * byte) % 65_537).padStart(10, '0')).join(
            '',
          );
          const packed = compress(encodeRequest(requestOf([{ body: { stringValue: text } }])));
          for (const body of [packed, Readable.from([packed])]) {
            expect((await send(body, { 'content-encoding': encoding })).status).toBe(200);
            expect(target.committed.pop()!.text === text).toBe(true);
          }
        }
      }
    },
  );

  test('refused records are told as partial success in the encoding of the request', async () => {
    const target = recordingTarget(() => Promise.resolve({ rejectedLogRecords: 1, errorMessage: 'full' }));
    const { send } = await receiver({ target });
    expect(Response.toObject(Response.decode((await send(REQUEST)).body), { longs: Number })).toEqual({
      partialSuccess: { rejectedLogRecords: 1, errorMessage: 'full' },
    });
    const json = await send(JSON_REQUEST, { 'content-type': JSON_TYPE });
    expect(JSON.parse(json.body.toString())).toEqual({
      partialSuccess: { rejectedLogRecords: '1', errorMessage: 'full' },
    });
  });

  const exporters: [string, (url: string) => LogRecordExporter][] = [
    ['http/protobuf', (url) => new ProtobufExporter({ url })],
    ['http/protobuf with gzip', (url) => new ProtobufExporter({ url, compression: 'gzip' as never })],
    ['http/json', (url) => new JsonExporter({ url })],
  ];
  test.each(exporters)("the official %s exporter's records arrive", async (_name, exporter) => {
    const { port, target } = await receiver();
    const provider = new LoggerProvider({
      processors: [new BatchLogRecordProcessor({ exporter: exporter(`http://127.0.0.1:${port}/v1/logs`) })],
    });
    const timestamp = new Date('2026-11-22T12:00:00.250Z');
    provider
      .getLogger('scope-1')
      .emit({ timestamp, severityNumber: 17, body: 'from the SDK', eventName: 'logdrift.test' });
    await provider.forceFlush();
    await provider.shutdown();
    expect(target.committed).toMatchObject([
      { text: 'from the SDK', severityNumber: 17, scope: 'scope-1', timeMs: timestamp.getTime(), ownEvent: true },
    ]);
  });
});

describe('errors are a Status in the encoding of the request', () => {
  const readStatus = (body: Buffer): object => Status.toObject(Status.decode(body));

  test('malformed protobuf and JSON', async () => {
    const { send, target, observed } = await receiver();
    const protobuf = await send(REQUEST.subarray(0, -1));
    expect([protobuf.status, protobuf.headers['content-type']]).toEqual([400, PROTOBUF]);
    expect(readStatus(protobuf.body)).toMatchObject({
      code: 3,
      message: expect.stringContaining('at byte 1') as string,
    });
    const json = await send(Buffer.from('{"resourceLogs":3}'), { 'content-type': JSON_TYPE });
    expect([json.status, json.headers['content-type']]).toEqual([400, JSON_TYPE]);
    expect(JSON.parse(json.body.toString())).toMatchObject({
      code: 3,
      details: [{ fieldViolations: [{ field: 'resourceLogs' }] }],
    });
    expect((await send(Buffer.alloc(0), { 'content-type': JSON_TYPE })).status).toBe(400);
    expect(target.committed).toEqual([]);
    expect(observed.map((request) => request.code)).toEqual(['400', '400', '400']);
  });

  test.each(['gzip', 'deflate', 'zstd'])('broken %s', async (encoding) => {
    const { send } = await receiver();
    // On the spot, and in a thread as it comes.
    for (const body of [REQUEST, Readable.from([REQUEST])]) {
      const response = await send(body, { 'content-encoding': encoding });
      expect(response.status).toBe(400);
      expect(readStatus(response.body)).toMatchObject({ code: 3 });
    }
  });

  test('gzip that ends too early', async () => {
    const { send } = await receiver();
    const cut = gzipSync(REQUEST).subarray(0, -9);
    for (const body of [cut, Readable.from([cut])]) {
      expect((await send(body, { 'content-encoding': 'gzip' })).status).toBe(400);
    }
  });

  test('another path, method, type or compression', async () => {
    const { send } = await receiver();
    const path = await send(REQUEST, {}, '/v1/traces');
    expect(path.status).toBe(404);
    expect(readStatus(path.body)).toMatchObject({ message: expect.stringContaining('/v1/traces') as string });
    const method = await send(null, {}, '/v1/logs', 'GET');
    expect([method.status, method.headers['allow']]).toEqual([405, 'POST']);
    const type = await send(REQUEST, { 'content-type': 'text/plain' });
    expect([type.status, type.headers['content-type']]).toEqual([415, JSON_TYPE]);
    expect(JSON.parse(type.body.toString())).toMatchObject({
      message: expect.stringContaining('text/plain') as string,
    });
    const compression = await send(REQUEST, { 'content-encoding': 'br' });
    expect([compression.status, compression.headers['accept-encoding']]).toEqual([415, 'gzip, deflate, zstd']);
    expect(readStatus(compression.body)).toMatchObject({ message: expect.stringContaining('"br"') as string });
  });

  test('overload says when to come back, at least a second from now', async () => {
    const target = recordingTarget(() =>
      Promise.reject(new ReceiveError('overloaded', 'no room', { retryAfterMs: 200 })),
    );
    const { send } = await receiver({ target });
    const response = await send(REQUEST);
    expect([response.status, response.headers['retry-after']]).toEqual([503, '1']);
  });

  test('a fault of ours', async () => {
    const faults: unknown[] = [];
    const target = recordingTarget(() => Promise.reject(new TypeError('bug')));
    const { send } = await receiver({ target, onFault: (error) => void faults.push(error) });
    const response = await send(REQUEST);
    expect(response.status).toBe(500);
    expect(response.body.toString()).not.toContain('bug');
    expect(faults).toEqual([new TypeError('bug')]);
  });
});

describe('the size limit', () => {
  test('a declared, a chunked and a compressed body beyond it are 413, and the connection goes on for others', async () => {
    const { port, send, target } = await receiver({ maxRequestBytes: 1_000_000 });
    const large = encodeRequest(requestOf([{ body: { stringValue: 'x'.repeat(3_000_000) } }]));
    expect((await send(large)).status).toBe(413);
    expect(gzipSync(large).length).toBeLessThan(5000);
    expect((await send(gzipSync(large), { 'content-encoding': 'gzip' })).status).toBe(413);
    expect((await send(zstdCompressSync(large), { 'content-encoding': 'zstd' })).status).toBe(413);
    const chunked = await request(`http://127.0.0.1:${port}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': PROTOBUF },
      body: Readable.from(Array.from({ length: 30 }, (_, i) => large.subarray(i * 100_000, (i + 1) * 100_000))),
    });
    expect(chunked.statusCode).toBe(413);
    expect(Status.toObject(Status.decode(Buffer.from(await chunked.body.arrayBuffer())))).toMatchObject({ code: 8 });
    expect(target.committed).toEqual([]);
    expect((await send(REQUEST)).status).toBe(200);
  });

  test('a bomb of 256 MiB in 261 KB is refused without being unpacked whole', async () => {
    const { send } = await receiver({ maxRequestBytes: 1_000_000 });
    const bomb = gzipSync(Buffer.alloc(64 * 1_048_576));
    const before = process.memoryUsage().arrayBuffers;
    const response = await send(Buffer.concat([bomb, bomb, bomb, bomb]), { 'content-encoding': 'gzip' });
    expect(response.status).toBe(413);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1_048_576);
  });

  test.each(['deflate', 'gzip'] as const)(
    'bytes behind the end of a %s body do not keep its connection from the next request',
    async (encoding) => {
      const { port } = await receiver();
      const packed = encoding === 'gzip' ? gzipSync(REQUEST) : deflateSync(REQUEST);
      const body = Buffer.concat([packed, Buffer.alloc(2_000_000)]);
      const dispatcher = new Client(`http://127.0.0.1:${port}`, { pipelining: 1 });
      for (let k = 0; k < 3; k++) {
        const answer = await dispatcher.request({
          path: '/v1/logs',
          method: 'POST',
          headers: { 'content-type': PROTOBUF, 'content-encoding': encoding },
          body,
        });
        expect(answer.statusCode).toBe(200);
        await answer.body.dump();
      }
      await dispatcher.close();
    },
  );

  test('a client that goes on sending a refused body is read for a while, then cut', async () => {
    const { port } = await receiver({ maxRequestBytes: 1000 });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: 5000\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /);
    await once(socket, 'close');
  });
});

test('behind an answer that closes its connection nothing pipelined is taken', async () => {
  const { port, target, observed } = await receiver({ maxRequestBytes: 1000 });
  const head = (bytes: number): string =>
    `POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: ${bytes}\r\n\r\n`;
  const socket = connect(port, '127.0.0.1');
  let answers = '';
  socket.on('data', (chunk: Buffer) => (answers += chunk.toString('latin1')));
  socket.write(head(5000));
  await expect.poll(() => answers).toMatch(/^HTTP\/1.1 413 [^]*Connection: close/);
  socket.write(Buffer.concat([Buffer.alloc(5000), Buffer.from(head(REQUEST.length)), REQUEST]));
  await once(socket, 'close');
  expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413']);
  expect([target.committed, observed.map(({ code }) => code)]).toEqual([[], ['413']]);
});

test('a client that closes its side behind a whole request gets its answer, however long that takes', async () => {
  const release = Promise.withResolvers<void>();
  const target = recordingTarget(async () => {
    await release.promise;
    return { rejectedLogRecords: 0, errorMessage: '' };
  });
  const { port, send, observed } = await receiver({ target });
  const head = `POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: ${REQUEST.length}\r\n\r\n`;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.end(Buffer.concat([Buffer.from(head), REQUEST]));
  // By the time that another one is answered, the end has been read.
  expect((await send(null, {}, '/', 'GET')).status).toBe(404);
  release.resolve();
  await once(socket, 'close');
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(observed.map(({ code }) => code)).toEqual(['404', '200']);
});

test.each([
  ['bytes that are no HTTP', 'GARBAGE\r\n\r\n', 400],
  ['a CONNECT', 'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n', 405],
])('%s behind a whole request: the answer to that one comes first', async (_name, behind, code) => {
  const release = Promise.withResolvers<void>();
  const target = recordingTarget(async () => {
    await release.promise;
    return { rejectedLogRecords: 0, errorMessage: '' };
  });
  const { port, send, observed } = await receiver({ target });
  const head = `POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: ${REQUEST.length}\r\n\r\n`;
  const socket = connect(port, '127.0.0.1');
  let answers = '';
  socket.on('data', (chunk: Buffer) => (answers += chunk.toString('latin1')));
  socket.write(Buffer.concat([Buffer.from(head), REQUEST, Buffer.from(behind)]));
  // By the time that another one is answered, all of it has been read.
  expect((await send(null, {}, '/', 'GET')).status).toBe(404);
  release.resolve();
  await once(socket, 'close');
  expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', `HTTP/1.1 ${code}`]);
  expect(observed.map((seen) => seen.code)).toEqual(['404', '200', String(code)]);
});

test('what comes behind the last request of a connection changes nothing about its answer', async () => {
  const { port, target } = await receiver();
  const head = `POST /v1/logs HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: ${REQUEST.length}\r\n\r\n`;
  const request = Buffer.concat([Buffer.from(head), REQUEST]);
  const socket = connect(port, '127.0.0.1');
  let answers = '';
  socket.on('data', (chunk: Buffer) => (answers += chunk.toString('latin1')));
  socket.write(Buffer.concat([request, request]));
  await once(socket, 'close');
  expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200']);
  expect(target.committed).toHaveLength(1);
});

test('an answer that closes its connection is the only one, also for a client that closes its side in the middle', async () => {
  const { port, observed } = await receiver({ maxRequestBytes: 1000 });
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let answers = '';
  socket.on('data', (chunk: Buffer) => (answers += chunk.toString('latin1')));
  socket.end(`POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: 5000\r\n\r\n`);
  await once(socket, 'close');
  expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413']);
  expect(observed.map(({ code }) => code)).toEqual(['413']);
});

test("a body's memory is given back when it is answered, and does not wait for the garbage collector", async () => {
  const bodies: ArrayBufferLike[] = [];
  const target: ExportTarget = {
    begin: () => {
      const sink = recordingSink();
      const record = (taken: DecodedRecord): void => void bodies.push(taken.text.buffer);
      const commit = () => Promise.resolve({ rejectedLogRecords: 0, errorMessage: '' });
      return { sink: { ...sink, record }, commit };
    },
  };
  const { send } = await receiver({ target });
  const request = encodeRequest(requestOf([{ body: { stringValue: 'x'.repeat(600) } }]));
  expect((await send(request)).status).toBe(200);
  expect((await send(request.subarray(0, -1))).status).toBe(400);
  expect((await send(request)).status).toBe(200);
  expect(bodies.length).toBeGreaterThanOrEqual(2);
  expect(bodies.map((buffer) => buffer.byteLength)).toEqual(bodies.map(() => 0));
});

test('a client that leaves in the middle of its body is not taken for a success', async () => {
  const seen = Promise.withResolvers<ObservedRequest>();
  const { port, target } = await receiver({ observe: seen.resolve });
  const socket = connect(port, '127.0.0.1');
  const head = `content-type: ${PROTOBUF}\r\ncontent-length: 5000\r\nexpect: 100-continue`;
  socket.write(`POST /v1/logs HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\nxx`);
  // 100 Continue: the request has begun.
  await once(socket, 'data');
  socket.destroy();
  expect(await seen.promise).toMatchObject({ code: '499', acceptedRecords: 0, bytes: 0 });
  expect(target.committed).toEqual([]);
});

test('a port in use is told with the key to change', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  open.push(holder);
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  await expect(receiver({ endpoint: `127.0.0.1:${port}` })).rejects.toMatchObject({
    code: 'LOGDRIFT_PORT_IN_USE',
    message: expect.stringContaining(`receivers.otlp.protocols.http.endpoint: 127.0.0.1:${port} is in use`) as string,
  });
});

test('close answers what is in flight and ends idle keep-alive connections', async () => {
  const release = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const target = recordingTarget(async () => {
    began.resolve();
    await release.promise;
    return { rejectedLogRecords: 0, errorMessage: '' };
  });
  const { port, send, close } = await receiver({ target });
  const idle = connect(port, '127.0.0.1');
  idle.write(`GET / HTTP/1.1\r\nhost: x\r\n\r\n`);
  await once(idle, 'data');
  const answered = send(REQUEST);
  await began.promise;
  const closed = close(10_000);
  await once(idle, 'close');
  release.resolve();
  expect((await answered).status).toBe(200);
  await closed;
});

test('close cuts what outlasts the grace', async () => {
  const began = Promise.withResolvers<void>();
  const target = recordingTarget(() => {
    began.resolve();
    return new Promise(() => {});
  });
  const { send, close } = await receiver({ target });
  const answered = send(REQUEST).catch((error: unknown) => error);
  await began.promise;
  await close(50);
  expect(await answered).toBeInstanceOf(Error);
});
