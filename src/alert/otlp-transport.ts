/** What both ways to `exporters.otlp`, HTTP and gRPC, are and need. */
import type { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
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

/** What a destination that took the request says. `read`: its answer; one that cannot be read does not make it a failure. */
export function delivered(read: () => ReturnType<typeof ProtobufLogsSerializer.deserializeResponse>): SendResult {
  try {
    const { partialSuccess } = read();
    return {
      kind: 'delivered',
      rejected: Number(partialSuccess?.rejectedLogRecords ?? 0),
      message: partialSuccess?.errorMessage ?? '',
    };
  } catch {
    return { kind: 'delivered', rejected: 0, message: '' };
  }
}
