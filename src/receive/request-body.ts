/** Reads an HTTP request body, decompressed, never holding more than the limit. */
import type { IncomingMessage } from 'node:http';
import type { Reservation } from './budget.ts';
import { ReceiveError } from './status.ts';
import { checkEncoding, collect, tooLarge } from './unpack.ts';

/**
 * @param maxBytes limit after decompression
 * @throws {ReceiveError} `too_large`, `unsupported_encoding`, `overloaded` or `cancelled`; {DecodeError} on broken compression
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  reservation: Reservation,
): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  checkEncoding(encoding);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);

  const left = new Promise<never>((_resolve, reject) => {
    const leave = (): void => reject(new ReceiveError('cancelled', 'the client left before its body was complete'));
    request.on('error', leave);
    request.on('close', () => request.complete || leave());
  });
  // Of the two the first counts; the other one ends unheard.
  left.catch(() => {});
  const body = collect(request, { encoding, maxBytes, reservation });
  body.catch(() => {});
  return Promise.race([left, body]);
}
