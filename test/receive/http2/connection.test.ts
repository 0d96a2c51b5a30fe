import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import { describe, expect, test } from 'vitest';
import {
  MAX_STREAM_ID,
  CODE,
  FLAG,
  FRAME,
  frame,
  MAX_WINDOW_BYTES,
  numberFrame,
  PREFACE,
  SETTING,
  settings,
} from '../../../src/receive/http2/frames.ts';
import { encodeHeaders } from '../../../src/receive/http2/hpack.ts';
import { IGNORING } from '../../../src/receive/http2/stream.ts';
import { answer, data, headers, Peer, request, REQUEST, serve, START } from './peer.ts';

/** Polled often: there are many of these tests. */
const soon = <T>(look: () => T) => expect.poll(look, { interval: 4 });
const BOTH = FLAG.endHeaders | FLAG.endStream;
const PADDED = Buffer.concat([Buffer.from([3]), Buffer.from('hello'), Buffer.alloc(3)]);
const rst = (id: number, code: number = CODE.cancel): Buffer => numberFrame(FRAME.rstStream, id, code);
const update = (id: number, bytes: number): Buffer => numberFrame(FRAME.windowUpdate, id, bytes);

describe('requests', () => {
  test('arrive whole, however the bytes are cut, with padding, priority, split headers and frames that nobody knows', async () => {
    await using server = await serve();
    const bytes = Buffer.concat([
      START,
      frame(0x2a, 0xff, 7, Buffer.from('new')),
      headers(1, FLAG.priority, Buffer.concat([Buffer.alloc(5), REQUEST.subarray(0, 5)])),
      frame(FRAME.continuation, 0, 1, REQUEST.subarray(5, 9)),
      frame(FRAME.continuation, FLAG.endHeaders, 1, REQUEST.subarray(9)),
      frame(FRAME.priority, 0, 9, Buffer.alloc(5)),
      data(1, PADDED, FLAG.padded),
      headers(3, FLAG.endHeaders | FLAG.padded, Buffer.concat([Buffer.from([2]), REQUEST, Buffer.alloc(2)])),
      data(3, Buffer.from('there'), 0),
      data(1, Buffer.from([0]), FLAG.padded | FLAG.endStream),
      data(3, Buffer.alloc(0)),
      headers(5, BOTH),
    ]);
    using whole = new Peer(server.port, bytes);
    await soon(() => [1, 3, 5].every((id) => whole.ended(id))).toBe(true);
    using cut = new Peer(server.port, bytes.subarray(0, 1));
    for (let at = 1; at < bytes.length; at++) {
      cut.send(bytes.subarray(at, at + 1));
      await new Promise(setImmediate);
    }
    await soon(() => [1, 3, 5].every((id) => cut.ended(id))).toBe(true);
    for (const peer of [whole, cut]) {
      expect([1, 3, 5].map((id) => peer.body(id).toString())).toEqual(['hello', 'there', '']);
      expect(peer.goaway).toBeNull();
    }
    expect(server.streams[0]!.headers).toContainEqual({ name: ':path', value: '/x' });
  });

  test("node's client gets its megabytes back, through windows smaller than they, with header values of every character", async () => {
    await using server = await serve();
    const session = connect(`http://127.0.0.1:${server.port}`, { settings: { initialWindowSize: 20_000 } });
    const value = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join('');
    const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i & 0xff));
    try {
      for (let round = 0; round < 3; round++) {
        const stream = session.request({ ':method': 'POST', value, round: `${round}` });
        stream.end(body);
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        expect(Buffer.concat(chunks).equals(body)).toBe(true);
        expect(server.streams[round]!.headers).toContainEqual({ name: 'value', value });
      }
    } finally {
      session.destroy();
    }
  });

  test('one beyond the limit is refused and may be repeated', async () => {
    await using server = await serve({ maxConcurrentStreams: 2 }, { holdBack: true });
    using peer = new Peer(server.port);
    peer.send(request(1), request(3), request(5));
    await soon(() => peer.reset(5)).toBe(CODE.refusedStream);
    answer(server.streams[0]!);
    peer.send(request(7));
    await soon(() => server.streams.map(({ stream }) => stream.id)).toEqual([1, 3, 7]);
  });

  test('one that its client took back counts until the work on it ends', async () => {
    await using server = await serve({ maxConcurrentStreams: 1 }, { holdBack: true });
    using peer = new Peer(server.port);
    peer.send(request(1), rst(1), request(3));
    await soon(() => peer.reset(3)).toBe(CODE.refusedStream);
    expect(server.streams[0]!.events).toEqual(['end', 'left']);
    answer(server.streams[0]!);
    peer.send(request(5));
    await soon(() => server.streams).toHaveLength(2);
    expect(peer.of(FRAME.headers, 1)).toEqual([]);
  });

  test('an answer before the request is whole ends the stream; what still comes is thrown away', async () => {
    await using server = await serve({}, { holdBack: true });
    using peer = new Peer(server.port);
    peer.send(headers(1));
    await soon(() => server.streams).toHaveLength(1);
    answer(server.streams[0]!);
    await soon(() => [peer.ended(1), peer.reset(1)]).toEqual([true, CODE.noError]);
    peer.send(data(1, Buffer.alloc(10_000)), rst(1), update(1, 10), request(3));
    await soon(() => server.streams.map(({ events }) => events)).toEqual([[], ['end']]);
    expect(peer.goaway).toBeNull();
  });

  test('what the windows have no room for waits for them', async () => {
    await using server = await serve();
    using peer = new Peer(server.port, Buffer.concat([PREFACE, settings([[SETTING.initialWindowSize, 3]])]));
    peer.send(request(1));
    await soon(() => peer.body(1).toString()).toBe('hel');
    peer.send(settings([[SETTING.initialWindowSize, 0]]), update(1, 1));
    peer.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
    await soon(() => peer.of(FRAME.ping)).toHaveLength(1);
    expect([peer.body(1).toString(), peer.ended(1)]).toEqual(['hel', false]);
    peer.send(update(1, 4));
    await soon(() => [peer.body(1).toString(), peer.ended(1)]).toEqual(['hello', true]);
  });
});

