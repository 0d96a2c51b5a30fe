/** A connection to our HTTP/2 and a client that may send any bytes. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Http2Connection, type ConnectionOptions } from '../../../src/receive/http2/connection.ts';
import { FLAG, FRAME, frame, PREFACE, settings } from '../../../src/receive/http2/frames.ts';
import { encodeHeaders, type HeaderField } from '../../../src/receive/http2/hpack.ts';
import type { Http2Stream, StreamListener } from '../../../src/receive/http2/stream.ts';

const OK = encodeHeaders({ ':status': 200 });
const TRAILERS = encodeHeaders({ 'grpc-status': 0 });
export const REQUEST = encodeHeaders({ ':method': 'POST', ':scheme': 'http', ':path': '/x', ':authority': 'a' });
export const START = Buffer.concat([PREFACE, settings([])]);

/** What a server's stream has heard. */
export interface Heard {
  stream: Http2Stream;
  headers: readonly HeaderField[];
  bytes: Buffer;
  events: string[];
}

export interface Server extends AsyncDisposable {
  port: number;
  streams: Heard[];
  connections: Http2Connection[];
  faults: unknown[];
  sockets: Socket[];
}

/** Answers with what came, when it is complete; `holdBack` leaves that to the test. */
export async function serve(
  options: Partial<ConnectionOptions> = {},
  { holdBack = false }: { holdBack?: boolean } = {},
): Promise<Server> {
  const streams: Heard[] = [];
  const connections: Http2Connection[] = [];
  const sockets: Socket[] = [];
  const faults: unknown[] = [];
  const onStream = (stream: Http2Stream, headers: readonly HeaderField[]): StreamListener => {
    const heard: Heard = { stream, headers, bytes: Buffer.alloc(0), events: [] };
    streams.push(heard);
    return {
      data: (chunk) => void (heard.bytes = Buffer.concat([heard.bytes, chunk])),
      end: () => {
        heard.events.push('end');
        if (!holdBack) answer(heard);
      },
      overdue: () => {
        heard.events.push('overdue');
        stream.end(TRAILERS);
      },
      left: () => {
        heard.events.push('left');
        if (!holdBack) stream.end(TRAILERS);
      },
    };
  };
  const listener = createServer((socket) => {
    sockets.push(socket);
    connections.push(
      new Http2Connection(socket, {
        maxConcurrentStreams: 100,
        windowBytes: 1_048_576,
        readMs: 60_000,
        pingMs: 60_000,
        pingTimeoutMs: 20_000,
        idleMs: null,
        ageMs: null,
        ageGraceMs: 1000,
        onStream,
        onFault: (error) => void faults.push(error),
        ...options,
      }),
    );
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    streams,
    connections,
    sockets,
    faults,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

export function answer({ stream, bytes }: Heard): void {
  stream.respond(OK);
  stream.write(bytes);
  stream.end(TRAILERS);
}

export interface Frame {
  type: number;
  flags: number;
  id: number;
  payload: Buffer;
}

/** A client of bare frames. */
export class Peer implements Disposable {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  #rest = Buffer.alloc(0);

  constructor(port: number, start: Buffer = START) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.write(start);
  }

  send(...frames: Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The frames of one type so far. */
  of(type: number, id?: number): Frame[] {
    return this.frames.filter((each) => each.type === type && (id === undefined || each.id === id));
  }

  /** Everything that came in DATA frames of a stream. */
  body(id: number): Buffer {
    return Buffer.concat(this.of(FRAME.data, id).map(({ payload }) => payload));
  }

  /** Code of the GOAWAY that came, null = none. */
  get goaway(): number | null {
    return this.of(FRAME.goaway)[0]?.payload.readUInt32BE(4) ?? null;
  }

  /** Code of the RST_STREAM that came, null = none. */
  reset(id: number): number | null {
    return this.of(FRAME.rstStream, id)[0]?.payload.readUInt32BE() ?? null;
  }

  /** Its last HEADERS frame ended the stream. */
  ended(id: number): boolean {
    return this.of(FRAME.headers, id).some(({ flags }) => (flags & FLAG.endStream) !== 0);
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 9) {
      const end = 9 + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) return;
      const [type, flags] = [this.#rest[3]!, this.#rest[4]!];
      this.frames.push({ type, flags, id: this.#rest.readUInt32BE(5), payload: this.#rest.subarray(9, end) });
      this.#rest = this.#rest.subarray(end);
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export const headers = (id: number, flags: number = FLAG.endHeaders, block: Uint8Array = REQUEST): Buffer =>
  frame(FRAME.headers, flags, id, block);
export const data = (id: number, bytes: Uint8Array, flags: number = FLAG.endStream): Buffer =>
  frame(FRAME.data, flags, id, bytes);
/** A whole request. */
export const request = (id: number, bytes: Uint8Array = Buffer.from('hello')): Buffer =>
  Buffer.concat([headers(id), data(id, bytes)]);
