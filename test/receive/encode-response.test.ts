import { describe, expect, test } from 'vitest';
import { encodeResponse, encodeStatus } from '../../src/receive/encode-response.ts';
import { ReceiveError, toStatus } from '../../src/receive/status.ts';
import { DecodeError } from '../../src/receive/decode-error.ts';
import { BadRequest, Response, RetryInfo, Status } from './oracle.ts';

const MALFORMED = toStatus(new DecodeError('truncated varint', 'resource_logs', 12));
const OVERLOADED = toStatus(new ReceiveError('overloaded', 'too many requests in flight', { retryAfterMs: 2500 }));

interface StatusObject {
  code: number;
  message: string;
  details: { type_url: string; value: Uint8Array }[];
}

describe('ExportLogsServiceResponse', () => {
  test('full success is zero bytes, {} in JSON', () => {
    const success = { rejectedLogRecords: 0, errorMessage: '' };
    expect(encodeResponse(success, 'protobuf')).toHaveLength(0);
    expect(encodeResponse(success, 'json').toString()).toBe('{}');
  });

  test.each([[1], [127], [128], [10_000], [2 ** 40]])('%d rejected records read the same in protobufjs', (rejected) => {
    const bytes = encodeResponse({ rejectedLogRecords: rejected, errorMessage: 'queue full' }, 'protobuf');
    expect(Response.toObject(Response.decode(bytes), { longs: Number })).toEqual({
      partialSuccess: { rejectedLogRecords: rejected, errorMessage: 'queue full' },
    });
  });

  test('JSON writes int64 as a string', () => {
    const json: unknown = JSON.parse(encodeResponse({ rejectedLogRecords: 3, errorMessage: 'x' }, 'json').toString());
    expect(json).toEqual({ partialSuccess: { rejectedLogRecords: '3', errorMessage: 'x' } });
  });

  test('a warning rejects nothing and has a message', () => {
    const warning = { rejectedLogRecords: 0, errorMessage: 'no record in the body' };
    const read = Response.toObject(Response.decode(encodeResponse(warning, 'protobuf')));
    expect(read).toEqual({ partialSuccess: { errorMessage: 'no record in the body' } });
    expect(JSON.parse(encodeResponse(warning, 'json').toString())).toEqual({
      partialSuccess: { errorMessage: 'no record in the body' },
    });
  });

  test('a message is cut to 1 KiB between characters', () => {
    const bytes = encodeResponse({ rejectedLogRecords: 1, errorMessage: '€'.repeat(2000) }, 'protobuf');
    const { errorMessage } = (Response.toObject(Response.decode(bytes)) as { partialSuccess: { errorMessage: string } })
      .partialSuccess;
    expect(Buffer.byteLength(errorMessage)).toBeLessThanOrEqual(1024);
    expect(errorMessage).toMatch(/^€{340}…$/);
  });
});

describe('google.rpc.Status', () => {
  test('malformed data carries BadRequest with the field and the reason', () => {
    const status = Status.toObject(Status.decode(encodeStatus(MALFORMED, 'protobuf'))) as StatusObject;
    expect(status.code).toBe(3);
    expect(status.message).toContain('truncated varint at byte 12 in resource_logs');
    expect(status.details.map((detail) => detail.type_url)).toEqual(['type.googleapis.com/google.rpc.BadRequest']);
    expect(BadRequest.toObject(BadRequest.decode(status.details[0]!.value))).toEqual({
      fieldViolations: [{ field: 'resource_logs', description: 'truncated varint' }],
    });
    expect(JSON.parse(encodeStatus(MALFORMED, 'json').toString())).toMatchObject({
      code: 3,
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.BadRequest',
          fieldViolations: [{ field: 'resource_logs', description: 'truncated varint' }],
        },
      ],
    });
  });

  test('overload carries RetryInfo', () => {
    const status = Status.toObject(Status.decode(encodeStatus(OVERLOADED, 'protobuf'))) as StatusObject;
    expect(status.code).toBe(14);
    expect(RetryInfo.toObject(RetryInfo.decode(status.details[0]!.value), { longs: Number })).toEqual({
      retryDelay: { seconds: 2, nanos: 500_000_000 },
    });
    expect(JSON.parse(encodeStatus(OVERLOADED, 'json').toString())).toEqual({
      code: 14,
      message: 'too many requests in flight',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2.500s' }],
    });
  });

  test('a fault of ours says nothing of its inside and must not be retried', () => {
    const status = toStatus(new TypeError('secret of undefined'));
    expect(status).toMatchObject({ grpcCode: 13, httpStatus: 500, retryAfterMs: null });
    expect(status.message).not.toContain('secret');
  });

  test('only passing trouble maps to codes that clients retry', () => {
    const retried = (kind: ConstructorParameters<typeof ReceiveError>[0]): boolean =>
      [429, 502, 503, 504].includes(toStatus(new ReceiveError(kind, '')).httpStatus);
    expect(['overloaded', 'shutting_down'].every((kind) => retried(kind as 'overloaded'))).toBe(true);
    // Nobody reads this one; it is told apart from an overload in the metrics.
    expect(toStatus(new ReceiveError('cancelled', ''))).toMatchObject({ grpcCode: 1, httpStatus: 499 });
    expect(
      ['malformed', 'too_large', 'unauthenticated', 'not_found', 'internal'].some((kind) =>
        retried(kind as 'internal'),
      ),
    ).toBe(false);
  });
});
