/**
 * Reads `google.rpc.Status`, the body of an OTLP error and of `grpc-status-details-bin`: the message, and the pause that a RetryInfo asks for.
 *
 *     Status    { int32 code = 1; string message = 2; repeated Any details = 3 }
 *     Any       { string type_url = 1; bytes value = 2 }
 *     RetryInfo { Duration retry_delay = 1 }     Duration { int64 seconds = 1; int32 nanos = 2 }
 */
export interface RpcStatus {
  message: string;
  /** Null without a RetryInfo. */
  retryAfterMs: number | null;
}

const RETRY_INFO = 'google.rpc.RetryInfo';

/** Null when the bytes are no Status. */
export function readStatus(bytes: Uint8Array): RpcStatus | null {
  try {
    const status = readFields(bytes);
    let retryAfterMs: number | null = null;
    for (const detail of status.get(3) ?? []) {
      const any = readFields(bytesOf(detail));
      if (!text(any.get(1)?.[0]).endsWith(RETRY_INFO)) continue;
      const duration = readFields(bytesOf(readFields(bytesOf(any.get(2)?.[0])).get(1)?.[0]));
      retryAfterMs = Number(duration.get(1)?.[0] ?? 0) * 1_000 + Number(duration.get(2)?.[0] ?? 0) / 1e6;
    }
    return { message: text(status.get(2)?.[0]), retryAfterMs };
  } catch {
    return null;
  }
}

type Field = number | Uint8Array;

function bytesOf(field: Field | undefined): Uint8Array {
  return field instanceof Uint8Array ? field : new Uint8Array(0);
}

function text(field: Field | undefined): string {
  return Buffer.from(bytesOf(field)).toString('utf8');
}

/** @throws RangeError on truncated input */
function readFields(bytes: Uint8Array): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError('truncated varint');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError('truncated field');
    return bytes.subarray(at, (at += length));
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    let field: Field;
    switch (tag % 8) {
      case 0:
        field = varint();
        break;
      case 1:
        field = take(8);
        break;
      case 2:
        field = take(varint());
        break;
      case 5:
        field = take(4);
        break;
      default:
        throw new RangeError(`wire type ${tag % 8}`);
    }
    fields.set(number, [...(fields.get(number) ?? []), field]);
  }
  return fields;
}
