import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { Budget } from '../../src/receive/budget.ts';
import { createMemoryLimiter } from '../../src/receive/memory-limiter.ts';
import { ReceiveError } from '../../src/receive/status.ts';
import { encodeRequest, requestOf } from './oracle.ts';
import { recordingTarget } from './recording-target.ts';
import { frame, grpcReceiver, GrpcSender, Http2Sender, httpReceiver, HttpSender, PROTOBUF } from './senders.ts';

const REQUEST = encodeRequest(requestOf([{ body: { stringValue: 'hello' } }]));
const LARGE = encodeRequest(requestOf([{ body: { stringValue: 'x'.repeat(600_000) } }]));

/** A target whose commits wait until they are let go. */
function waitingTarget() {
  const release = Promise.withResolvers<void>();
  let waiting = 0;
  const target = recordingTarget(async () => {
    waiting++;
    await release.promise;
    return { rejectedLogRecords: 0, errorMessage: '' };
  });
  return { target, release: () => release.resolve(), waiting: () => waiting };
}

describe('the byte budget', () => {
  test('a request alone is taken whatever its size; beside others the limit holds', () => {
    const budget = new Budget({ limitBytes: 100 });
    const first = budget.open();
    first.take(150);
    expect(() => budget.open()).toThrow(ReceiveError);
    first.release();
    first.release();
    expect(budget.inflightBytes).toBe(0);
    const [a, b] = [budget.open(), budget.open()];
    a.take(60);
    expect(() => b.take(60)).toThrow(/60 of 100 bytes/);
    b.take(40);
    expect(budget.inflightBytes).toBe(100);
  });

  test('what waits for its shard counts', () => {
    const budget = new Budget({ limitBytes: 100, waitingBytes: () => 100 });
    expect(() => budget.open()).toThrow(/100 of 100 bytes/);
  });

  test('a client is told to come back in one to five seconds', () => {
    const budget = new Budget({ limitBytes: 100, memoryShortage: () => 'memory is short' });
    for (let k = 0; k < 100; k++) {
      try {
        budget.open();
        expect.unreachable();
      } catch (error) {
        expect((error as ReceiveError).retryAfterMs).toBeGreaterThanOrEqual(1000);
        expect((error as ReceiveError).retryAfterMs).toBeLessThanOrEqual(5000);
      }
    }
  });

  test('while it is used up requests of either transport are refused, nothing of them is taken in, and then they pass again', async () => {
    const budget = new Budget({ limitBytes: 1_000_000 });
    const { target, release, waiting } = waitingTarget();
    await using grpc = await grpcReceiver({ budget, target });
    await using http = await httpReceiver({ budget });
    using slow = new GrpcSender(grpc.port);
    await using sender = new HttpSender(http.port);
    const held = slow.send(LARGE);
    await expect.poll(waiting).toBe(1);
    const refused = await sender.send(LARGE);
    expect([refused.status, Number(refused.headers['retry-after'])]).toEqual([
      503,
      expect.toSatisfy((s) => s >= 1 && s <= 5),
    ]);
    expect((await sender.send(gzipSync(LARGE), { 'content-encoding': 'gzip' })).status).toBe(503);
    expect(await slow.send(LARGE)).toMatchObject({ code: status.UNAVAILABLE, statusDetails: ['RetryInfo'] });
    using gzip = new GrpcSender(grpc.port, { 'grpc.default_compression_algorithm': 2 });
    expect(await gzip.send(LARGE)).toMatchObject({ code: status.UNAVAILABLE, statusDetails: ['RetryInfo'] });
    // A small one fits beside.
    expect((await sender.send(REQUEST)).status).toBe(200);
    expect(http.target.committed).toHaveLength(1);
    release();
    expect((await held).code).toBe(status.OK);
    expect((await sender.send(LARGE)).status).toBe(200);
    await expect.poll(() => budget.inflightBytes).toBe(0);
  });

  test('every way a call can end gives its bytes back', async () => {
    const budget = new Budget({ limitBytes: 10_000_000 });
    await using grpc = await grpcReceiver({ budget, maxRequestBytes: 1_000_000 });
    await using http = await httpReceiver({ budget, maxRequestBytes: 1_000_000 });
    using sender = new Http2Sender(grpc.port);
    await using poster = new HttpSender(http.port);
    await sender.send(frame(REQUEST));
    await sender.send(frame(REQUEST.subarray(1)));
    await sender.send(frame(Buffer.from('x'), 1), { 'grpc-encoding': 'gzip' });
    await sender.send(frame(gzipSync(Buffer.alloc(3_000_000)), 1), { 'grpc-encoding': 'gzip' });
    await sender.send(frame(Buffer.alloc(10), 0, 2_000_000));
    await sender.send(frame(Buffer.alloc(10), 0, 1000));
    await sender.send(Buffer.concat([frame(REQUEST), frame(REQUEST)]));
    const left = sender.session.request({ ':method': 'POST', ':path': '/x', 'content-type': 'application/grpc' });
    left.on('error', () => {});
    left.write(frame(REQUEST).subarray(0, 9));
    left.close();
    await poster.send(gzipSync(Buffer.alloc(3_000_000)), { 'content-encoding': 'gzip' });
    await poster.send(Buffer.from([0x0a, 0x7f]));
    const socket = connect(http.port, '127.0.0.1');
    const head = `content-type: ${PROTOBUF}\r\ncontent-length: 500\r\nexpect: 100-continue`;
    socket.write(`POST /v1/logs HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\nxx`);
    // 100 Continue: the request has begun.
    await once(socket, 'data');
    socket.destroy();
    await expect.poll(() => http.observed.length).toBe(3);
    await expect.poll(() => budget.inflightBytes).toBe(0);
  });
});

