/** Why a body held no log record: what is in it that we do not know. Only ever asked about such bodies. */
import type { Encoding } from './encode-response.ts';
import { WireReader } from './protobuf/wire.ts';

/** Larger ones are not read a second time. */
const MAX_BYTES = 1_048_576;
const MAX_KEYS = 10;
const MAX_KEY_LENGTH = 40;
const MAX_ENTRIES = 1000;

/** Known names of the levels down to the records; each is the way to the next level. */
const JSON_LEVELS = [
  ['resourceLogs', 'resource_logs'],
  ['scopeLogs', 'scope_logs', 'resource', 'schemaUrl', 'schema_url'],
  ['logRecords', 'log_records', 'scope', 'schemaUrl', 'schema_url'],
];
/** Field numbers likewise: the way down, then the others that are known. */
const PROTOBUF_LEVELS = [[1], [2, 1, 3], [2, 1, 3]];

/**
 * Keys (JSON) or `field N` (protobuf) beside the known ones on the levels above the records, at most 10; null when the body is just empty
 * lists and so nothing to wonder about.
 */
export function unknownKeys(request: Uint8Array, encoding: Encoding): string[] | null {
  if (request.length === 0) return null;
  if (request.length > MAX_BYTES) return [];
  const keys = new Set<string>();
  let entries = 0;
  if (encoding === 'json') {
    const visit = (value: unknown, level: number): void => {
      if (typeof value !== 'object' || value === null || level === JSON_LEVELS.length) return;
      for (const [key, child] of Object.entries(value)) {
        if (entries++ > MAX_ENTRIES) return;
        const place = JSON_LEVELS[level]!.indexOf(key);
        if (place < 0) keys.add(key.slice(0, MAX_KEY_LENGTH));
        else if (place < 2 && Array.isArray(child)) for (const element of child) visit(element, level + 1);
      }
    };
    visit(
      JSON.parse(
        Buffer.from(request)
          .toString()
          .replace(/^\ufeff/, ''),
      ),
      0,
    );
  } else {
    const reader = new WireReader(request);
    const visit = (end: number, level: number): void => {
      while (reader.pos < end && entries++ < MAX_ENTRIES) {
        const tag = reader.tag(end, '');
        const place = PROTOBUF_LEVELS[level]?.indexOf(tag >>> 3) ?? 1;
        if (place < 0) keys.add(`field ${tag >>> 3}`);
        if (place !== 0) {
          reader.skip(tag, end, '');
          continue;
        }
        const childEnd = reader.payload(end, '');
        visit(childEnd, level + 1);
        reader.pos = childEnd;
      }
    };
    visit(request.length, 0);
  }
  return keys.size === 0 && entries <= 1 ? null : [...keys].slice(0, MAX_KEYS);
}
