/** What the gRPC and the HTTP receiver have in common: options, lifetime, and the error for a port that cannot be had. */
import { formatEndpoint, parseEndpoint } from '../config/endpoint.ts';
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

/** An endpoint cannot be listened on. `code` LOGDRIFT_PORT_IN_USE when somebody else holds the port, else LOGDRIFT_LISTEN_FAILED. */
export class ListenError extends Error {
  readonly code: 'LOGDRIFT_PORT_IN_USE' | 'LOGDRIFT_LISTEN_FAILED';

  constructor(configKey: string, endpoint: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const inUse = reason.includes('EADDRINUSE');
    const { host, port } = parseEndpoint(endpoint);
    const other = formatEndpoint({ host, port: port > 55_535 ? port - 10_000 : port + 10_000 });
    super(
      inUse
        ? `${configKey}: ${endpoint} is in use, probably by an OpenTelemetry Collector or another logdrift; ` +
            `stop it or take another port: --set ${configKey}=${other}`
        : `${configKey}: cannot listen on ${endpoint}: ${reason}`,
      { cause },
    );
    this.name = 'ListenError';
    this.code = inUse ? 'LOGDRIFT_PORT_IN_USE' : 'LOGDRIFT_LISTEN_FAILED';
  }
}
