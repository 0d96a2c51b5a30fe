/**
 * Protobuf wire format (https://protobuf.dev/programming-guides/encoding/), the part a selective reader needs: tags, lengths,
 * 64-bit integers, and skipping what is not known.
 */
import { DecodeError } from '../decode-error.ts';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;
const WIRE_START_GROUP = 3;
const WIRE_END_GROUP = 4;

/** Groups inside groups; protobuf implementations stop at 100. */
const MAX_GROUP_DEPTH = 100;
/** Of one request, in groups: no OTLP message has any, and where one ends is known only from reading it to its end in one piece. */
const MAX_GROUP_FIELDS = 65_536;

/**
 * A position in a request. The record loop keeps its own position and only comes here for what is rare: lengths above 127 bytes,
 * unknown fields, values that are not strings.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  /** The same memory, for making strings. */
  readonly buffer: Buffer;
  pos = 0;
  /** A reference to a string table was met where none can be. */
  sawStrindex = false;
  /** Fields read one by one, those that the record loop reads by itself left out. */
  fields = 0;
  #groupFields = 0;

  constructor(request: Uint8Array) {
    // gRPC and HTTP hand over Buffers, tests and replay plain arrays: one hidden class keeps the byte loads monomorphic.
    this.bytes = new Uint8Array(request.buffer, request.byteOffset, request.byteLength);
    this.buffer = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  }

  /** A varint as a double: exact below 2^53, enough for tags, lengths and small enums. @throws DecodeError */
  varint(end: number, path: string): number {
    const start = this.pos;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.pos >= end) throw new DecodeError('truncated varint', path, start);
      const byte = this.bytes[this.pos++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new DecodeError('varint longer than 10 bytes', path, start);
  }

  /** A varint read as int64. @throws DecodeError */
  int64(end: number, path: string): number | bigint {
    const start = this.pos;
    const value = this.varint(end, path);
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    let exact = 0n;
    for (let i = this.pos - 1; i >= start; i--) exact = (exact << 7n) | BigInt(this.bytes[i]! & 0x7f);
    exact = BigInt.asIntN(64, exact);
    return exact >= Number.MIN_SAFE_INTEGER && exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact;
  }

  /** Field number << 3 | wire type. @throws DecodeError */
  tag(end: number, path: string): number {
    const start = this.pos;
    const tag = this.varint(end, path);
    this.fields++;
    if (tag < 8 || tag > 0xffff_ffff) throw new DecodeError('illegal field number', path, start);
    return tag;
  }

  /** Reads a length and returns where its payload ends; `pos` is then where the payload starts. @throws DecodeError */
  payload(end: number, path: string): number {
    const start = this.pos;
    const length = this.varint(end, path);
    if (this.pos + length > end) {
      throw new DecodeError(`a length of ${length} reaches beyond the end of its message`, path, start);
    }
    return this.pos + length;
  }

  fixed(byteLength: number, end: number, path: string): number {
    const start = this.pos;
    if (start + byteLength > end) throw new DecodeError('truncated fixed-width value', path, start);
    this.pos = start + byteLength;
    return start;
  }

  double(end: number, path: string): number {
    return this.buffer.readDoubleLE(this.fixed(8, end, path));
  }

  /** Skips the value behind `tag`. @throws DecodeError */
  skip(tag: number, end: number, path: string): void {
    let depth = 0;
    for (;;) {
      const at = this.pos;
      switch (tag & 7) {
        case WIRE_VARINT:
          this.varint(end, path);
          break;
        case WIRE_FIXED64:
          this.fixed(8, end, path);
          break;
        case WIRE_BYTES:
          this.pos = this.payload(end, path);
          break;
        case WIRE_FIXED32:
          this.fixed(4, end, path);
          break;
        case WIRE_START_GROUP:
          if (depth === MAX_GROUP_DEPTH) throw new DecodeError('groups nested too deeply', path, at);
          groupFields[depth++] = tag >>> 3;
          break;
        case WIRE_END_GROUP:
          if (depth === 0 || groupFields[--depth] !== tag >>> 3) {
            throw new DecodeError('a group ends that did not begin', path, at);
          }
          break;
        default:
          throw new DecodeError(`illegal wire type ${tag & 7}`, path, at);
      }
      if (depth === 0) return;
      if (this.#groupFields++ === MAX_GROUP_FIELDS) {
        throw new DecodeError(`more than ${MAX_GROUP_FIELDS} fields in groups`, path, at);
      }
      tag = this.tag(end, path);
    }
  }

  /** Skips an unknown field; a known one with another wire type is an error. @throws DecodeError */
  skipUnknown(tag: number, knownFields: number, end: number, path: string): void {
    const field = tag >>> 3;
    if (field < 32 && (knownFields >>> field) & 1) {
      throw new DecodeError(`field ${field} has wire type ${tag & 7}`, path, this.pos);
    }
    this.skip(tag, end, path);
  }

  /** UTF-8, invalid sequences become U+FFFD. At most `maxBytes` bytes, cut between characters. */
  string(start: number, end: number, maxBytes: number): string {
    if (end - start > maxBytes) {
      end = start + maxBytes;
      // Step back over continuation bytes so that a cut never makes an invalid sequence of a valid one.
      for (let i = 0; i < 3 && (this.bytes[end]! & 0xc0) === 0x80; i++) end--;
    }
    return this.buffer.toString('utf8', start, end);
  }
}

/** Field numbers of the groups being skipped. One array serves all readers: skipping never yields. */
const groupFields = new Uint32Array(MAX_GROUP_DEPTH);
