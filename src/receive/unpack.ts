/** Decompression of request bodies, the same for both transports; never more than the limit and the budget allow. */
import { Readable, type Transform } from 'node:stream';
import { createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { Reservation } from './budget.ts';
import { Chunks, free, join } from './scratch.ts';
import { ReceiveError } from './status.ts';
import { DecodeError } from './wire.ts';
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
  const chunks = new Chunks();
  let byteLength = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const decompressor = DECOMPRESSORS[encoding]!();
  decompressor.on('error', (error) => {
    reject(new DecodeError(`broken ${encoding} compression (${error.message})`, '', -1, { cause: error }));
  });
  decompressor.on('data', (chunk: Buffer) => {
    byteLength += chunk.length;
    try {
      if (byteLength > maxBytes) throw tooLarge(maxBytes);
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
    return join(chunks.list, byteLength);
  } finally {
    decompressor.removeAllListeners('data');
    if (input instanceof Readable) input.unpipe(decompressor);
    decompressor.destroy();
    freeAllButLast(chunks.list);
    if (input instanceof Readable && input !== source) input.destroy();
  }
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
