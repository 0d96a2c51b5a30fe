/** Reads an HTTP request body, decompressed, never holding more than the limit. */
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { ReceiveError } from './status.ts';
import { DecodeError } from './wire.ts';

/** What `Accept-Encoding` of a 415 names. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, zstd';

/**
 * @param maxBytes limit after decompression; enforced chunk by chunk, so a decompression bomb costs no more than a body of that size
 * @throws {ReceiveError} `too_large`, `unsupported_media_type` (unknown Content-Encoding) or `cancelled`; {DecodeError} on broken compression
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  const decompressor = decompressorFor(encoding);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);

  const chunks: Buffer[] = [];
  let byteLength = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const body = decompressor === null ? request : request.pipe(decompressor);
  body.on('data', (chunk: Buffer) => {
    byteLength += chunk.length;
    if (byteLength > maxBytes) reject(tooLarge(maxBytes));
    else chunks.push(chunk);
  });
  body.on('end', resolve);
  request.on('error', () => reject(clientLeft()));
  request.on('close', () => {
    if (!request.complete) reject(clientLeft());
  });
  decompressor?.on('error', (error) => {
    reject(new DecodeError(`broken ${encoding} compression (${error.message})`, '', -1, { cause: error }));
  });
  try {
    await promise;
  } finally {
    body.removeAllListeners('data');
    if (decompressor !== null) {
      request.unpipe(decompressor);
      decompressor.destroy();
    }
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, byteLength);
}

function decompressorFor(encoding: string): Transform | null {
  switch (encoding) {
    case '':
    case 'identity':
      return null;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'zstd':
      return createZstdDecompress();
    default:
      throw new ReceiveError(
        'unsupported_media_type',
        `Content-Encoding ${JSON.stringify(encoding)} is not supported; use ${ACCEPTED_ENCODINGS} or none`,
      );
  }
}

function tooLarge(maxBytes: number): ReceiveError {
  return new ReceiveError(
    'too_large',
    `the request is larger than ${maxBytes} bytes after decompression; send smaller batches`,
  );
}

function clientLeft(): ReceiveError {
  return new ReceiveError('cancelled', 'the client left before its body was complete');
}
