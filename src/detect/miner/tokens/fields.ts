/**
 * Fields and statuses: which token names a field, which is a value, which number says how a request ended.
 *
 *     user=alice "level":30 msg="up again"   ->   KEY SOFT   KEY FIXED   KEY FIXED HARD
 */
import { CLASS, DIGIT, QUOTE, SEPARATOR } from './bytes.ts';
import { Groups, joinValue } from './groups.ts';
import { mix } from './hash.ts';
import { isNumber } from './ids.ts';
import { FIXED, HARD, KEY, MASK, NAME, SOFT, STATUS } from './kinds.ts';
import { isBare, isBlank, isSign, isStatus, mayQuote, mayQuoteName } from './rules.ts';
import { SingleQuotes } from './single-quotes.ts';
import type { TokenList } from './token-list.ts';
import { LEVEL_KEY, MESSAGE_KEY, STATUS_KEY, UNIT } from './vocabulary.ts';

const classOf = CLASS;
const digitClass = DIGIT;

/** Behind `key=`: the value starts at the next byte or is empty. */
export const AFTER_EQUALS = 1;
/** Behind `"key":`: blanks may come first. */
const AFTER_COLON = 2;

export const STATUS_NUMBER = 1;
export const LEVEL_NUMBER = 2;
const MOST_MEANINGFUL = 16;

const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const STAR = 0x2a;
const MINUS = 0x2d;
const COLON = 0x3a;
const EQUALS = 0x3d;
const LOWER_X = 0x78;

/** State of a scan between two tokens. */
export class Fields {
  /** AFTER_EQUALS, AFTER_COLON or 0: a field's value comes next. */
  expect = 0;
  /** Index of the first token of the quoted value we are in, -1 outside. */
  valueFrom = -1;
  /** Index of the first token of a quoted text that is no field's value, -1 outside. */
  quoteFrom = -1;
  /** The line names a request's protocol version. */
  http = false;

  // What the shape of the line does not tell, see ShapeCache.
  /** Tokens depend on more than the shape: such a line is always scanned. */
  beyondShape = false;
  /** Numbers that are named as a level or a status, in order: where each begins, and which it is. */
  meaningfulCount = 0;
  readonly meaningfulAt = new Int32Array(MOST_MEANINGFUL);
  readonly meaningfulKind = new Uint8Array(MOST_MEANINGFUL);
  /** The line reports a request: a bare number may be its status. */
  statusMayBeBare = false;

  readonly #list: TokenList;
  readonly #groups: Groups;
  /** Meaning of the field name in force. */
  #rule = 0;
  /** First bare number that may be a request's status, -1 for none. */
  #bareStatus = -1;
  /** Where the quote of the value behind `key=` stands, -1 for another value. */
  #valueOpenedAt = -1;
  /** Where the quoted text we are in stands, a value can. */
  #quoteIsValue = false;
  /** The line named a request before the quoted text we are in. */
  #httpBefore = false;
  readonly #singles = new SingleQuotes();

  constructor(list: TokenList) {
    this.#list = list;
    this.#groups = new Groups(list);
  }

  begin(): void {
    this.quoteFrom = -1;
    this.expect = 0;
    this.valueFrom = -1;
    this.http = false;
    this.beyondShape = false;
    this.meaningfulCount = 0;
    this.#rule = 0;
    this.#bareStatus = -1;
    this.#groups.begin();
    this.#httpBefore = false;
    this.#singles.begin();
  }

  /** Neither in a field's value nor before one: the next token is a word or a name. */
  isOutside(): boolean {
    return this.expect === 0 && this.valueFrom < 0;
  }

