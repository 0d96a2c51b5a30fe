/** One LogRecord in OTLP/JSON: what a scanner has gone over becomes a {@link DecodedRecord}. */
import { clearRecord, newDecodedRecord } from '../decoded.ts';
import { JsonBody } from './body.ts';
import { JsonEntry } from './entry.ts';
import { ARRAY, OBJECT } from './lex.ts';
import { Names } from './names.ts';
import { readId, readNanosAsMs, readOwnEvent, readSeverity } from './scalar.ts';
import type { JsonScanner } from './scan.ts';
import { KEY, KEY_STRINDEX, KEY_VALUE, readKey, VALUE } from './value.ts';
import { END, enter, nextElement, nextName, revisit } from './walk.ts';
import { tableOf, type KeyTable } from '../key-table.ts';
import { MAX_LISTED_KEYS, type DecodedRecord, type RecordSink } from '../record.ts';
import { takeTextScratch } from '../text-scratch.ts';
import { attributeText, MAX_ATTRIBUTE_BYTES, MAX_VALUE_BYTES, TEMPLATE_ATTRIBUTES } from '../value-text.ts';

/** The fields of a LogRecord that somebody wants; `attributes` are read entry by entry. */
export const RECORD = new Names(
  'timeUnixNano',
  'observedTimeUnixNano',
  'severityNumber',
  'traceId',
  'spanId',
  'eventName',
  'body',
  'attributes',
  // Nobody wants these; knowing them keeps the guess at what comes next right.
  'severityText',
  'flags',
  'droppedAttributesCount',
);
export const ATTRIBUTES = 7;

const ATTRIBUTES_PATH = 'attributes';

/** Trace id at 0, span id behind it. */
const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
/** As much as {@link attributeText} needs to see where to cut. */
const ATTRIBUTE_BYTES = MAX_ATTRIBUTE_BYTES + 4;

/** Fills one {@link DecodedRecord} again and again. */
export class JsonRecord {
  readonly record: DecodedRecord;
  readonly #scan: JsonScanner;
  readonly #sink: RecordSink;
  readonly #attributeTable: KeyTable;
  readonly #body: JsonBody;
  /** The attribute being read. */
  readonly #entry: JsonEntry;
  /** Of this request alone: another one may get its turn in the middle of a record. */
  readonly #scratch = takeTextScratch();
  /** Index into TEMPLATE_ATTRIBUTES of the template found, or how many there are. */
  #templateRank = 0;
  /** Where `attributes` are, for a second look. */
  #attributesStart = 0;
  #attributesEnd = 0;

  constructor(scan: JsonScanner, sink: RecordSink) {
    this.#scan = scan;
    this.#sink = sink;
    this.#attributeTable = tableOf(TEMPLATE_ATTRIBUTES, sink.wantedAttributes);
    this.#entry = new JsonEntry(scan, this.#attributeTable, ATTRIBUTES_PATH);
    this.record = newDecodedRecord(new Uint8Array(TRACE_BYTES + SPAN_BYTES));
    this.record.attributeKeys = () => this.#listAttributeKeys();
    this.#body = new JsonBody(scan, this.record, this.#scratch, sink);
  }

  get attributeHeads(): Int16Array {
    return this.#attributeTable.heads;
  }

  /** There is no further record. */
  close(): void {
    this.#scratch.giveBack();
  }

  /** Another record begins; nothing of it is set. */
  begin(): void {
    clearRecord(this.record);
    this.#templateRank = TEMPLATE_ATTRIBUTES.length;
    this.#attributesStart = this.#attributesEnd = 0;
    this.#scratch.reset();
  }

  /** The scanner has gone over the field, known or not. @throws {DecodeError} with a path that begins at the record */
  set(field: number): void {
    const { record } = this;
    const scan = this.#scan;
    switch (field) {
      case 0:
        record.timeMs = readNanosAsMs(scan, 'timeUnixNano');
        break;
      case 1:
        record.observedTimeMs = readNanosAsMs(scan, 'observedTimeUnixNano');
        break;
      case 2:
        record.severityNumber = readSeverity(scan, 'severityNumber');
        break;
      case 3:
        record.traceStart = readId(scan, record.ids, 0, TRACE_BYTES) ? 0 : -1;
        break;
      case 4:
        record.spanStart = readId(scan, record.ids, TRACE_BYTES, SPAN_BYTES) ? TRACE_BYTES : -1;
        break;
      case 5:
        record.ownEvent = readOwnEvent(scan);
        break;
      case 6:
        this.#body.set();
    }
  }

  /** The scanner stands before the list of attributes. */
  beginAttributes(): void {
    this.#attributesStart = this.#scan.pos;
  }

  endAttributes(): void {
    this.#attributesEnd = this.#scan.pos;
  }

  /** A KeyValue begins. */
  beginEntry(): void {
    this.#entry.begin();
  }

  /** The scanner has gone over the field `name` of an attribute. @throws {DecodeError} */
  setEntry(name: number): void {
    if (name === KEY) this.#entry.takeKey();
    else if (name === VALUE) this.#entry.takeValue();
    else if (name === KEY_STRINDEX) this.#entry.hasStrindex = true;
  }

  /** The attribute is complete. @throws {DecodeError} when it is wanted and no AnyValue */
  endAttribute(): void {
    const entry = this.#entry;
    if (!entry.hasKey && entry.hasStrindex) this.#scan.sawStrindex = true;
    if (entry.key < 0 || entry.valueEnd === 0) return;
    const { record } = this;
    const key = this.#attributeTable.keys[entry.key]!;
    const mayBeTemplate = entry.key < this.#templateRank;
    const isWanted =
      !record.attributes.has(key) && (entry.key >= TEMPLATE_ATTRIBUTES.length || this.#sink.wantedAttributes.has(key));
    if (!mayBeTemplate && !isWanted) return;
    const value = entry.readValue(isWanted && !mayBeTemplate ? ATTRIBUTE_BYTES : MAX_VALUE_BYTES);
    if (value === undefined) return;
    if (mayBeTemplate && typeof value === 'string' && value !== '') {
      this.#templateRank = entry.key;
      record.templateStart = this.#scratch.end;
      record.templateEnd = this.#scratch.write(value);
      record.template = this.#scratch.bytes;
    }
    if (isWanted) record.attributes.set(key, attributeText(value));
  }

  #listAttributeKeys(): string[] {
    const scan = this.#scan;
    const keys: string[] = [];
    if (this.#attributesEnd === 0) return keys;
    let entries = 0;
    revisit(scan, this.#attributesStart, this.#attributesEnd, () => {
      if (!enter(scan, ARRAY, ATTRIBUTES_PATH)) return;
      while (nextElement(scan) && entries++ < MAX_LISTED_KEYS) {
        if (!enter(scan, OBJECT, ATTRIBUTES_PATH)) continue;
        let key: string | null = null;
        for (let name = nextName(scan, KEY_VALUE); name !== END; name = nextName(scan, KEY_VALUE)) {
          if (scan.value() && name === KEY) key = readKey(scan, ATTRIBUTES_PATH);
        }
        if (key !== null) keys.push(key);
      }
    });
    return keys;
  }
}
