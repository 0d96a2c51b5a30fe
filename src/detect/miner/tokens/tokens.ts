/**
 * One pass over the UTF-8 bytes of a line: split, mask and hash. No string is made here.
 *
 *     user=alice GET /cart/17 took 12ms   ->   KEY user | SOFT alice | HARD GET | HARD cart/<*> | HARD took | MASK <*>
 *
 * A word is a run of letters and digits; joiners (`_ - . / :` and others) hold the words of one token together and are dropped at
 * its ends; everything else separates. `compound.ts` reads a token, `fields.ts` knows names and values.
 */
import { BACKSLASH, CLASS, DIGIT, ESCAPE, JOINER, NEWLINE, SEPARATOR, SPACE, WORD_MAX } from './bytes.ts';
import { CompoundReader } from './compound.ts';
import { AFTER_EQUALS, Fields } from './fields.ts';
import { EXACT_PRIME, FOLD_PRIME, MARK_EXACT, MARK_FOLD, mix } from './hash.ts';
import { LONGEST_ASCII_WORD } from './ids.ts';
import { FIXED, HARD, MASK, NAME, SOFT, type TokenLimits } from './kinds.ts';
import { afterEscape, closingQuote, isAlone, isEmptyGroup, isFrame, lineLimit, splitsWord } from './rules.ts';
import { Shape } from './shape.ts';
import { TokenList } from './token-list.ts';
import { STATE, Vocabulary } from './vocabulary.ts';

// V8 folds a module's own constants into the code but loads imported ones at every use: a fifth of a scan, measured.
const classOf = CLASS;
const wordMax = WORD_MAX;
const digitClass = DIGIT;
const joinerClass = JOINER;
const spaceClass = SPACE;
const exactPrime = EXACT_PRIME;
const foldPrime = FOLD_PRIME;
const markExact = MARK_EXACT;
const markFold = MARK_FOLD;

const SINGLE_QUOTE = 0x27;
const CLOSE_PAREN = 0x29;
const STAR = 0x2a;
const COMMA = 0x2c;
const MINUS = 0x2d;
const SLASH = 0x2f;
const BRACE = 0x7b;
const LOWER_N = 0x6e;

/** The scratch of a thread: everything that is known of the line it looks at. */
export class Tokens {
  readonly list: TokenList;
  readonly fields: Fields;
  /** The cheap look at a line that comes before a scan. */
  readonly shape: Shape;
  readonly #vocabulary: Vocabulary;
  readonly #compounds: CompoundReader;

  // Where reading stopped, for scanRest.
  #at = 0;
  #json = false;
  #lines = 0;
  #tokensBefore = 0;
  #frameFrom = -1;
  /** The second line, or what counts as one, has been read to its end. */
  #isRead = false;

  constructor(limits: TokenLimits) {
    this.list = new TokenList(limits);
    this.fields = new Fields(this.list);
    this.shape = new Shape(limits.hashSeed);
    this.#vocabulary = new Vocabulary(limits.hashSeed);
    this.#compounds = new CompoundReader(this.list, this.fields, this.#vocabulary);
  }

  /** Reads the line `bytes[lineStart, lineEnd)`: its first line and, when there are more, the second (of a stack trace the top frame). */
  scan(bytes: Uint8Array, lineStart: number, lineEnd: number): void {
    this.#begin(bytes, lineStart, lineEnd, null);
    this.scanRest(bytes, lineStart, lineEnd);
  }

  /** Reads only so far as to know whether the line begins like one of these. */
  begins(bytes: Uint8Array, lineStart: number, lineEnd: number, beginnings: ReadonlyMap<number, unknown>): boolean {
    this.#begin(bytes, lineStart, lineEnd, beginnings);
    return this.#read(bytes, lineStart, lineEnd, beginnings);
  }

