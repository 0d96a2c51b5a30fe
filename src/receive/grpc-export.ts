/** `LogsService/Export` from a call's first header to its status. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status as Grpc } from '@grpc/grpc-js';
import type { Budget, Reservation } from './budget.ts';
import { newDecodeSummary } from './decoded.ts';
import { encodeResponse } from './encode-response.ts';
import { exportLogs } from './export.ts';
import { readMessage, sendResponse, sendStatus, type GrpcMessage } from './grpc-message.ts';
import { noteOddities } from './oddities.ts';
import { lostRecords, type ReceiverOptions } from './receiver.ts';
import { giveBack } from './scratch.ts';
import { toStatus } from './status.ts';
import { checkEncoding, collect, isCompression } from './unpack.ts';

/** Never rejects: whatever happens becomes the call's status. */
export async function answerExport(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { auth, maxRequestBytes, target, observe, onFault, onOddity }: ReceiverOptions,
  budget: Budget,
): Promise<void> {
  stream.on('error', () => {}); // 'close' follows
  const gone = new AbortController();
  let answered = false;
  // Making an AbortError costs 15 µs, and every stream closes: those already answered are left alone.
  stream.once('close', () => answered || gone.abort());
  const encoding = encodingOf(headers);
  const summary = newDecodeSummary();
  let bytes = 0;
  let reservation: Reservation | null = null;
  let request: Uint8Array | null = null;
  try {
    auth?.check(headers.authorization);
    reservation = budget.open();
    const message = await readMessage(stream, maxRequestBytes, reservation);
    request = message.bytes;
    if (isPacked(message, encoding)) {
      request = await collect(message.bytes, { encoding, maxBytes: maxRequestBytes, reservation });
      giveBack(message.bytes);
    }
    bytes = request.length;
    const outcome = await exportLogs(request, 'protobuf', target, gone.signal, summary);
    answered = true;
    sendResponse(stream, encodeResponse(outcome, 'protobuf'));
    const refusedRecords = outcome.rejectedLogRecords;
    const acceptedRecords = outcome.records - refusedRecords;
    observe?.({ transport: 'grpc', code: 'OK', acceptedRecords, refusedRecords, failedRecords: 0, bytes });
    if (onOddity !== undefined) noteOddities({ request, encoding: 'protobuf', transport: 'grpc', summary }, onOddity);
  } catch (error) {
    // Its bytes are garbage by now, though the client may go on sending for a while.
    reservation?.release();
    answered = true;
    const status = toStatus(error);
    const { kind, grpcCode } = status;
    sendStatus(stream, status);
    const code = Grpc[grpcCode]!;
    observe?.({ transport: 'grpc', code, acceptedRecords: 0, ...lostRecords(kind, summary.records), bytes });
    if (kind === 'unsupported_encoding') onOddity?.({ kind, transport: 'grpc', encoding });
    if (kind === 'internal') onFault?.(error);
  } finally {
    reservation?.release();
    if (request !== null) giveBack(request);
  }
}

/** grpc-encoding; whether the message uses it, the message says. */
function encodingOf(headers: IncomingHttpHeaders): string {
  const given = headers['grpc-encoding'];
  return typeof given === 'string' ? given.trim().toLowerCase() : '';
}

/** @throws {ReceiveError} `unsupported_encoding` */
function isPacked({ compressed }: GrpcMessage, encoding: string): boolean {
  if (!compressed || !isCompression(encoding)) return false;
  checkEncoding(encoding);
  return true;
}
