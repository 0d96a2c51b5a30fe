import { duplexPair } from 'node:stream';
import { Http2Connection } from '../../../src/receive/http2/connection.ts';
import { FLAG, FRAME, frame, SETTING, settings } from '../../../src/receive/http2/frames.ts';
import { encodeHeaders } from '../../../src/receive/http2/hpack.ts';
import type { Http2Stream, StreamListener } from '../../../src/receive/http2/stream.ts';
import { mutate, type Random } from '../../fuzz/mutate.ts';
import { data, headers, request, REQUEST, START } from './peer.ts';

const OK = encodeHeaders({ ':status': 200 });
const TRAILERS = encodeHeaders({ 'grpc-status': 0 });
const four = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);

/** Frames to cut, double, swap and damage. */
const FRAMES: readonly Buffer[] = [
  ...[1, 3, 5, 7].map((id) => headers(id)),
  ...[1, 3, 5].map((id) => request(id)),
  headers(1, FLAG.endHeaders | FLAG.endStream),
  headers(3, 0, REQUEST.subarray(0, 9)),
  frame(FRAME.continuation, FLAG.endHeaders, 3, REQUEST.subarray(9)),
  headers(5, FLAG.endHeaders | FLAG.padded, Buffer.concat([Buffer.from([4]), REQUEST, Buffer.alloc(4)])),
  // As clients compress: an entry added, and one found again.
  headers(7, FLAG.endHeaders, Buffer.from('838684418cf1e3c2e5f23a6ba0ab90f4ff', 'hex')),
  headers(9, FLAG.endHeaders | FLAG.endStream, Buffer.from('838684be408825a849e95ba97d7f8925a849e95bb8e8b4bf', 'hex')),
  data(1, Buffer.alloc(300), 0),
  data(3, Buffer.from([2, 1, 1, 0, 0]), FLAG.padded | FLAG.endStream),
  frame(FRAME.rstStream, 0, 1, four(8)),
  frame(FRAME.priority, 0, 3, Buffer.alloc(5)),
  frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
  frame(FRAME.goaway, 0, 0, Buffer.alloc(8)),
  frame(FRAME.windowUpdate, 0, 0, four(100)),
  frame(FRAME.windowUpdate, 0, 1, four(100)),
  settings([[SETTING.initialWindowSize, 2]]),
  settings([[SETTING.initialWindowSize, 65_535]]),
  frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0)),
];

/** What became of one input: the code of the GOAWAY that answered it, null = the connection lives. */
export interface Outcome {
  goaway: number | null;
  streams: number;
}

/** Sends damaged frames in pieces of any size to a connection. @throws when it breaks its own rules */
export async function throwFrames(random: Random): Promise<Outcome> {
  const parts = Array.from({ length: 1 + random(12) }, () => FRAMES[random(FRAMES.length)]!);
  for (let at = 0; at < parts.length; at++) {
    if (random(6) === 0) parts[at] = mutate(parts[at]!, FRAMES[random(FRAMES.length)]!, random);
  }
  let bytes = Buffer.concat([START, ...parts]);
  if (random(8) === 0) bytes = Buffer.from(mutate(bytes, FRAMES[random(FRAMES.length)]!, random));
  return sendAll(bytes, random);
}

async function sendAll(bytes: Buffer, random: Random): Promise<Outcome> {
  const [client, server] = duplexPair();
  const faults: unknown[] = [];
  const open = new Map<Http2Stream, string>();
  let answered = 0;
  const onStream = (stream: Http2Stream): StreamListener => {
    open.set(stream, '');
    const say = (event: string): void => {
      const before = open.get(stream);
      if (before === undefined || before.includes('left') || (event === 'end' && before !== '')) {
        throw new Error(`stream ${stream.id}: ${event} after ${before ?? 'its answer'}`);
      }
      open.set(stream, `${before} ${event}`);
    };
    const finish = (): void => {
      answered++;
      stream.respond(OK);
      stream.write(Buffer.from('an answer'));
      stream.end(TRAILERS);
    };
    return {
      data: (chunk) => {
        if (chunk.length === 0) throw new Error('an empty piece');
      },
      end: () => {
        say('end');
        if (random(2) === 0) finish();
        else process.nextTick(finish);
      },
      overdue: finish,
      left: () => {
        const isAnswered = open.get(stream) !== '';
        say('left');
        if (!isAnswered) finish();
      },
    };
  };
  const connection = new Http2Connection(server, {
    maxConcurrentStreams: 3,
    windowBytes: 65_535,
    readMs: 1000,
    pingMs: 1000,
    pingTimeoutMs: 1000,
    idleMs: null,
    ageMs: null,
    ageGraceMs: 1000,
    onStream,
    onFault: (error) => void faults.push(error),
  });
  const answer: Buffer[] = [];
  client.on('data', (chunk: Buffer) => answer.push(chunk));
  for (let at = 0; at < bytes.length;) {
    const end = random(2) === 0 ? bytes.length : at + 1 + random(40);
    client.write(bytes.subarray(at, end));
    at = end;
  }
  await new Promise(setImmediate);
  connection.tick(performance.now() + 1);
  client.destroy();
  server.destroy();
  await new Promise(setImmediate);
  if (faults.length > 0) throw faults[0] as Error;
  if (answered !== open.size) throw new Error(`${open.size} streams, ${answered} ended`);
  return { goaway: goawayIn(Buffer.concat(answer)), streams: open.size };
}

/** @throws when what we sent are no whole frames */
function goawayIn(bytes: Buffer): number | null {
  let goaway: number | null = null;
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    if (at + 9 + length > bytes.length) throw new Error('half a frame');
    if (bytes[at + 3] === FRAME.goaway) goaway = bytes.readUInt32BE(at + 13);
    at += 9 + length;
  }
  return goaway;
}
