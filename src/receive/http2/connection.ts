/**
 * The server's side of one HTTP/2 connection (RFC 9113), as far as gRPC needs it: no push, no priorities, no upgrade. Why not node:http2:
 * docs/decisions/0041-own-http2.md.
 *
 *     bytes ─► frames ─┬─ DATA ────────────────► the stream's listener
 *                      ├─ HEADERS ─► HPACK ────► a new stream
 *                      └─ all others ──────────► answered here
 */
import type { Duplex } from 'node:stream';
import { free } from '../scratch.ts';
import { FrameReader, type FrameListener } from './frame-reader.ts';
import {
  CODE,
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  frame,
  goaway,
  Http2Error,
  MAX_STREAM_ID,
  MAX_WINDOW_BYTES,
  numberFrame,
  protocolError,
  readInitialWindow,
  requireConnection,
  requireLength,
  requireWindow,
  SETTING,
  settings,
} from './frames.ts';
import { HeaderDecoder, MAX_LIST_BYTES, type HeaderField } from './hpack.ts';
import { Outbox } from './outbox.ts';
import { NewestIds } from './newest-ids.ts';
import { Patience } from './patience.ts';
import { Http2Stream, isRequest, type StreamCarrier, type StreamListener } from './stream.ts';

/** A connection that has ended is read on for so long, so that a client that still sends gets to read why. */
const LINGER_MS = 1000;
const PING_PAYLOAD = Buffer.from('logdrift');
const NOTHING = Buffer.alloc(0);

export interface ConnectionOptions {
  maxConcurrentStreams: number;
  /** Of the connection and of each stream: what a client may have under way; at least 65,535. */
  windowBytes: number;
  /** A request must be complete after this time, and so must headers; its client must have taken the answer. */
  readMs: number;
  /** A connection that is silent for so long is pinged, and closed when nothing comes within `pingTimeoutMs`. */
  pingMs: number;
  pingTimeoutMs: number;
  /** A connection without requests for so long, or of this age, is told to go; null = never. */
  idleMs: number | null;
  ageMs: number | null;
  /** Requests under way then may take so long. */
  ageGraceMs: number;
  /** A request begins. Whoever takes it must end it ({@link Http2Stream.end}), and keep of its headers little: they count in no budget. */
  onStream(stream: Http2Stream, headers: readonly HeaderField[]): StreamListener;
  /** A fault of ours ended the connection. */
  onFault(error: unknown): void;
}

export class Http2Connection implements StreamCarrier, FrameListener {
  readonly #socket: Duplex;
  readonly #options: ConnectionOptions;
  readonly #reader = new FrameReader(this);
  readonly #decoder = new HeaderDecoder();
  readonly #outbox: Outbox;
  /** What has come and is not read before the client has read our answers. */
  #unread: Buffer = NOTHING;
  readonly #patience: Patience;
  readonly #streams = new Map<number, Http2Stream>();
  /** Streams whose client left while they are still being worked on; they count as open. */
  #orphans = 0;
  #lastStreamId = 0;
  /** Streams that we ended before their client did, the newest of them: what it still sends is no fault of its. */
  readonly #endedEarly = new NewestIds();
  /** DATA since the last WINDOW_UPDATE of the connection. */
  #received = 0;
  sendWindow = DEFAULT_WINDOW_BYTES;
  /** What a new stream may send, by the client's SETTINGS. */
  #streamSendWindow = DEFAULT_WINDOW_BYTES;
  /** `ending`: GOAWAY is sent, requests under way go on; `ended`: what comes is thrown away. */
  #state: 'open' | 'ending' | 'ended' = 'open';
  #cutMs = Infinity;
  #heardMs: number;
  #pingedMs: number | null = null;
  /** When last seen without a frame under way, other than DATA. */
  #headersSinceMs: number;
  #idleSinceMs: number;
  readonly #dueMs: number;

