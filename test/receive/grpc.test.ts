import { connect, createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { afterEach, expect, test } from 'vitest';
import { openGrpcReceiver } from '../../src/receive/grpc.ts';
import type { ObservedRequest, Receiver, ReceiverOptions } from '../../src/receive/receiver.ts';
import { ReceiveError } from '../../src/receive/status.ts';
import { encodeRequest, requestOf, Response, Status } from './oracle.ts';
import { recordingTarget } from './recording-target.ts';

const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
const REQUEST = encodeRequest(requestOf([{ body: { stringValue: 'hello' } }, { body: { stringValue: 'world' } }]));
const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

async function receiver(options: Partial<ReceiverOptions> = {}) {
  const target = recordingTarget();
  const observed: ObservedRequest[] = [];
  const opened = await openGrpcReceiver({
    endpoint: '127.0.0.1:0',
    maxRequestBytes: 67_108_864,
    target,
    observe: (request) => void observed.push(request),
    ...options,
  });
  open.push(opened);
  return Object.assign(opened, { target, observed });
}

function client({ port }: Receiver, options: object = {}) {
  const channel = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  open.push({ [Symbol.asyncDispose]: () => Promise.resolve(channel.close()) });
  const same = (bytes: Buffer): Buffer => bytes;
  return (request: Buffer, path = EXPORT): Promise<Buffer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    channel.makeUnaryRequest(path, same, same, request, new Metadata(), (error, response) => {
      if (error) reject(error);
      else resolve(response!);
    });
    return promise;
  };
}

async function failure(call: Promise<Buffer>): Promise<ServiceError> {
  return call.then(
    () => expect.fail('the call succeeded'),
    (error: ServiceError) => error,
  );
}

test('records arrive and full success is an empty response', async () => {
  const opened = await receiver();
  expect(await client(opened)(REQUEST)).toHaveLength(0);
  expect(opened.target.committed.map((record) => record.text)).toEqual(['hello', 'world']);
  expect(opened.observed).toEqual([
    { transport: 'grpc', code: 'OK', acceptedRecords: 2, refusedRecords: 0, failedRecords: 0, bytes: REQUEST.length },
  ]);
});

test('an empty request is a success', async () => {
  expect(await client(await receiver())(Buffer.alloc(0))).toHaveLength(0);
});

test('gzip is taken', async () => {
  const opened = await receiver();
  await client(opened, { 'grpc.default_compression_algorithm': 2 })(REQUEST);
  expect(opened.target.committed).toHaveLength(2);
});

test('one connection carries many calls at once', async () => {
  const opened = await receiver();
  const call = client(opened);
  await Promise.all(Array.from({ length: 50 }, () => call(REQUEST)));
  expect(opened.target.committed).toHaveLength(100);
});

test('refused records are told as partial success', async () => {
  const target = recordingTarget(() => Promise.resolve({ rejectedLogRecords: 1, errorMessage: 'source is full' }));
  const opened = await receiver({ target });
  const response = Response.toObject(Response.decode(await client(opened)(REQUEST)), { longs: Number });
  expect(response).toEqual({ partialSuccess: { rejectedLogRecords: 1, errorMessage: 'source is full' } });
  expect(opened.observed[0]).toMatchObject({ acceptedRecords: 1, refusedRecords: 1 });
});

