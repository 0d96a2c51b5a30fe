/** What the gRPC and the HTTP receiver have in common: options, lifetime, and what they tell. */
import type { Authenticator } from './auth.ts';
import { Budget } from './budget.ts';
import type { ExportTarget } from './record.ts';
import { isRetryable, type ErrorKind } from './status.ts';
import type { TlsFiles } from './tls.ts';

export interface ReceiverOptions {
  /** host:port; port 0 takes a free one. IPv6 in brackets. */
  endpoint: string;
  /** Limit of one request after decompression. */
  maxRequestBytes: number;
  /** Further connections are closed at once. */
  maxConnections?: number;
  /** Null = plain text. */
  tls?: TlsFiles | null;
  /** Null = everybody may send. */
  auth?: Authenticator | null;
  /** Shared by both receivers. Left out: one of {@link DEFAULT_BUDGET_BYTES}. */
  budget?: Budget;
  target: ExportTarget;
  /** Called once a request, after it was answered. */
  observe?: (request: ObservedRequest) => void;
  /** Called with what was thrown when a request ends as INTERNAL / 500: a fault of ours. */
  onFault?: (error: unknown) => void;
  /** Called for what is answered as it should be and still worth a look; may come with every request. */
  onOddity?: (oddity: Oddity) => void;
}

export const DEFAULT_BUDGET_BYTES = 268_435_456;
export const DEFAULT_MAX_CONNECTIONS = 1000;

export type Transport = 'grpc' | 'http';

export interface ObservedRequest {
  transport: Transport;
  /** gRPC status name (`OK`, `INVALID_ARGUMENT`) or HTTP status (`200`). */
  code: string;
  acceptedRecords: number;
  /** Not taken in, and the sender knows: as `partial_success`, or in a request that it may repeat. */
  refusedRecords: number;
  /** Read before the request failed for good; those behind the fault were never seen. */
  failedRecords: number;
  /** After decompression; 0 when the body was not read. */
  bytes: number;
}

export type Oddity =
  /** A body that is not empty and holds no log record; `keys`: what it holds and we do not know. */
  | { kind: 'no_records'; transport: Transport; keys: string[] }
  /** `string_value_strindex` or `key_strindex`: for profiles only, absent in logs. */
  | { kind: 'strindex'; transport: Transport }
  /** OTLP/JSON wants enums as numbers. */
  | { kind: 'enum_name'; transport: Transport }
  | { kind: 'unsupported_encoding'; transport: Transport; encoding: string }
  | { kind: 'connection_limit'; transport: Transport; limit: number }
  | { kind: 'tls_handshake'; transport: Transport; reason: string }
  /** A certificate, key or token file changed; `problem` null = the new one is used, else the old one is. */
  | { kind: 'file_changed'; files: string[]; problem: string | null };

export interface Receiver extends AsyncDisposable {
  /** The port that is listened on. */
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /** Stops accepting, lets requests in flight finish for up to `graceMs`, then cuts them. Closing twice is closing once. */
  close(graceMs: number): Promise<void>;
}

export function budgetOf({ budget }: ReceiverOptions): Budget {
  return budget ?? new Budget({ limitBytes: DEFAULT_BUDGET_BYTES });
}

/** Where the records of a request that failed whole are counted. */
export function lostRecords(kind: ErrorKind, records: number): { refusedRecords: number; failedRecords: number } {
  return isRetryable(kind)
    ? { refusedRecords: records, failedRecords: 0 }
    : { refusedRecords: 0, failedRecords: records };
}
