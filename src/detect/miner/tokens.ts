/**
 * One pass over the UTF-8 bytes of a line: split, mask and hash. No string is made here.
 *
 *     user=alice GET /cart/17 took 12ms   ->   KEY user | SOFT alice | HARD GET | HARD cart/<*> | HARD took | MASK <*>
 *
 * A word is a run of letters and digits; joiners (`_ - . / :` and others) hold the words of one token together and are dropped at
 * its ends; everything else separates. Numbers, hex, ids, addresses and dates inside a token become marks, neighbours one mark.
 */
import {
  BACKSLASH,
  CLASS,
  DIGIT,
  ESCAPE,
  HEX_LETTER,
  JOINER,
  NEWLINE,
  QUOTE,
  SEPARATOR,
  SPACE,
  WIDE,
  WORD_MAX,
} from './bytes.ts';
import { EXACT_PRIME, FOLD_PRIME, MARK_EXACT, MARK_FOLD, avalanche, mix } from './hash.ts';
import {
  DAY_HALF,
  HTTP,
  LEVEL_KEY,
  MESSAGE_KEY,
  MONTH,
  STATE,
  STATUS_KEY,
  UNIT,
  Vocabulary,
  WEEKDAY,
} from './vocabulary.ts';

import { FIXED, HARD, KEY, MASK, SOFT, STATUS, type Lanes, type Layout, type TokenLimits } from './kinds.ts';
import {
  LONGEST_ASCII_WORD,
  lineLimit,
  isId,
  isStatus,
  isFrame,
  isBare,
  isAlone,
  isEmptyGroup,
  afterEscape,
  closingQuote,
} from './rules.ts';

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

/** Behind `key=`: the value starts at the next byte or is empty. */
const AFTER_EQUALS = 1;
/** Behind `"key":`: blanks may come first. */
const AFTER_COLON = 2;

/** A state inside a path is part of a name, in a short compound (`login_failed`) it is a state. */
const MOST_WORDS_OF_A_STATE = 3;

const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const CLOSE_PAREN = 0x29;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const EQUALS = 0x3d;
const CAPITAL_H = 0x48;
const BRACE = 0x7b;
const LOWER_N = 0x6e;
const LOWER_X = 0x78;

/** Words that stand beside the numbers of a date. */
const DATE_PART = MONTH | WEEKDAY | DAY_HALF;

const NUL = 0;

/** The tokens of the last line scanned: a scan overwrites the one before, so all sources of a thread share one. */
export class Tokens {
  readonly exact: Int32Array;
  readonly fold: Int32Array;
  readonly kind: Uint8Array;
  /** Byte range of each token in the line's buffer. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  count = 0;
  /** Two lanes over the token count and all that the lines of one template must have in common. */
  leafExact = 0;
  leafFold = 0;
  /** Where reading ended: the bound in bytes or tokens, the line's end, or the end of the top frame. */
  scannedEnd = 0;

  /** Pairs of byte offsets; those of token i start at pair `#firstMark[i]`. */
  readonly #marks: Int32Array;
  readonly #firstMark: Int32Array;
  #markCount = 0;

  readonly limits: TokenLimits;
  readonly #vocabulary: Vocabulary;
  readonly #exactSeed: number;
  readonly #foldSeed: number;

  // State of the scan between two tokens.
  #json = false;
  /** AFTER_EQUALS, AFTER_COLON or 0: a field's value comes next. */
  #expect = 0;
  /** Meaning of the field name in force. */
  #rule = 0;
  /** Index of the first token of the quoted value we are in, -1 outside. */
  #valueFrom = -1;
  /** The line names a request's protocol version. */
  #http = false;
  /** First bare number that may be its status, -1 for none. */
  #bareStatus = -1;
  #prefixLeft = 0;

  constructor(limits: TokenLimits) {
    const { maxTokens, maxLineBytes, hashSeed } = limits;
    this.limits = limits;
    this.exact = new Int32Array(maxTokens);
    this.fold = new Int32Array(maxTokens);
    this.kind = new Uint8Array(maxTokens);
    this.start = new Int32Array(maxTokens);
    this.end = new Int32Array(maxTokens);
    this.#firstMark = new Int32Array(maxTokens + 1);
    this.#marks = new Int32Array(2 * maxLineBytes + 4);
    this.#vocabulary = new Vocabulary(hashSeed);
    this.#exactSeed = hashSeed ^ exactPrime;
    this.#foldSeed = hashSeed ^ foldPrime;
  }

