/**
 * JSON (RFC 8259) over bytes, strictly and without building anything: a reader asks for the members it knows, and goes over the values
 * of all others.
 *
 * Nothing is decoded: a value is a range of the request. Going over a value may stop in the middle, inside a string as well, when the
 * slice of time is used up; names, numbers and white space are short ({@link MAX_TOKEN_BYTES}) and are read in one piece.
 */
import { Spelling, type Names } from './json-names.ts';
import { keyBucket } from './key-table.ts';
import { stringOf, unescape } from './json-text.ts';
import {
  ARRAY,
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  escapeEnd,
  isSpace,
  KIND_NAMES,
  KINDS,
  MAX_TOKEN_BYTES,
  notJson,
  NULL,
  OBJECT,
  OPEN_BRACE,
  OPEN_BRACKET,
  plainEnd,
  QUOTE,
  scalarEnd,
  SPACE,
  spaceEnd,
  STRING,
  tooLong,
  unexpected,
  wrongKind,
} from './json-lex.ts';
import { MAX_VALUE_BYTES } from './value-text.ts';

/** Answers of {@link JsonScanner.name} beside the places of known names. */
export const END = -1;
export const UNKNOWN = -2;

/** Go's encoding/json stops here, too. */
const MAX_DEPTH = 10_000;
/** Nearly every AnyValue is a string, written so. */
const STRING_VALUE = new Spelling('{"stringValue":"');
/** In such a value, where its text begins and how far before its end it ends. */
export const BEFORE_TEXT = STRING_VALUE.length;
export const AFTER_TEXT = 2;

/** Nearly every KeyValue is written so, up to its value. */
const KEY_HEAD = new Spelling('{"key":"');
const VALUE_HEAD = new Spelling('","value":');

/** Where {@link JsonScanner.value} is inside a value. */
const OUTSIDE = 0;
const BEFORE_VALUE = 1;
const IN_STRING = 2;
const IN_NAME = 3;
const AFTER_VALUE = 4;
const IN_STRING_VALUE = 5;

export class JsonScanner {
  readonly bytes: Uint8Array;
  /** The same memory, for making strings. */
  readonly buffer: Buffer;
  readonly #view: DataView;
  pos: number;
  /** Of the value last gone over: where it begins (it ends at `pos`), what it is, whether a string in it has an escape. */
  start = 0;
  kind = 0;
  escaped = false;
  /** It is `{"stringValue":"…"}`, written without white space: its text is {@link BEFORE_TEXT} from its start, {@link AFTER_TEXT} from its end. */
  isStringValue = false;
  /** A reference to a string table was met where none can be. */
  sawStrindex = false;
  /** An enum came by name. */
  sawEnumName = false;
  #stop: number;
  /** Objects and arrays end at `#stop`, too. */
  #isCut = false;
  /** A container was entered and nothing of it was read. */
  #fresh = false;
  #at = OUTSIDE;
  #depth = 0;
  /** Kinds of the containers that are open inside the value being gone over. */
  #open = new Uint8Array(32);

  /** @param request UTF-8, with or without byte order mark; invalid UTF-8 in strings passes */
  constructor(request: Uint8Array) {
    this.bytes = new Uint8Array(request.buffer, request.byteOffset, request.byteLength);
    this.buffer = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
    this.#view = new DataView(request.buffer, request.byteOffset, request.byteLength);
    this.pos = request[0] === 0xef && request[1] === 0xbb && request[2] === 0xbf ? 3 : 0;
    this.#stop = request.length;
  }

  /** {@link value} stops here; a position. */
  set stop(pos: number) {
    this.#stop = Math.min(pos, this.bytes.length);
  }

  /** {@link value} would stop at once. */
  get stopped(): boolean {
    return this.pos >= this.#stop;
  }

  /** The string last gone over, its first `maxBytes` bytes. */
  text(maxBytes = MAX_VALUE_BYTES): string {
    return stringOf(this.buffer, this.start + 1, this.textEnd, this.escaped, maxBytes);
  }

  /** The number, true, false or null last gone over as it is written. */
  get raw(): string {
    return this.buffer.toString('latin1', this.start, this.pos);
  }

  /** Where the text of the string last gone over ends. */
  get textEnd(): number {
    return this.#at === OUTSIDE ? this.pos - 1 : this.pos;
  }

  /**
   * Enters an object or array.
   * @returns false when it is null instead, which is then behind us
   * @throws {DecodeError} when it is something else
   */
  enter(kind: typeof OBJECT | typeof ARRAY, path: string): boolean {
    const byte = this.#next();
    if (byte === (kind === OBJECT ? OPEN_BRACE : OPEN_BRACKET)) {
      this.pos++;
      this.#fresh = true;
      return true;
    }
    const found = KINDS[byte]!;
    if (found === 0) throw unexpected(this.bytes, this.pos);
    if (found !== NULL) throw wrongKind(KIND_NAMES[kind]!, found, path);
    this.pos = scalarEnd(this.bytes, this.pos);
    return false;
  }

