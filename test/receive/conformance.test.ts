/**
 * One test for each rule of OTLP that a log receiver has to keep. T: HTTP, G: gRPC, J: the JSON mapping, D: the data model
 * (opentelemetry-proto docs/specification.md and the comments in its .proto files).
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { ReceiveError } from '../../src/receive/status.ts';
import { encodeRequest, message, requestOf, Response, Status, stringAttribute } from './oracle.ts';
import { recordingTarget } from './recording-target.ts';
import {
  frame,
  grpcReceiver,
  GrpcSender,
  EXPORT,
  Http2Sender,
  httpReceiver,
  HttpSender,
  JSON_TYPE,
  PROTOBUF,
} from './senders.ts';

const REQUEST = encodeRequest(requestOf([{ body: { stringValue: 'hello' } }]));
const JSON_REQUEST = JSON.stringify(requestOf([{ body: { stringValue: 'hello' } }]));
const AS_JSON = { 'content-type': JSON_TYPE };
const readStatus = (body: Buffer): Record<string, unknown> => Status.toObject(Status.decode(body));

const partially = () =>
  recordingTarget(() => Promise.resolve({ rejectedLogRecords: 3, errorMessage: 'source is full' }));
const overloaded = () => recordingTarget(() => Promise.reject(new ReceiveError('overloaded', 'no room')));

describe('OTLP/HTTP', () => {
  test('T1: protobuf full success is 200, the same bare content type, and zero bytes', async () => {
    await using receiver = await httpReceiver();
    await using sender = new HttpSender(receiver.port);
    const { status, headers, body } = await sender.send(REQUEST);
    expect([status, headers['content-type'], body.length]).toEqual([200, PROTOBUF, 0]);
    expect(receiver.target.committed.map(({ text }) => text)).toEqual(['hello']);
  });

  test('T2: JSON full success is {}, also when the content type has parameters', async () => {
    await using receiver = await httpReceiver();
    await using sender = new HttpSender(receiver.port);
    for (const type of [JSON_TYPE, `${JSON_TYPE}; charset=utf-8`]) {
      const { status, headers, body } = await sender.send(JSON_REQUEST, { 'content-type': type });
      expect([status, headers['content-type'], body.toString()]).toEqual([200, JSON_TYPE, '{}']);
    }
  });

  test('T3: requests without a record are a success; a JSON body of zero bytes is not JSON', async () => {
    await using receiver = await httpReceiver();
    await using sender = new HttpSender(receiver.port);
    expect((await sender.send(Buffer.alloc(0))).status).toBe(200);
    for (const body of ['{}', '{"resourceLogs":[]}']) expect((await sender.send(body, AS_JSON)).status).toBe(200);
    expect((await sender.send('', AS_JSON)).status).toBe(400);
    expect(receiver.oddities).toEqual([]);
  });

  test('T4: partial success is 200 with the exact count; int64 is a string in JSON; a warning counts 0', async () => {
    await using receiver = await httpReceiver({ target: partially() });
    await using sender = new HttpSender(receiver.port);
    const answer = await sender.send(REQUEST);
    expect(answer.status).toBe(200);
    expect(Response.toObject(Response.decode(answer.body), { longs: Number })).toEqual({
      partialSuccess: { rejectedLogRecords: 3, errorMessage: 'source is full' },
    });
    expect(JSON.parse((await sender.send(JSON_REQUEST, AS_JSON)).body.toString())).toEqual({
      partialSuccess: { rejectedLogRecords: '3', errorMessage: 'source is full' },
    });
    const target = recordingTarget(() => Promise.resolve({ rejectedLogRecords: 0, errorMessage: 'only a warning' }));
    await using warning = await httpReceiver({ target });
    await using warned = new HttpSender(warning.port);
    expect(JSON.parse((await warned.send(JSON_REQUEST, AS_JSON)).body.toString())).toEqual({
      partialSuccess: { errorMessage: 'only a warning' },
    });
  });

  test('T5: what is malformed is 400 with a BadRequest, never 500', async () => {
    await using receiver = await httpReceiver();
    await using sender = new HttpSender(receiver.port);
    const gzip = { 'content-encoding': 'gzip' };
    const malformed: [Buffer | string, Record<string, string>][] = [
      [Buffer.from([0x0a, 0x80]), {}],
      [Buffer.from([0x08, 0x01]), {}],
      [Buffer.from([0x0a, 0x7f, 0x00]), {}],
      [REQUEST.subarray(0, -1), {}],
      [REQUEST, gzip],
      [gzipSync(REQUEST).subarray(0, -4), gzip],
      ['{"resourceLogs":7}', AS_JSON],
      ['{', AS_JSON],
    ];
    for (const [body, headers] of malformed) {
      const answer = await sender.send(body, headers);
      expect(answer.status, String(body)).toBe(400);
      const shown =
        headers['content-type'] === JSON_TYPE ? answer.body.toString() : JSON.stringify(readStatus(answer.body));
      expect(shown).toContain('BadRequest');
    }
    expect(receiver.target.committed).toEqual([]);
    expect(receiver.faults).toEqual([]);
  });

  test('T6: a body over the limit is 413, plain, chunked and after decompression, and can be read by a client that is still sending', async () => {
    await using receiver = await httpReceiver({ maxRequestBytes: 1_000_000 });
    await using sender = new HttpSender(receiver.port);
    const large = encodeRequest(requestOf([{ body: { stringValue: 'x'.repeat(3_000_000) } }]));
    expect((await sender.send(large)).status).toBe(413);
    for (const [encoding, pack] of [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['zstd', zstdCompressSync],
    ] as const) {
      const answer = await sender.send(pack(large), { 'content-encoding': encoding });
      expect([encoding, answer.status, readStatus(answer.body)['code']]).toEqual([encoding, 413, 8]);
    }
    const chunks = Array.from({ length: 30 }, (_, i) => large.subarray(i * 100_000, (i + 1) * 100_000));
    const chunked = await request(`http://127.0.0.1:${receiver.port}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': PROTOBUF },
      body: Readable.from(chunks),
    });
    expect(chunked.statusCode).toBe(413);
    expect(readStatus(Buffer.from(await chunked.body.arrayBuffer()))).toMatchObject({ code: 8 });
  });

  test('T7: overload is 503 with a Retry-After of at least a second', async () => {
    await using receiver = await httpReceiver({ target: overloaded() });
    await using sender = new HttpSender(receiver.port);
    const { status, headers, body } = await sender.send(REQUEST);
    expect([status, headers['retry-after'], readStatus(body)['code']]).toEqual([503, '1', 14]);
  });

  test("T8: every error is a Status in the request's encoding, JSON when that is unknown", async () => {
    await using receiver = await httpReceiver();
    await using sender = new HttpSender(receiver.port);
    const path = await sender.send(REQUEST, {}, { path: '/v1/metrics' });
    expect([path.status, path.headers['content-type'], readStatus(path.body)['code']]).toEqual([404, PROTOBUF, 12]);
    const method = await sender.send(null, AS_JSON, { method: 'GET' });
    expect([method.status, method.headers['allow']]).toEqual([405, 'POST']);
    expect(JSON.parse(method.body.toString())).toMatchObject({ code: 12 });
    const type = await sender.send(REQUEST, { 'content-type': 'text/plain' });
    expect([type.status, type.headers['content-type']]).toEqual([415, JSON_TYPE]);
    expect(JSON.parse(type.body.toString())).toMatchObject({ code: 3 });
    const encoding = await sender.send(REQUEST, { 'content-encoding': 'snappy' });
    expect([encoding.status, encoding.headers['accept-encoding']]).toEqual([415, 'gzip, deflate, zstd']);
    expect(readStatus(encoding.body)).toMatchObject({ message: expect.stringContaining('snappy') as string });
    expect(receiver.oddities).toEqual([{ kind: 'unsupported_encoding', transport: 'http', encoding: 'snappy' }]);
    const socket = connect(receiver.port, '127.0.0.1');
    socket.end('this is not HTTP\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 [^]*application\/json[^]*\{"code":3,/);
  });

  test.each([
    ['no Host', 400, 3, 'POST /v1/logs HTTP/1.1\r\n'],
    ['headers beyond 16 KiB', 431, 8, `POST /v1/logs HTTP/1.1\r\nhost: x\r\nlong: ${'x'.repeat(20_000)}\r\n`],
    ['CONNECT', 405, 12, 'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n'],
    ["HTTP/2's preface", 400, 3, 'PRI * HTTP/2.0\r\n\r\nSM\r\n'],
  ])('T8: %s, which Node would answer by itself, is %i with a Status', async (_name, httpStatus, code, head) => {
    await using receiver = await httpReceiver();
    const answer = await answerTo(receiver.port, `${head}content-type: ${JSON_TYPE}\r\ncontent-length: 2\r\n\r\n{}`);
    expect(answer).toMatch(
      new RegExp(`^HTTP/1.1 ${httpStatus} [^]*${JSON_TYPE}[^]*\r\n\r\n{"code":${code},"message":"`),
    );
    expect(receiver.observed.map((observed) => observed.code)).toEqual([String(httpStatus)]);
  });

  test.each([
    ['a target with scheme and host', 'POST http://collector:4318/v1/logs HTTP/1.1\r\nhost: x\r\n'],
    ['an expectation that nobody knows', 'POST /v1/logs HTTP/1.1\r\nhost: x\r\nexpect: tea\r\n'],
    ['an offer of HTTP/2', 'POST /v1/logs HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n'],
    ['HTTP/1.0 without a Host', 'POST /v1/logs HTTP/1.0\r\n'],
  ])('%s is taken like any other request', async (_name, head) => {
    await using receiver = await httpReceiver();
    const request = `${head}content-type: ${JSON_TYPE}\r\ncontent-length: ${JSON_REQUEST.length}\r\n\r\n${JSON_REQUEST}`;
    expect(await answerTo(receiver.port, request)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n{}$/);
    expect(receiver.target.committed).toHaveLength(1);
  });

  test('a client that asks before it sends its body is told to go on, or refused before it has sent any', async () => {
    await using receiver = await httpReceiver({ maxRequestBytes: 1000 });
    const asking = (length: number): string =>
      `POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: ${JSON_TYPE}\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`;
    const socket = connect(receiver.port, '127.0.0.1');
    socket.write(asking(JSON_REQUEST.length));
    expect(String((await once(socket, 'data'))[0])).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(JSON_REQUEST);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 200 /);
    socket.destroy();
    expect(await answerTo(receiver.port, asking(5000))).toMatch(/^HTTP\/1.1 413 /);
    // HTTP/1.0 knows no 100 (RFC 9110, section 10.1.1).
    const old = asking(JSON_REQUEST.length).replace('HTTP/1.1', 'HTTP/1.0');
    expect(await answerTo(receiver.port, `${old}${JSON_REQUEST}`)).toMatch(/^HTTP\/1.1 200 /);
  });

  test('T9: an error message has at most a KiB', async () => {
    const target = recordingTarget(() => Promise.resolve({ rejectedLogRecords: 1, errorMessage: 'ä'.repeat(4000) }));
    await using receiver = await httpReceiver({ target });
    await using sender = new HttpSender(receiver.port);
    expect((await sender.send(REQUEST)).body.length).toBeLessThan(1100);
  });

  test('T10: gzip, deflate, zstd, identity and chunked bodies are read; the answer is never compressed', async () => {
    await using receiver = await httpReceiver();
    await using sender = new HttpSender(receiver.port);
    const packed = { gzip: gzipSync, deflate: deflateSync, zstd: zstdCompressSync, identity: (bytes: Buffer) => bytes };
    for (const [encoding, pack] of Object.entries(packed)) {
      const answer = await sender.send(pack(REQUEST), { 'content-encoding': encoding, 'accept-encoding': 'gzip' });
      expect([answer.status, answer.headers['content-encoding']]).toEqual([200, undefined]);
    }
    const { statusCode } = await request(`http://127.0.0.1:${receiver.port}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': PROTOBUF },
      body: Readable.from([REQUEST.subarray(0, 3), REQUEST.subarray(3)]),
    });
    expect(statusCode).toBe(200);
    expect(receiver.target.committed).toHaveLength(5);
  });

  test('T10: several zstd frames or gzip members in one body are all read', async () => {
    await using receiver = await httpReceiver();
    await using sender = new HttpSender(receiver.port);
    for (const [encoding, pack] of [
      ['zstd', zstdCompressSync],
      ['gzip', gzipSync],
    ] as const) {
      const body = Buffer.concat([pack(REQUEST), pack(REQUEST), pack(REQUEST)]);
      expect((await sender.send(body, { 'content-encoding': encoding })).status).toBe(200);
    }
    expect(receiver.target.committed).toHaveLength(6);
  });

  test('T11: a connection serves many requests, and many connections are served at once', async () => {
    await using receiver = await httpReceiver();
    await using sender = new HttpSender(receiver.port);
    for (let k = 0; k < 10; k++) await sender.send(REQUEST);
    expect(receiver.connections).toBeLessThan(5);
    await Promise.all(Array.from({ length: 20 }, () => sender.send(REQUEST)));
    expect(receiver.connections).toBeGreaterThan(5);
    expect(receiver.target.committed).toHaveLength(30);
  });

  test('T12: one port takes protobuf and JSON, by content type', async () => {
    await using receiver = await httpReceiver();
    await using sender = new HttpSender(receiver.port);
    await sender.send(REQUEST);
    await sender.send(JSON_REQUEST, AS_JSON);
    expect((await sender.send(JSON_REQUEST)).status).toBe(400);
    expect(receiver.target.committed.map(({ text }) => text)).toEqual(['hello', 'hello']);
  });
});

describe('OTLP/gRPC', () => {
  test('G1: Export is unary at LogsService; an empty request and many calls at once on one connection are fine', async () => {
    await using receiver = await grpcReceiver();
    using sender = new GrpcSender(receiver.port);
    expect(await sender.send(Buffer.alloc(0))).toMatchObject({ code: status.OK, response: Buffer.alloc(0) });
    const answers = await Promise.all(Array.from({ length: 50 }, () => sender.send(REQUEST)));
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([status.OK]));
    expect(receiver.connections).toBe(1);
    expect(receiver.target.committed).toHaveLength(50);
  });

  test('G2: over the limit is RESOURCE_EXHAUSTED without RetryInfo, plain and after decompression, and counted', async () => {
    await using receiver = await grpcReceiver({ maxRequestBytes: 100_000 });
    const large = encodeRequest(requestOf([{ body: { stringValue: 'x'.repeat(200_000) } }]));
    using plain = new GrpcSender(receiver.port);
    using gzip = new GrpcSender(receiver.port, { 'grpc.default_compression_algorithm': 2 });
    for (const sender of [plain, gzip]) {
      const answer = await sender.send(large);
      expect(answer.code).toBe(status.RESOURCE_EXHAUSTED);
      expect(answer.metadata.get('grpc-status-details-bin')).toHaveLength(1);
      expect(answer.statusDetails).not.toContain('RetryInfo');
    }
    await expect
      .poll(() => receiver.observed.map(({ code }) => code))
      .toEqual(['RESOURCE_EXHAUSTED', 'RESOURCE_EXHAUSTED']);
  });

  test('G3: bad data is INVALID_ARGUMENT with BadRequest, overload UNAVAILABLE with RetryInfo', async () => {
    await using receiver = await grpcReceiver();
    using sender = new GrpcSender(receiver.port);
    const bad = await sender.send(REQUEST.subarray(0, -1));
    expect([bad.code, bad.statusDetails]).toEqual([status.INVALID_ARGUMENT, ['BadRequest']]);
    await using busy = await grpcReceiver({ target: overloaded() });
    using refused = new GrpcSender(busy.port);
    const answer = await refused.send(REQUEST);
    expect([answer.code, answer.statusDetails]).toEqual([status.UNAVAILABLE, ['RetryInfo']]);
    expect(busy.observed).toMatchObject([{ code: 'UNAVAILABLE', refusedRecords: 1, failedRecords: 0 }]);
  });

  test('G4: only passing trouble has a code that clients retry', async () => {
    const retryable: number[] = [
      status.CANCELLED,
      status.DEADLINE_EXCEEDED,
      status.ABORTED,
      status.OUT_OF_RANGE,
      status.UNAVAILABLE,
      status.DATA_LOSS,
    ];
    for (const [kind, isPassing] of [
      ['malformed', false],
      ['too_large', false],
      ['unauthenticated', false],
      ['unsupported_encoding', false],
      ['internal', false],
      ['overloaded', true],
      ['shutting_down', true],
    ] as const) {
      const target = recordingTarget(() => Promise.reject(new ReceiveError(kind, 'no')));
      await using receiver = await grpcReceiver({ target });
      using sender = new GrpcSender(receiver.port);
      expect([kind, retryable.includes((await sender.send(REQUEST)).code)]).toEqual([kind, isPassing]);
    }
  });

  test('G5: traces and metrics are UNIMPLEMENTED, on HTTP 404, and counted', async () => {
    await using receiver = await grpcReceiver();
    using sender = new GrpcSender(receiver.port);
    for (const service of ['trace.v1.TraceService', 'metrics.v1.MetricsService']) {
      const path = `/opentelemetry.proto.collector.${service}/Export`;
      expect((await sender.send(REQUEST, {}, path)).code).toBe(status.UNIMPLEMENTED);
    }
    await expect.poll(() => receiver.observed.map(({ code }) => code)).toEqual(['UNIMPLEMENTED', 'UNIMPLEMENTED']);
    await using http = await httpReceiver();
    await using posted = new HttpSender(http.port);
    expect((await posted.send(REQUEST, {}, { path: '/v1/traces' })).status).toBe(404);
    await expect.poll(() => http.observed.map(({ code }) => code)).toEqual(['404']);
  });

  test('a call takes exactly one whole message: none, half a one or two are UNIMPLEMENTED, and taken in is nothing', async () => {
    await using receiver = await grpcReceiver();
    using sender = new Http2Sender(receiver.port);
    for (const bytes of [
      Buffer.alloc(0),
      frame(REQUEST).subarray(0, 3),
      frame(REQUEST).subarray(0, 20),
      Buffer.concat([frame(REQUEST), frame(REQUEST)]),
    ]) {
      expect(await sender.send(bytes)).toBe(status.UNIMPLEMENTED);
    }
    expect(receiver.target.committed).toEqual([]);
    expect(receiver.observed.map(({ code }) => code)).toEqual(Array(4).fill('UNIMPLEMENTED'));
  });

  test('a message may come in pieces of any size, its prefix too', async () => {
    await using receiver = await grpcReceiver();
    using sender = new Http2Sender(receiver.port);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const stream = sender.session.request({ ':method': 'POST', ':path': EXPORT, 'content-type': 'application/grpc' });
    stream.on('trailers', (trailers) => resolve(trailers['grpc-status']));
    stream.resume();
    for (const byte of frame(REQUEST)) {
      stream.write(Buffer.of(byte));
      await new Promise((turn) => setImmediate(turn));
    }
    stream.end();
    expect(Number(await promise)).toBe(status.OK);
    expect(receiver.target.committed).toHaveLength(1);
  });

  test('a message that is compressed by nobody knows what is INTERNAL, a method other than POST no gRPC', async () => {
    await using receiver = await grpcReceiver();
    using sender = new Http2Sender(receiver.port);
    expect(await sender.send(frame(gzipSync(REQUEST), 1))).toBe(status.INTERNAL);
    expect(await sender.send(frame(gzipSync(REQUEST), 1), { 'grpc-encoding': 'identity' })).toBe(status.INTERNAL);
    expect(await sender.send(frame(REQUEST), { ':method': 'PUT' })).toBe(-1);
    expect(await sender.send(frame(REQUEST))).toBe(status.OK);
    expect(receiver.observed.map(({ code }) => code)).toEqual(['INTERNAL', 'INTERNAL', 'UNKNOWN', 'OK']);
    expect([receiver.target.committed.length, receiver.faults]).toEqual([1, []]);
  });

  test('what is no gRPC is told so over HTTP, and counted', async () => {
    await using receiver = await grpcReceiver();
    using sender = new Http2Sender(receiver.port);
    expect(await sender.send(REQUEST, { 'content-type': 'application/json' })).toBe(-1);
    expect(await sender.send(frame(REQUEST), { 'content-type': 'application/grpc-web+proto' })).toBe(-1);
    await expect.poll(() => receiver.observed.map(({ code }) => code)).toEqual(['UNKNOWN', 'UNKNOWN']);
    for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8']) {
      expect(await sender.send(frame(REQUEST), { 'content-type': type })).toBe(status.OK);
    }
  });

  test('G6: broken compression is INVALID_ARGUMENT; gzip, deflate and zstd are read; others are UNIMPLEMENTED and told', async () => {
    await using receiver = await grpcReceiver();
    using sender = new Http2Sender(receiver.port);
    const send = (bytes: Buffer, encoding: string) => sender.send(frame(bytes, 1), { 'grpc-encoding': encoding });
    for (const encoding of ['gzip', 'deflate', 'zstd']) {
      expect(await send(Buffer.from('garbage'), encoding)).toBe(status.INVALID_ARGUMENT);
    }
    expect(await send(gzipSync(REQUEST), 'gzip')).toBe(status.OK);
    expect(await send(deflateSync(REQUEST), 'deflate')).toBe(status.OK);
    expect(await send(Buffer.concat([zstdCompressSync(REQUEST), zstdCompressSync(REQUEST)]), 'zstd')).toBe(status.OK);
    // A sender may leave a small message as it is.
    expect(await sender.send(frame(REQUEST, 0), { 'grpc-encoding': 'gzip' })).toBe(status.OK);
    expect(receiver.target.committed).toHaveLength(5);
    expect(await send(REQUEST, 'snappy')).toBe(status.UNIMPLEMENTED);
    expect(receiver.oddities).toEqual([{ kind: 'unsupported_encoding', transport: 'grpc', encoding: 'snappy' }]);
    expect(receiver.observed.at(-1)).toMatchObject({ code: 'UNIMPLEMENTED' });
    expect(await send(REQUEST, 'x'.repeat(10_000))).toBe(status.UNIMPLEMENTED);
    expect(receiver.oddities.at(-1)).toMatchObject({ encoding: 'of a name too long' });
  });
});

/** What comes back for bytes on a connection of their own, to its first pause. */
async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}

