/** OTLP/gRPC client side: the same bytes as over HTTP in one raw unary call. */
import { Client, credentials, logVerbosity, Metadata, setLogVerbosity, status, type ServiceError } from '@grpc/grpc-js';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { SendResult } from './delivery.ts';
import { delivered, type OtlpTransport, type TransportOptions } from './otlp-transport.ts';
import { readStatus } from './status-proto.ts';

const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

/** Specification, "Failures": retryable without further condition. RESOURCE_EXHAUSTED is only with a RetryInfo. */
const RETRYABLE: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** `endpoint`: `https://host:4317` is TLS; `http://host:4317` and `host:4317` are plain text. */
export function createOtlpGrpc(options: TransportOptions): OtlpTransport {
  quieten();
  const secure = /^https:\/\//i.test(options.endpoint);
  const target = options.endpoint.replace(/^https?:\/\//i, '').replace(/\/.*$/, '');
  const client = new Client(target, secure ? credentials.createSsl() : credentials.createInsecure(), {
    'grpc.primary_user_agent': options.userAgent,
    // grpc-js waits up to two minutes between two connection attempts unless told.
    'grpc.initial_reconnect_backoff_ms': 1_000,
    'grpc.max_reconnect_backoff_ms': 10_000,
  });
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(options.headers)) metadata.set(key, value);

  return {
    destination: `${target}${secure ? ' (TLS)' : ' (no TLS)'}`,
    send(request, signal) {
      return new Promise<SendResult>((resolve) => {
        const call = client.makeUnaryRequest(
          EXPORT,
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
          Buffer.from(request.buffer, request.byteOffset, request.byteLength),
          metadata,
          { deadline: Date.now() + options.timeoutMs },
          (error: ServiceError | null, answer?: Buffer) => {
            signal.removeEventListener('abort', cancel);
            resolve(
              error
                ? failed(error, target)
                : delivered(
                    () => ProtobufLogsSerializer.deserializeResponse(answer ?? new Uint8Array(0)),
                    () => `OK from ${target} with bytes that are no ExportLogsServiceResponse`,
                  ),
            );
          },
        );
        const cancel = (): void => call.cancel();
        if (signal.aborted) cancel();
        else signal.addEventListener('abort', cancel, { once: true });
      });
    },
    [Symbol.asyncDispose]() {
      client.close();
      return Promise.resolve();
    },
  };
}

function failed(error: ServiceError, target: string): SendResult {
  const reason = `${status[error.code] ?? error.code} from ${target}: ${error.details.slice(0, 200)}`;
  const details = error.metadata.get('grpc-status-details-bin')[0];
  const afterMs = details instanceof Buffer ? (readStatus(details)?.retryAfterMs ?? null) : null;
  const retryable = RETRYABLE.has(error.code) || (error.code === status.RESOURCE_EXHAUSTED && afterMs !== null);
  return retryable ? { kind: 'retry', afterMs, reason } : { kind: 'rejected', reason };
}

/** grpc-js writes lines of its own to stderr about what we tell in our own words. */
function quieten(): void {
  if (process.env['GRPC_VERBOSITY'] === undefined && process.env['GRPC_NODE_VERBOSITY'] === undefined) {
    setLogVerbosity(logVerbosity.NONE);
  }
}
