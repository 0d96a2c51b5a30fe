/**
 * Decoding one request of 1,000 records (five attributes, ~120-byte bodies, trace context) to where each record's text, time, severity and
 * ids are known: ours, protobufjs as a static module, and proto-loader with its usual options. Ratios within one run.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import type { Type } from 'protobufjs';
import { afterAll, expect, test } from 'vitest';
import { decodeJson } from '../src/receive/decode-json.ts';
import { decodeProtobuf } from '../src/receive/decode-protobuf.ts';
import type { DecodedRecord, RecordSink } from '../src/receive/record.ts';
import { buildRequest, loadLogsProto, LOGS_SERVICE_PROTO, PROTO_ROOT } from './load.ts';
import { PROTO_LOADER_OPTIONS } from './naive/service.ts';

const require = createRequire(import.meta.url);
const RECORDS = 1000;
const REQUEST_TYPE = 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest';
const directory = mkdtempSync(join(tmpdir(), 'logdrift-bench-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** pbjs --target static-module, generated now so that it is the installed version's best. */
function staticDecoder(): (bytes: Uint8Array) => unknown {
  const pbjs = join(require.resolve('protobufjs-cli/package.json'), '../bin/pbjs');
  const output = join(directory, 'static.cjs');
  const args = ['--target', 'static-module', '--wrap', 'commonjs', '--path', PROTO_ROOT, '--out', output];
  execFileSync(process.execPath, [pbjs, ...args, join(PROTO_ROOT, LOGS_SERVICE_PROTO)]);
  symlinkSync(join(import.meta.dirname, '../node_modules'), join(directory, 'node_modules'));
  const root = require(output) as Record<string, unknown>;
  const type = REQUEST_TYPE.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], root);
  return (bytes) => (type as typeof Type.prototype).decode(bytes);
}

function protoLoaderDecoder(): (bytes: Buffer) => unknown {
  const definition = loadSync(LOGS_SERVICE_PROTO, { ...PROTO_LOADER_OPTIONS, includeDirs: [PROTO_ROOT] });
  const service = definition['opentelemetry.proto.collector.logs.v1.LogsService'] as unknown as {
    Export: { requestDeserialize: (bytes: Buffer) => unknown; requestType: MessageTypeDefinition<object, object> };
  };
  return service.Export.requestDeserialize;
}

/** Takes what the real sink takes: lengths, times, ids. */
function countingSink(): RecordSink & { textBytes: number; checksum: number } {
  return {
    wantedAttributes: new Set([
      'log.file.name',
      'log.file.path',
      'container_name',
      'container.name',
      'appname',
      'hostname',
      'facility',
      'priority',
      'net.transport',
      'event.dataset',
      'data_stream.dataset',
      'ddsource',
      'source',
      'logdrift.source',
      'fluent.tag',
    ]),
    wantedBodyFields: new Set(['_SYSTEMD_UNIT', 'SYSLOG_IDENTIFIER', '_COMM', 'channel']),
    textBytes: 0,
    checksum: 0,
    resource: () => {},
    scope: () => {},
    record(record: DecodedRecord) {
      this.textBytes += record.textEnd - record.textStart;
      this.checksum += record.timeMs + record.severityNumber + record.traceStart;
    },
  };
}

test('decode 1,000 records', async ({ bench }) => {
  const request = buildRequest({ records: RECORDS });
  const reflected = loadLogsProto().lookupType(REQUEST_TYPE);
  const json = Buffer.from(JSON.stringify(toOtlpJson(reflected.toObject(reflected.decode(request), { longs: String }))));
  const decodeStatic = staticDecoder();
  const decodeLoader = protoLoaderDecoder();
  const sink = countingSink();
  const ours = (): void => {
    const decoding = decodeProtobuf(request, sink);
    while (!decoding.next().done);
  };
  const oursJson = (): void => {
    const decoding = decodeJson(json, sink);
    while (!decoding.next().done);
  };
  const results = await bench.compare(
    bench('ours, protobuf', ours),
    bench('protobufjs static', () => void decodeStatic(request)),
    bench('proto-loader, usual options', () => void decodeLoader(request)),
    bench('ours, JSON', oursJson),
    bench('JSON.parse alone', () => void JSON.parse(json.toString())),
  );
  console.log(`request: ${request.length} bytes protobuf, ${json.length} bytes JSON, ${RECORDS} records`);
  const names = ['ours, protobuf', 'protobufjs static', 'proto-loader, usual options', 'ours, JSON', 'JSON.parse alone'] as const;
  const baseMs = results.get('ours, protobuf').latency.p50;
  for (const name of names) {
    const ms = results.get(name).latency.p50;
    console.log(`${name}: median ${ms.toFixed(3)} ms, ${(ms / baseMs).toFixed(1)}x ours`);
  }
  expect(sink.textBytes).toBeGreaterThan(0);
});

/** Ids in hex, as OTLP/JSON wants them. */
function toOtlpJson(request: object): object {
  return JSON.parse(
    JSON.stringify(request, (key, value: unknown) =>
      key === 'traceId' || key === 'spanId' ? Buffer.from((value as { data: number[] }).data ?? value).toString('hex') : value,
    ),
  ) as object;
}