/** Sends one request of JSON and returns what was taken in. */
async function takenAsJson(request: unknown, wanted?: Parameters<typeof recordingTarget>[0]) {
  await using receiver = await httpReceiver({ ...(wanted === undefined ? {} : { target: recordingTarget(wanted) }) });
  await using sender = new HttpSender(receiver.port);
  const { status, body } = await sender.send(typeof request === 'string' ? request : JSON.stringify(request), AS_JSON);
  return { status, message: body.toString(), records: receiver.target.committed, oddities: receiver.oddities };
}

describe('JSON mapping', () => {
  test('J1: lowerCamelCase and snake_case are read, unknown keys are ignored at every level', async () => {
    const snake = {
      x: 1,
      resource_logs: [
        {
          x: 1,
          resource: { x: [], attributes: [{ x: 1, key: 'service.name', value: { x: 1, string_value: 'api' } }] },
          scope_logs: [
            {
              x: 1,
              scope: { x: 1, name: 's' },
              log_records: [{ x: {}, time_unix_nano: '1000000', body: { string_value: 'hello' } }],
            },
          ],
        },
      ],
    };
    const camel = JSON.parse(
      JSON.stringify(snake).replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
    ) as object;
    for (const request of [snake, camel]) {
      const { records } = await takenAsJson(request);
      expect(records).toMatchObject([{ text: 'hello', scope: 's', timeMs: 1 }]);
      expect(records[0]!.resource.get('service.name')).toBe('api');
    }
  });

  test('J2: ids are hex in either case; wrong ones are no ids and no error', async () => {
    const traceId = '4BF92F3577b34da6a3ce929d0e0e4736';
    const ids = [traceId, '00'.repeat(16), 'abc', '', 'zz'.repeat(16), null, 7, 'S/kvNXezTaajzpKdDg5HNg=='];
    const { status, records } = await takenAsJson(
      requestOf(ids.map((id) => ({ traceId: id, spanId: '00f067aa0ba902b7' }))),
    );
    expect(status).toBe(200);
    expect(records.map((record) => record.traceId)).toEqual([traceId.toLowerCase(), '', '', '', '', '', '', '']);
    expect(records.every(({ spanId }) => spanId === '00f067aa0ba902b7')).toBe(true);
  });

  test('J3: enums are numbers; names are taken and told', async () => {
    const numbers = await takenAsJson(requestOf([{ severityNumber: 17 }]));
    expect(numbers.records).toMatchObject([{ severityNumber: 17 }]);
    expect(numbers.oddities).toEqual([]);
    const names = await takenAsJson(requestOf([{ severityNumber: 'SEVERITY_NUMBER_WARN2' }]));
    expect(names.records).toMatchObject([{ severityNumber: 14 }]);
    expect(names.oddities).toEqual([{ kind: 'enum_name', transport: 'http' }]);
  });

  test('J4: 64-bit integers are numbers or strings, bytes base64, doubles numbers or words', async () => {
    const values = [{ intValue: '9007199254740993' }, { intValue: 7 }, { doubleValue: 'NaN' }, { bytesValue: 'aGk=' }];
    const bodies = values.map((body) => ({ body, timeUnixNano: '1544712660300000000' }));
    const { records } = await takenAsJson(requestOf([...bodies, { timeUnixNano: 1_544_712_660_300_000_000 }]));
    expect(records.map(({ text }) => text)).toEqual(['9007199254740993', '7', 'NaN', 'hi', '']);
    expect(new Set(records.map(({ timeMs }) => timeMs))).toEqual(new Set([1_544_712_660_300]));
  });

  test('J5: null is unset and an empty AnyValue legal', async () => {
    const { status, records } = await takenAsJson(
      '{"resourceLogs":[{"resource":null,"scopeLogs":[{"scope":null,"logRecords":[{"body":null,"attributes":null},{"body":{}},{}]}]},null]}',
    );
    expect([status, records.map(({ text }) => text)]).toEqual([200, ['', '', '']]);
  });
});

