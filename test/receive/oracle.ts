/** protobufjs over the vendored .proto files: what our hand-written reader and writer are checked against. */
import protobuf from 'protobufjs';

const PROTO_ROOT = new URL('../../proto/', import.meta.url).pathname;

function load(...files: string[]): protobuf.Root {
  const root = new protobuf.Root();
  // google/protobuf/*.proto come with protobufjs.
  root.resolvePath = (_origin, target) => (target.startsWith('google/protobuf/') ? target : `${PROTO_ROOT}${target}`);
  return root.loadSync(files);
}

const logs = load('opentelemetry/proto/collector/logs/v1/logs_service.proto');
const rpc = load('google/rpc/status.proto', 'google/rpc/error_details.proto');

export const Request = logs.lookupType('opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest');
export const Response = logs.lookupType('opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse');
export const AnyValue = logs.lookupType('opentelemetry.proto.common.v1.AnyValue');
export const Status = rpc.lookupType('google.rpc.Status');
export const BadRequest = rpc.lookupType('google.rpc.BadRequest');
export const RetryInfo = rpc.lookupType('google.rpc.RetryInfo');

/** Serializes a request given as protobufjs' plain object (ids and bytes as Buffers). */
export function encodeRequest(request: object): Buffer {
  return Buffer.from(Request.encode(Request.fromObject(request)).finish());
}

/** A request of one resource and scope around `logRecords`. */
export function requestOf(
  logRecords: object[],
  attributes: object[] = [stringAttribute('service.name', 'api')],
): object {
  return { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ scope: { name: 'test' }, logRecords }] }] };
}

export function stringAttribute(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}

// The wire by hand, for what no encoder writes.
export function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  bytes.push(value);
  return bytes;
}

export function message(field: number, ...parts: (Uint8Array | number[] | string)[]): Buffer {
  const payload = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(payload.length)]), payload]);
}