  /** What was read last will not become part of a longer value: it is in no quotes and no brackets. */
  isSettled(): boolean {
    return this.valueFrom < 0 && !(this.quoteFrom >= 0 && this.#quoteIsValue) && !this.#groups.isOpen;
  }

  /** The line was read up to `at`. */
  finish(bytes: Uint8Array, at: number, json: boolean): void {
    if (this.expect === AFTER_EQUALS) this.emptyValue(at);
    if (this.valueFrom >= 0) this.#closeValue(bytes, -1);
    if (this.quoteFrom >= 0 && this.#httpBefore) this.http = true;
    // Access logs put the status before or behind the request: the first bare number that can be one.
    this.statusMayBeBare = this.http && !json;
    if (this.statusMayBeBare && this.#bareStatus >= 0) this.#statusClass(bytes, this.#bareStatus);
  }

  /** A number between blanks, `bytes[from, to)`, is token `index`. */
  bareNumber(bytes: Uint8Array, lineStart: number, from: number, to: number, limit: number, index: number): void {
    if (this.#bareStatus < 0 && isStatus(bytes, from, to) && isBare(bytes, lineStart, from, to, limit))
      this.#bareStatus = index;
  }

  /** Is the token a field's name or value? */
  afterToken(bytes: Uint8Array, lineStart: number, limit: number, meaning: number): number {
    const list = this.#list;
    if (list.joinRepeated(bytes)) return list.end[list.count - 1]!;
    const index = list.count - 1;
    const from = list.start[index]!;
    const at = list.end[index]!;
    if (list.kind[index] !== MASK) {
      const next = at < limit ? bytes[at]! : 0;
      const isName =
        next === EQUALS
          ? at + 1 >= limit || bytes[at + 1] !== EQUALS
          : (next === DOUBLE_QUOTE || next === SINGLE_QUOTE) &&
            at + 1 < limit &&
            bytes[at + 1] === COLON &&
            mayQuoteName(bytes, lineStart, from);
      if (isName) {
        list.kind[index] = KEY;
        this.#rule = meaning & (MESSAGE_KEY | LEVEL_KEY | STATUS_KEY);
        this.expect = next === EQUALS ? AFTER_EQUALS : AFTER_COLON;
        // `"a": "x"` closes the quote of the name, `a=` opens none.
        if (next === EQUALS) return at + 1;
        this.quoteFrom = -1;
        this.#singles.forget();
        this.http ||= this.#httpBefore;
        return at + 2;
      }
    }
    if (this.expect !== 0) {
      this.expect = 0;
      this.#value(bytes, index);
    } else if (this.valueFrom === index) {
      this.#value(bytes, index);
    } else if ((meaning & UNIT) !== 0 && index > 0 && list.kind[index - 1] === MASK) {
      if (isBlank(bytes, list.end[index - 1]!, from)) {
        this.#groups.unit(bytes);
        this.#forgetJoined();
      }
    } else if (this.#bareStatus < 0 && isStatus(bytes, from, at) && isBare(bytes, lineStart, from, at, limit)) {
      this.#bareStatus = index;
    }
    return at;
  }

  /** The last token, `key:value`, is the name of a field whose value follows at once. */
  colonKey(meaning: number): void {
    const list = this.#list;
    list.kind[list.count - 1] = KEY;
    this.#rule = meaning & (MESSAGE_KEY | LEVEL_KEY | STATUS_KEY);
    this.expect = AFTER_EQUALS;
  }

  /** First token of a field's value. */
  #value(bytes: Uint8Array, index: number): void {
    const list = this.#list;
    this.#groups.value(index);
    const kind = list.kind[index];
    const means = kind === MASK && (this.#rule & (STATUS_KEY | LEVEL_KEY)) !== 0 && this.#means(bytes, index);
    if (this.#rule === STATUS_KEY) this.#statusClass(bytes, index);
    else if (this.#rule === LEVEL_KEY && means && list.end[index]! - list.start[index]! <= 3) {
      list.replace(index, bytes, list.start[index]!, list.end[index]!);
      list.markCount = list.firstMark[index]!;
      list.kind[index] = FIXED;
    } else if ((kind === HARD || kind === NAME) && this.#rule !== MESSAGE_KEY && this.valueFrom < 0)
      list.kind[index] = SOFT;
  }

  /** Whether token `index` is a number: it says which status or level it is. */
  #means(bytes: Uint8Array, index: number): boolean {
    const at = this.#list.start[index]!;
    const start = isSign(bytes[at]!) ? at + 1 : at;
    if (classOf[bytes[start]!] !== digitClass || !isNumber(bytes, start, this.#list.end[index]!)) return false;
    if (this.meaningfulCount === MOST_MEANINGFUL) this.beyondShape = true;
    else {
      this.meaningfulAt[this.meaningfulCount] = start;
      this.meaningfulKind[this.meaningfulCount++] = this.#rule === LEVEL_KEY ? LEVEL_NUMBER : STATUS_NUMBER;
    }
    return true;
  }

  #statusClass(bytes: Uint8Array, index: number): void {
    const list = this.#list;
    const from = list.start[index]!;
    if (!isStatus(bytes, from, list.end[index]!)) return;
    const digit = bytes[from]! - 0x30;
    list.replace(index, CLASS_TEXT, 3 * digit, 3 * digit + 3);
    list.kind[index] = STATUS;
  }

  /** A `'` between words. */
  singleQuote(bytes: Uint8Array, lineStart: number, at: number, limit: number): void {
    const mayOpen = this.valueFrom < 0 && this.quoteFrom < 0;
    if (this.#singles.quotes(bytes, lineStart, at, limit, mayOpen)) this.#quote(at, bytes);
  }

  /** A byte that separates tokens. */
  separator(kind: number, at: number, bytes: Uint8Array): void {
    if (kind === SEPARATOR && this.valueFrom < 0 && this.quoteFrom < 0) {
      this.#groups.separator(bytes, at, this.expect !== 0);
      this.#forgetJoined();
    }
    if (kind === QUOTE) {
      if (!this.#singles.hold(at)) this.#quote(at, bytes);
    } else if (this.expect === AFTER_EQUALS) {
      this.emptyValue(at);
    } else if (kind === SEPARATOR) {
      this.expect = 0;
    }
  }

  /** Past what follows a separator and changes nothing; see `Groups.nested`. */
  nested(bytes: Uint8Array, at: number, limit: number): number {
    return this.expect === 0 && this.valueFrom < 0 && this.quoteFrom < 0 ? this.#groups.nested(bytes, at, limit) : at;
  }

  #quote(at: number, bytes: Uint8Array): void {
    const list = this.#list;
    if (this.valueFrom >= 0) {
      if (this.valueFrom === list.count) this.emptyValue(at);
      this.#closeValue(bytes, at);
    } else if (this.expect !== 0) {
      this.valueFrom = list.count;
      this.#valueOpenedAt = this.expect === AFTER_EQUALS ? at : -1;
    } else if (this.quoteFrom >= 0) {
      this.#closeQuote(at, bytes);
    } else if (list.count === 0 || list.end[list.count - 1] !== at) {
      // Behind a word a quote closes what nobody opened.
      this.quoteFrom = list.count;
      this.#quoteIsValue = list.count > 0 && mayQuote(bytes, at);
      this.#httpBefore = this.http;
      this.http = false;
    }
    this.expect = 0;
  }

  /** Text in quotes amid a sentence is a value, unless it says what happened or names a request. */
  #closeQuote(at: number, bytes: Uint8Array): void {
    const list = this.#list;
    const first = this.quoteFrom;
    const request = this.http;
    this.quoteFrom = -1;
    this.http = request || this.#httpBefore;
    if (list.count === first) return this.emptyValue(at);
    if (!this.#quoteIsValue || request || !list.isPlain(first)) return;
    joinValue(list, first, bytes);
    this.#forgetJoined();
  }

  /** Tokens were joined to one: among them, a bare number is no status. */
  #forgetJoined(): void {
    if (this.#bareStatus >= this.#list.count) this.#bareStatus = -1;
  }

  #closeValue(bytes: Uint8Array, at: number): void {
    const list = this.#list;
    const first = this.valueFrom;
    if (list.count > first && this.#rule !== MESSAGE_KEY && list.isPlain(first)) joinValue(list, first, bytes);
    // `key=a` and `key="a b"`: the quotes belong to the value, so that either makes the same template.
    if (this.#valueOpenedAt >= 0 && at >= 0 && list.count === first + 1 && list.kind[first] === SOFT)
      list.collapse(first, bytes, this.#valueOpenedAt, at + 1);
    this.#forgetJoined();
    this.valueFrom = -1;
    this.#rule = 0;
  }

  /** An absent value holds its position, so that lines with and without it have the same number of tokens. */
  emptyValue(at: number): void {
    this.expect = 0;
    this.#list.push(at, at, 0, SOFT);
  }

  /** A lone `-`: the usual sign for no value. */
  dash(at: number, byte = MINUS): void {
    this.expect = 0;
    this.#list.push(at, at + 1, mix(0, byte), SOFT);
  }

  /** A number that did not fit its field: `****`. */
  stars(from: number, to: number): void {
    this.expect = 0;
    let lane = 0;
    for (let i = from; i < to; i++) lane = mix(lane, STAR);
    this.#list.push(from, to, lane, SOFT);
  }
}

/** `0xx1xx2xx3xx4xx5xx`, as bytes. */
const CLASS_TEXT = Uint8Array.from({ length: 18 }, (_, i) => (i % 3 === 0 ? 0x30 + i / 3 : LOWER_X));
