/**
 * The server's side of one HTTP/2 connection (RFC 9113), as far as gRPC needs it: no push, no priorities, no upgrade. Why not node:http2:
 * docs/decisions/0041-own-http2.md.
 *
 *     bytes ─► frames ─┬─ DATA ────────────────► the stream's listener
 *                      ├─ HEADERS ─► HPACK ────► a new stream
 *                      └─ all others ──────────► answered here
 */
import type { Duplex } from 'node:stream';
import { Farewell } from './farewell.ts';
import { FrameReader, type FrameListener } from './frame-reader.ts';
import {
  CODE,
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
  SETTING,
  settings,
} from './frames.ts';
import { HeaderDecoder, MAX_LIST_BYTES, type HeaderField } from './hpack.ts';
import { Inlet } from './inlet.ts';
import { Outbox } from './outbox.ts';
import { Patience } from './patience.ts';
import { Pulse, type PulseOptions } from './pulse.ts';
import { Http2Stream, isRequest, type StreamCarrier, type StreamListener } from './stream.ts';
import { Streams } from './streams.ts';
import { Windows } from './windows.ts';

/** A connection that has ended is read on for so long, so that a client that still sends gets to read why. */
const LINGER_MS = 1000;
const PING_PAYLOAD = Buffer.from('logdrift');
const NOTHING = Buffer.alloc(0);