  /** Steps to the next member of the object that was entered: which of `names` it is, UNKNOWN, or END, which leaves the object. */
  name(names: Names): number {
    if (this.#isCut && this.pos >= this.#stop) return END;
    let byte = this.#next();
    if (byte === CLOSE_BRACE) {
      this.pos++;
      this.#fresh = false;
      return END;
    }
    if (this.#fresh) {
      this.#fresh = false;
      names.restart();
    } else {
      if (byte !== COMMA) throw unexpected(this.bytes, this.pos);
      this.pos++;
      byte = this.#next();
    }
    const { guess } = names;
    if (!guess.isAt(this.#view, this.pos)) return this.#otherName(names, byte);
    this.pos += guess.length;
    return names.takeGuess();
  }

  #otherName(names: Names, first: number): number {
    if (first !== QUOTE) throw unexpected(this.bytes, this.pos);
    const { bytes } = this;
    const start = this.pos + 1;
    const stop = this.#stop;
    this.#stop = Math.min(bytes.length, start + MAX_TOKEN_BYTES);
    this.escaped = false;
    const behind = this.#string(start);
    this.#stop = stop;
    if (behind < 0) throw tooLong('a name', start);
    this.pos = behind;
    if (this.#next() !== COLON) throw unexpected(this.bytes, this.pos);
    this.pos++;
    if (!this.escaped) return names.find(bytes, start, behind - 1, UNKNOWN);
    const name = new Uint8Array(behind - 1 - start);
    return names.find(name, 0, unescape(bytes, start, behind - 1, name, 0), UNKNOWN);
  }

  /** Steps to the next element of the array that was entered; false when there is none, which leaves the array. */
  element(): boolean {
    if (this.#isCut && this.pos >= this.#stop) return false;
    const byte = this.#next();
    if (byte === CLOSE_BRACKET) {
      this.pos++;
      this.#fresh = false;
      return false;
    }
    if (this.#fresh) this.#fresh = false;
    else {
      if (byte !== COMMA) throw unexpected(this.bytes, this.pos);
      this.pos++;
    }
    return true;
  }

  /**
   * Goes over one value of any kind and says in `start`, `kind` and `escaped` what it was.
   * @returns false when it came to `stop` first: to be called again, with a later one
   * @throws {DecodeError} when it is no JSON
   */
  value(): boolean {
    if (this.#at !== OUTSIDE) return this.#goOn();
    if (this.pos >= this.#stop && this.pos < this.bytes.length) return false;
    const byte = this.#next();
    this.start = this.pos;
    this.kind = KINDS[byte]!;
    this.escaped = false;
    this.isStringValue = false;
    if (this.kind === STRING) {
      const behind = this.#string(this.pos + 1);
      if (behind < 0) this.#at = IN_STRING;
      else this.pos = behind;
      return behind >= 0;
    }
    if (this.kind >= ARRAY) {
      if (STRING_VALUE.isAt(this.#view, this.pos)) return this.#stringValue(this.pos + BEFORE_TEXT);
      this.#at = BEFORE_VALUE;
      return this.#goOn();
    }
    this.pos = scalarEnd(this.bytes, this.pos);
    return true;
  }

  /**
   * Goes over a KeyValue that nobody wants.
   * @returns false when it may be wanted, or is not written in the usual way, or does not end before `stop`: nothing was read then
   */
  skipKeyValue(heads: Int16Array): boolean {
    const view = this.#view;
    const bytes = this.bytes;
    const stop = this.#stop;
    const start = this.pos;
    if (!KEY_HEAD.isAt(view, start)) return false;
    const keyStart = start + KEY_HEAD.length;
    const keyEnd = plainEnd(bytes, view, keyStart, stop);
    if (keyEnd === keyStart || !VALUE_HEAD.isAt(view, keyEnd)) return false;
    if (heads[keyBucket(keyEnd - keyStart, bytes[keyStart]!, bytes[keyEnd - 1]!)] !== -1) return false;
    const valueStart = keyEnd + VALUE_HEAD.length;
    if (!STRING_VALUE.isAt(view, valueStart)) return false;
    const end = plainEnd(bytes, view, valueStart + BEFORE_TEXT, stop);
    if (end + 3 > stop || bytes[end] !== QUOTE || bytes[end + 1] !== CLOSE_BRACE || bytes[end + 2] !== CLOSE_BRACE)
      return false;
    this.pos = end + 3;
    return true;
  }

  /**
   * Reads what lies in `[start, end)` once more, its first {@link MAX_VALUE_BYTES}, and comes back. Where it is cut, in there, every object and array
   * ends, and so does a string.
   */
  revisit<T>(start: number, end: number, read: () => T): T {
    const { pos: back } = this;
    const stop = this.#stop;
    const wasCut = this.#isCut;
    this.pos = start;
    this.#stop = Math.min(end, start + MAX_VALUE_BYTES);
    this.#isCut = true;
    this.#forget();
    const result = read();
    this.#forget();
    this.pos = back;
    this.#stop = stop;
    this.#isCut = wasCut;
    return result;
  }

  /** A cut leaves us in the middle of a value. */
  #forget(): void {
    this.#at = OUTSIDE;
    this.#depth = 0;
    this.#fresh = false;
  }

  /** @throws {DecodeError} when anything but white space follows */
  finish(): void {
    const { bytes } = this;
    const most = Math.min(bytes.length, this.pos + MAX_TOKEN_BYTES);
    while (this.pos < most && isSpace(bytes[this.pos]!)) this.pos++;
    if (this.pos < bytes.length) throw notJson('something follows its end', this.pos);
  }

  /** The rest of an AnyValue from inside its string on. */
  #stringValue(pos: number): boolean {
    const behind = this.#string(pos);
    if (behind < 0) {
      this.#at = IN_STRING_VALUE;
      return false;
    }
    if (this.bytes[behind] === CLOSE_BRACE) {
      this.pos = behind + 1;
      this.isStringValue = true;
      this.#at = OUTSIDE;
      return true;
    }
    this.#push(OBJECT);
    this.pos = behind;
    this.#at = AFTER_VALUE;
    return this.#goOn();
  }

  #goOn(): boolean {
    const bytes = this.bytes;
    for (;;) {
      switch (this.#at) {
        case IN_STRING_VALUE:
          return this.#stringValue(this.pos);
        case BEFORE_VALUE: {
          if (this.pos >= this.#stop && this.pos < bytes.length) return false;
          const byte = this.#next();
          if (byte === QUOTE) {
            this.pos++;
            this.#at = IN_STRING;
          } else if (byte === OPEN_BRACE) {
            this.#push(OBJECT);
            if (this.#next() === CLOSE_BRACE) this.#pop();
            else this.#beginName();
          } else if (byte === OPEN_BRACKET) {
            this.#push(ARRAY);
            if (this.#next() === CLOSE_BRACKET) this.#pop();
          } else {
            this.pos = scalarEnd(this.bytes, this.pos);
            this.#at = AFTER_VALUE;
          }
          break;
        }
        case IN_NAME: {
          const behind = this.#string(this.pos);
          if (behind < 0) return false;
          this.pos = behind;
          if (this.#next() !== COLON) throw unexpected(this.bytes, this.pos);
          this.pos++;
          this.#at = BEFORE_VALUE;
          break;
        }
        case IN_STRING: {
          const behind = this.#string(this.pos);
          if (behind < 0) return false;
          this.pos = behind;
          this.#at = AFTER_VALUE;
          break;
        }
        default: {
          if (this.#depth === 0) {
            this.#at = OUTSIDE;
            return true;
          }
          const byte = this.#next();
          const inObject = this.#open[this.#depth - 1] === OBJECT;
          if (byte === COMMA) {
            this.pos++;
            if (inObject) {
              this.#next();
              this.#beginName();
            } else this.#at = BEFORE_VALUE;
          } else if (byte === (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) this.#pop();
          else throw unexpected(this.bytes, this.pos);
        }
      }
    }
  }

  #beginName(): void {
    if (this.bytes[this.pos] !== QUOTE) throw unexpected(this.bytes, this.pos);
    this.pos++;
    this.#at = IN_NAME;
  }

  #push(kind: number): void {
    if (this.#depth === MAX_DEPTH) throw notJson(`more than ${MAX_DEPTH} levels`, this.pos);
    if (this.#depth === this.#open.length) {
      const open = new Uint8Array(this.#open.length * 4);
      open.set(this.#open);
      this.#open = open;
    }
    this.#open[this.#depth++] = kind;
    this.pos++;
  }

  #pop(): void {
    this.#depth--;
    this.pos++;
    this.#at = AFTER_VALUE;
  }

  /** The byte at `pos` once white space is behind. @throws {DecodeError} at the end */
  #next(): number {
    const byte = this.bytes[this.pos]!;
    return byte > SPACE ? byte : this.#space();
  }

  #space(): number {
    this.pos = spaceEnd(this.bytes, this.pos);
    return this.bytes[this.pos]!;
  }

  /** The end of the string whose rest begins at `pos`, behind its quote; -1 when it came to `stop`, which is then our position. */
  #string(pos: number): number {
    const bytes = this.bytes;
    const stop = this.#stop;
    for (;;) {
      pos = plainEnd(bytes, this.#view, pos, stop);
      if (pos >= stop) {
        if (pos >= bytes.length) throw unexpected(bytes, pos);
        this.pos = pos;
        return -1;
      }
      const byte = bytes[pos]!;
      if (byte === QUOTE) return pos + 1;
      if (byte !== BACKSLASH) throw notJson('a control character in a string', pos);
      this.escaped = true;
      pos = escapeEnd(bytes, pos);
    }
  }
}
