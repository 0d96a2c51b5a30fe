/** One request to `exporters.otlp`, over the transport that its `protocol` names. */
import type { OtlpExporterConfig } from '../config/config.ts';
import type { SendResult } from './delivery.ts';
import { createOtlpGrpc } from './otlp-grpc.ts';
import { createOtlpHttp } from './otlp-http.ts';

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

/** @throws Error when `exporters.otlp.endpoint` is not usable */
export function createTransport(otlp: OtlpExporterConfig, endpoint: string, version: string): OtlpTransport {
  const { headers, timeoutMs } = otlp;
  const options: TransportOptions = { endpoint, headers, timeoutMs, userAgent: `logdrift/${version}` };
  try {
    return otlp.protocol === 'grpc' ? createOtlpGrpc(options) : createOtlpHttp(options);
  } catch (cause) {
    throw new Error(`exporters.otlp: cannot send to "${endpoint}": ${(cause as Error).message}`, { cause });
  }
}