  /** Reads the line `bytes[start, end)`: its first line and, when there are more, the second (of a stack trace the top frame). */
  scan(bytes: Uint8Array, start: number, end: number): void {
    const { maxTokens } = this.limits;
    const limit = lineLimit(bytes, start, end, this.limits.maxLineBytes);
    this.count = 0;
    this.#markCount = 0;
    this.#expect = 0;
    this.#rule = 0;
    this.#valueFrom = -1;
    this.#http = false;
    this.#bareStatus = -1;
    let i = start;
    while (i < limit && classOf[bytes[i]!] === spaceClass) i++;
    this.#json = i < limit && bytes[i] === BRACE;
    let lines = 0;
    let tokensBefore = 0;
    let frameFrom = -1;
    while (i < limit && this.count < maxTokens) {
      const kind = classOf[bytes[i]!]!;
      if (kind === spaceClass && this.#expect === 0) {
        i++;
      } else if (kind <= wordMax) {
        const simple = kind === digitClass ? this.#plainNumber(bytes, start, i, limit) : this.#plainWord(bytes, i, limit);
        i = simple || this.#token(bytes, start, i, limit);
      } else if (kind === NEWLINE) {
        if (!this.#json && this.count > tokensBefore) {
          if (++lines === 2) break;
          tokensBefore = this.count;
          if (isFrame(bytes, i + 1, limit)) frameFrom = this.count;
        }
        if (this.#expect === AFTER_EQUALS) this.#emptyValue(i);
        i++;
      } else if (kind === ESCAPE) {
        i = afterEscape(bytes, i, limit);
      } else if (kind === BACKSLASH && this.#valueFrom >= 0) {
        // `\n` in a quoted value: the same rule as for a line of its own.
        if (bytes[i + 1] === LOWER_N && this.count > this.#valueFrom && ++lines >= 2) i = closingQuote(bytes, i, limit);
        else i += 2;
      } else {
        if (kind === SEPARATOR && bytes[i] === CLOSE_PAREN && isEmptyGroup(bytes, start, i)) this.#emptyValue(i);
        else if (kind !== joinerClass) this.#separator(kind, i);
        else if (bytes[i] === MINUS && isAlone(bytes, start, i, limit)) this.#dash(i);
        i++;
      }
    }
    this.scannedEnd = Math.min(i, limit);
    if (this.#expect === AFTER_EQUALS) this.#emptyValue(this.scannedEnd);
    if (this.#valueFrom >= 0) this.#closeValue();
    if (frameFrom >= 0) {
      // The same exception from another place is another template.
      for (let t = frameFrom; t < this.count; t++) if (this.kind[t] === HARD) this.kind[t] = FIXED;
    }
    this.#firstMark[this.count] = this.#markCount;
    // Access logs put the status before or behind the request: the first bare number that can be one.
    if (this.#http && !this.#json && this.#bareStatus >= 0) this.#statusClass(bytes, this.#bareStatus);
    this.#placeLine();
  }

  /** Copies what a cluster needs of the line just scanned: three arrays and no string, a flood of new lines must stay cheap. */
  capture(bytes: Uint8Array, start: number): Layout {
    const count = this.count;
    const markCount = this.#markCount;
    const offsets = new Int32Array(3 * count + 1 + 2 * markCount);
    for (let i = 0; i < count; i++) {
      offsets[3 * i] = this.start[i]! - start;
      offsets[3 * i + 1] = this.end[i]! - start;
      offsets[3 * i + 2] = this.#firstMark[i]!;
    }
    offsets[3 * count] = markCount;
    for (let m = 0; m < 2 * markCount; m++) offsets[3 * count + 1 + m] = this.#marks[m]! - start;
    return { bytes: bytes.slice(start, this.scannedEnd), offsets, count };
  }

  /** Lanes and kinds of the line just scanned, as {@link Lanes}. */
  lanes(): Lanes {
    const count = this.count;
    const lanes = new Int32Array(3 * count);
    for (let i = 0; i < count; i++) {
      lanes[3 * i] = this.exact[i]!;
      lanes[3 * i + 1] = this.fold[i]!;
      lanes[3 * i + 2] = this.kind[i]!;
    }
    return lanes;
  }

  /** Both lanes of a stored token, as a scan would compute them; written to `lanes[3 * index]` and the place behind it. */
  hashToken(token: string, lanes: Lanes, index: number): void {
    let tokenExact = 0;
    let tokenFold = 0;
    for (let i = 0; i < token.length;) {
      const byte = token.charCodeAt(i);
      if (byte === 0) {
        tokenExact = mix(tokenExact, markExact);
        tokenFold = mix(tokenFold, markFold);
        i++;
      } else if (classOf[byte]! > wordMax) {
        tokenExact = mix(tokenExact, byte);
        tokenFold = mix(tokenFold, byte);
        i++;
      } else {
        let exactLane = this.#exactSeed;
        let foldLane = this.#foldSeed;
        for (; i < token.length && isWord(token.charCodeAt(i)); i++) {
          exactLane = Math.imul(exactLane ^ token.charCodeAt(i), exactPrime);
          foldLane = Math.imul(foldLane ^ (token.charCodeAt(i) | 0x20), foldPrime);
        }
        tokenExact = mix(tokenExact, exactLane);
        tokenFold = mix(tokenFold, foldLane);
      }
    }
    lanes[3 * index] = tokenExact;
    lanes[3 * index + 1] = tokenFold;
  }

  /** A template that the sender gives: one leaf of its own, found by its whole text. */
  scanGiven(bytes: Uint8Array, start: number, end: number): void {
    this.count = 0;
    this.#markCount = 0;
    const limit = lineLimit(bytes, start, end, this.limits.maxLineBytes);
    let exact = this.#exactSeed;
    let fold = ~this.#foldSeed;
    for (let i = start; i < limit; i++) {
      exact = mix(exact, bytes[i]!);
      fold = mix(fold, bytes[i]!);
    }
    this.scannedEnd = limit;
    this.leafExact = avalanche(~exact);
    this.leafFold = avalanche(fold);
  }

  /**
   * Sets `leafExact` and `leafFold` from tokens: their count, every field name, state and status with its position, and the
   * first `prefixWords` words.
   */
  placeInLeaf(lanes: Lanes): void {
    const count = lanes.length / 3;
    this.#beginLeaf(count);
    for (let i = 0; i < count; i++) this.#addToLeaf(i, lanes[3 * i + 2]!, lanes[3 * i]!, lanes[3 * i + 1]!);
    this.#endLeaf();
  }

  #placeLine(): void {
    this.#beginLeaf(this.count);
    for (let i = 0; i < this.count; i++) this.#addToLeaf(i, this.kind[i]!, this.exact[i]!, this.fold[i]!);
    this.#endLeaf();
  }

  #beginLeaf(count: number): void {
    this.leafExact = mix(this.#exactSeed, count);
    this.leafFold = mix(this.#foldSeed, count);
    this.#prefixLeft = this.limits.prefixWords;
  }

  #addToLeaf(index: number, kind: number, exact: number, fold: number): void {
    const word = kind === HARD || kind === FIXED;
    if (kind < FIXED && (!word || this.#prefixLeft <= 0)) return;
    if (word) this.#prefixLeft--;
    this.leafExact = mix(mix(this.leafExact, index), exact);
    this.leafFold = mix(mix(this.leafFold, index), fold);
  }

  #endLeaf(): void {
    this.leafExact = avalanche(this.leafExact);
    this.leafFold = avalanche(this.leafFold);
  }

  /**
   * The short way for what most tokens are: letters between blanks, no word of the list but a state, no field's value.
   * The same result as {@link #token}, for a third of its cost; 0 when it is not that simple.
   */
  #plainWord(bytes: Uint8Array, from: number, limit: number): number {
    if (this.#expect !== 0 || this.#valueFrom === this.count) return 0;
    let exact = this.#exactSeed;
    let fold = this.#foldSeed;
    let i = from;
    let kind = 0;
    while (i < limit && (kind = classOf[bytes[i]!]!) < digitClass) {
      const byte = bytes[i]!;
      exact = Math.imul(exact ^ byte, exactPrime);
      fold = Math.imul(fold ^ (byte | 0x20), foldPrime);
      i++;
    }
    if (i === from || i - from > LONGEST_ASCII_WORD || (i < limit && kind !== spaceClass)) return 0;
    const meaning = this.#vocabulary.meaning(fold);
    if ((meaning & ~STATE) !== 0) return 0;
    const index = this.count++;
    this.exact[index] = mix(0, exact);
    this.fold[index] = mix(0, fold);
    this.start[index] = from;
    this.end[index] = i;
    this.#firstMark[index] = this.#markCount;
    this.kind[index] = meaning === 0 ? HARD : FIXED;
    return i;
  }

  /** As {@link #plainWord}, for digits between blanks. */
  #plainNumber(bytes: Uint8Array, lineStart: number, from: number, limit: number): number {
    if (this.#expect !== 0 || this.#valueFrom === this.count) return 0;
    if (from > lineStart && classOf[bytes[from - 1]!] !== spaceClass) return 0;
    let i = from + 1;
    let kind = spaceClass;
    while (i < limit && (kind = classOf[bytes[i]!]!) === digitClass) i++;
    if (i < limit && kind !== spaceClass) return 0;
    const index = this.count++;
    const mark = this.#markCount++;
    this.#marks[2 * mark] = from;
    this.#marks[2 * mark + 1] = i;
    this.exact[index] = mix(0, markExact);
    this.fold[index] = mix(0, markFold);
    this.start[index] = from;
    this.end[index] = i;
    this.#firstMark[index] = mark;
    this.kind[index] = MASK;
    if (this.#bareStatus < 0 && isStatus(bytes, from, i) && isBare(bytes, lineStart, from, i, limit)) this.#bareStatus = index;
    return i;
  }

  /** One token from its first word on; returns where reading goes on. */
  #token(bytes: Uint8Array, lineStart: number, from: number, limit: number): number {
    const index = this.count;
    const marks = this.#marks;
    const firstMark = this.#markCount;
    let markCount = firstMark;
    let tokenStart = from;
    let tokenExact = 0;
    let tokenFold = 0;
    let words = 0;
    let afterMark = false;
    let literal = false;
    /** Classes of all its word bytes. */
    let bits = 0;
    let anyDigit = false;
    let state = false;
    let lastMeaning = 0;
    let i = from;
    let runStart = from;
    let tokenEnd: number;
    for (;;) {
      const wordStart = i;
      const isFirst = words === 0;
      let exact = this.#exactSeed;
      let fold = this.#foldSeed;
      let kind = classOf[bytes[i]!]!;
      /** Where the masked part begins; past the word when there is none. */
      let markStart = i;
      let meaning = 0;
      words++;
      if (kind === digitClass) {
        // Numbers need no hash: groups like 10.0.0.7:80 or 2026-11-22 are one run.
        for (;;) {
          i++;
          while (i < limit && (kind = classOf[bytes[i]!]!) === digitClass) i++;
          while (i < limit && (kind = classOf[bytes[i]!]!) <= wordMax) {
            bits |= kind;
            i++;
          }
          if (kind !== joinerClass || i + 1 >= limit || classOf[bytes[i + 1]!] !== digitClass) break;
          words++;
          i++;
        }
        anyDigit = true;
      } else {
        let wordBits = 0;
        do {
          wordBits |= kind;
          const byte = bytes[i]!;
          exact = Math.imul(exact ^ byte, exactPrime);
          fold = Math.imul(fold ^ (byte | 0x20), foldPrime);
          i++;
        } while (i < limit && (kind = classOf[bytes[i]!]!) <= wordMax && kind !== digitClass);
        const headEnd = i;
        markStart = i;
        if (kind === digitClass && i < limit) {
          const headExact = exact;
          const headFold = fold;
          let digits = 0;
          let turns = 0;
          let previous = 0;
          do {
            turns += ((kind ^ previous) & digitClass) >>> 2;
            previous = kind;
            digits += (kind & digitClass) >>> 2;
            wordBits |= kind;
            const byte = bytes[i]!;
            exact = Math.imul(exact ^ byte, exactPrime);
            fold = Math.imul(fold ^ (byte | 0x20), foldPrime);
            i++;
          } while (i < limit && (kind = classOf[bytes[i]!]!) <= wordMax);
          markStart = i;
          anyDigit = true;
          if (isId(wordBits, digits, turns, i - wordStart)) markStart = wordStart;
          else if (turns === 1 && (digits > 1 || i - wordStart < 3)) {
            markStart = headEnd;
            exact = headExact;
            fold = headFold;
          }
        } else {
          meaning = this.#vocabulary.meaning(fold);
          if (meaning !== 0) {
            if ((meaning & DATE_PART) !== 0 && i - wordStart <= 3) {
              const afterNumber = afterMark || (isFirst && index > 0 && this.kind[index - 1] === MASK);
              if (this.#isDatePart(bytes, i, limit, meaning, afterNumber)) markStart = wordStart;
            } else if ((meaning & HTTP) !== 0 && i < limit && bytes[i] === SLASH && bytes[wordStart] === CAPITAL_H)
              this.#http = true;
          } else if (i - wordStart > LONGEST_ASCII_WORD && (wordBits & WIDE) === 0) markStart = wordStart;
        }
        bits |= wordBits;
      }
      lastMeaning = meaning;

      if (markStart === wordStart && afterMark) {
        marks[2 * markCount - 1] = i;
      } else {
        let runEnd = wordStart;
        if (markStart === wordStart && wordStart > lineStart && isSign(bytes[wordStart - 1]!)) {
          // The sign belongs to the number, a dash between two words does not.
          if (isFirst) runEnd = runStart = tokenStart = wordStart - 1;
          else if (wordStart - runStart > 1) runEnd--;
        }
        for (let p = runStart; p < runEnd; p++) {
          tokenExact = mix(tokenExact, bytes[p]!);
          tokenFold = mix(tokenFold, bytes[p]!);
        }
        if (markStart > wordStart) {
          tokenExact = mix(tokenExact, exact);
          tokenFold = mix(tokenFold, fold);
          literal = true;
          // `host.info` is a name.
          if ((meaning & STATE) !== 0 && (isFirst || bytes[wordStart - 1] !== DOT)) state = true;
        }
        afterMark = markStart < i;
        if (afterMark) {
          tokenExact = mix(tokenExact, markExact);
          tokenFold = mix(tokenFold, markFold);
          marks[2 * markCount] = markStart > wordStart ? markStart : runEnd;
          marks[2 * markCount + 1] = i;
          markCount++;
        }
      }
      tokenEnd = runStart = i;
      while (i < limit && classOf[bytes[i]!] === joinerClass) i++;
      if (i >= limit || i === runStart || classOf[bytes[i]!]! > wordMax) break;
    }

    if (anyDigit && (bits & ~(HEX_LETTER | digitClass)) === 0 && words > 2 && tokenEnd - tokenStart > 10) {
      // UUID, MAC address: groups that happen to hold no digit belong to it.
      tokenExact = mix(0, markExact);
      tokenFold = mix(0, markFold);
      marks[2 * firstMark] = tokenStart;
      marks[2 * firstMark + 1] = tokenEnd;
      markCount = firstMark + 1;
      literal = false;
    }
    this.exact[index] = tokenExact;
    this.fold[index] = tokenFold;
    this.start[index] = tokenStart;
    this.end[index] = tokenEnd;
    this.#firstMark[index] = firstMark;
    this.#markCount = markCount;
    this.kind[index] = !literal ? MASK : state && words <= MOST_WORDS_OF_A_STATE ? FIXED : HARD;
    this.count = index + 1;
    return this.#afterToken(bytes, lineStart, limit, lastMeaning);
  }

  /** Is the token a field's name or value? */
  #afterToken(bytes: Uint8Array, lineStart: number, limit: number, meaning: number): number {
    const index = this.count - 1;
    const from = this.start[index]!;
    const at = this.end[index]!;
    if (this.kind[index] !== MASK) {
      const next = at < limit ? bytes[at]! : 0;
      const isName =
        next === EQUALS
          ? at + 1 >= limit || bytes[at + 1] !== EQUALS
          : (next === DOUBLE_QUOTE || next === SINGLE_QUOTE) && at + 1 < limit && bytes[at + 1] === COLON;
      if (isName) {
        this.kind[index] = KEY;
        this.#rule = meaning & (MESSAGE_KEY | LEVEL_KEY | STATUS_KEY);
        this.#expect = next === EQUALS ? AFTER_EQUALS : AFTER_COLON;
        // `"a": "x"` closes the quote of the name, `a=` opens none.
        return next === EQUALS ? at + 1 : at + 2;
      }
    }
    if (this.#expect !== 0) {
      this.#expect = 0;
      this.#value(bytes, index);
    } else if (this.#valueFrom === index) {
      this.#value(bytes, index);
    } else if ((meaning & UNIT) !== 0 && index > 0 && this.kind[index - 1] === MASK) {
      this.kind[index] = SOFT;
    } else if (this.#bareStatus < 0 && isStatus(bytes, from, at) && isBare(bytes, lineStart, from, at, limit)) {
      this.#bareStatus = index;
    }
    return at;
  }

  /** First token of a field's value. */
  #value(bytes: Uint8Array, index: number): void {
    const kind = this.kind[index];
    if (this.#rule === STATUS_KEY) this.#statusClass(bytes, index);
    else if (this.#rule === LEVEL_KEY && kind === MASK && this.end[index]! - this.start[index]! <= 3) {
      this.#replace(index, bytes, this.start[index]!, this.end[index]!);
      this.#markCount = this.#firstMark[index]!;
      this.kind[index] = FIXED;
    } else if (kind === HARD && this.#rule !== MESSAGE_KEY && this.#valueFrom < 0) this.kind[index] = SOFT;
  }

  #statusClass(bytes: Uint8Array, index: number): void {
    const from = this.start[index]!;
    if (!isStatus(bytes, from, this.end[index]!)) return;
    const digit = bytes[from]! - 0x30;
    this.#replace(index, CLASS_TEXT, 3 * digit, 3 * digit + 3);
    this.kind[index] = STATUS;
  }

  /** The token counts as the literal word `bytes[from, to)`. */
  #replace(index: number, bytes: Uint8Array, from: number, to: number): void {
    let exact = this.#exactSeed;
    let fold = this.#foldSeed;
    for (let i = from; i < to; i++) {
      exact = Math.imul(exact ^ bytes[i]!, exactPrime);
      fold = Math.imul(fold ^ (bytes[i]! | 0x20), foldPrime);
    }
    this.exact[index] = mix(0, exact);
    this.fold[index] = mix(0, fold);
  }

  #separator(kind: number, at: number): void {
    if (kind === QUOTE) {
      if (this.#valueFrom >= 0) {
        if (this.#valueFrom === this.count) this.#emptyValue(at);
        this.#closeValue();
      } else if (this.#expect !== 0) {
        this.#valueFrom = this.count;
      }
      this.#expect = 0;
    } else if (this.#expect === AFTER_EQUALS) {
      this.#emptyValue(at);
    } else if (kind === SEPARATOR) {
      this.#expect = 0;
    }
  }

  #closeValue(): void {
    const first = this.#valueFrom;
    if (this.count === first + 1 && this.kind[first] === HARD && this.#rule !== MESSAGE_KEY) this.kind[first] = SOFT;
    this.#valueFrom = -1;
    this.#rule = 0;
  }

  /** An absent value holds its position, so that lines with and without it have the same number of tokens. */
  #emptyValue(at: number): void {
    this.#expect = 0;
    this.#push(at, at, 0, SOFT);
  }

  /** A lone `-`: the usual sign for no value. */
  #dash(at: number): void {
    this.#expect = 0;
    this.#push(at, at + 1, mix(0, MINUS), SOFT);
  }

  #push(start: number, end: number, lane: number, kind: number): void {
    if (this.count === this.limits.maxTokens) return;
    const index = this.count++;
    this.exact[index] = lane;
    this.fold[index] = lane;
    this.start[index] = start;
    this.end[index] = end;
    this.kind[index] = kind;
    this.#firstMark[index] = this.#markCount;
  }

  /** Month, weekday or AM/PM that stands beside the numbers of a date; "may" and "sun" elsewhere are words. */
  #isDatePart(bytes: Uint8Array, at: number, limit: number, meaning: number, afterNumber: boolean): boolean {
    if (afterNumber && (meaning & (MONTH | DAY_HALF)) !== 0) return true;
    if ((meaning & (MONTH | WEEKDAY)) === 0) return false;
    let next = at;
    while (next < limit && next - at < 3 && classOf[bytes[next]!]! > wordMax) next++;
    if (next === at || next >= limit) return false;
    if (classOf[bytes[next]!] === digitClass) return true;
    if ((meaning & WEEKDAY) === 0 || next + 3 > limit) return false;
    let fold = this.#foldSeed;
    for (let i = next; i < next + 3; i++) fold = Math.imul(fold ^ (bytes[i]! | 0x20), foldPrime);
    return (this.#vocabulary.meaning(fold) & MONTH) !== 0;
  }
}

/** `0xx1xx2xx3xx4xx5xx`, as bytes. */
const CLASS_TEXT = Uint8Array.from({ length: 18 }, (_, i) => (i % 3 === 0 ? 0x30 + i / 3 : LOWER_X));

function isSign(byte: number): boolean {
  return byte === MINUS || byte === PLUS;
}

function isWord(byte: number): boolean {
  return byte !== NUL && classOf[byte]! <= wordMax;
}
