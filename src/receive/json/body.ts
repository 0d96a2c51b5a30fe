/** The body of a LogRecord in OTLP/JSON: a string in nearly all, where it stands; of a map its message, else it is printed. */
import { JsonEntry } from './entry.ts';
import { OBJECT } from './lex.ts';
import { AFTER_TEXT, BEFORE_TEXT, type JsonScanner } from './scan.ts';
import { ANY_VALUE, KEY, KEY_VALUE, KVLIST_VALUE, readElements, readField, readMap, VALUE, VALUES } from './value.ts';
import { END, enter, MAX_REVISITED_BYTES, nextName, revisit } from './walk.ts';
import { tableOf, type KeyTable } from '../key-table.ts';
import type { DecodedRecord, RecordSink } from '../record.ts';
import type { TextScratch } from '../text-scratch.ts';
import {
  attributeText,
  canonicalJson,
  MAX_VALUE_BYTES,
  MESSAGE_FIELDS,
  messageToText,
  newValueBudget,
  valueToText,
} from '../value-text.ts';

const BODY_PATH = 'body';
const MAP_PATH = 'body.kvlistValue';

/** Fills `text` and `bodyFields` of the one record of a request. */
export class JsonBody {
  readonly #scan: JsonScanner;
  readonly #record: DecodedRecord;
  readonly #scratch: TextScratch;
  readonly #wanted: RecordSink['wantedBodyFields'];
  readonly #table: KeyTable;
  readonly #entry: JsonEntry;

  /** @param scratch of the request: what has escapes, or is no string, is written there */
  constructor(scan: JsonScanner, record: DecodedRecord, scratch: TextScratch, { wantedBodyFields }: RecordSink) {
    this.#scan = scan;
    this.#record = record;
    this.#scratch = scratch;
    this.#wanted = wantedBodyFields;
    this.#table = tableOf(MESSAGE_FIELDS, wantedBodyFields);
    this.#entry = new JsonEntry(scan, this.#table, MAP_PATH);
  }

  /** The scanner has gone over the field. @throws {DecodeError} */
  set(): void {
    const scan = this.#scan;
    const record = this.#record;
    if (record.bodyFields.size > 0) record.bodyFields.clear();
    record.textStart = record.textEnd = 0;
    if (scan.isStringValue) this.#setText(scan.start + BEFORE_TEXT, scan.pos - AFTER_TEXT, scan.escaped);
    else revisit(scan, scan.start, scan.pos, () => this.#read());
  }

  /** A string stays where it is, unless it has escapes. */
  #setText(start: number, end: number, isEscaped: boolean): void {
    const record = this.#record;
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
    const record = this.#record;
    record.textStart = this.#scratch.end;
    record.textEnd = this.#scratch.write(text);
    record.text = this.#scratch.bytes;
  }

  /** A body that is not just a string in the usual spelling. */
  #read(): void {
    const scan = this.#scan;
    if (!enter(scan, OBJECT, BODY_PATH)) return;
    for (let name = nextName(scan, ANY_VALUE); name !== END; name = nextName(scan, ANY_VALUE)) {
      if (name === KVLIST_VALUE) {
        this.#readMap();
        continue;
      }
      const value = readField(scan, name, BODY_PATH, newValueBudget(), 0);
      if (value !== undefined) this.#printText(valueToText(value));
    }
  }

  /** Looks for the message and the wanted fields; only a map without a message is built. */
  #readMap(): void {
    const scan = this.#scan;
    const entry = this.#entry;
    const record = this.#record;
    const start = scan.pos;
    let rank = MESSAGE_FIELDS.length;
    if (record.bodyFields.size > 0) record.bodyFields.clear();
    const isSet = readElements(scan, VALUES, MAP_PATH, () => {
      if (!enter(scan, OBJECT, MAP_PATH)) return;
      entry.begin();
      for (let name = nextName(scan, KEY_VALUE); name !== END; name = nextName(scan, KEY_VALUE)) {
        const isWhole = scan.value();
        if (name === VALUE) entry.takeValue();
        else if (name === KEY && isWhole) entry.takeKey();
      }
      if (entry.key < 0 || entry.valueEnd === 0) return;
      const key = this.#table.keys[entry.key]!;
      const isMessage = entry.key < rank;
      const isWanted = this.#wanted.has(key) && !record.bodyFields.has(key);
      if (!isMessage && !isWanted) return;
      const value = entry.readValue(MAX_VALUE_BYTES);
      if (value === undefined || value === null) return;
      if (isWanted) record.bodyFields.set(key, attributeText(value));
      if (!isMessage) return;
      rank = entry.key;
      if (entry.isStringValue)
        this.#setText(entry.valueStart + BEFORE_TEXT, entry.valueEnd - AFTER_TEXT, entry.isEscaped);
      else this.#printText(messageToText(value));
    });
    if (!isSet || rank < MESSAGE_FIELDS.length) return;
    const all = revisit(scan, start, scan.pos, () => readMap(scan, MAP_PATH, newValueBudget(), 1));
    this.#printText(canonicalJson(all!));
  }
}
