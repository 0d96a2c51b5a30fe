/**
 * JSON (RFC 8259) over bytes, strictly and without building anything: a value is a range of the request. Readers step to the values they
 * want (walk.ts) and let all others be gone over.
 *
 * Going over a value may stop in the middle, inside a string as well, when the slice of time is used up; names, numbers and white space are
 * short and are read in one piece.
 */
import { Spelling } from './names.ts';
import { stringOf } from './text.ts';
import {
  ARRAY,
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  escapeEnd,
  KINDS,
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
  unexpected,
} from './lex.ts';
import { MAX_VALUE_BYTES } from '../value-text.ts';

/** Go's encoding/json stops here, too. */
const MAX_DEPTH = 10_000;
/** Nearly every AnyValue is a string, written so. */
export const STRING_VALUE = new Spelling('{"stringValue":"');
/** In such a value, where its text begins and how far before its end it ends. */
export const BEFORE_TEXT = STRING_VALUE.length;
export const AFTER_TEXT = 2;

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
  readonly view: DataView;
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
  /** {@link value} stops here; a position inside the request or at its end. */
  stop: number;
  /** Objects and arrays end at `stop`, too. */
  isCut = false;
  /** A container was entered and nothing of it was read. */
  isFresh = false;
  #at = OUTSIDE;
  #depth = 0;
  /** Kinds of the containers that are open inside the value being gone over. */
  #open = new Uint8Array(32);

  /** @param request UTF-8, with or without byte order mark; invalid UTF-8 in strings passes */
  constructor(request: Uint8Array) {
    this.bytes = new Uint8Array(request.buffer, request.byteOffset, request.byteLength);
    this.buffer = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
    this.view = new DataView(request.buffer, request.byteOffset, request.byteLength);
    this.pos = request[0] === 0xef && request[1] === 0xbb && request[2] === 0xbf ? 3 : 0;
    this.stop = request.length;
  }

  /** {@link value} would stop at once. */
  get stopped(): boolean {
    return this.pos >= this.stop;
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
   * Goes over one value of any kind and says in `start`, `kind` and `escaped` what it was.
   * @returns false when it came to `stop` first: to be called again, with a later one. Until then it is null if nothing of it was read
   * @throws {DecodeError} when it is no JSON
   */
  value(): boolean {
    if (this.#at !== OUTSIDE) return this.#goOn();
    this.start = this.pos;
    this.kind = NULL;
    this.escaped = false;
    this.isStringValue = false;
    if (this.pos >= this.stop && this.pos < this.bytes.length) return false;
    const byte = this.next();
    this.start = this.pos;
    this.kind = KINDS[byte]!;
    if (this.kind === STRING) {
      const behind = this.stringEnd(this.pos + 1, this.stop);
      if (behind < 0) this.#at = IN_STRING;
      else this.pos = behind;
      return behind >= 0;
    }
    if (this.kind >= ARRAY) {
      if (STRING_VALUE.isAt(this.view, this.pos)) return this.#stringValue(this.pos + BEFORE_TEXT);
      this.#at = BEFORE_VALUE;
      return this.#goOn();
    }
    this.pos = scalarEnd(this.bytes, this.pos);
    return true;
  }

  /** Leaves the value that it is in the middle of. */
  forget(): void {
    this.#at = OUTSIDE;
    this.#depth = 0;
    this.isFresh = false;
  }

  /** The rest of an AnyValue from inside its string on. */
  #stringValue(pos: number): boolean {
    const behind = this.stringEnd(pos, this.stop);
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
          if (this.pos >= this.stop && this.pos < bytes.length) return false;
          const byte = this.next();
          if (byte === QUOTE) {
            this.pos++;
            this.#at = IN_STRING;
          } else if (byte === OPEN_BRACE) {
            this.#push(OBJECT);
            if (this.next() === CLOSE_BRACE) this.#pop();
            else this.#beginName();
          } else if (byte === OPEN_BRACKET) {
            this.#push(ARRAY);
            if (this.next() === CLOSE_BRACKET) this.#pop();
          } else {
            this.pos = scalarEnd(this.bytes, this.pos);
            this.#at = AFTER_VALUE;
          }
          break;
        }
        case IN_NAME: {
          const behind = this.stringEnd(this.pos, this.stop);
          if (behind < 0) return false;
          this.pos = behind;
          if (this.next() !== COLON) throw unexpected(this.bytes, this.pos);
          this.pos++;
          this.#at = BEFORE_VALUE;
          break;
        }
        case IN_STRING: {
          const behind = this.stringEnd(this.pos, this.stop);
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
          const byte = this.next();
          const inObject = this.#open[this.#depth - 1] === OBJECT;
          if (byte === COMMA) {
            this.pos++;
            if (inObject) {
              this.next();
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
  next(): number {
    const byte = this.bytes[this.pos]!;
    if (byte > SPACE) return byte;
    this.pos = spaceEnd(this.bytes, this.pos);
    return this.bytes[this.pos]!;
  }

  /** The end of the string whose rest begins at `pos`, behind its quote; -1 when it came to `stop`, which is then our position. */
  stringEnd(pos: number, stop: number): number {
    const bytes = this.bytes;
    for (;;) {
      pos = plainEnd(bytes, this.view, pos, stop);
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