test('malformed bytes are INVALID_ARGUMENT with the place in a BadRequest', async () => {
  const opened = await receiver();
  const error = await failure(client(opened)(REQUEST.subarray(0, -3)));
  expect(error.code).toBe(status.INVALID_ARGUMENT);
  expect(error.details).toMatch(/at byte 1 in resource_logs/);
  const details = Status.toObject(Status.decode(error.metadata.get('grpc-status-details-bin')[0] as Buffer));
  expect(details).toMatchObject({ code: 3, details: [{ type_url: 'type.googleapis.com/google.rpc.BadRequest' }] });
  expect(opened.target.committed).toEqual([]);
  expect(opened.observed[0]).toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('overload is UNAVAILABLE with RetryInfo', async () => {
  const target = recordingTarget(() => Promise.reject(new ReceiveError('overloaded', 'no room')));
  const error = await failure(client(await receiver({ target }))(REQUEST));
  expect([error.code, error.details]).toEqual([status.UNAVAILABLE, 'no room']);
  const details = Status.toObject(Status.decode(error.metadata.get('grpc-status-details-bin')[0] as Buffer));
  expect(details).toMatchObject({ details: [{ type_url: 'type.googleapis.com/google.rpc.RetryInfo' }] });
});

test('a fault of ours is INTERNAL, reported, and ends nothing but its call', async () => {
  const faults: unknown[] = [];
  let broken = true;
  const target = recordingTarget(() => {
    if (broken) throw new TypeError('bug');
    return Promise.resolve({ rejectedLogRecords: 0, errorMessage: '' });
  });
  const call = client(await receiver({ target, onFault: (error) => void faults.push(error) }));
  expect((await failure(call(REQUEST))).code).toBe(status.INTERNAL);
  expect(faults).toEqual([new TypeError('bug')]);
  broken = false;
  await call(REQUEST);
});

test('a request over the limit is RESOURCE_EXHAUSTED, plain and unpacked', async () => {
  const opened = await receiver({ maxRequestBytes: 100_000 });
  const large = encodeRequest(requestOf([{ body: { stringValue: 'x'.repeat(200_000) } }]));
  expect(gzipSync(large).length).toBeLessThan(1000);
  expect((await failure(client(opened)(large))).code).toBe(status.RESOURCE_EXHAUSTED);
  const gzip = client(opened, { 'grpc.default_compression_algorithm': 2 });
  expect((await failure(gzip(large))).code).toBe(status.RESOURCE_EXHAUSTED);
  expect(opened.target.committed).toEqual([]);
});

test('a request far beyond the 4 MiB that grpc-js takes by default is taken', async () => {
  const opened = await receiver();
  await client(opened)(encodeRequest(requestOf([{ body: { stringValue: 'x'.repeat(8_000_000) } }])));
  expect(opened.target.committed[0]!.text).toHaveLength(8_000_000);
});

test('other services and methods are UNIMPLEMENTED', async () => {
  const call = client(await receiver());
  const traces = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  expect((await failure(call(REQUEST, traces))).code).toBe(status.UNIMPLEMENTED);
  expect((await failure(call(REQUEST, EXPORT.replace('Export', 'Import')))).code).toBe(status.UNIMPLEMENTED);
});

test("the official exporter's records arrive with resource, severity and body", async () => {
  const opened = await receiver();
  const exporter = new OTLPLogExporter({ url: `http://127.0.0.1:${opened.port}` });
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
  provider.getLogger('scope-1').emit({ severityNumber: 13, body: { msg: 'map body' }, attributes: { a: 1 } });
  provider.getLogger('scope-1').emit({ severityNumber: 9, body: 'from the SDK' });
  await provider.forceFlush();
  await provider.shutdown();
  expect(opened.target.committed).toMatchObject([
    { text: 'map body', severityNumber: 13, scope: 'scope-1' },
    { text: 'from the SDK', severityNumber: 9, scope: 'scope-1' },
  ]);
  expect(opened.target.committed[0]!.resource.get('telemetry.sdk.language')).toBe('nodejs');
});

test('a port in use is told with the key to change', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  open.push(holder);
  await new Promise((resolve) => holder.once('listening', resolve));
  const { port } = holder.address() as { port: number };
  await expect(receiver({ endpoint: `127.0.0.1:${port}` })).rejects.toMatchObject({
    code: 'LOGDRIFT_PORT_IN_USE',
    message: expect.stringMatching(
      new RegExp(
        `receivers.otlp.protocols.grpc.endpoint: 127.0.0.1:${port} is in use.*--set receivers.otlp.protocols.grpc.endpoint=127.0.0.1:`,
      ),
    ) as string,
  });
});

test('it listens on hosts other than loopback', async () => {
  const opened = await receiver({ endpoint: '0.0.0.0:0' });
  await client(opened)(REQUEST);
  expect(opened.target.committed).toHaveLength(2);
});

test('close lets calls in flight finish and takes no new connection', async () => {
  const release = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const target = recordingTarget(async () => {
    began.resolve();
    await release.promise;
    return { rejectedLogRecords: 0, errorMessage: '' };
  });
  const opened = await receiver({ target });
  const answered = client(opened)(REQUEST);
  await began.promise;
  const closed = opened.close(10_000);
  await expect(connects(opened.port)).resolves.toBe(false);
  release.resolve();
  expect(await answered).toHaveLength(0);
  await closed;
  expect(target.committed).toHaveLength(2);
});

test('close cuts calls that outlast the grace, with a code that clients retry', async () => {
  const began = Promise.withResolvers<void>();
  const target = recordingTarget(() => {
    began.resolve();
    return new Promise(() => {});
  });
  const opened = await receiver({ target });
  const answered = failure(client(opened)(REQUEST));
  await began.promise;
  await opened.close(50);
  expect([status.CANCELLED, status.UNAVAILABLE]).toContain((await answered).code);
});

function connects(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1', () => {
    socket.destroy();
    resolve(true);
  });
  socket.on('error', () => resolve(false));
  return promise;
}
