/** Decompression of request bodies, the same for both transports; never more than the limit and the budget allow. */
import { Readable, type Transform } from 'node:stream';
import { createGunzip, createInflate, createZstdDecompress, gunzipSync, inflateSync } from 'node:zlib';
import type { Reservation } from './budget.ts';
import { Chunks, copyTogether, free } from './scratch.ts';
import { ReceiveError } from './status.ts';
import { DecodeError } from './decode-error.ts';
import { cutAtFrameEnds } from './zstd-frames.ts';

/** What `Accept-Encoding` of a 415 names, and `grpc-accept-encoding`. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, zstd';

/** What a decompressor gives at a time; far above what Buffer takes from its shared pool. */
const CHUNK_BYTES = 65_536;
const options = { chunkSize: CHUNK_BYTES };
const DECOMPRESSORS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(options),
  'x-gzip': () => createGunzip(options),
  deflate: () => createInflate(options),
  zstd: () => createZstdDecompress(options),
};

/**
 * Packed bodies up to this size are unpacked on the spot if {@link CHUNK_BYTES} hold them: 0.05 ms, no more than it takes to hand them to a
 * thread of zlib's and to hear of it, and half the CPU in all. zstd is left out: its one-shot form reads one frame only.
 */
export const MAX_ON_THE_SPOT_BYTES = 16_384;
const ON_THE_SPOT: Readonly<Record<string, typeof gunzipSync>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
};

/** `''` and `identity` say that nothing is compressed. */
export function isCompression(encoding: string): boolean {
  return encoding !== '' && encoding !== 'identity';
}

/** @throws {ReceiveError} `unsupported_encoding` */
export function checkEncoding(encoding: string): void {
  if (!isCompression(encoding) || Object.hasOwn(DECOMPRESSORS, encoding)) return;
  throw new ReceiveError(
    'unsupported_encoding',
    `compression ${JSON.stringify(encoding.slice(0, 40))} is not supported; use ${ACCEPTED_ENCODINGS} or none`,
  );
}

export interface UnpackOptions {
  /** Content-Encoding or grpc-encoding, lower case: a compression that {@link checkEncoding} lets pass. */
  encoding: string;
  /** Limit after decompression; enforced chunk by chunk, so a decompression bomb costs no more than a body of that size. */
  maxBytes: number;
  reservation: Reservation;
}

/**
 * All bytes of `source`, decompressed; to be given back to the scratch memory.
 * @throws {ReceiveError} `too_large` or `overloaded`; {DecodeError} on broken compression; what `source` fails with
 */
export async function unpack(
  source: Readable | Uint8Array,
  { encoding, maxBytes, reservation }: UnpackOptions,
): Promise<Uint8Array> {
  if (!(source instanceof Readable)) {
    const unpacked = unpackOnTheSpot(source, encoding, maxBytes);
    if (unpacked !== null) {
      reservation.take(unpacked.length);
      return unpacked;
    }
  }
  const chunks = new Chunks();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const decompressor = DECOMPRESSORS[encoding]!();
  decompressor.on('error', (error) => {
    reject(broken(encoding, error));
  });
  decompressor.on('data', (chunk: Buffer) => {
    try {
      if (chunks.byteLength + chunk.length > maxBytes) throw tooLarge(maxBytes);
      reservation.take(chunk.length);
      chunks.add(chunk);
    } catch (error) {
      reject(error as Error);
    }
  });
  decompressor.on('end', resolve);
  const input = encoding === 'zstd' ? inFrames(source) : source;
  if (source instanceof Readable) source.on('error', reject);
  if (input instanceof Readable) {
    if (input !== source) input.on('error', reject);
    input.pipe(decompressor);
  } // Bytes that are all there need no stream of their own: a sixth of a small request's CPU.
  else decompressor.end(input);
  try {
    await promise;
    return chunks.take();
  } finally {
    decompressor.removeAllListeners('data');
    if (input instanceof Readable) input.unpipe(decompressor);
    decompressor.destroy();
    freeAllButLast(chunks.list);
    if (input instanceof Readable && input !== source) input.destroy();
  }
}

/** @returns null when it is too much for that */
function unpackOnTheSpot(bytes: Uint8Array, encoding: string, maxBytes: number): Uint8Array | null {
  const unzip = ON_THE_SPOT[encoding];
  if (unzip === undefined || bytes.length > MAX_ON_THE_SPOT_BYTES) return null;
  try {
    const maxOutputLength = Math.min(CHUNK_BYTES, maxBytes);
    const unpacked = unzip(bytes, { chunkSize: CHUNK_BYTES, maxOutputLength });
    const body = copyTogether([unpacked], unpacked.length);
    // zlib's own chunk, not Buffer's pool.
    if (unpacked.buffer.byteLength === CHUNK_BYTES) (unpacked.buffer as ArrayBuffer).transfer(0);
    return body;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return null;
    throw broken(encoding, error as Error);
  }
}

function broken(encoding: string, cause: Error): DecodeError {
  return new DecodeError(`broken ${encoding} compression (${cause.message})`, '', -1, { cause });
}

function inFrames(source: Readable | Uint8Array): Readable {
  // The source outlives a refused body: its client still has to read the answer.
  const chunks = source instanceof Readable ? source.iterator({ destroyOnReturn: false }) : Readable.from([source]);
  return Readable.from(cutAtFrameEnds(chunks), { objectMode: false });
}

/**
 * Memory that would otherwise wait for the garbage collector while the budget takes it for free: sixteen bombs held 410 MiB within a budget
 * of 256. The last buffer stays: zlib may still be writing into it, and a body of one chunk is returned as it is.
 */
function freeAllButLast(chunks: readonly Buffer[]): void {
  const last = chunks.at(-1)?.buffer;
  for (const chunk of chunks) if (chunk.buffer !== last) free(chunk);
}

export function tooLarge(maxBytes: number): ReceiveError {
  return new ReceiveError(
    'too_large',
    `the request is larger than ${maxBytes} bytes after decompression; send smaller batches`,
  );
}
