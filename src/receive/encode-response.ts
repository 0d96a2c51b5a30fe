/**
 * What we answer: ExportLogsServiceResponse (opentelemetry/proto/collector/logs/v1/logs_service.proto) and google.rpc.Status
 * (google/rpc/status.proto, error_details.proto), as protobuf by hand and as JSON. A dozen fields need no library.
 */
import type { ExportResult } from './record.ts';
import { capMessage, type Status } from './status.ts';

export type Encoding = 'protobuf' | 'json';

/** Bare: the Collector compares it exactly and overlooks a `partial_success` behind `; charset=`. */
export const CONTENT_TYPES: Readonly<Record<Encoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

const EMPTY = Buffer.alloc(0);
const EMPTY_JSON = Buffer.from('{}');
const TYPE_URL = 'type.googleapis.com/google.rpc.';

/** `partial_success` stays unset on full success; rejected = 0 with a message is a warning. */
export function encodeResponse(result: ExportResult, encoding: Encoding): Buffer {
  const { rejectedLogRecords, errorMessage } = result;
  if (rejectedLogRecords === 0 && errorMessage === '') return encoding === 'json' ? EMPTY_JSON : EMPTY;
  const message = capMessage(errorMessage);
  if (encoding === 'json') {
    const partialSuccess = {
      // int64 is a string in the JSON mapping, and left out when 0.
      ...(rejectedLogRecords === 0 ? {} : { rejectedLogRecords: String(rejectedLogRecords) }),
      ...(message === '' ? {} : { errorMessage: message }),
    };
    return Buffer.from(JSON.stringify({ partialSuccess }));
  }
  return lengthDelimited(1, Buffer.concat([varintField(1, rejectedLogRecords), stringField(2, message)]));
}

export function encodeStatus(status: Status, encoding: Encoding): Buffer {
  return encoding === 'json' ? encodeStatusJson(status) : encodeStatusProtobuf(status);
}

function encodeStatusJson({ grpcCode, message, badRequest, retryAfterMs }: Status): Buffer {
  const details: object[] = [];
  if (badRequest !== null) details.push({ '@type': `${TYPE_URL}BadRequest`, fieldViolations: [badRequest] });
  if (retryAfterMs !== null) {
    details.push({ '@type': `${TYPE_URL}RetryInfo`, retryDelay: `${(retryAfterMs / 1000).toFixed(3)}s` });
  }
  return Buffer.from(JSON.stringify({ code: grpcCode, message, ...(details.length > 0 ? { details } : {}) }));
}

function encodeStatusProtobuf({ grpcCode, message, badRequest, retryAfterMs }: Status): Buffer {
  const parts = [varintField(1, grpcCode), stringField(2, message)];
  if (badRequest !== null) {
    const violation = Buffer.concat([stringField(1, badRequest.field), stringField(2, badRequest.description)]);
    parts.push(lengthDelimited(3, any('BadRequest', lengthDelimited(1, violation))));
  }
  if (retryAfterMs !== null) {
    const seconds = Math.floor(retryAfterMs / 1000);
    const nanos = Math.round((retryAfterMs - seconds * 1000) * 1e6);
    const duration = Buffer.concat([varintField(1, seconds), varintField(2, nanos)]);
    parts.push(lengthDelimited(3, any('RetryInfo', lengthDelimited(1, duration))));
  }
  return Buffer.concat(parts);
}

/** google.protobuf.Any */
function any(type: string, message: Buffer): Buffer {
  return Buffer.concat([stringField(1, TYPE_URL + type), lengthDelimited(2, message)]);
}

/** Non-negative integers below 2^53; 0 is the default and left out. */
function varintField(field: number, value: number): Buffer {
  return value === 0 ? EMPTY : Buffer.from([field << 3, ...varint(value)]);
}

function stringField(field: number, text: string): Buffer {
  return text === '' ? EMPTY : lengthDelimited(field, Buffer.from(text));
}

function lengthDelimited(field: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(payload.length)]), payload]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  bytes.push(value);
  return bytes;
}
