import {
  CODE,
  FLAG,
  FRAME,
  HEAD_BYTES,
  Http2Error,
  MAX_FRAME_BYTES,
  MAX_STREAM_ID,
  PREFACE,
  protocolError,
} from './frames.ts';
import { MAX_LIST_BYTES } from './hpack.ts';

/** A header block in pieces: so many, and together no more than their text may have. */
const MAX_CONTINUATIONS = 16;
const NOTHING = Buffer.alloc(0);

/** What frames say; padding is left out, pieces of a header block are one. */
export interface FrameListener {
  /** No more frames for now. */
  readonly isFull: boolean;
  /** A DATA frame begins: `bytes` count against the windows, padding included. */
  beginData(streamId: number, bytes: number, endsStream: boolean): void;
  /** A piece of it: a range of what the socket gave, valid until this returns. */
  data(streamId: number, piece: Buffer): void;
  /** It is over, and the client's side of the stream with it. */
  endStream(streamId: number): void;
  headers(streamId: number, endsStream: boolean, block: Buffer): void;
  /** A frame of any other type, `isAck` for SETTINGS and PING. */
  control(type: number, streamId: number, payload: Buffer, isAck: boolean): void;
}

/** Cuts what a client sends into frames. DATA is handed on as it comes, of other frames (at most 16 KiB) the pieces are put together. */
export class FrameReader {
  readonly #listener: FrameListener;
  #preface = 0;
  #sawSettings = false;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Bytes of the payload that have not come. */
  #left = 0;
  /** Of DATA: bytes of padding at its end; -1 = the byte that says so has not come. */
  #padding = 0;
  /** Of others: a payload that comes in several pieces, and what of it is there. */
  #payload: Buffer = NOTHING;
  #filled = 0;
  /** HEADERS without END_HEADERS: only CONTINUATION may follow. */
  #block: { streamId: number; endsStream: boolean; parts: Buffer[]; bytes: number } | null = null;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  /** Something other than DATA has begun and is not whole. */
  get isWithinHeaders(): boolean {
    return this.#preface < PREFACE.length || this.#block !== null || (this.#left > 0 && this.#type !== FRAME.data);
  }

  /**
   * Reads until the listener is full.
   * @returns bytes of `chunk` that were read
   * @throws {Http2Error} what ends the connection
   */
  read(chunk: Buffer): number {
    let pos = 0;
    for (; this.#preface < PREFACE.length && pos < chunk.length; pos++) {
      if (chunk[pos] !== PREFACE[this.#preface++]) throw protocolError('this port speaks gRPC, which is HTTP/2');
    }
    while (pos < chunk.length && !this.#listener.isFull) {
      if (this.#headBytes < HEAD_BYTES) {
        const bytes = Math.min(HEAD_BYTES - this.#headBytes, chunk.length - pos);
        chunk.copy(this.#head, this.#headBytes, pos, pos + bytes);
        this.#headBytes += bytes;
        pos += bytes;
        if (this.#headBytes < HEAD_BYTES) return pos;
        this.#begin();
      }
      const end = Math.min(pos + this.#left, chunk.length);
      this.#left -= end - pos;
      if (this.#type === FRAME.data) this.#data(chunk, pos, end);
      else this.#other(chunk.subarray(pos, end));
      pos = end;
      if (this.#left === 0) this.#headBytes = 0;
    }
    return pos;
  }

  #begin(): void {
    const head = this.#head;
    this.#left = head.readUIntBE(0, 3);
    this.#type = head[3]!;
    this.#flags = head[4]!;
    this.#streamId = head.readUInt32BE(5) & 0x7fff_ffff;
    if (this.#left > MAX_FRAME_BYTES) throw new Http2Error(CODE.frameSizeError, `a frame of ${this.#left} bytes`);
    if (!this.#sawSettings && this.#type !== FRAME.settings) throw protocolError('the first frame is not SETTINGS');
    this.#sawSettings = true;
    if (this.#block !== null || this.#type === FRAME.continuation) {
      const continues = this.#type === FRAME.continuation && this.#streamId === this.#block?.streamId;
      if (!continues) throw protocolError('a header block is interrupted');
    }
    if (this.#type === FRAME.data) {
      this.#padding = this.#has(FLAG.padded) ? -1 : 0;
      this.#listener.beginData(this.#streamId, this.#left, this.#has(FLAG.endStream));
    }
  }

  #data(chunk: Buffer, start: number, end: number): void {
    let pos = start;
    if (this.#padding < 0) {
      if (pos < end) this.#padding = chunk[pos++]!;
      if (this.#left === 0 && this.#padding < 0) throw protocolError('padding without its length');
      if (this.#padding > this.#left + end - pos) throw protocolError('more padding than frame');
    }
    const textEnd = end - Math.max(0, this.#padding - this.#left);
    if (textEnd > pos) this.#listener.data(this.#streamId, chunk.subarray(pos, textEnd));
    if (this.#left === 0 && this.#has(FLAG.endStream)) this.#listener.endStream(this.#streamId);
  }

  #other(piece: Buffer): void {
    if (this.#left === 0 && this.#filled === 0) return this.#frame(piece);
    if (this.#filled === 0) this.#payload = Buffer.allocUnsafe(piece.length + this.#left);
    this.#filled += piece.copy(this.#payload, this.#filled);
    if (this.#left > 0) return;
    const payload = this.#payload;
    this.#payload = NOTHING;
    this.#filled = 0;
    this.#frame(payload);
  }

  #frame(payload: Buffer): void {
    if (this.#type === FRAME.headers) this.#headers(payload);
    else if (this.#type === FRAME.continuation) this.#continuation(payload);
    else this.#listener.control(this.#type, this.#streamId, payload, this.#has(FLAG.ack));
  }

  #headers(payload: Buffer): void {
    let start = 0;
    let end = payload.length;
    if (this.#has(FLAG.padded)) end -= payload[start++] ?? 0;
    if (this.#has(FLAG.priority)) start += 5;
    if (end < start) throw protocolError('more padding than frame');
    if (this.#has(FLAG.priority) && (payload.readUInt32BE(start - 5) & MAX_STREAM_ID) === this.#streamId) {
      throw protocolError('a stream depends on itself');
    }
    const block = payload.subarray(start, end);
    const endsStream = this.#has(FLAG.endStream);
    if (this.#has(FLAG.endHeaders)) return this.#listener.headers(this.#streamId, endsStream, block);
    this.#block = { streamId: this.#streamId, endsStream, parts: [Buffer.from(block)], bytes: block.length };
  }

  #continuation(payload: Buffer): void {
    const block = this.#block!;
    block.parts.push(Buffer.from(payload));
    block.bytes += payload.length;
    if (block.parts.length > MAX_CONTINUATIONS || block.bytes > MAX_LIST_BYTES) {
      throw new Http2Error(CODE.enhanceYourCalm, 'a header block does not end');
    }
    if (!this.#has(FLAG.endHeaders)) return;
    this.#block = null;
    this.#listener.headers(block.streamId, block.endsStream, Buffer.concat(block.parts));
  }

  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }
}
