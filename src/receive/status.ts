/**
 * How a request can fail, and what each transport answers: ONE table.
 *
 * Source: opentelemetry-proto docs/specification.md, "OTLP/gRPC Response" and "OTLP/HTTP Response". A client retries only gRPC CANCELLED,
 * DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS and only HTTP 429, 502, 503, 504: passing trouble must use one of
 * these or the client drops the data, lasting trouble must not or the client sends it for ever.
 */
import { status as Grpc } from '@grpc/grpc-js';
import { DecodeError } from './decode-error.ts';

export type ErrorKind =
  | 'malformed'
  | 'not_one_message'
  | 'too_large'
  | 'headers_too_large'
  | 'unauthenticated'
  | 'permission_denied'
  | 'not_found'
  | 'method_not_allowed'
  | 'unsupported_media_type'
  | 'unsupported_encoding'
  | 'missing_encoding'
  | 'too_slow'
  | 'overloaded'
  | 'shutting_down'
  | 'cancelled'
  | 'unknown_service'
  | 'too_many'
  | 'internal';

interface Answer {
  /** google.rpc.Code, also in the body of an HTTP error. */
  readonly grpc: number;
  readonly http: number;
}

export const ANSWERS: Readonly<Record<ErrorKind, Answer>> = {
  malformed: { grpc: Grpc.INVALID_ARGUMENT, http: 400 },
  // gRPC's status codes document has it for a unary call whose client sends none or several; HTTP has one body always.
  not_one_message: { grpc: Grpc.UNIMPLEMENTED, http: 400 },
  // Without RetryInfo RESOURCE_EXHAUSTED means "never": the same request stays too large.
  too_large: { grpc: Grpc.RESOURCE_EXHAUSTED, http: 413 },
  headers_too_large: { grpc: Grpc.RESOURCE_EXHAUSTED, http: 431 },
  unauthenticated: { grpc: Grpc.UNAUTHENTICATED, http: 401 },
  permission_denied: { grpc: Grpc.PERMISSION_DENIED, http: 403 },
  not_found: { grpc: Grpc.UNIMPLEMENTED, http: 404 },
  method_not_allowed: { grpc: Grpc.UNIMPLEMENTED, http: 405 },
  unsupported_media_type: { grpc: Grpc.INVALID_ARGUMENT, http: 415 },
  // The gRPC compression specification asks for UNIMPLEMENTED.
  unsupported_encoding: { grpc: Grpc.UNIMPLEMENTED, http: 415 },
  // gRPC's protocol has it so for a message that is compressed by nobody knows what.
  missing_encoding: { grpc: Grpc.INTERNAL, http: 400 },
  too_slow: { grpc: Grpc.DEADLINE_EXCEEDED, http: 408 },
  overloaded: { grpc: Grpc.UNAVAILABLE, http: 503 },
  shutting_down: { grpc: Grpc.UNAVAILABLE, http: 503 },
  // The client is gone; nobody reads this. HTTP has no status for it: 499 is nginx's.
  cancelled: { grpc: Grpc.CANCELLED, http: 499 },
  // Of the health service only.
  unknown_service: { grpc: Grpc.NOT_FOUND, http: 404 },
  too_many: { grpc: Grpc.RESOURCE_EXHAUSTED, http: 429 },
  internal: { grpc: Grpc.INTERNAL, http: 500 },
};

/** Refuses one request. Whoever takes records in may throw it from `commit`; the transports turn it into an answer. */
export class ReceiveError extends Error {
  readonly code = 'LOGDRIFT_OTLP_REFUSED';
  readonly kind: ErrorKind;
  /** When the client may come back; at least a second, for HTTP clients spin on `Retry-After: 0`. Null = not said. */
  readonly retryAfterMs: number | null;

  constructor(kind: ErrorKind, message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.name = 'ReceiveError';
    this.kind = kind;
    const retryable = kind === 'overloaded' || kind === 'shutting_down';
    this.retryAfterMs = options.retryAfterMs ?? (retryable ? 1000 : null);
  }
}

/** google.rpc.Status before it is encoded. */
export interface Status {
  kind: ErrorKind;
  grpcCode: number;
  httpStatus: number;
  message: string;
  /** google.rpc.BadRequest: which field is wrong and why. */
  badRequest: { field: string; description: string } | null;
  /** google.rpc.RetryInfo; also HTTP's Retry-After. */
  retryAfterMs: number | null;
}

/** The sender may repeat the request: nothing of it was lost. */
export function isRetryable(kind: ErrorKind): boolean {
  return kind === 'overloaded' || kind === 'shutting_down' || kind === 'cancelled';
}

/** Clients log these messages, some per request. */
const MAX_MESSAGE_BYTES = 1024;

/** Whatever was thrown while a request was taken in, as an answer. Anything unknown is INTERNAL and does not say more than that. */
export function toStatus(error: unknown): Status {
  if (error instanceof DecodeError) {
    return build('malformed', error.message, { field: error.fieldPath, description: error.problem }, null);
  }
  if (error instanceof ReceiveError) return build(error.kind, error.message, null, error.retryAfterMs);
  if (error instanceof Error && error.name === 'AbortError') {
    return build('cancelled', 'the client cancelled the request', null, null);
  }
  return build('internal', 'internal error while taking the records in; see the log of logdrift', null, null);
}

function build(
  kind: ErrorKind,
  message: string,
  badRequest: Status['badRequest'],
  retryAfterMs: number | null,
): Status {
  const { grpc, http } = ANSWERS[kind];
  return { kind, grpcCode: grpc, httpStatus: http, message: capMessage(message), badRequest, retryAfterMs };
}

/** At most 1 KiB of UTF-8, cut between characters. */
export function capMessage(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= MAX_MESSAGE_BYTES) return message;
  let end = MAX_MESSAGE_BYTES - 3;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}…`;
}
