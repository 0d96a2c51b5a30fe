/** One KeyValue in OTLP/JSON: noted while the scanner goes over it, read when it turns out to be wanted. */
import { NULL, STRING, wrongKind } from './lex.ts';
import { AFTER_TEXT, BEFORE_TEXT, type JsonScanner } from './scan.ts';
import { stringOf } from './text.ts';
import { readAny } from './value.ts';
import { revisit } from './walk.ts';
import { findKey, type KeyTable } from '../key-table.ts';
import type { PlainValue } from '../value-text.ts';

export class JsonEntry {
  /** Place of its key in the table, -1: not wanted, or not there. */
  key = -1;
  hasKey = false;
  hasStrindex = false;
  /** Range and form of its value; an end of 0: none was there. */
  valueStart = 0;
  valueEnd = 0;
  isStringValue = false;
  isEscaped = false;
  readonly #scan: JsonScanner;
  readonly #table: KeyTable;
  readonly #path: string;

  /** @param path of the list it is in, for errors */
  constructor(scan: JsonScanner, table: KeyTable, path: string) {
    this.#scan = scan;
    this.#table = table;
    this.#path = path;
  }

  /** Another one begins. */
  begin(): void {
    this.hasKey = this.hasStrindex = false;
    this.key = -1;
    this.valueEnd = 0;
  }

  /** The scanner has gone over its key. @throws {DecodeError} when that is no string */
  takeKey(): void {
    const scan = this.#scan;
    this.key = -1;
    this.hasKey = scan.kind !== NULL;
    if (!this.hasKey) return;
    if (scan.kind !== STRING) throw wrongKind('a string', scan.kind, `${this.#path}.key`);
    if (scan.escaped) {
      const key = Buffer.from(scan.text());
      this.key = findKey(this.#table, key, 0, key.length);
    } else this.key = findKey(this.#table, scan.bytes, scan.start + 1, scan.textEnd);
  }

  /** The scanner has gone over its value. */
  takeValue(): void {
    const scan = this.#scan;
    this.valueStart = scan.start;
    this.valueEnd = scan.pos;
    this.isStringValue = scan.isStringValue;
    this.isEscaped = scan.escaped;
  }

  /** Its AnyValue, of a string so much as `maxBytes` hold; undefined when it holds nothing. @throws {DecodeError} when it is none */
  readValue(maxBytes: number): PlainValue | undefined {
    const scan = this.#scan;
    const { valueStart: start, valueEnd: end } = this;
    if (!this.isStringValue) return revisit(scan, start, end, () => readAny(scan, this.#path));
    return stringOf(scan.buffer, start + BEFORE_TEXT, end - AFTER_TEXT, this.isEscaped, maxBytes);
  }
}
