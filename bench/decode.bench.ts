/**
 * Decoding one request of 1,000 records (five attributes, ~120-byte bodies, trace context) to where each record's text, time, severity and
 * ids are known: ours, protobufjs as a static module, and proto-loader with its usual options; the same in OTLP/JSON, with 100 records, too:
 * ours, and JSON.parse and a walk over its tree. Ratios within one run.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import type { Type } from 'protobufjs';
import { afterAll, expect, test } from 'vitest';
import type { decodeJson as DecodeJson } from '../src/receive/json/decode.ts';
import type { decodeParsedJson as DecodeParsedJson } from '../test/receive/json/oracle.ts';
import type { decodeProtobuf as DecodeProtobuf } from '../src/receive/protobuf/decode.ts';
import type { DecodedRecord, RecordSink } from '../src/receive/record.ts';
import { buildRequest, loadLogsProto, LOGS_SERVICE_PROTO, PROTO_ROOT } from './load.ts';
import { PROTO_LOADER_OPTIONS } from './naive/service.ts';

const require = createRequire(import.meta.url);
// Loaded by Node itself: vitest's module runner turns every import into a getter call, which costs a loop this tight a factor of three.
const { decodeProtobuf } = require('../src/receive/protobuf/decode.ts') as { decodeProtobuf: typeof DecodeProtobuf };
const { decodeJson } = require('../src/receive/json/decode.ts') as { decodeJson: typeof DecodeJson };
const { decodeParsedJson } = require('../test/receive/json/oracle.ts') as { decodeParsedJson: typeof DecodeParsedJson };
const RECORDS = 1000;
const SMALL_BATCH = 100;
const ROUNDS = 15;
const WARM_UP = 5;
const REPEATS = 10;
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

test('decode 1,000 records', () => {
  const request = buildRequest({ records: RECORDS });
  const decodeStatic = staticDecoder();
  const decodeLoader = protoLoaderDecoder();
  const sink = countingSink();
  console.log(`one request of ${RECORDS} records: ${request.length} bytes protobuf`);
  compare({
    'ours, protobuf': () => drain(decodeProtobuf(request, sink)),
    'protobufjs static': () => void decodeStatic(request),
    'proto-loader, usual options': () => void decodeLoader(request),
  });
  expect(sink.textBytes).toBeGreaterThan(0);
});

test.each([RECORDS, SMALL_BATCH])('decode %i records in JSON', (records) => {
  const type = loadLogsProto().lookupType(REQUEST_TYPE);
  const tree = toOtlpJson(type.toObject(type.decode(buildRequest({ records })), { longs: String }));
  const request = Buffer.from(JSON.stringify(tree));
  const sink = countingSink();
  const repeats = RECORDS / records;
  console.log(`${repeats} requests of ${records} records: ${request.length} bytes JSON each`);
  compare({
    'ours, JSON': () => repeat(repeats, () => drain(decodeJson(request, sink))),
    'JSON.parse and a walk': () => repeat(repeats, () => drain(decodeParsedJson(request, sink))),
    'JSON.parse alone': () => repeat(repeats, () => void JSON.parse(request.toString())),
  });
  expect(sink.textBytes).toBeGreaterThan(0);
});

/** Prints each candidate's time and its ratio to the first one's. */
function compare(candidates: Record<string, () => void>): void {
  // Interleaved, so that a noisy machine is noisy for all; the first rounds warm up.
  const cpuMs: Record<string, number[]> = {};
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(candidates)) {
      const ms = cpuMilliseconds(() => repeat(REPEATS, run));
      if (round >= 0) (cpuMs[name] ??= []).push(ms / REPEATS);
    }
  }
  const ours = Object.values(cpuMs)[0]!;
  for (const [name, samples] of Object.entries(cpuMs)) {
    // Candidates of one round ran one after the other, under the same load.
    const ratios = samples.map((ms, round) => ms / ours[round]!);
    const ratio = `${median(ratios).toFixed(1)}x ours (${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)})`;
    console.log(`${name}: ${median(samples).toFixed(3)} ms of CPU, ${ratio}`);
  }
}

function repeat(times: number, run: () => void): void {
  for (let i = 0; i < times; i++) run();
}

function drain(decoding: Generator<void, unknown>): void {
  while (!decoding.next().done);
}

function cpuMilliseconds(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** Ids in hex, as OTLP/JSON wants them. */
function toOtlpJson(request: object): object {
  return JSON.parse(
    JSON.stringify(request, (key, value: unknown) =>
      key === 'traceId' || key === 'spanId'
        ? Buffer.from((value as { data: number[] }).data ?? value).toString('hex')
        : value,
    ),
  ) as object;
}
