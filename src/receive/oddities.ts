import type { DecodeSummary } from './decoded.ts';
import type { Encoding } from './encode-response.ts';
import type { Oddity, Transport } from './receiver.ts';
import { unknownKeys } from './unknown-keys.ts';

export interface DecodedRequest {
  request: Uint8Array;
  encoding: Encoding;
  transport: Transport;
  summary: DecodeSummary;
}

/** Tells what was strange about a request that was taken in. */
export function noteOddities(decoded: DecodedRequest, onOddity: (oddity: Oddity) => void): void {
  const { request, encoding, transport, summary } = decoded;
  if (summary.sawStrindex) onOddity({ kind: 'strindex', transport });
  if (summary.sawEnumName) onOddity({ kind: 'enum_name', transport });
  if (summary.records > 0) return;
  const keys = unknownKeys(request, encoding);
  if (keys !== null) onOddity({ kind: 'no_records', transport, keys });
}