export interface ConnectionOptions extends PulseOptions {
  maxConcurrentStreams: number;
  /** Of the connection and of each stream: what a client may have under way; at least 65,535. */
  windowBytes: number;
  /** Requests under way may take so long once a connection is told to go. */
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
  readonly #inlet: Inlet;
  readonly #patience: Patience;
  readonly #pulse: Pulse;
  readonly #streams = new Streams(
    (bytes) => this.send(bytes),
    () => this.#losePatience(),
  );
  /** For {@link Http2Stream}. */
  readonly windows: Windows;
  /** Something was answered since the last PING: clients measure the way with one. */
  #mayPing = true;
  /**
   * `going`: a GOAWAY without a last stream is sent, requests are still taken; `ending`: with the last one, those under way go on;
   * `ended`: what comes is thrown away.
   */
  #state: 'open' | 'going' | 'ending' | 'ended' = 'open';
  #farewell: Farewell | null = null;

  constructor(socket: Duplex, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    const nowMs = performance.now();
    this.#outbox = new Outbox(socket, () => this.#inlet.goOn());
    this.#inlet = new Inlet(
      socket,
      (chunk) => this.#read(chunk),
      () => this.#outbox.flush(),
    );
    this.#patience = new Patience(nowMs);
    this.#pulse = new Pulse(options, nowMs);
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
    this.windows = new Windows(options.windowBytes, this.#streams, (bytes) => this.send(bytes));
  }

  /** Tells the client to go; the connection ends when all requests under way are answered, or after `graceMs`. */
  close(graceMs: number): void {
    if (this.#state !== 'open') return;
    this.#state = 'going';
    this.#pulse.cutMs = performance.now() + graceMs;
    const send = (bytes: Buffer): void => this.send(bytes);
    this.#farewell = new Farewell(send, () => this.#nameLastStream());
  }

  #nameLastStream(): void {
    if (this.#state !== 'going') return;
    this.#state = 'ending';
    this.send(goaway(this.#streams.lastId, CODE.noError, ''));
    if (this.#streams.busy === 0) this.#end();
  }

  /** Called every now and then: all that depends on time. */
  tick(nowMs: number): void {
    if (nowMs >= this.#pulse.cutMs || this.#pulse.isDeaf(nowMs)) return void this.#socket.destroy();
    if (this.#state === 'ended') return;
    for (const stream of this.#streams) {
      if (nowMs - stream.openedMs < this.#options.readMs) continue;
      if (stream.isAnswered) this.#streams.giveUp(stream);
      else if (!stream.clientEnded) stream.listener.overdue();
    }
    const { isWithinHeaders } = this.#reader;
    switch (this.#pulse.next(nowMs, { isBusy: this.#streams.busy > 0, isWithinHeaders })) {
      case 'cut':
        return void this.#socket.destroy();
      case 'ping':
        return this.send(frame(FRAME.ping, 0, 0, PING_PAYLOAD));
      case 'go':
        return this.close(this.#options.ageGraceMs);
      case null:
    }
  }

  /** For {@link Http2Stream}. */
  send(bytes: Buffer): void {
    this.#outbox.send(bytes);
  }

  /** For {@link Http2Stream}. */
  finished(stream: Http2Stream): void {
    this.#mayPing = true;
    // Its client need not send the rest.
    if (this.#streams.finish(stream)) this.send(numberFrame(FRAME.rstStream, stream.id, CODE.noError));
    if (this.#streams.busy > 0) return;
    this.#pulse.rest(performance.now());
    if (this.#state === 'ending') this.#end();
  }

  /** For the reader. */
  get isFull(): boolean {
    return this.#outbox.isFull;
  }

  /** For the reader. */
  beginData(id: number, bytes: number, endsStream: boolean): void {
    this.#requireOpened(id);
    if (bytes === 0 && !endsStream) this.#losePatience();
    this.windows.receive(bytes);
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#streams.requireEndedEarly(id);
    if (stream.clientEnded) return this.#streams.reset(stream, CODE.streamClosed);
    if (!endsStream) this.windows.receiveOn(stream, bytes);
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
    this.#streams.forget(id);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.clientEnded = true;
    // Another length than content-length said (section 8.1.1).
    if (stream.missingBytes !== 0 && !Number.isNaN(stream.missingBytes))
      return this.#streams.reset(stream, CODE.protocolError);
    stream.listener.end();
  }

  /** For the reader. A block is decoded even if nobody wants it: later ones build on it. */
  headers(id: number, endsStream: boolean, block: Buffer): void {
    if (id % 2 === 0) throw protocolError(`a client cannot open stream ${id}`);
    const fields = this.#decoder.decode(block);
    if (id <= this.#streams.lastId) {
      const stream = this.#streams.get(id);
      if (stream === undefined) return this.#streams.requireEndedEarly(id);
      if (stream.clientEnded) return this.#streams.reset(stream, CODE.streamClosed);
      // Trailers, which no gRPC client sends.
      if (!endsStream || isRequest(fields)) return this.#streams.reset(stream, CODE.protocolError);
      return this.endStream(id);
    }
    // One that came after our last GOAWAY: its client knows that nobody took it.
    if (!this.#isAccepting) return;
    this.#streams.lastId = id;
    if (!isRequest(fields)) return this.#streams.refuse(id, CODE.protocolError, endsStream);
    if (this.#streams.busy >= this.#options.maxConcurrentStreams)
      return this.#streams.refuse(id, CODE.refusedStream, endsStream);
    const stream = new Http2Stream(this, id, fields, {
      openedMs: this.#pulse.heardMs,
      sendWindow: this.windows.newStreamBytes,
    });
    stream.clientEnded = endsStream;
    this.#streams.add(stream);
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
        if (this.#streams.forget(id)) return;
        this.#losePatience();
        const stream = this.#streams.get(id);
        if (stream !== undefined) this.#streams.drop(stream);
        return;
      }
      case FRAME.settings:
        requireConnection(id);
        this.#losePatience();
        if (isAck) return requireLength(payload, 0);
        this.send(frame(FRAME.settings, FLAG.ack, 0, NOTHING));
        return this.windows.resize(readInitialWindow(payload) ?? this.windows.newStreamBytes);
      case FRAME.ping:
        requireConnection(id);
        requireLength(payload, 8);
        if (isAck) return this.#farewell?.hear(payload);
        // As grpc's "too many pings", but for floods only: keepalive sends one in 10 seconds at most.
        if (!this.#mayPing) this.#losePatience();
        this.#mayPing = false;
        return this.send(frame(FRAME.ping, FLAG.ack, 0, payload));
      case FRAME.windowUpdate: {
        requireLength(payload, 4);
        const bytes = payload.readUInt32BE() & MAX_WINDOW_BYTES;
        if (id === 0) return this.windows.widen(bytes);
        this.#requireOpened(id);
        const stream = this.#streams.get(id);
        if (stream !== undefined) this.windows.widenOn(stream, bytes);
        return;
      }
      case FRAME.priority:
        requireLength(payload, 5);
        if (id === 0 || id === (payload.readUInt32BE() & MAX_STREAM_ID)) throw protocolError('PRIORITY of itself');
        return this.#losePatience();
      case FRAME.goaway:
        return requireConnection(id);
      case FRAME.pushPromise:
        throw protocolError('a client cannot push');
      default:
        this.#losePatience();
    }
  }

  /** Streams that a client opens are taken. */
  get #isAccepting(): boolean {
    return this.#state === 'open' || this.#state === 'going';
  }

  #receive(chunk: Buffer): void {
    if (this.#state === 'ended') return;
    this.#pulse.hear(performance.now());
    this.#inlet.receive(chunk);
  }

  /** @returns bytes that were read */
  #read(chunk: Buffer): number {
    if (this.#state === 'ended') return chunk.length;
    try {
      return this.#reader.read(chunk);
    } catch (error) {
      const isTheirs = error instanceof Http2Error;
      const { code, message } = isTheirs ? error : { code: CODE.internalError, message: 'internal error' };
      this.send(goaway(this.#streams.lastId, code, message));
      this.#end();
      this.#dropStreams();
      if (!isTheirs) this.#options.onFault(error);
      return chunk.length;
    }
  }

  #end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#farewell?.stop();
    this.#pulse.cutMs = performance.now() + LINGER_MS;
    this.#outbox.flush();
    this.#socket.end();
    this.#socket.resume();
  }

  #dropStreams(): void {
    this.#state = 'ended';
    this.#farewell?.stop();
    for (const stream of this.#streams) this.#streams.drop(stream);
  }

  #requireOpened(id: number): void {
    this.#streams.requireOpened(id, this.#isAccepting);
  }

  #losePatience(): void {
    this.#patience.lose(this.#pulse.heardMs);
  }
}
