/**
 * Brackets that hold one value, however many words it has, and sizes that are said twice. What a value is written with belongs to it:
 *
 *     ws=WorkSource{10113, 1}   ->   KEY ws | SOFT WorkSource{<*>}          tags: [a, b]   ->   HARD tags | SOFT [a, b]
 *     1190 bytes (1.16 KB)      ->   SOFT <*> bytes (<*> KB)
 */
import { HARD, MASK, NAME, SOFT } from './kinds.ts';
import type { TokenList } from './token-list.ts';

const OPEN_PARENTHESIS = 0x28;
const CLOSE_PARENTHESIS = 0x29;
const COMMA = 0x2c;
const LESS = 0x3c;
const GREATER = 0x3e;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export class Groups {
  readonly #list: TokenList;
  /** Index of the last field's value, -1 once something closed behind it. */
  #value = -1;
  /** Index of the first token of a group, -1 outside; where it opens, how deep we are in it, and what is known of it. */
  #from = -1;
  #openedAt = 0;
  #depth = 0;
  #isValue = false;
  /** It is `key=<value>`; elsewhere `<` and `>` are arrows and comparisons. */
  #isAngle = false;
  #hasComma = false;
  /** Indices of the last two numbers with a unit, and of the first token in the last parentheses; -1 for none. */
  #quantity = -1;
  #quantityBefore = -1;
  #parenthesis = -1;

  constructor(list: TokenList) {
    this.#list = list;
  }

  begin(): void {
    this.#value = -1;
    this.#from = -1;
    this.#isAngle = false;
    this.#quantity = -1;
    this.#quantityBefore = -1;
    this.#parenthesis = -1;
  }

  /** Inside of a bracket that may hold one value. */
  get isOpen(): boolean {
    return this.#from >= 0;
  }

  /** Token `index` is a field's value: a group that follows at once is part of it. */
  value(index: number): void {
    this.#value = index;
  }

  /** The last token is the unit of the number before it. */
  unit(bytes: Uint8Array): void {
    const number = this.#list.count - 2;
    this.#list.collapse(number, bytes);
    this.#quantityBefore = this.#quantity;
    this.#quantity = number;
  }

  /**
   * A byte that separates, outside of quotes.
   *
   * @param expected a field's value comes next
   */
  separator(bytes: Uint8Array, at: number, expected: boolean): void {
    const byte = bytes[at]!;
    if (byte === COMMA) {
      if (this.#depth === 1) this.#hasComma = true;
    } else if (byte === OPEN_BRACKET || byte === OPEN_BRACE || byte === OPEN_PARENTHESIS)
      this.#open(byte, at, expected);
    else if (byte === LESS && (this.#from < 0 ? expected : this.#isAngle)) this.#open(byte, at, expected);
    else if (byte === GREATER && this.#isAngle) this.#close(bytes, at);
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) this.#close(bytes, at);
    else if (byte === CLOSE_PARENTHESIS) {
      this.#joinQuantities(bytes, at + 1);
      this.#close(bytes, at);
    }
  }

  /** Past brackets from `at` on that only say how deep we are in a group, or close none: hundreds of them cost little more than their bytes. */
  nested(bytes: Uint8Array, at: number, limit: number): number {
    let i = at | 0;
    // Behind sizes a parenthesis may close one that is said twice.
    if (this.#isAngle || this.#quantity >= 0) return i;
    const end = limit | 0;
    const isOpen = this.#from >= 0;
    let depth = isOpen ? this.#depth | 0 : 0;
    for (; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === OPEN_BRACKET || byte === OPEN_BRACE || byte === OPEN_PARENTHESIS) {
        if (!isOpen) break;
        depth++;
      } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE || byte === CLOSE_PARENTHESIS) {
        // `()` may be an absent value.
        if (depth === 1 || (byte === CLOSE_PARENTHESIS && bytes[i - 1] === OPEN_PARENTHESIS)) break;
        if (isOpen) depth--;
      } else break;
    }
    if (isOpen) this.#depth = depth;
    return i;
  }

  #open(byte: number, at: number, expected: boolean): void {
    const list = this.#list;
    if (this.#from >= 0) {
      this.#depth++;
      return;
    }
    if (byte === OPEN_PARENTHESIS) this.#parenthesis = list.count;
    const behind = !expected && this.#value >= 0 && this.#value === list.count - 1 && list.end[this.#value] === at;
    this.#isValue = expected || behind;
    if (!this.#isValue && byte !== OPEN_BRACKET) return;
    this.#isAngle = byte === LESS;
    this.#openedAt = behind ? list.start[this.#value]! : at;
    this.#from = behind ? this.#value : list.count;
    this.#depth = 1;
    this.#hasComma = false;
  }

  #close(bytes: Uint8Array, at: number): void {
    const list = this.#list;
    if (this.#from < 0 || --this.#depth > 0) return;
    const first = this.#from;
    this.#from = -1;
    this.#isAngle = false;
    this.#value = -1;
    // A list in a sentence shows by its commas; states and fields inside say more than one value.
    if (!(this.#isValue || this.#hasComma) || !list.isPlain(first)) return;
    if (list.count === first) {
      if (!this.#isValue) return;
      list.push(at, at, 0, SOFT);
    }
    if (list.count > first + 1 || list.kind[first] !== MASK) list.collapse(first, bytes, this.#openedAt, at + 1);
  }

  #joinQuantities(bytes: Uint8Array, end: number): void {
    const inside = this.#parenthesis;
    if (inside !== this.#list.count - 1 || this.#quantity !== inside || this.#quantityBefore !== inside - 1) return;
    this.#list.collapse(inside - 1, bytes, undefined, end);
    this.#quantity = -1;
  }
}

/** Tokens from `first` on are one value. */
export function joinValue(list: TokenList, first: number, bytes: Uint8Array): void {
  if (list.count > first + 1) list.collapse(first, bytes);
  else if (list.kind[first] === HARD || list.kind[first] === NAME) list.kind[first] = SOFT;
}
