/** OTLP/JSON lines: one ExportLogsServiceRequest a line, as the Collector's file exporter writes them. Decoding them is the receiver's. */
import { InputError } from './read-error.ts';
import { readLines } from './read-lines.ts';

/** What the receiver takes as one request. */
export const MAX_REQUEST_BYTES = 64 * 1024 * 1024;

export interface OtlpItem {
  kind: 'otlp';
  /** Time of the request's first record; the request's before where it has none, NaN at the beginning. Orders requests, records have their own. */
  timeMs: number;
  /** UTF-8, without the line end. */
  json: Buffer;
  file: string;
  /** From 1. */
  line: number;
}

const FIRST_KEY = /^\s*(?:\{\s*\}\s*)*\{(\s*)"(\w+)"\s*:/;

/**
 * Does the input hold OTLP/JSON lines? `head` is its first chunk.
 * @throws InputError for other signals and for requests written over several lines
 */
export function isOtlpJson(head: Buffer, name: string): boolean {
  const text = head
    .subarray(0, 4096)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  const [, space, key] = FIRST_KEY.exec(text) ?? [];
  if (key === 'resourceSpans' || key === 'resourceMetrics' || key === 'resource_spans' || key === 'resource_metrics') {
    throw new InputError(
      'LOGDRIFT_INPUT_NOT_LOGS',
      `${name}: holds ${key.slice('resource'.length).replace('_', '').toLowerCase()}, replay reads logs`,
    );
  }
  if (key !== 'resourceLogs' && key !== 'resource_logs') return false;
  if (space!.includes('\n')) {
    throw new InputError(
      'LOGDRIFT_INPUT_NOT_LOGS',
      `${name}: one request goes over several lines; write each on one, for example with: jq -c . ${name}`,
    );
  }
  return true;
}

/** Yields the requests of one chunk at a time. */
export async function* readOtlp(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<OtlpItem[]> {
  let line = 0;
  let timeMs = NaN;
  const onTooLong = (at: number) => {
    throw new InputError(
      'LOGDRIFT_INPUT_LINE_TOO_LONG',
      `${file}:${at}: a request of more than ${MAX_REQUEST_BYTES / 1024 / 1024} MiB; split it`,
    );
  };
  for await (const lines of readLines(chunks, { maxLineBytes: MAX_REQUEST_BYTES, onTooLong })) {
    const items: OtlpItem[] = [];
    for (const json of lines) {
      line++;
      if (json.length === 0 || json.toString('latin1', 0, 64).trim() === '') continue;
      const first = firstRecordMs(json);
      if (!Number.isNaN(first)) timeMs = first;
      items.push({ kind: 'otlp', timeMs, json, file, line });
    }
    if (items.length > 0) yield items;
  }
}

/** Found without decoding: the first `timeUnixNano` that is not 0, else the first `observedTimeUnixNano`. */
function firstRecordMs(json: Buffer): number {
  // In a body's text the quotes would be escaped, so these are keys; mostly the first one stands near the beginning.
  for (const key of ['"timeUnixNano"', '"observedTimeUnixNano"', '"time_unix_nano"', '"observed_time_unix_nano"']) {
    const at = json.indexOf(key, 0, 'latin1');
    if (at === -1) continue;
    const found = /^\s*:\s*"?(\d{1,20})/.exec(json.toString('latin1', at + key.length, at + key.length + 40))?.[1];
    const timeMs = found === undefined ? 0 : Number(found) / 1e6;
    if (timeMs > 0) return timeMs;
  }
  return NaN;
}
