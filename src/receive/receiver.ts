/** What the gRPC and the HTTP receiver have in common: options, lifetime, and the error for a port that cannot be had. */
import type { ExportTarget } from './record.ts';

export interface ReceiverOptions {
  /** host:port; port 0 takes a free one. IPv6 in brackets. */
  endpoint: string;
  /** Limit of one request after decompression. */
  maxRequestBytes: number;
  target: ExportTarget;
  /** Called once a request, after it was answered. */
  observe?: (request: ObservedRequest) => void;
  /** Called with what was thrown when a request ends as INTERNAL / 500: a fault of ours. */
  onFault?: (error: unknown) => void;
}

export interface ObservedRequest {
  transport: 'grpc' | 'http';
  /** gRPC status name (`OK`, `INVALID_ARGUMENT`) or HTTP status (`200`). */
  code: string;
  acceptedRecords: number;
  /** Refused as `partial_success`; of a request that failed whole the number of records is not known. */
  refusedRecords: number;
  /** After decompression; 0 when the body was not read. */
  bytes: number;
}

export interface Receiver extends AsyncDisposable {
  /** The port that is listened on. */
  readonly port: number;
  /** Stops accepting, lets requests in flight finish for up to `graceMs`, then cuts them. Closing twice is closing once. */
  close(graceMs: number): Promise<void>;
}
