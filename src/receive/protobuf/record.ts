/** One LogRecord (opentelemetry/proto/logs/v1/logs.proto): the loop that runs a hundred thousand times a second. */
import { clearRecord, newDecodedRecord, SLICE_BYTES } from '../decoded.ts';
import { findKey, keyBucket, tableOf, type KeyTable } from '../key-table.ts';
import {
  locateKeyValue,
  locateValue,
  newKeyValueRange,
  readAttributeText,
  STRING_VALUE,
  type ValueRange,
} from './value.ts';
import { BodyReader } from './body.ts';
import { MAX_LISTED_KEYS, type DecodedRecord, type RecordSink } from '../record.ts';
import { OWN_EVENT_PREFIX, TEMPLATE_ATTRIBUTES } from '../value-text.ts';
import { DecodeError } from '../decode-error.ts';
import { WireReader } from './wire.ts';

export const RECORD = 'resource_logs.scope_logs.log_records';
const ATTRIBUTES = 'resource_logs.scope_logs.log_records.attributes';
/** Bit n = field n is known, with one legal wire type. */
const RECORD_FIELDS = 0b1_1111_1110_1110;
const OWN_EVENT_BYTES = new Uint8Array(Buffer.from(OWN_EVENT_PREFIX));

/** Reads LogRecords of one request into one {@link DecodedRecord}. */
export class RecordReader {
  readonly #reader: WireReader;
  readonly #bytes: Uint8Array;
  readonly #sink: RecordSink;
  readonly #attributeTable: KeyTable;
  readonly #attributeHeads: Int16Array;
  readonly #record: DecodedRecord;
  readonly #body: BodyReader;
  readonly #value: ValueRange = { field: 0, start: 0, end: 0 };
  readonly #entry = newKeyValueRange();
  /** Range of the record being read, and how far it is read. */
  #start = 0;
  #end = 0;
  #pos = 0;
  /** Index into TEMPLATE_ATTRIBUTES of the template found, or how many there are. */
  #templateRank = 0;

  constructor(reader: WireReader, sink: RecordSink) {
    this.#reader = reader;
    this.#bytes = reader.bytes;
    this.#sink = sink;
    this.#attributeTable = tableOf(TEMPLATE_ATTRIBUTES, sink.wantedAttributes);
    this.#attributeHeads = this.#attributeTable.heads;
    this.#record = newDecodedRecord(reader.bytes);
    this.#record.attributeKeys = () => this.#listAttributeKeys();
    this.#body = new BodyReader(reader, this.#record, sink);
  }

  /** There is no further record. */
  close(): void {
    this.#body.close();
  }

  /**
   * Reads a record and hands it to the sink, or a first slice of it.
   * @returns false: {@link goOn} reads the rest
   * @throws {DecodeError}
   */
  read(start: number, end: number): boolean {
    const bytes = this.#bytes;
    const record = this.#record;
    this.#start = this.#pos = start;
    this.#end = end;
    clearRecord(record);
    record.text = bytes;
    this.#templateRank = TEMPLATE_ATTRIBUTES.length;
    return this.goOn();
  }