describe('the memory limiter', () => {
  const unlimited = { limitMib: null, limitPercentage: 100, spikeLimitMib: null, checkIntervalMs: 50 };

  test('says nothing while there is memory, and how much is used when there is not', () => {
    expect(createMemoryLimiter(unlimited)()).toBeNull();
    expect(createMemoryLimiter({ ...unlimited, limitMib: 10 })()).toMatch(
      /^memory is short: \d+ MiB in use, soft limit 8 MiB$/,
    );
    const spike = createMemoryLimiter({ ...unlimited, limitMib: 1_000_000, spikeLimitMib: 999_999 });
    expect(spike()).toMatch(/soft limit 1 MiB/);
  });

  test('refuses on both transports before anything is read', async () => {
    const budget = new Budget({ limitBytes: 1e9, memoryShortage: createMemoryLimiter({ ...unlimited, limitMib: 10 }) });
    await using grpc = await grpcReceiver({ budget });
    await using http = await httpReceiver({ budget });
    using sender = new GrpcSender(grpc.port);
    await using poster = new HttpSender(http.port);
    expect(await sender.send(REQUEST)).toMatchObject({ code: status.UNAVAILABLE, statusDetails: ['RetryInfo'] });
    const answer = await poster.send(REQUEST);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, expect.stringMatching(/^[1-5]$/)]);
    expect([...grpc.target.committed, ...http.target.committed]).toEqual([]);
    await expect.poll(() => grpc.observed).toMatchObject([{ code: 'UNAVAILABLE', bytes: 0 }]);
  });
});

