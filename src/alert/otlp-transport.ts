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

const CREDENTIALS = /auth|key|token|secret|password|cookie/i;
/** Shorter words are no secrets: Bearer. */
const SHORTEST_SECRET = 8;
/** Of a secret: the text may end in the middle of it. */
const SECRET_HEAD = 12;

/** `result` as people may see it: some destinations repeat the credentials that they refuse. */
export function withoutSecrets(result: SendResult, headers: TransportOptions['headers']): SendResult {
  const heads = Object.entries(headers)
    .filter(([name]) => CREDENTIALS.test(name))
    .flatMap(([, value]) => value.split(' ').filter((word) => word.length >= SHORTEST_SECRET))
    .map((word) => RegExp.escape(word.slice(0, SECRET_HEAD)));
  if (heads.length === 0) return result;
  const secrets = new RegExp(`(${heads.join('|')})\\S*`, 'g');
  const hide = (text: string): string => text.replace(secrets, '…');
  return result.kind === 'delivered'
    ? { ...result, message: hide(result.message), unlike: result.unlike === null ? null : hide(result.unlike) }
    : { ...result, reason: hide(result.reason) };
}

type Answer = ReturnType<typeof ProtobufLogsSerializer.deserializeResponse>;

/**
 * What a destination that took the request says. One whose answer is none of OTLP's is believed all the same, as by other exporters: `unlike` says so.
 * @param read its answer; throws when it is none
 * @param describe what it is then
 */
export function delivered(read: () => Answer, describe: () => string): SendResult {
  try {
    const { partialSuccess } = read();
    return {
      kind: 'delivered',
      rejected: Number(partialSuccess?.rejectedLogRecords ?? 0),
      message: String(partialSuccess?.errorMessage ?? ''),
      unlike: null,
    };
  } catch {
    return { kind: 'delivered', rejected: 0, message: '', unlike: describe() };
  }
}
