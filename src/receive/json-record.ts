/** One LogRecord in OTLP/JSON: what a scanner has gone over becomes a {@link DecodedRecord}. */
import { newDecodedRecord } from './decoded.ts';
import { Names } from './json-names.ts';
import { readId, readNanosAsMs, readOwnEvent, readSeverity } from './json-scalar.ts';
import { ARRAY, NULL, OBJECT, STRING, wrongKind } from './json-lex.ts';
import { AFTER_TEXT, BEFORE_TEXT, type JsonScanner } from './json-scan.ts';
import { END, enter, nextElement, nextName, revisit, MAX_REVISITED_BYTES } from './json-walk.ts';
import { stringOf } from './json-text.ts';
import {
  ANY_VALUE,
  KEY,
  KEY_STRINDEX,
  KEY_VALUE,
  KVLIST_VALUE,
  readAny,
  readElements,
  readField,
  readKey,
  readMap,
  VALUE,
  VALUES,
} from './json-value.ts';
import { findKey, tableOf, type KeyTable } from './key-table.ts';
import { MAX_LISTED_KEYS, type DecodedRecord, type RecordSink } from './record.ts';
import { takeTextScratch } from './text-scratch.ts';
import {
  attributeText,
  canonicalJson,
  MAX_ATTRIBUTE_BYTES,
  MAX_VALUE_BYTES,
  MESSAGE_FIELDS,
  messageToText,
  newValueBudget,
  TEMPLATE_ATTRIBUTES,
  valueToText,
  type PlainValue,
} from './value-text.ts';

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

