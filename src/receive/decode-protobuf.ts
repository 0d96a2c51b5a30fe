/**
 * ExportLogsServiceRequest (opentelemetry/proto/logs/v1/logs.proto) read once, front to back, keeping only what the analysis needs.
 *
 * Nothing is built for the common record (string body, no wanted attribute): the body stays a range of the request, ids stay where
 * they are, keys are compared as bytes. Parts nobody asked for are stepped over by their length and not looked into, so damage inside
 * them goes unnoticed; every length and tag on the way is checked.
 *
 * Of duplicates the first resource and scope win, the last scalar or body, the first attribute of a key.
 */
import { newDecodeSummary, Slice, type DecodeSummary } from './decoded.ts';
import { readResource } from './protobuf-value.ts';
import { RECORD, RecordReader } from './read-record.ts';
import type { Attributes, RecordSink } from './record.ts';
import { ResourceCache } from './resource-cache.ts';
import { MAX_ATTRIBUTE_BYTES } from './value-text.ts';
import { WireReader } from './wire.ts';

const REQUEST = '';
const RESOURCE_LOGS = 'resource_logs';
const RESOURCE = 'resource_logs.resource';
const SCOPE_LOGS = 'resource_logs.scope_logs';
const SCOPE = 'resource_logs.scope_logs.scope';

/** Bit n = field n is known, with one legal wire type. */
const RESOURCE_LOGS_FIELDS = 0b1110;
const SCOPE_LOGS_FIELDS = 0b1110;
const SCOPE_FIELDS = 0b10;

const NO_ATTRIBUTES: Attributes = new Map();

/** Shared by all requests: resources repeat over connections. */
const resources = new ResourceCache();
/**
 * Hands every record of `request` to `sink`, in wire order. A generator so that a big request need not hold the event loop: it yields
 * about every 1,000 records. `request` must not change until it is done.
 * @param summary filled while decoding, and returned
 * @throws {DecodeError} on malformed bytes; what the sink got until then is to be dropped.
 */
export function* decodeProtobuf(
  request: Uint8Array,
  sink: RecordSink,
  summary: DecodeSummary = newDecodeSummary(),
): Generator<void, DecodeSummary> {
  const reader = new WireReader(request);
  const records = new RecordReader(reader, sink);
  const end = reader.bytes.length;
  const slice = new Slice();

  let pos = 0;
  while (pos < end) {
    reader.pos = pos;
    const tag = reader.tag(end, REQUEST);
    if (tag !== 0x0a) {
      reader.skipUnknown(tag, 0b10, end, REQUEST);
      pos = reader.pos;
      continue;
    }
    const resourceLogsEnd = reader.payload(end, RESOURCE_LOGS);
    pos = reader.pos;
    sink.resource(resourceOf(reader, pos, resourceLogsEnd));

    while (pos < resourceLogsEnd) {
      reader.pos = pos;
      const tag = reader.tag(resourceLogsEnd, RESOURCE_LOGS);
      if (tag !== 0x12) {
        if (tag === 0x0a || tag === 0x1a) reader.skip(tag, resourceLogsEnd, RESOURCE_LOGS);
        else reader.skipUnknown(tag, RESOURCE_LOGS_FIELDS, resourceLogsEnd, RESOURCE_LOGS);
        pos = reader.pos;
        continue;
      }
      const scopeLogsEnd = reader.payload(resourceLogsEnd, SCOPE_LOGS);
      pos = reader.pos;
      sink.scope(scopeNameOf(reader, pos, scopeLogsEnd));

      while (pos < scopeLogsEnd) {
        reader.pos = pos;
        const tag = reader.tag(scopeLogsEnd, SCOPE_LOGS);
        if (tag !== 0x12) {
          if (tag === 0x0a || tag === 0x1a) reader.skip(tag, scopeLogsEnd, SCOPE_LOGS);
          else reader.skipUnknown(tag, SCOPE_LOGS_FIELDS, scopeLogsEnd, SCOPE_LOGS);
          pos = reader.pos;
          continue;
        }
        const recordEnd = reader.payload(scopeLogsEnd, RECORD);
        records.read(reader.pos, recordEnd);
        pos = recordEnd;
        summary.records++;
        if (slice.isOver(pos)) yield;
      }
      if (slice.isOver(pos)) yield;
    }
    if (slice.isOver(pos)) yield;
  }
  summary.sawStrindex = reader.sawStrindex;
  return summary;
}

/** Finds the first payload of length-delimited field 1 in a message, wherever it is. `reader.pos` = its start; returns its end, -1 = none. */
function findFirstField(reader: WireReader, start: number, end: number, path: string, known: number): number {
  reader.pos = start;
  while (reader.pos < end) {
    const tag = reader.tag(end, path);
    if (tag === 0x0a) return reader.payload(end, path);
    if ((tag & 7) === 2) reader.pos = reader.payload(end, path);
    else reader.skipUnknown(tag, known, end, path);
  }
  return -1;
}

function resourceOf(reader: WireReader, start: number, end: number): Attributes {
  const resourceEnd = findFirstField(reader, start, end, RESOURCE_LOGS, RESOURCE_LOGS_FIELDS);
  if (resourceEnd < 0) return NO_ATTRIBUTES;
  const resourceStart = reader.pos;
  return resources.get(reader.bytes, resourceStart, resourceEnd, () =>
    readResource(reader, resourceStart, resourceEnd, RESOURCE),
  );
}

function scopeNameOf(reader: WireReader, start: number, end: number): string {
  const scopeEnd = findFirstField(reader, start, end, SCOPE_LOGS, SCOPE_LOGS_FIELDS);
  if (scopeEnd < 0) return '';
  const nameEnd = findFirstField(reader, reader.pos, scopeEnd, SCOPE, SCOPE_FIELDS);
  return nameEnd < 0 ? '' : reader.string(reader.pos, nameEnd, MAX_ATTRIBUTE_BYTES);
}
