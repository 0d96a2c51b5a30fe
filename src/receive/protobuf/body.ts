/** The body of a LogRecord: a string in nearly all, where it stands; of a map its message, else it is printed. */
import { findKey, tableOf, type KeyTable } from '../key-table.ts';
import {
  BYTES_VALUE,
  KVLIST_VALUE,
  locateKeyValue,
  locateValue,
  MAX_FIELDS_IN_ALL,
  newKeyValueRange,
  readAttributeText,
  readValue,
  STRING_VALUE,
  type ValueRange,
} from './value.ts';
import type { DecodedRecord, RecordSink } from '../record.ts';
import { takeTextScratch } from '../text-scratch.ts';
import { canonicalJson, MESSAGE_FIELDS, messageToText, valueToText } from '../value-text.ts';
import type { WireReader } from './wire.ts';

const BODY = 'resource_logs.scope_logs.log_records.body';

/** Fills `text` and `bodyFields` of the one record of a request. */
export class BodyReader {
  readonly #reader: WireReader;
  readonly #bytes: Uint8Array;
  readonly #record: DecodedRecord;
  readonly #wanted: RecordSink['wantedBodyFields'];
  readonly #table: KeyTable;
  readonly #value: ValueRange = { field: 0, start: 0, end: 0 };
  readonly #entry = newKeyValueRange();
  /** Of this request alone: another one may get its turn in the middle of a record. */
  readonly #scratch = takeTextScratch();

  constructor(reader: WireReader, record: DecodedRecord, { wantedBodyFields }: RecordSink) {
    this.#reader = reader;
    this.#bytes = reader.bytes;
    this.#record = record;
    this.#wanted = wantedBodyFields;
    this.#table = tableOf(MESSAGE_FIELDS, wantedBodyFields);
  }

  /** There is no further record. */
  close(): void {
    this.#scratch.giveBack();
  }

  /** The AnyValue in `[start, end)`. @throws {DecodeError} */
  read(start: number, end: number): void {
    const record = this.#record;
    const bytes = this.#bytes;
    record.text = bytes;
    // One string field that fills the AnyValue, its length in one or two bytes.
    if (end - start >= 2 && bytes[start] === 0x0a) {
      const low = bytes[start + 1]!;
      if (low < 0x80) {
        if (start + 2 + low === end) {
          record.textStart = start + 2;
          record.textEnd = end;
          return;
        }
      } else if (start + 3 <= end && bytes[start + 2]! < 0x80) {
        if (start + 3 + (low & 0x7f) + (bytes[start + 2]! << 7) === end) {
          record.textStart = start + 3;
          record.textEnd = end;
          return;
        }
      }
    }
    const value = this.#value;
    locateValue(this.#reader, start, end, BODY, value);
    if (value.field === KVLIST_VALUE) this.#readMap(value.start, value.end);
    else this.#setText(value, false);
  }

  /** The message field if there is one, else all of it as canonical JSON. */
  #readMap(start: number, end: number): void {
    const reader = this.#reader;
    const entry = this.#entry;
    const record = this.#record;
    const table = this.#table;
    let rank = MESSAGE_FIELDS.length;
    let messageStart = 0;
    let messageEnd = 0;
    const most = reader.fields + MAX_FIELDS_IN_ALL;
    reader.pos = start;
    while (reader.pos < end && reader.fields < most) {
      const tag = reader.tag(end, BODY);
      if (tag !== 0x0a) {
        reader.skipUnknown(tag, 0b10, end, BODY);
        continue;
      }
      const entryEnd = reader.payload(end, BODY);
      locateKeyValue(reader, reader.pos, entryEnd, BODY, entry);
      const index = findKey(table, this.#bytes, entry.keyStart, entry.keyEnd);
      if (index >= 0) {
        if (index < rank && entry.valueEnd > entry.valueStart) {
          rank = index;
          messageStart = entry.valueStart;
          messageEnd = entry.valueEnd;
        }
        const key = table.keys[index]!;
        if (this.#wanted.has(key) && !record.bodyFields.has(key)) {
          const text = readAttributeText(reader, entry.valueStart, entry.valueEnd, BODY);
          if (text !== null) record.bodyFields.set(key, text);
        }
      }
      reader.pos = entryEnd;
    }
    const value = this.#value;
    if (rank < MESSAGE_FIELDS.length) locateValue(reader, messageStart, messageEnd, BODY, value);
    else {
      value.field = KVLIST_VALUE;
      value.start = start;
      value.end = end;
    }
    this.#setText(value, true);
  }

  /** Strings and bytes stay where they are, all else is printed into the scratch. */
  #setText(value: ValueRange, isMessageField: boolean): void {
    const record = this.#record;
    if (value.field === STRING_VALUE || value.field === BYTES_VALUE) {
      record.text = this.#bytes;
      record.textStart = value.start;
      record.textEnd = value.end;
      return;
    }
    const plain = readValue(this.#reader, value, BODY);
    const text =
      plain instanceof Map ? canonicalJson(plain) : isMessageField ? messageToText(plain) : valueToText(plain);
    this.#scratch.reset();
    record.textStart = 0;
    record.textEnd = this.#scratch.write(text);
    record.text = this.#scratch.bytes;
  }
}