const BODY_PATH = 'body';
const MAP_PATH = 'body.kvlistValue';
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
  readonly #bodyTable: KeyTable;
  /** Of this request alone: another one may get its turn in the middle of a record. */
  readonly #scratch = takeTextScratch();
  /** Index into TEMPLATE_ATTRIBUTES of the template found, or how many there are. */
  #templateRank = 0;
  /** Where `attributes` are, for a second look. */
  #attributesStart = 0;
  #attributesEnd = 0;
  /** Of the KeyValue being read: place of its key in the table (-1: not wanted or not there), range and form of its value. */
  #key = -1;
  #hasKey = false;
  #hasStrindex = false;
  #valueStart = 0;
  #valueEnd = 0;
  #isStringValue = false;
  #isEscaped = false;

  constructor(scan: JsonScanner, sink: RecordSink) {
    this.#scan = scan;
    this.#sink = sink;
    this.#attributeTable = tableOf(TEMPLATE_ATTRIBUTES, sink.wantedAttributes);
    this.#bodyTable = tableOf(MESSAGE_FIELDS, sink.wantedBodyFields);
    this.record = newDecodedRecord(new Uint8Array(TRACE_BYTES + SPAN_BYTES));
    this.record.attributeKeys = () => this.#listAttributeKeys();
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
    const { record } = this;
    record.timeMs = 0;
    record.observedTimeMs = 0;
    record.severityNumber = 0;
    record.textStart = record.textEnd = 0;
    record.templateStart = record.templateEnd = 0;
    record.traceStart = record.spanStart = -1;
    record.ownEvent = false;
    if (record.attributes.size > 0) record.attributes.clear();
    if (record.bodyFields.size > 0) record.bodyFields.clear();
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
        this.#setBody();
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
    this.#hasKey = this.#hasStrindex = false;
    this.#key = -1;
    this.#valueEnd = 0;
  }

  /** The scanner has gone over the field `name` of an attribute. @throws {DecodeError} */
  setEntry(name: number): void {
    if (name === KEY) this.#takeKey(this.#attributeTable, ATTRIBUTES_PATH);
    else if (name === VALUE) this.#takeValue();
    else if (name === KEY_STRINDEX) this.#hasStrindex = true;
  }

  /** The attribute is complete. @throws {DecodeError} when it is wanted and no AnyValue */
  endAttribute(): void {
    if (!this.#hasKey && this.#hasStrindex) this.#scan.sawStrindex = true;
    if (this.#key < 0 || this.#valueEnd === 0) return;
    const { record } = this;
    const key = this.#attributeTable.keys[this.#key]!;
    const mayBeTemplate = this.#key < this.#templateRank;
    const isWanted =
      !record.attributes.has(key) && (this.#key >= TEMPLATE_ATTRIBUTES.length || this.#sink.wantedAttributes.has(key));
    if (!mayBeTemplate && !isWanted) return;
    const value = this.#readValue(ATTRIBUTES_PATH, isWanted && !mayBeTemplate ? ATTRIBUTE_BYTES : MAX_VALUE_BYTES);
    if (value === undefined) return;
    if (mayBeTemplate && typeof value === 'string' && value !== '') {
      this.#templateRank = this.#key;
      record.templateStart = this.#scratch.end;
      record.templateEnd = this.#scratch.write(value);
      record.template = this.#scratch.bytes;
    }
    if (isWanted) record.attributes.set(key, attributeText(value));
  }

  #takeKey(table: KeyTable, path: string): void {
    const scan = this.#scan;
    this.#key = -1;
    this.#hasKey = scan.kind !== NULL;
    if (!this.#hasKey) return;
    if (scan.kind !== STRING) throw wrongKind('a string', scan.kind, `${path}.key`);
    if (scan.escaped) {
      const key = Buffer.from(scan.text());
      this.#key = findKey(table, key, 0, key.length);
    } else this.#key = findKey(table, scan.bytes, scan.start + 1, scan.textEnd);
  }

  #takeValue(): void {
    const scan = this.#scan;
    this.#valueStart = scan.start;
    this.#valueEnd = scan.pos;
    this.#isStringValue = scan.isStringValue;
    this.#isEscaped = scan.escaped;
  }

  /** The AnyValue of the KeyValue that was read; undefined when it holds nothing. */
  #readValue(path: string, maxBytes: number): PlainValue | undefined {
    const scan = this.#scan;
    const start = this.#valueStart;
    const end = this.#valueEnd;
    if (!this.#isStringValue) return revisit(scan, start, end, () => readAny(scan, path));
    return stringOf(scan.buffer, start + BEFORE_TEXT, end - AFTER_TEXT, this.#isEscaped, maxBytes);
  }

  #setBody(): void {
    const scan = this.#scan;
    const { record } = this;
    if (record.bodyFields.size > 0) record.bodyFields.clear();
    record.textStart = record.textEnd = 0;
    if (scan.isStringValue) this.#setText(scan.start + BEFORE_TEXT, scan.pos - AFTER_TEXT, scan.escaped);
    else revisit(scan, scan.start, scan.pos, () => this.#readBody());
  }

  /** A string stays where it is, unless it has escapes. */
  #setText(start: number, end: number, isEscaped: boolean): void {
    const { record } = this;
    const { bytes } = this.#scan;
    if (!isEscaped) {
      record.text = bytes;
      record.textStart = start;
      record.textEnd = end;
    } else {
      record.textStart = this.#scratch.end;
      record.textEnd = this.#scratch.writeUnescaped(bytes, start, Math.min(end, start + MAX_REVISITED_BYTES));
      record.text = this.#scratch.bytes;
    }
  }

  #printText(text: string): void {
    const { record } = this;
    record.textStart = this.#scratch.end;
    record.textEnd = this.#scratch.write(text);
    record.text = this.#scratch.bytes;
  }

  /** A body that is not just a string in the usual spelling. */
  #readBody(): void {
    const scan = this.#scan;
    if (!enter(scan, OBJECT, BODY_PATH)) return;
    for (let name = nextName(scan, ANY_VALUE); name !== END; name = nextName(scan, ANY_VALUE)) {
      if (name === KVLIST_VALUE) {
        this.#readMapBody();
        continue;
      }
      const value = readField(scan, name, BODY_PATH, newValueBudget(), 0);
      if (value !== undefined) this.#printText(valueToText(value));
    }
  }

  /** Looks for the message and the wanted fields; only a map without a message is built. */
  #readMapBody(): void {
    const scan = this.#scan;
    const { record } = this;
    const start = scan.pos;
    let rank = MESSAGE_FIELDS.length;
    if (record.bodyFields.size > 0) record.bodyFields.clear();
    const isSet = readElements(scan, VALUES, MAP_PATH, () => {
      if (!enter(scan, OBJECT, MAP_PATH)) return;
      this.beginEntry();
      for (let name = nextName(scan, KEY_VALUE); name !== END; name = nextName(scan, KEY_VALUE)) {
        const isWhole = scan.value();
        if (name === VALUE) this.#takeValue();
        else if (name === KEY && isWhole) this.#takeKey(this.#bodyTable, MAP_PATH);
      }
      if (this.#key < 0 || this.#valueEnd === 0) return;
      const key = this.#bodyTable.keys[this.#key]!;
      const isMessage = this.#key < rank;
      const isWanted = this.#sink.wantedBodyFields.has(key) && !record.bodyFields.has(key);
      if (!isMessage && !isWanted) return;
      const value = this.#readValue(MAP_PATH, MAX_VALUE_BYTES);
      if (value === undefined || value === null) return;
      if (isWanted) record.bodyFields.set(key, attributeText(value));
      if (!isMessage) return;
      rank = this.#key;
      if (this.#isStringValue)
        this.#setText(this.#valueStart + BEFORE_TEXT, this.#valueEnd - AFTER_TEXT, this.#isEscaped);
      else this.#printText(messageToText(value));
    });
    if (!isSet || rank < MESSAGE_FIELDS.length) return;
    const all = revisit(scan, start, scan.pos, () => readMap(scan, MAP_PATH, newValueBudget(), 1));
    this.#printText(canonicalJson(all!));
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