describe('a connection ends with GOAWAY', () => {
  const { protocolError, frameSizeError, flowControlError, compressionError, streamClosed, enhanceYourCalm } = CODE;
  const large = encodeHeaders({ k: 'x'.repeat(16_000) });
  test.each<[string, number, Buffer[]]>([
    ['HTTP/1.1', protocolError, [Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
    ['no SETTINGS first', protocolError, [PREFACE, frame(FRAME.ping, 0, 0, Buffer.alloc(8))]],
    ['a frame of more than 16 KiB', frameSizeError, [START, data(1, Buffer.alloc(16_385))]],
    ['DATA on no stream', protocolError, [START, data(0, Buffer.alloc(1))]],
    ['DATA on a stream never opened', protocolError, [START, data(1, Buffer.alloc(1))]],
    ['RST_STREAM on a stream never opened', protocolError, [START, rst(1)]],
    ['RST_STREAM of three bytes', frameSizeError, [START, headers(1), frame(FRAME.rstStream, 0, 1, Buffer.alloc(3))]],
    ['an even stream', protocolError, [START, headers(2)]],
    ['HEADERS on a stream that has ended', streamClosed, [START, headers(1), rst(1), headers(1)]],
    ['headers that are no HPACK', compressionError, [START, headers(1, BOTH, Buffer.from([0x80]))]],
    ['a frame within a header block', protocolError, [START, headers(1, 0), data(1, Buffer.alloc(1))]],
    ["another stream's CONTINUATION", protocolError, [START, headers(1, 0), frame(FRAME.continuation, 4, 3, REQUEST)]],
    ['CONTINUATION of nothing', protocolError, [START, frame(FRAME.continuation, 4, 1, REQUEST)]],
    ['more padding than frame', protocolError, [START, headers(1), data(1, Buffer.from([9, 0]), FLAG.padded)]],
    ['padding without its length', protocolError, [START, headers(1), data(1, Buffer.alloc(0), FLAG.padded)]],
    ['PUSH_PROMISE', protocolError, [START, frame(FRAME.pushPromise, 4, 1, Buffer.alloc(4))]],
    ['SETTINGS on a stream', protocolError, [START, frame(FRAME.settings, 0, 1, Buffer.alloc(0))]],
    ['half a setting', frameSizeError, [START, frame(FRAME.settings, 0, 0, Buffer.alloc(5))]],
    ['an acknowledgement with settings', frameSizeError, [START, frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(6))]],
    ['a first window beyond 2^31', flowControlError, [START, settings([[SETTING.initialWindowSize, 2 ** 31]])]],
    ['frames of less than 16 KiB', protocolError, [START, settings([[SETTING.maxFrameSize, 100]])]],
    ['PING of seven bytes', frameSizeError, [START, frame(FRAME.ping, 0, 0, Buffer.alloc(7))]],
    ['a window that grows by nothing', protocolError, [START, update(0, 0)]],
    ['a window beyond 2^31', flowControlError, [START, update(0, MAX_WINDOW_BYTES)]],
    [
      'a header block without end',
      enhanceYourCalm,
      [START, headers(1, 0), ...Array.from({ length: 16 }, () => frame(FRAME.continuation, 0, 1, Buffer.alloc(0)))],
    ],
    [
      '64 KiB of headers',
      enhanceYourCalm,
      [START, headers(1, 0, large), ...Array.from({ length: 5 }, () => frame(FRAME.continuation, 0, 1, large))],
    ],
    [
      'a thousand requests taken back',
      enhanceYourCalm,
      [START, ...Array.from({ length: 1100 }, (_, i) => Buffer.concat([headers(2 * i + 1), rst(2 * i + 1)]))],
    ],
    [
      'a thousand requests that are none',
      enhanceYourCalm,
      [START, ...Array.from({ length: 1100 }, (_, i) => headers(2 * i + 1, BOTH, encodeHeaders({ x: '' })))],
    ],
    [
      'a thousand empty DATA frames',
      enhanceYourCalm,
      [START, headers(1), ...Array.from({ length: 1100 }, () => data(1, Buffer.alloc(0), 0))],
    ],
  ])('%s', async (_name, code, frames) => {
    await using server = await serve();
    using peer = new Peer(server.port, Buffer.concat(frames));
    await soon(() => peer.goaway).toBe(code);
    await soon(() => peer.socket.readableEnded).toBe(true);
    expect(server.faults).toEqual([]);
    expect(server.streams.every(({ events }) => events.length > 0)).toBe(true);
  });

  test('a fault of ours is reported and ends that connection only', async () => {
    const fault = new TypeError('bug');
    const server = await serve({
      onStream: () => {
        throw fault;
      },
    });
    await using _ = server;
    using peer = new Peer(server.port);
    peer.send(request(1));
    await soon(() => [peer.goaway, server.faults]).toEqual([CODE.internalError, [fault]]);
  });
});

describe('a stream ends with RST_STREAM, and the others go on', () => {
  test.each<[string, number, Buffer[]]>([
    ['DATA behind its end', CODE.streamClosed, [data(1, Buffer.alloc(1)), data(1, Buffer.alloc(1))]],
    ['HEADERS behind its end', CODE.streamClosed, [data(1, Buffer.alloc(1)), headers(1, BOTH)]],
    ['HEADERS in its middle', CODE.protocolError, [headers(1)]],
    ['trailers that are a request', CODE.protocolError, [headers(1, BOTH)]],
    ['a window that grows by nothing', CODE.protocolError, [update(1, 0)]],
    ['a window beyond 2^31', CODE.flowControlError, [update(1, MAX_WINDOW_BYTES)]],
  ])('%s', async (_name, code, frames) => {
    await using server = await serve({}, { holdBack: true });
    using peer = new Peer(server.port);
    peer.send(headers(1), ...frames, request(3));
    await soon(() => peer.reset(1)).toBe(code);
    await soon(() => server.streams[1]?.bytes.toString()).toBe('hello');
    expect(server.streams[0]!.events.at(-1)).toBe('left');
    expect(peer.goaway).toBeNull();
  });

  test.each([
    ['no path', { ':method': 'POST', ':scheme': 'http' }],
    ['a pseudo-header that nobody knows', { ':method': 'POST', ':scheme': 'http', ':path': '/', ':x': 'y' }],
    ['a pseudo-header behind others', { ':method': 'POST', ':scheme': 'http', te: 'trailers', ':path': '/' }],
    ['capitals', { ':method': 'POST', ':scheme': 'http', ':path': '/', Te: 'trailers' }],
    [
      'a body of another length than it says',
      { ':method': 'POST', ':scheme': 'http', ':path': '/', 'content-length': 3 },
    ],
    ['a header of a connection', { ':method': 'POST', ':scheme': 'http', ':path': '/', connection: 'close' }],
  ])('a request with %s', async (_name, fields) => {
    await using server = await serve();
    using peer = new Peer(server.port);
    peer.send(headers(1, BOTH, encodeHeaders(fields)), request(3));
    await soon(() => peer.reset(1)).toBe(CODE.protocolError);
    await soon(() => peer.body(3).toString()).toBe('hello');
  });
});

describe('flow control', () => {
  test('updates keep a sender going that keeps to its window, of the stream and of the connection', async () => {
    await using server = await serve({ windowBytes: 65_535 });
    const session = connect(`http://127.0.0.1:${server.port}`);
    try {
      const streams = Array.from({ length: 4 }, () => session.request({ ':method': 'POST' }));
      for (const stream of streams) {
        stream.resume();
        stream.end(Buffer.alloc(400_000));
      }
      await Promise.all(streams.map((stream) => once(stream, 'close')));
      expect(server.streams.map(({ bytes }) => bytes.length)).toEqual([400_000, 400_000, 400_000, 400_000]);
    } finally {
      session.destroy();
    }
  });

  test('a client that does not read is not read either', async () => {
    await using server = await serve();
    const wide = [settings([[SETTING.initialWindowSize, 1_000_000]]), update(0, 1_000_000_000)];
    using peer = new Peer(server.port, Buffer.concat([PREFACE, ...wide]));
    await soon(() => server.sockets).toHaveLength(1);
    peer.socket.pause();
    const requests = Array.from({ length: 20_000 }, (_, i) => request(2 * i + 1, Buffer.alloc(1000)));
    for (let i = 0; i < 20; i++) peer.send(...requests.slice(1000 * i, 1000 * (i + 1)));
    await soon(() => server.sockets[0]!.isPaused()).toBe(true);
    expect(server.sockets[0]!.writableLength).toBeLessThan(4_000_000);
    peer.socket.removeAllListeners('data');
    peer.socket.resume();
    await soon(() => server.sockets[0]!.bytesRead).toBeGreaterThan(20_000 * requests[0]!.length);
  });
});

describe('pings', () => {
  const ping = frame(FRAME.ping, 0, 0, Buffer.alloc(8));

  test('a flood of them is too much', async () => {
    await using server = await serve();
    using peer = new Peer(server.port);
    peer.send(...Array.from({ length: 1200 }, () => ping));
    await soon(() => peer.goaway).toBe(CODE.enhanceYourCalm);
    expect(peer.of(FRAME.ping).length).toBeGreaterThan(990);
  });

  test('one with every answer is not: clients measure the way so', async () => {
    await using server = await serve();
    using peer = new Peer(server.port);
    peer.send(update(0, 1_000_000));
    for (let i = 0; i < 3000; i++) peer.send(request(2 * i + 1), ping);
    await soon(() => peer.of(FRAME.ping)).toHaveLength(3000);
    expect(peer.goaway).toBeNull();
  });
});

test('answers that are larger than their requests wait in no more than what a socket takes', async () => {
  const large = encodeHeaders({ 'grpc-message': 'x'.repeat(5000) });
  let began = 0;
  await using server = await serve({
    onStream: (stream) => {
      began++;
      stream.end(large);
      return IGNORING;
    },
  });
  using peer = new Peer(server.port);
  await soon(() => server.sockets).toHaveLength(1);
  peer.socket.pause();
  const ids = Array.from({ length: 5000 }, (_, i) => 2 * i + 1);
  peer.send(...ids.map((id) => headers(id, BOTH)));
  await soon(() => server.sockets[0]!.writableLength).toBeGreaterThan(0);
  expect(server.sockets[0]!.writableLength).toBeLessThan(200_000);
  expect(server.sockets[0]!.isPaused()).toBe(true);
  expect(began).toBeLessThan(5000);
  peer.socket.resume();
  await soon(() => peer.of(FRAME.headers).length).toBe(5000);
  expect(peer.of(FRAME.headers).map(({ id }) => id)).toEqual(ids);
  expect([began, peer.goaway, peer.of(FRAME.rstStream)]).toEqual([5000, null, []]);
});

test('thousands of requests that are answered early and then taken back are no fault of the client', async () => {
  const refusal = encodeHeaders({ ':status': 200, 'grpc-status': 14 });
  await using server = await serve({
    onStream: (stream) => {
      stream.end(refusal);
      return IGNORING;
    },
  });
  using peer = new Peer(server.port);
  const ids = Array.from({ length: 3000 }, (_, i) => 2 * i + 1);
  peer.send(...ids.flatMap((id) => [headers(id), data(id, Buffer.alloc(700), 0), rst(id, CODE.noError)]));
  await soon(() => peer.of(FRAME.headers).length).toBe(3000);
  peer.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
  await soon(() => peer.of(FRAME.ping)).toHaveLength(1);
  expect(peer.goaway).toBeNull();
  // What was thrown away came through the window of the connection all the same.
  const updates = peer.of(FRAME.windowUpdate, 0).slice(1);
  const given = updates.reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0);
  expect(3000 * 700 - given).toBeLessThan(524_288);
});