  /** Reads the rest of a line after {@link begins}. */
  scanRest(bytes: Uint8Array, lineStart: number, lineEnd: number): void {
    const list = this.list;
    const fields = this.fields;
    if (!this.#isRead) this.#read(bytes, lineStart, lineEnd, null);
    list.scannedEnd = Math.min(this.#at, lineLimit(bytes, lineStart, lineEnd, list.limits.maxLineBytes));
    fields.finish(bytes, list.scannedEnd, this.#json);
    if (this.#frameFrom >= 0) {
      // The same exception from another place is another template.
      for (let t = this.#frameFrom; t < list.count; t++)
        if (list.kind[t] === HARD || list.kind[t] === SOFT || list.kind[t] === NAME) list.kind[t] = FIXED;
    }
    list.firstMark[list.count] = list.markCount;
    list.leaf.ofLine();
  }

  #begin(bytes: Uint8Array, start: number, end: number, beginnings: ReadonlyMap<number, unknown> | null): void {
    this.list.count = 0;
    this.list.markCount = 0;
    this.list.leaf.wanted = beginnings;
    this.fields.begin();
    const limit = lineLimit(bytes, start, end, this.list.limits.maxLineBytes);
    let at = start;
    while (at < limit && classOf[bytes[at]!] === spaceClass) at++;
    this.#at = at;
    this.#json = at < limit && bytes[at] === BRACE;
    this.#lines = 0;
    this.#tokensBefore = 0;
    this.#frameFrom = -1;
    this.#isRead = false;
  }

  /** Goes on reading. @returns with `beginnings`, whether the line begins like one of them */
  #read(
    bytes: Uint8Array,
    lineStart: number,
    lineEnd: number,
    beginnings: ReadonlyMap<number, unknown> | null,
  ): boolean {
    const list = this.list;
    const fields = this.fields;
    const start = lineStart | 0;
    const maxTokens = list.limits.maxTokens | 0;
    const limit = lineLimit(bytes, start, lineEnd | 0, list.limits.maxLineBytes) | 0;
    const json = this.#json;
    let i = this.#at | 0;
    let lines = this.#lines | 0;
    while (i < limit && list.count < maxTokens) {
      const kind = classOf[bytes[i]!]!;
      if (kind === spaceClass && fields.expect === 0) {
        i++;
      } else if (kind <= wordMax) {
        const simple =
          kind === digitClass ? this.#plainNumber(bytes, start, i, limit) : this.#plainWord(bytes, i, limit);
        i = simple || this.#compounds.read(bytes, start, i, limit) | 0;
        if (beginnings !== null) {
          if (i < 0) return false;
          const first = fields.isSettled() ? list.leaf.firstWord() : -1;
          if (first >= 0) {
            this.#at = i;
            this.#lines = lines;
            return list.leaf.isWanted(first, list.head[first]!);
          }
        }
      } else if (kind === NEWLINE) {
        if (!json && list.count > this.#tokensBefore) {
          if (++lines === 2) {
            this.#isRead = true;
            break;
          }
          this.#tokensBefore = list.count;
          if (isFrame(bytes, i + 1, limit)) this.#frameFrom = list.count;
        }
        if (fields.expect === AFTER_EQUALS) fields.emptyValue(i);
        i++;
      } else if (kind === ESCAPE) {
        fields.beyondShape = true;
        i = afterEscape(bytes, i, limit);
      } else if (kind === BACKSLASH && (fields.valueFrom >= 0 || fields.quoteFrom >= 0)) {
        if (splitsWord(bytes, i + 1, limit)) fields.beyondShape = true;
        // `\n` in a quoted value: the same rule as for a line of its own.
        if (bytes[i + 1] === LOWER_N && fields.valueFrom >= 0 && list.count > fields.valueFrom && ++lines >= 2)
          i = closingQuote(bytes, i, limit);
        else i += 2;
      } else {
        if (kind === SEPARATOR && bytes[i] === CLOSE_PAREN && isEmptyGroup(bytes, start, i)) fields.emptyValue(i);
        else if (kind !== joinerClass) {
          fields.separator(kind, i, bytes);
          i = fields.nested(bytes, i + 1, limit) - 1;
        } else if (bytes[i] === SINGLE_QUOTE) fields.singleQuote(bytes, start, i, limit);
        else if ((bytes[i] === MINUS || bytes[i] === SLASH) && isAlone(bytes, start, i, limit))
          fields.dash(i, bytes[i]!);
        else if (
          bytes[i] === STAR &&
          i + 1 < limit &&
          bytes[i + 1] === STAR &&
          (i === start || classOf[bytes[i - 1]!] === spaceClass)
        ) {
          const from = i;
          while (i < limit && bytes[i] === STAR) i++;
          if (i >= limit || classOf[bytes[i]!] === spaceClass) fields.stars(from, i);
          i--;
        }
        i++;
      }
    }
    this.#at = i;
    this.#lines = lines;
    // Words behind a bracket or quote that nobody closed were not asked for.
    return beginnings === null || beginnings.has(0) || list.leaf.firstWord() >= 0 || this.#frameFrom >= 0;
  }

  /**
   * The short way for what most tokens are: letters between blanks, no word of the list but a state, no field's value.
   * The same result as {@link CompoundReader.read}, for a third of its cost; 0 when it is not that simple.
   */
  #plainWord(bytes: Uint8Array, first: number, lineLimit: number): number {
    const list = this.list;
    const fields = this.fields;
    const from = first | 0;
    // Longer ones are ids: there is no need to read on.
    const limit = Math.min(lineLimit, from + LONGEST_ASCII_WORD + 1) | 0;
    if (fields.expect !== 0 || fields.valueFrom === list.count) return 0;
    if (from > 0 && bytes[from - 1] === SLASH) return 0;
    let exact = list.exactSeed | 0;
    let fold = list.foldSeed | 0;
    let i = from;
    let kind = 0;
    while (i < limit && (kind = classOf[bytes[i]!]!) < digitClass) {
      const byte = bytes[i]!;
      exact = Math.imul(exact ^ byte, exactPrime);
      fold = Math.imul(fold ^ (byte | 0x20), foldPrime);
      i++;
    }
    if (i === from || i - from > LONGEST_ASCII_WORD || (i < limit && kind !== spaceClass)) return 0;
    const meaning = this.#vocabulary.meaning(fold, bytes, from, i);
    if ((meaning & ~STATE) !== 0) return 0;
    const index = list.count++;
    list.head[index] = exact;
    list.exact[index] = mix(0, exact);
    list.fold[index] = mix(0, fold);
    list.start[index] = from;
    list.end[index] = i;
    list.firstMark[index] = list.markCount;
    list.kind[index] = meaning === 0 ? HARD : FIXED;
    return i;
  }

  /** As {@link #plainWord}, for digits between blanks. */
  #plainNumber(bytes: Uint8Array, lineStart: number, first: number, lineLimit: number): number {
    const list = this.list;
    const fields = this.fields;
    const from = first | 0;
    const limit = lineLimit | 0;
    if (fields.expect !== 0 || fields.valueFrom === list.count) return 0;
    if (from > lineStart && classOf[bytes[from - 1]!] !== spaceClass) return 0;
    if (list.count > 0 && bytes[list.end[list.count - 1]!] === COMMA) return 0;
    let i = from + 1;
    let kind = spaceClass;
    while (i < limit && (kind = classOf[bytes[i]!]!) === digitClass) i++;
    if (i < limit && kind !== spaceClass) return 0;
    const index = list.count++;
    const mark = list.markCount++;
    list.marks[2 * mark] = from;
    list.marks[2 * mark + 1] = i;
    list.exact[index] = mix(0, markExact);
    list.fold[index] = mix(0, markFold);
    list.start[index] = from;
    list.end[index] = i;
    list.firstMark[index] = mark;
    list.kind[index] = MASK;
    fields.bareNumber(bytes, lineStart, from, i, limit, index);
    return i;
  }
}