/** Sends protobuf over gRPC and returns what was taken in. */
async function taken(request: Buffer) {
  await using receiver = await grpcReceiver();
  using sender = new GrpcSender(receiver.port);
  const { code, details } = await sender.send(request);
  return { code, details, records: receiver.target.committed, oddities: receiver.oddities };
}

/** A request around the bytes of one LogRecord. */
function around(...logRecord: (Buffer | number[])[]): Buffer {
  return message(1, message(2, message(2, ...logRecord)));
}

describe('data model', () => {
  test('D1: both times reach the clock, 0 when absent', async () => {
    const { records } = await taken(
      encodeRequest(requestOf([{ timeUnixNano: 5_000_000 }, { observedTimeUnixNano: 7_000_000 }, {}])),
    );
    expect(records.map(({ timeMs, observedTimeMs }) => [timeMs, observedTimeMs])).toEqual([
      [5, 0],
      [0, 7],
      [0, 0],
    ]);
  });

  test('D2: flags with reserved bits are no error', async () => {
    const { code, records } = await taken(
      encodeRequest(requestOf([{ flags: 0xffff_ff01, body: { stringValue: 'a' } }])),
    );
    expect([code, records.length]).toEqual([status.OK, 1]);
  });

  test('D3: of duplicate attribute keys the first wins', async () => {
    const twice = [stringAttribute('service.name', 'first'), stringAttribute('service.name', 'second')];
    const { records } = await taken(encodeRequest(requestOf([{}], twice)));
    expect(records[0]!.resource.get('service.name')).toBe('first');
  });

  test('D4: string-table references are absent, and told', async () => {
    const strindexBody = message(5, [0x40, 0x05]);
    const { code, records, oddities } = await taken(around(strindexBody));
    expect([code, records.map(({ text }) => text)]).toEqual([status.OK, ['']]);
    expect(oddities).toEqual([{ kind: 'strindex', transport: 'grpc' }]);
    const attribute = message(6, [0x18, 0x01], message(2, message(1, 'x')));
    expect(await taken(around(attribute))).toMatchObject({ code: status.OK, oddities: [{ kind: 'strindex' }] });
    const json = await takenAsJson(requestOf([{ body: { stringValueStrindex: 3 } }]));
    expect(json).toMatchObject({ status: 200, oddities: [{ kind: 'strindex', transport: 'http' }] });
  });

  test('D5: unknown fields of every wire type and groups are skipped at every level', async () => {
    const unknown = Buffer.concat([
      Buffer.from([0xf8, 0x01, 0x96, 0x01]),
      Buffer.from([0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8]),
      message(31, 'unknown'),
      Buffer.from([0xfb, 0x01, 0x08, 0x01, 0xfc, 0x01]),
      Buffer.from([0xfd, 0x01, 1, 2, 3, 4]),
    ]);
    const body = message(5, unknown, message(1, 'hello'));
    const resource = message(
      1,
      unknown,
      message(1, unknown, message(1, 'service.name'), message(2, message(1, 'api'))),
    );
    const scope = message(1, unknown, message(1, 'scope'));
    const request = Buffer.concat([
      unknown,
      // The resource after its records: the order of fields is free.
      message(1, unknown, message(2, unknown, scope, message(2, unknown, body)), resource),
      unknown,
    ]);
    const { code, records } = await taken(request);
    expect(code).toBe(status.OK);
    expect(records).toMatchObject([{ text: 'hello', scope: 'scope' }]);
    expect(records[0]!.resource.get('service.name')).toBe('api');
  });

  test('D5: invalid UTF-8 is no error', async () => {
    const { code, records } = await taken(around(message(5, message(1, [0x61, 0xff, 0x62]))));
    expect([code, records[0]!.text]).toEqual([status.OK, 'a\ufffdb']);
  });

  test('D6: a body of any kind becomes text', async () => {
    const map = (entries: Record<string, object>) => ({
      kvlistValue: { values: Object.entries(entries).map(([key, value]) => ({ key, value })) },
    });
    const bodies: [object, string][] = [
      [{ stringValue: 'text' }, 'text'],
      [{ boolValue: true }, 'true'],
      [{ intValue: -5 }, '-5'],
      [{ doubleValue: 1.5 }, '1.5'],
      [{ bytesValue: Buffer.from('bytes') }, 'bytes'],
      [{ arrayValue: { values: [{ intValue: 1 }, { stringValue: 'a' }] } }, '[1,"a"]'],
      [map({ z: { intValue: 1 }, a: { stringValue: 'b' } }), '{"a":"b","z":1}'],
      [
        map({ log: { stringValue: 'log' }, msg: { stringValue: 'msg' }, message: { stringValue: 'message' } }),
        'message',
      ],
      [map({ 'event.original': { stringValue: 'original' } }), 'original'],
      [map({ MESSAGE: { arrayValue: { values: [{ intValue: 104 }, { intValue: 105 }] } } }), 'hi'],
    ];
    const { records } = await taken(encodeRequest(requestOf(bodies.map(([body]) => ({ body })))));
    expect(records.map(({ text }) => text)).toEqual(bodies.map(([, text]) => text));
  });

  test('D7: entity_refs of a resource are passed over', async () => {
    const entityRef = message(3, message(2, 'service'), message(3, 'service.name'));
    const attribute = message(1, message(1, 'service.name'), message(2, message(1, 'api')));
    const { code, records } = await taken(message(1, message(1, entityRef, attribute), message(2, message(2, []))));
    expect(code).toBe(status.OK);
    expect(records[0]!.resource).toEqual(new Map([['service.name', 'api']]));
  });

  test('D8: the same request twice is taken twice: duplicates are possible and no error', async () => {
    await using receiver = await grpcReceiver();
    using sender = new GrpcSender(receiver.port);
    for (let k = 0; k < 2; k++) expect((await sender.send(REQUEST)).code).toBe(status.OK);
    expect(receiver.target.committed).toHaveLength(2);
  });
});
