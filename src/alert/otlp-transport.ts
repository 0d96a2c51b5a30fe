/** What both ways to `exporters.otlp`, HTTP and gRPC, are and need. */
import type { SendResult } from './delivery.ts';

export interface OtlpTransport extends AsyncDisposable {
  /** Where requests go, for people: nothing of it is secret. */
  readonly destination: string;
  /** `request`: a serialized ExportLogsServiceRequest. Never rejects. */
  send(request: Uint8Array, signal: AbortSignal): Promise<SendResult>;
}

/** What both transports need. */
export interface TransportOptions {
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  timeoutMs: number;
  userAgent: string;
}