test('a flood of window updates leaves nothing behind, and is answered nothing', async () => {
  await using server = await serve();
  using peer = new Peer(server.port, Buffer.concat([PREFACE, settings([[SETTING.initialWindowSize, 0]]), request(1)]));
  await soon(() => server.streams).toHaveLength(1);
  const updates = Buffer.concat(Array.from({ length: 50_000 }, () => update(0, 1)));
  for (let i = 0; i < 5; i++) peer.send(updates);
  peer.send(update(1, 100));
  await soon(() => [peer.body(1).toString(), peer.ended(1)]).toEqual(['hello', true]);
  expect(peer.frames.length).toBeLessThan(8);
});

describe('time', () => {
  test('a request that is not complete in time is told, one that is being worked on is not', async () => {
    await using server = await serve({ readMs: 1000 }, { holdBack: true });
    using peer = new Peer(server.port);
    peer.send(headers(1), request(3));
    await soon(() => server.streams).toHaveLength(2);
    server.connections[0]!.tick(performance.now() + 1001);
    expect(server.streams.map(({ events }) => events)).toEqual([['overdue'], ['end']]);
    await soon(() => peer.ended(1)).toBe(true);
  });

  test('an answer that its client has no room for is given up, and its stream is free', async () => {
    await using server = await serve({ readMs: 1000, maxConcurrentStreams: 2 });
    using peer = new Peer(server.port, Buffer.concat([PREFACE, settings([[SETTING.initialWindowSize, 0]])]));
    peer.send(request(1), request(3), request(5));
    await soon(() => peer.reset(5)).toBe(CODE.refusedStream);
    server.connections[0]!.tick(performance.now() + 1001);
    await soon(() => [peer.reset(1), peer.reset(3)]).toEqual([CODE.cancel, CODE.cancel]);
    peer.send(update(1, 100), settings([[SETTING.initialWindowSize, 100]]), request(7));
    await soon(() => peer.body(7).toString()).toBe('hello');
    expect([peer.goaway, peer.body(1).length]).toEqual([null, 0]);
  });

  test('a silent connection is pinged, lives on when it answers, and is closed when it does not', async () => {
    await using server = await serve({ pingMs: 1000, pingTimeoutMs: 500 });
    using peer = new Peer(server.port);
    await soon(() => peer.of(FRAME.settings)).toHaveLength(2);
    const [connection] = server.connections;
    const later = (ms: number): number => performance.now() + ms;
    connection!.tick(later(999));
    connection!.tick(later(1001));
    await soon(() => peer.of(FRAME.ping)).toHaveLength(1);
    peer.send(
      frame(FRAME.ping, FLAG.ack, 0, peer.of(FRAME.ping)[0]!.payload),
      frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
    );
    await soon(() => peer.of(FRAME.ping)).toHaveLength(2);
    connection!.tick(later(1600));
    await soon(() => peer.of(FRAME.ping)).toHaveLength(3);
    expect(peer.socket.closed).toBe(false);
    connection!.tick(later(2200));
    await soon(() => peer.socket.closed).toBe(true);
  });

  test('a connection whose headers do not become complete in time is closed', async () => {
    await using server = await serve({ readMs: 1000 });
    using preface = new Peer(server.port, PREFACE.subarray(0, 5));
    using block = new Peer(server.port, Buffer.concat([START, headers(1, 0)]));
    using cut = new Peer(server.port, Buffer.concat([START, headers(1).subarray(0, 12)]));
    using fine = new Peer(server.port, Buffer.concat([START, request(1)]));
    await soon(() => [server.sockets.length, fine.ended(1)]).toEqual([4, true]);
    await soon(() => block.of(FRAME.settings).length + cut.of(FRAME.settings).length).toBe(4);
    for (const connection of server.connections) connection.tick(performance.now() + 1100);
    await soon(() => [preface, block, cut, fine].map(({ socket }) => socket.closed)).toEqual([true, true, true, false]);
  });

  const lastStream = (peer: Peer): number | undefined => peer.of(FRAME.goaway).at(-1)?.payload.readUInt32BE();

  test('told to go, a connection takes what its client sent before it knew, finishes it, and closes', async () => {
    await using server = await serve({}, { holdBack: true });
    using peer = new Peer(server.port);
    peer.send(request(1));
    await soon(() => server.streams).toHaveLength(1);
    server.connections[0]!.close(10_000);
    await soon(() => peer.of(FRAME.ping)).toHaveLength(1);
    expect([peer.goaway, lastStream(peer)]).toEqual([CODE.noError, MAX_STREAM_ID]);
    answer(server.streams[0]!);
    await soon(() => peer.ended(1)).toBe(true);
    peer.send(request(3), frame(FRAME.ping, FLAG.ack, 0, peer.of(FRAME.ping)[0]!.payload));
    await soon(() => lastStream(peer)).toBe(3);
    peer.send(request(5));
    await soon(() => server.sockets[0]!.bytesRead).toBeGreaterThanOrEqual(START.length + 3 * request(1).length + 17);
    answer(server.streams[1]!);
    await soon(() => [peer.body(3).toString(), peer.ended(3)]).toEqual(['hello', true]);
    await soon(() => peer.socket.closed).toBe(true);
    expect(server.streams).toHaveLength(2);
  });

  test('a client that does not answer the ping behind GOAWAY is not waited for', async () => {
    await using server = await serve();
    using peer = new Peer(server.port);
    peer.send(request(1));
    await soon(() => peer.ended(1)).toBe(true);
    server.connections[0]!.close(60_000);
    await soon(() => peer.socket.closed).toBe(true);
    expect(lastStream(peer)).toBe(1);
  });

  test('after its grace it is cut', async () => {
    await using server = await serve({}, { holdBack: true });
    const session = connect(`http://127.0.0.1:${server.port}`);
    const stream = session.request({ ':method': 'POST' });
    stream.on('error', () => {});
    stream.end();
    await soon(() => server.streams).toHaveLength(1);
    server.connections[0]!.close(1000);
    server.connections[0]!.tick(performance.now() + 1001);
    await once(stream, 'close');
    expect(stream.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
    await soon(() => server.streams[0]!.events).toEqual(['end', 'left']);
    session.destroy();
  });
});
