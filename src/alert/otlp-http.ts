/** OTLP/HTTP (binary protobuf) client side, by opentelemetry-proto's specification.md, "OTLP/HTTP". */
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { Pool } from 'undici';
import { connectionErrorText } from '../net/error-text.ts';
import { delivered, type OtlpTransport, type TransportOptions } from './otlp-transport.ts';
import { readStatus } from './status-proto.ts';

const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Steps are a minute apart; undici's default of 4 s would reconnect at each. */
const KEEP_ALIVE_MS = 120_000;
/** What is read of an answer; the specification's bound is 4 MiB, a message for a log line is far shorter. */
const MAX_ANSWER_BYTES = 65_536;

/**
 * `endpoint`: `http://host:4318`, with or without `/v1/logs`; without a scheme http is meant.
 * @throws TypeError when it is no URL
 */
export function createOtlpHttp(options: TransportOptions): OtlpTransport {
  const url = logsUrl(options.endpoint);
  const pool = new Pool(url.origin, {
    connections: 2,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: options.timeoutMs },
  });
  const headers = {
    'user-agent': options.userAgent,
    ...options.headers,
    'content-type': 'application/x-protobuf',
  };
  // A query may hold a key.
  const destination = url.origin + url.pathname;
  return {
    destination,
    async send(request, signal) {
      try {
        const response = await pool.request({
          method: 'POST',
          path: url.pathname + url.search,
          headers,
          body: request,
          signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
        });
        const contentType = single(response.headers['content-type']);
        const body = await readBounded(response.body);
        const status = response.statusCode;
        // A login page of a proxy or some web server: nobody there took a record.
        if (status === 200 && contentType?.startsWith('text/html')) {
          return {
            kind: 'rejected',
            reason: `HTTP 200 from ${destination} with a web page in place of an OTLP answer`,
          };
        }
        const reason = `HTTP ${status} from ${destination}${explain(body, contentType)}`;
        if (status >= 200 && status < 300)
          return delivered(
            () => readAnswer(body, contentType),
            () => reason,
          );
        if (!RETRYABLE_STATUS.has(status)) return { kind: 'rejected', reason };
        return { kind: 'retry', reason, afterMs: retryAfterMs(single(response.headers['retry-after'])) };
      } catch (error) {
        return { kind: 'retry', afterMs: null, reason: `${destination}: ${connectionErrorText(error)}` };
      }
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

/** `host:4318`, `http://host:4318/`, `http://host:4318/prefix` and `…/v1/logs` all end at one place. */
export function logsUrl(endpoint: string): URL {
  const url = new URL(/^https?:\/\//i.test(endpoint) ? endpoint : `http://${endpoint}`);
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/v1/logs') ? path : `${path}/v1/logs`;
  return url;
}

/** Seconds or an HTTP date; null when absent or neither. */
export function retryAfterMs(header: string | undefined, nowMs = Date.now()): number | null {
  if (header === undefined) return null;
  if (/^\d+$/.test(header)) return Number(header) * 1_000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}

/**
 * The specification wants protobuf back; JSON and nothing at all (204) are what some receivers send.
 * @throws Error when the body is neither
 */
function readAnswer(
  body: Buffer,
  contentType = 'application/x-protobuf',
): ReturnType<typeof ProtobufLogsSerializer.deserializeResponse> {
  if (body.length === 0) return {};
  if (/^application\/(x-protobuf|protobuf|octet-stream)/.test(contentType)) {
    return ProtobufLogsSerializer.deserializeResponse(body);
  }
  const answer: unknown = contentType.startsWith('application/json') ? JSON.parse(body.toString()) : null;
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) return answer;
  throw new Error(`no OTLP answer: ${contentType}`);
}

function explain(body: Buffer, contentType: string | undefined): string {
  const message = contentType?.startsWith('application/x-protobuf')
    ? readStatus(body)?.message
    : body.toString('utf8', 0, 512);
  return message ? `: ${message.trim().slice(0, 200)}` : '';
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks);
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
