/** The recorded incidents, and sending them as an application would: the official OTLP/gRPC exporter of the OpenTelemetry SDK. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { readLabels, type Labels } from '../../src/replay/evaluation/labels.ts';

const FOLDER = new URL('../testdata/shop-bench/', import.meta.url);

/** Lines of an OTLP/JSON file, as far as this recording uses the format: text bodies, no attributes of the records. */
interface RecordedRequest {
  resourceLogs: {
    resource: { attributes: { key: string; value: { stringValue: string } }[] };
    scopeLogs: { logRecords: RecordedRecord[] }[];
  }[];
}

interface RecordedRecord {
  timeUnixNano: string;
  severityNumber: number;
  body: { stringValue: string };
  traceId?: string;
}

const LABELS = new URL('shop-bench.labels.json', FOLDER);

/** What went wrong while it was recorded, and how many records it has. */
export async function readRecordingLabels(): Promise<{ labels: Labels; records: number }> {
  const { lines } = JSON.parse(await readFile(LABELS, 'utf8')) as { lines: number };
  return { labels: await readLabels(fileURLToPath(LABELS)), records: lines };
}

/**
 * Sends the recording in its order, one request after the other.
 *
 * @param onSent records sent so far, after every request
 * @returns records sent
 * @throws Error when a request fails
 */
export async function sendRecording(
  grpcPort: number,
  signal: AbortSignal,
  onSent: (records: number) => void,
): Promise<number> {
  const exporter = new OTLPLogExporter({ url: `http://127.0.0.1:${grpcPort}`, timeoutMillis: 120_000 });
  try {
    let sent = 0;
    for await (const records of readRequests()) {
      signal.throwIfAborted();
      const { code, error } = await new Promise<ExportResult>((resolve) => exporter.export(records, resolve));
      if (code !== ExportResultCode.SUCCESS) {
        throw new Error(`the service refused a request after ${sent} records: ${error?.message ?? 'no reason given'}`, {
          cause: error,
        });
      }
      sent += records.length;
      onSent(sent);
    }
    return sent;
  } finally {
    await exporter.shutdown();
  }
}

/** One recorded request each, so that the service sees what it would have seen then. */
async function* readRequests(): AsyncGenerator<ReadableLogRecord[]> {
  const input = createReadStream(new URL('shop-bench.otlp.jsonl.gz', FOLDER)).pipe(createGunzip());
  /** One object a source: the exporter groups records by it. */
  const resources = new Map<string, Resource>();
  for await (const line of createInterface({ input })) {
    yield (JSON.parse(line) as RecordedRequest).resourceLogs.flatMap(({ resource, scopeLogs }) => {
      const attributes = Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value.stringValue]));
      const name = JSON.stringify(attributes);
      if (!resources.has(name)) resources.set(name, resourceFromAttributes(attributes));
      return scopeLogs.flatMap((scope) => scope.logRecords).map((record) => toSdkRecord(record, resources.get(name)!));
    });
  }
}

const SCOPE = { name: '' };

function toSdkRecord(record: RecordedRecord, resource: Resource): ReadableLogRecord {
  const nanos = BigInt(record.timeUnixNano);
  return {
    hrTime: [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)],
    hrTimeObserved: [0, 0],
    severityNumber: record.severityNumber,
    body: record.body.stringValue,
    ...(record.traceId !== undefined && { spanContext: { traceId: record.traceId, spanId: '', traceFlags: 0 } }),
    resource,
    instrumentationScope: SCOPE,
    attributes: {},
    droppedAttributesCount: 0,
  };
}