  /** Another slice of the record. @throws {DecodeError} */
  goOn(): boolean {
    const bytes = this.#bytes;
    const reader = this.#reader;
    const heads = this.#attributeHeads;
    const record = this.#record;
    const end = this.#end;
    let pos = this.#pos;
    const stop = Math.min(end, pos + SLICE_BYTES);
    while (pos < stop) {
      let tag = bytes[pos++]!;
      if (tag >= 0x80) {
        reader.pos = pos - 1;
        tag = reader.tag(end, RECORD);
        pos = reader.pos;
      }
      if ((tag & 7) === 2 && tag > 7) {
        // Length-delimited, the bulk of a record: the length is read here, one byte in nearly all cases.
        let payloadEnd: number;
        if (pos < end && bytes[pos]! < 0x80) {
          payloadEnd = pos + 1 + bytes[pos]!;
          pos++;
          if (payloadEnd > end) {
            throw new DecodeError(
              `a length of ${bytes[pos - 1]!} reaches beyond the end of its message`,
              RECORD,
              pos - 1,
            );
          }
        } else {
          reader.pos = pos;
          payloadEnd = reader.payload(end, RECORD);
          pos = reader.pos;
        }
        switch (tag) {
          case 0x32: {
            // A KeyValue almost always begins with a key of less than 128 bytes; an empty bucket means that nobody wants it.
            const keyStart = pos + 2;
            if (keyStart < payloadEnd && bytes[pos] === 0x0a) {
              const keyLength = bytes[pos + 1]!;
              const keyEnd = keyStart + keyLength;
              if (keyLength !== 0 && keyLength < 0x80 && keyEnd <= payloadEnd) {
                if (heads[keyBucket(keyLength, bytes[keyStart]!, bytes[keyEnd - 1]!)] === -1) break;
              }
            }
            this.#readAttribute(pos, payloadEnd);
            break;
          }
          case 0x2a:
            this.#body.read(pos, payloadEnd);
            break;
          case 0x4a:
            record.traceStart = payloadEnd - pos === 16 && hasNonZero(bytes, pos, payloadEnd) ? pos : -1;
            break;
          case 0x52:
            record.spanStart = payloadEnd - pos === 8 && hasNonZero(bytes, pos, payloadEnd) ? pos : -1;
            break;
          case 0x62:
            record.ownEvent = startsWith(bytes, pos, payloadEnd, OWN_EVENT_BYTES);
            break;
          case 0x0a:
          case 0x12:
          case 0x3a:
          case 0x42:
          case 0x5a:
            throw new DecodeError(`field ${tag >>> 3} has wire type 2`, RECORD, pos);
        }
        pos = payloadEnd;
      } else if (tag === 0x09 && pos + 8 <= end) {
        record.timeMs = readNanosAsMs(bytes, pos);
        pos += 8;
      } else if (tag === 0x59 && pos + 8 <= end) {
        record.observedTimeMs = readNanosAsMs(bytes, pos);
        pos += 8;
      } else if (tag === 0x10) {
        reader.pos = pos;
        const severity = reader.varint(end, RECORD);
        record.severityNumber = severity <= 24 ? severity : 0;
        pos = reader.pos;
      } else {
        if (tag < 8) throw new DecodeError('illegal field number', RECORD, pos - 1);
        reader.pos = pos;
        // dropped_attributes_count and flags are known and not needed; a time that ends here is cut off, which skip says.
        if (tag === 0x38 || tag === 0x45 || tag === 0x09 || tag === 0x59) reader.skip(tag, end, RECORD);
        else reader.skipUnknown(tag, RECORD_FIELDS, end, RECORD);
        pos = reader.pos;
      }
    }
    this.#pos = pos;
    if (pos < end) return false;
    this.#sink.record(record);
    return true;
  }

  #listAttributeKeys(): string[] {
    const reader = new WireReader(this.#bytes);
    const keys: string[] = [];
    reader.pos = this.#start;
    while (reader.pos < this.#end && keys.length < MAX_LISTED_KEYS) {
      const tag = reader.tag(this.#end, RECORD);
      if (tag !== 0x32) {
        reader.skip(tag, this.#end, RECORD);
        continue;
      }
      const entryEnd = reader.payload(this.#end, ATTRIBUTES);
      // A KeyValue begins with its key in what every sender writes.
      if (reader.pos < entryEnd && this.#bytes[reader.pos] === 0x0a) {
        reader.pos++;
        const keyEnd = reader.payload(entryEnd, ATTRIBUTES);
        keys.push(reader.buffer.toString('utf8', reader.pos, keyEnd));
      }
      reader.pos = entryEnd;
    }
    return keys;
  }

  #readAttribute(start: number, end: number): void {
    const reader = this.#reader;
    const entry = this.#entry;
    locateKeyValue(reader, start, end, ATTRIBUTES, entry);
    const table = this.#attributeTable;
    const index = findKey(table, this.#bytes, entry.keyStart, entry.keyEnd);
    if (index < 0) return;
    const key = table.keys[index]!;
    if (index < this.#templateRank) {
      locateValue(reader, entry.valueStart, entry.valueEnd, ATTRIBUTES, this.#value);
      const { field, start, end } = this.#value;
      if (field === STRING_VALUE && end > start) {
        this.#templateRank = index;
        this.#record.template = this.#bytes;
        this.#record.templateStart = start;
        this.#record.templateEnd = end;
      }
    }
    if (index < TEMPLATE_ATTRIBUTES.length && !this.#sink.wantedAttributes.has(key)) return;
    if (this.#record.attributes.has(key)) return;
    const text = readAttributeText(reader, entry.valueStart, entry.valueEnd, ATTRIBUTES);
    if (text !== null) this.#record.attributes.set(key, text);
  }
}

/**
 * fixed64 nanoseconds as milliseconds. 2^32 ns = 4294 ms + 967296 ns: split so that both products stay below 2^53 and whole
 * milliseconds come out whole; (2^32·high + low) / 1e6 would be off by up to 128 ns.
 */
function readNanosAsMs(bytes: Uint8Array, at: number): number {
  const low = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  const high = (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)) >>> 0;
  return high * 4294 + (high * 967_296 + low) / 1e6;
}

function hasNonZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return true;
  return false;
}

function startsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
  return true;
}