describe('connections', () => {
  const opened = async (port: number): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };

  test.each(['grpc', 'http'] as const)(
    '%s: beyond max_connections new ones are closed, and told',
    async (transport) => {
      const open = { grpc: grpcReceiver, http: httpReceiver }[transport];
      await using receiver = await open({ maxConnections: 2 });
      const kept = [await opened(receiver.port), await opened(receiver.port)];
      await expect.poll(() => receiver.connections).toBe(2);
      const third = await opened(receiver.port);
      await once(third, 'close');
      expect(receiver.oddities).toEqual([{ kind: 'connection_limit', transport, limit: 2 }]);
      kept[0]!.destroy();
      await expect.poll(() => receiver.connections).toBe(1);
      kept[1]!.destroy();
    },
  );

  test('gRPC: a connection that answers no ping is closed', async () => {
    const keepalive = {
      timeMs: 50,
      timeoutMs: 50,
      maxConnectionIdleMs: null,
      maxConnectionAgeMs: null,
      maxConnectionAgeGraceMs: 50,
    };
    await using receiver = await grpcReceiver({ keepalive });
    const socket = await opened(receiver.port);
    socket.resume();
    await once(socket, 'close');
  });

  test('gRPC: an old connection is told to go, and the sender goes on with a new one', async () => {
    const keepalive = {
      timeMs: 60_000,
      timeoutMs: 1000,
      maxConnectionIdleMs: null,
      maxConnectionAgeMs: 50,
      maxConnectionAgeGraceMs: 60_000,
    };
    await using receiver = await grpcReceiver({ keepalive });
    using bare = new Http2Sender(receiver.port);
    await Promise.all([once(bare.session, 'goaway'), once(bare.session, 'close')]);
    using sender = new GrpcSender(receiver.port);
    expect((await sender.send(REQUEST)).code).toBe(status.OK);
  });

  test('gRPC: with max_connection_idle a connection without calls is told to go, one with a call is not', async () => {
    const keepalive = {
      timeMs: 60_000,
      timeoutMs: 1000,
      // From the connection on: the call of the busy one has to be there before.
      maxConnectionIdleMs: 500,
      maxConnectionAgeMs: null,
      maxConnectionAgeGraceMs: 60_000,
    };
    const { target, release, waiting } = waitingTarget();
    await using receiver = await grpcReceiver({ keepalive, target });
    using busy = new Http2Sender(receiver.port);
    const answer = busy.send(frame(REQUEST));
    await expect.poll(waiting).toBe(1);
    using idle = new Http2Sender(receiver.port);
    await once(idle.session, 'goaway');
    expect(busy.session.closed).toBe(false);
    release();
    expect(await answer).toBe(status.OK);
    await once(busy.session, 'goaway');
  });

  test('gRPC: calls at once on one connection are bounded', async () => {
    await using receiver = await grpcReceiver({ maxConcurrentStreams: 3 });
    using sender = new Http2Sender(receiver.port);
    await once(sender.session, 'remoteSettings');
    expect(sender.session.remoteSettings.maxConcurrentStreams).toBe(3);
  });

  test('HTTP: headers or a body that dribble in are cut off with 408 and a Status', async () => {
    await using receiver = await httpReceiver({ timeouts: { readHeaderMs: 100, readMs: 200, idleMs: 1000 } });
    for (const start of [
      'POST /v1/logs HTTP/1.1\r\nhost: x\r\n',
      `POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: 100\r\n\r\nx`,
    ]) {
      const socket = await opened(receiver.port);
      socket.write(start);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 [^]*\{"code":4,/);
      await once(socket, 'close');
    }
    expect(receiver.target.committed).toEqual([]);
  });

  test('HTTP: a client that is cut off and does not close its side holds neither bytes nor a connection', async () => {
    const budget = new Budget({ limitBytes: 1000 });
    await using receiver = await httpReceiver({ budget, timeouts: { readHeaderMs: 100, readMs: 200, idleMs: 1000 } });
    const socket = connect({ port: receiver.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(`POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: 900\r\n\r\nx`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
    await expect.poll(() => [receiver.connections, budget.inflightBytes]).toEqual([0, 0]);
    expect(receiver.observed.map(({ code }) => code)).toEqual(['499']);
    socket.destroy();
  });

  test('HTTP: a connection that breaks in the middle of a pipelined request counts it once', async () => {
    await using receiver = await httpReceiver();
    const socket = await opened(receiver.port);
    const head = (bytes: number): string =>
      `POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: ${bytes}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head(REQUEST.length)), REQUEST, Buffer.from(`${head(900)}x`)]));
    await once(socket, 'data');
    socket.end();
    await once(socket, 'close');
    await expect.poll(() => receiver.observed.map(({ code }) => code)).toEqual(['200', '499']);
  });
});
