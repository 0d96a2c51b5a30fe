/** Header compression (HPACK, RFC 7541): reading it whole, writing literals only. */
import { CODE, Http2Error } from './frames.ts';
import { decodeHuffman } from './huffman.ts';

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** Appendix A, from index 1: name, space, value. */
// prettier-ignore
const STATIC_TABLE: readonly HeaderField[] = [
  ':authority', ':method GET', ':method POST', ':path /', ':path /index.html', ':scheme http',
  ':scheme https', ':status 200', ':status 204', ':status 206', ':status 304', ':status 400',
  ':status 404', ':status 500', 'accept-charset', 'accept-encoding gzip, deflate', 'accept-language', 'accept-ranges',
  'accept', 'access-control-allow-origin', 'age', 'allow', 'authorization', 'cache-control',
  'content-disposition', 'content-encoding', 'content-language', 'content-length', 'content-location', 'content-range',
  'content-type', 'cookie', 'date', 'etag', 'expect', 'expires',
  'from', 'host', 'if-match', 'if-modified-since', 'if-none-match', 'if-range',
  'if-unmodified-since', 'last-modified', 'link', 'location', 'max-forwards', 'proxy-authenticate',
  'proxy-authorization', 'range', 'referer', 'refresh', 'retry-after', 'server',
  'set-cookie', 'strict-transport-security', 'transfer-encoding', 'user-agent', 'vary', 'via',
  'www-authenticate',
].map((line) => {
  const [name, ...value] = line.split(' ');
  return { name: name!, value: value.join(' ') };
});

/** SETTINGS_HEADER_TABLE_SIZE that holds unless we say another, and we do not. */
const MAX_TABLE_BYTES = 4096;
/** What an entry counts beside its text (section 4.1). */
const ENTRY_BYTES = 32;
/** Names, values and {@link ENTRY_BYTES} of one block: a few bytes of index may stand for 4 KiB. */
export const MAX_LIST_BYTES = 65_536;

const NOTHING = Buffer.alloc(0);

/** Of one connection: what a block tells, later ones refer to. */
export class HeaderDecoder {
  /** The dynamic table, oldest first. */
  readonly #entries: HeaderField[] = [];
  #tableBytes = 0;
  #maxBytes = MAX_TABLE_BYTES;
  #bytes: Buffer = NOTHING;
  #pos = 0;

  /** @throws {Http2Error} when `block` is broken or too large; the connection cannot go on, as later blocks build on it */
  decode(block: Buffer): HeaderField[] {
    this.#bytes = block;
    this.#pos = 0;
    const fields: HeaderField[] = [];
    let listBytes = 0;
    while (this.#pos < block.length) {
      const byte = block[this.#pos]!;
      let field: HeaderField;
      if (byte >= 0x80) field = this.#entry(this.#integer(7));
      else if (byte >= 0x40) this.#add((field = this.#literal(6)));
      else if (byte < 0x20) field = this.#literal(4);
      else {
        // Legal at the beginning of a block only.
        if (fields.length > 0) throw broken('the table changes its size within a block');
        this.#resize(this.#integer(5));
        continue;
      }
      listBytes += sizeOf(field);
      if (listBytes > MAX_LIST_BYTES) {
        throw new Http2Error(CODE.enhanceYourCalm, `a request has more than ${MAX_LIST_BYTES} bytes of headers`);
      }
      fields.push(field);
    }
    // Else an idle connection would keep the 64 KiB that it came with.
    this.#bytes = NOTHING;
    return fields;
  }

  /** Section 5.1: the low `bits` of the byte, and if all of them are set, groups of 7 bits behind it. */
  #integer(bits: number): number {
    const mask = (1 << bits) - 1;
    let value = this.#next() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#next();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw broken('an integer is too large');
  }

  #next(): number {
    if (this.#pos >= this.#bytes.length) throw broken('a block is cut off');
    return this.#bytes[this.#pos++]!;
  }

  #literal(bits: number): HeaderField {
    const index = this.#integer(bits);
    const name = index === 0 ? this.#string() : this.#entry(index).name;
    return { name, value: this.#string() };
  }

  #string(): string {
    const isHuffman = this.#pos < this.#bytes.length && this.#bytes[this.#pos]! >= 0x80;
    const length = this.#integer(7);
    const start = this.#pos;
    const end = start + length;
    if (end > this.#bytes.length) throw broken('a string is cut off');
    this.#pos = end;
    return isHuffman ? decodeHuffman(this.#bytes, start, end) : this.#bytes.toString('latin1', start, end);
  }

  /** Section 2.3.3: first the static table, then the dynamic one, newest first. */
  #entry(index: number): HeaderField {
    const entry =
      index <= STATIC_TABLE.length
        ? STATIC_TABLE[index - 1]
        : this.#entries[this.#entries.length - (index - STATIC_TABLE.length)];
    if (entry === undefined) throw broken(`there is no header ${index}`);
    return entry;
  }

  /** An entry larger than the table empties it, which is no error (section 4.4). */
  #add(field: HeaderField): void {
    this.#entries.push(field);
    this.#tableBytes += sizeOf(field);
    this.#evict();
  }

  #resize(bytes: number): void {
    if (bytes > MAX_TABLE_BYTES) throw broken(`a table of ${bytes} bytes is more than ${MAX_TABLE_BYTES}`);
    this.#maxBytes = bytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#maxBytes) this.#tableBytes -= sizeOf(this.#entries.shift()!);
  }
}

function sizeOf({ name, value }: HeaderField): number {
  return name.length + value.length + ENTRY_BYTES;
}

function broken(what: string): Http2Error {
  return new Http2Error(CODE.compressionError, what);
}

/** A block of literals that no table remembers. `:status` comes first, as pseudo-headers must. */
export function encodeHeaders(headers: Readonly<Record<string, string | number>>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(headers)) {
    parts.push(Buffer.from([0]), encodeString(name), encodeString(String(value)));
  }
  return Buffer.concat(parts);
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 0x7f) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [0x7f];
  let rest = bytes.length - 0x7f;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