  constructor(socket: Duplex, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    const nowMs = performance.now();
    this.#outbox = new Outbox(socket, () => this.#goOn());
    this.#patience = new Patience(nowMs);
    this.#heardMs = this.#idleSinceMs = this.#headersSinceMs = nowMs;
    // Spread by ±10 %, so that connections opened together do not all come back together.
    this.#dueMs = options.ageMs === null ? Infinity : nowMs + options.ageMs * (0.9 + Math.random() * 0.2);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#dropStreams());
    this.send(
      settings([
        [SETTING.maxConcurrentStreams, options.maxConcurrentStreams],
        [SETTING.initialWindowSize, options.windowBytes],
        [SETTING.maxHeaderListSize, MAX_LIST_BYTES],
      ]),
    );
    const more = options.windowBytes - DEFAULT_WINDOW_BYTES;
    if (more > 0) this.send(numberFrame(FRAME.windowUpdate, 0, more));
  }

  /** Tells the client to go; the connection ends when all requests under way are answered, or after `graceMs`. */
  close(graceMs: number): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#cutMs = performance.now() + graceMs;
    this.send(goaway(this.#lastStreamId, CODE.noError, ''));
    if (this.#busy === 0) this.#end();
  }

  /** Called every now and then: all that depends on time. */
  tick(nowMs: number): void {
    const { readMs, pingMs, pingTimeoutMs, idleMs, ageGraceMs } = this.#options;
    const isDeaf = this.#pingedMs !== null && nowMs - this.#pingedMs >= pingTimeoutMs;
    if (nowMs >= this.#cutMs || isDeaf) return void this.#socket.destroy();
    if (this.#state === 'ended') return;
    for (const stream of this.#streams.values()) {
      if (nowMs - stream.openedMs < readMs) continue;
      if (stream.isAnswered) this.#giveUp(stream);
      else if (!stream.clientEnded) stream.listener.overdue();
    }
    if (!this.#reader.isWithinHeaders) this.#headersSinceMs = nowMs;
    else if (nowMs - this.#headersSinceMs >= readMs) return void this.#socket.destroy();
    if (this.#pingedMs === null && nowMs - this.#heardMs >= pingMs) {
      this.#pingedMs = nowMs;
      this.send(frame(FRAME.ping, 0, 0, PING_PAYLOAD));
    }
    const isIdle = idleMs !== null && this.#busy === 0 && nowMs - this.#idleSinceMs >= idleMs;
    if (isIdle || nowMs >= this.#dueMs) this.close(ageGraceMs);
  }

  /** For {@link Http2Stream}. */
  send(bytes: Buffer): void {
    this.#outbox.send(bytes);
  }

  /** For {@link Http2Stream}. */
  finished(stream: Http2Stream): void {
    if (!this.#streams.delete(stream.id)) this.#orphans--;
    // Its client need not send the rest.
    else if (!stream.clientEnded) {
      this.#endedEarly.add(stream.id);
      this.send(numberFrame(FRAME.rstStream, stream.id, CODE.noError));
    }
    if (this.#busy > 0) return;
    this.#idleSinceMs = performance.now();
    if (this.#state === 'ending') this.#end();
  }

  /** For the reader. */
  get isFull(): boolean {
    return this.#outbox.isFull;
  }

  /** For the reader. */
  beginData(id: number, bytes: number, endsStream: boolean): void {
    this.#requireOpened(id);
    if (bytes === 0 && !endsStream) this.#patience.lose(this.#heardMs);
    // What comes is taken at once and is bounded by the byte budget, so the windows never close; an update for each half is enough.
    const half = this.#options.windowBytes / 2;
    this.#received += bytes;
    if (this.#received >= half) {
      this.send(numberFrame(FRAME.windowUpdate, 0, this.#received));
      this.#received = 0;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#requireEndedEarly(id);
    if (stream.clientEnded) return this.#reset(stream, CODE.streamClosed);
    stream.received += bytes;
    if (stream.received < half || endsStream) return;
    this.send(numberFrame(FRAME.windowUpdate, id, stream.received));
    stream.received = 0;
  }

  /** For the reader. */
  data(id: number, piece: Buffer): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.missingBytes -= piece.length;
    stream.listener.data(piece);
  }

  /** For the reader. */
  endStream(id: number): void {
    this.#endedEarly.delete(id);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.clientEnded = true;
    // Another length than content-length said (section 8.1.1).
    if (stream.missingBytes !== 0 && !Number.isNaN(stream.missingBytes)) return this.#reset(stream, CODE.protocolError);
    stream.listener.end();
  }

  /** For the reader. A block is decoded even if nobody wants it: later ones build on it. */
  headers(id: number, endsStream: boolean, block: Buffer): void {
    if (id % 2 === 0) throw protocolError(`a client cannot open stream ${id}`);
    const fields = this.#decoder.decode(block);
    if (id <= this.#lastStreamId) {
      const stream = this.#streams.get(id);
      if (stream === undefined) return this.#requireEndedEarly(id);
      if (stream.clientEnded) return this.#reset(stream, CODE.streamClosed);
      // Trailers, which no gRPC client sends.
      if (!endsStream || isRequest(fields)) return this.#reset(stream, CODE.protocolError);
      return this.endStream(id);
    }
    // One that came after our GOAWAY: its client knows that nobody took it.
    if (this.#state !== 'open') return;
    this.#lastStreamId = id;
    if (!isRequest(fields)) return this.#refuse(id, CODE.protocolError, endsStream);
    if (this.#busy >= this.#options.maxConcurrentStreams) return this.#refuse(id, CODE.refusedStream, endsStream);
    const stream = new Http2Stream(this, id, fields, { openedMs: this.#heardMs, sendWindow: this.#streamSendWindow });
    stream.clientEnded = endsStream;
    this.#streams.set(id, stream);
    stream.listener = this.#options.onStream(stream, fields);
    if (endsStream) this.endStream(id);
  }

  /** For the reader. Types that nobody knows are left alone. */
  control(type: number, id: number, payload: Buffer, isAck: boolean): void {
    switch (type) {
      case FRAME.rstStream: {
        requireLength(payload, 4);
        this.#requireOpened(id);
        // What many clients answer an early end with costs nobody anything.
        if (this.#endedEarly.delete(id)) return;
        this.#patience.lose(this.#heardMs);
        const stream = this.#streams.get(id);
        if (stream !== undefined) this.#drop(stream);
        return;
      }
      case FRAME.settings:
        requireConnection(id);
        this.#patience.lose(this.#heardMs);
        if (isAck) return requireLength(payload, 0);
        this.send(frame(FRAME.settings, FLAG.ack, 0, NOTHING));
        return this.#resizeWindows(readInitialWindow(payload) ?? this.#streamSendWindow);
      case FRAME.ping:
        requireConnection(id);
        requireLength(payload, 8);
        if (!isAck) this.send(frame(FRAME.ping, FLAG.ack, 0, payload));
        return;
      case FRAME.windowUpdate:
        requireLength(payload, 4);
        return this.#widen(id, payload.readUInt32BE() & MAX_WINDOW_BYTES);
      case FRAME.priority:
        requireLength(payload, 5);
        if (id === 0 || id === (payload.readUInt32BE() & MAX_STREAM_ID)) throw protocolError('PRIORITY of itself');
        return this.#patience.lose(this.#heardMs);
      case FRAME.goaway:
        return requireConnection(id);
      case FRAME.pushPromise:
        throw protocolError('a client cannot push');
      default:
        this.#patience.lose(this.#heardMs);
    }
  }

  /** Requests that are not answered. */
  get #busy(): number {
    return this.#streams.size + this.#orphans;
  }

  #receive(chunk: Buffer): void {
    if (this.#state === 'ended') return;
    this.#heardMs = performance.now();
    this.#pingedMs = null;
    this.#read(chunk);
  }

  #read(chunk: Buffer): void {
    try {
      const bytes = this.#reader.read(chunk);
      // Nobody keeps a range of it.
      if (bytes === chunk.length) return free(chunk);
      this.#unread = chunk.subarray(bytes);
      this.#socket.pause();
      if (this.#outbox.flush()) this.#goOn();
    } catch (error) {
      const isTheirs = error instanceof Http2Error;
      const { code, message } = isTheirs ? error : { code: CODE.internalError, message: 'internal error' };
      this.send(goaway(this.#lastStreamId, code, message));
      this.#end();
      this.#dropStreams();
      if (!isTheirs) this.#options.onFault(error);
    }
  }

  /** In a turn of its own, so that other connections have theirs. */
  #goOn(): void {
    if (this.#unread.length === 0) return void this.#socket.resume();
    setImmediate(() => {
      const rest = this.#unread;
      this.#unread = NOTHING;
      if (this.#state !== 'ended') this.#read(rest);
      if (this.#unread.length === 0) this.#socket.resume();
    });
  }

  #end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#cutMs = performance.now() + LINGER_MS;
    this.#outbox.flush();
    this.#socket.end();
    this.#socket.resume();
  }

  #dropStreams(): void {
    this.#state = 'ended';
    for (const stream of this.#streams.values()) this.#drop(stream);
  }

  /** Nobody waits for its answer any more. */
  #drop(stream: Http2Stream): void {
    this.#streams.delete(stream.id);
    this.#orphans++;
    stream.leave();
  }

  /** Its client has no room for the answer. */
  #giveUp(stream: Http2Stream): void {
    if (!stream.clientEnded) this.#endedEarly.add(stream.id);
    this.send(numberFrame(FRAME.rstStream, stream.id, CODE.cancel));
    this.#drop(stream);
  }

  /** A stream breaks the rules: it ends, the others go on. */
  #reset(stream: Http2Stream, code: number): void {
    this.#drop(stream);
    this.#refuse(stream.id, code, stream.clientEnded);
  }

  #refuse(id: number, code: number, clientEnded: boolean): void {
    if (!clientEnded) this.#endedEarly.add(id);
    this.#patience.lose(this.#heardMs);
    this.send(numberFrame(FRAME.rstStream, id, code));
  }

  /** Also of the streams that are open, whose window may become negative (section 6.9.2). */
  #resizeWindows(bytes: number): void {
    const change = bytes - this.#streamSendWindow;
    this.#streamSendWindow = bytes;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += change;
      requireWindow(stream.sendWindow);
      if (change > 0) stream.flush();
    }
  }

  #widen(id: number, bytes: number): void {
    if (id === 0) {
      if (bytes === 0) throw protocolError('a window grows by nothing');
      const wasClosed = this.sendWindow <= 0;
      this.sendWindow += bytes;
      requireWindow(this.sendWindow);
      // Else nobody waits for it.
      if (!wasClosed) return;
      for (const stream of this.#streams.values()) stream.flush();
      return;
    }
    this.#requireOpened(id);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (bytes === 0) return this.#reset(stream, CODE.protocolError);
    stream.sendWindow += bytes;
    if (stream.sendWindow > MAX_WINDOW_BYTES) return this.#reset(stream, CODE.flowControlError);
    stream.flush();
  }

  /** A frame for a stream that is closed is all right only until its client has heard of that. */
  #requireEndedEarly(id: number): void {
    if (this.#endedEarly.has(id) || id > this.#lastStreamId) return;
    throw new Http2Error(CODE.streamClosed, `stream ${id} is closed`);
  }

  #requireOpened(id: number): void {
    if (id === 0) throw protocolError('a frame of a stream names none');
    // After our GOAWAY there may be streams that we never took.
    if (id > this.#lastStreamId && this.#state === 'open') throw protocolError(`stream ${id} is not open`);
  }
}
