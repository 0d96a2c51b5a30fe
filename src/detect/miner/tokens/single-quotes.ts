/**
 * Which `'` quote: one that opens and one that closes. Most are apostrophes.
 *
 *     joined network 'Coffee Shop', users' lists aren't full
 *                    ^           ^
 */
import { CLASS, SPACE, WORD_MAX } from './bytes.ts';

const SINGLE_QUOTE = 0x27;
const OPEN_PAREN = 0x28;
const COLON = 0x3a;
const EQUALS = 0x3d;
const OPEN_BRACKET = 0x5b;

export class SingleQuotes {
  /** Where the one stands that closes the text we are in, -1 in no such text. */
  #closesAt = -1;
  /** None from here on closes anything. */
  #end = 0;

  begin(): void {
    this.#closesAt = -1;
    this.#end = Number.MAX_SAFE_INTEGER;
  }

  /** The text we are in ends otherwise. */
  forget(): void {
    this.#closesAt = -1;
  }

  /** Inside of a text at `at`: a `"` there is part of it. */
  hold(at: number): boolean {
    return at < this.#closesAt;
  }

  /** Whether the `'` at `at` opens or closes a text. */
  quotes(bytes: Uint8Array, lineStart: number, at: number, limit: number, mayOpen: boolean): boolean {
    if (this.#closesAt >= 0 && at >= this.#closesAt) {
      this.#closesAt = -1;
      return true;
    }
    if (!mayOpen || at >= this.#end || !opensSingleQuote(bytes, lineStart, at, limit)) return false;
    const closesAt = closingSingleQuote(bytes, at + 1, limit);
    if (closesAt === limit) {
      this.#end = at;
      return false;
    }
    this.#closesAt = closesAt;
    return true;
  }
}

/** A `'` at `at` opens a quoted text: a blank, bracket, `=` or `:` before it, none behind it; the one in `isn't` or `users'` does not. */
function opensSingleQuote(bytes: Uint8Array, start: number, at: number, limit: number): boolean {
  if (at + 1 >= limit || CLASS[bytes[at + 1]!] === SPACE) return false;
  if (at === start) return true;
  const before = bytes[at - 1]!;
  if (CLASS[before] === SPACE || before === EQUALS || before === COLON) return true;
  return before === OPEN_PAREN || before === OPEN_BRACKET;
}

/** The `'` from `at` on that closes one: no word follows; `limit` when there is none. */
function closingSingleQuote(bytes: Uint8Array, at: number, limit: number): number {
  let i = at;
  while (i < limit && (bytes[i] !== SINGLE_QUOTE || (i + 1 < limit && CLASS[bytes[i + 1]!]! <= WORD_MAX))) i++;
  return i;
}
