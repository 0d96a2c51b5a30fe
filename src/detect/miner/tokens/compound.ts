/**
 * One token: words held together by joiners. Numbers, hex, ids, addresses and dates in it become marks, neighbours one mark.
 *
 *     /var/log/app-17   ->   var/log/app-<*>        10.0.0.7:80   ->   <*>        3fa1-77-beef   ->   <*>
 */
import { CLASS, DIGIT, HEX_LETTER, JOINER, WIDE, WORD_MAX } from './bytes.ts';
import type { Fields } from './fields.ts';
import { EXACT_PRIME, FOLD_PRIME, MARK_EXACT, MARK_FOLD, mix } from './hash.ts';
import { LONGEST_ASCII_WORD, chainEnd, isDigitsId, isDoubleColon, isId, isNumber } from './ids.ts';
import { FIXED, HARD, MASK, NAME, SOFT } from './kinds.ts';
import { followsMethod, isContext, isName, isSign, queryEnd } from './rules.ts';
import type { TokenList } from './token-list.ts';
import { BOOLEAN, DAY_HALF, HTTP, MONTH, STATE, WEEKDAY, type Vocabulary } from './vocabulary.ts';

// V8 folds a module's own constants into the code but loads imported ones at every use: a fifth of a scan, measured.
const classOf = CLASS;
const wordMax = WORD_MAX;
const digitClass = DIGIT;
const hexLetter = HEX_LETTER;
const joinerClass = JOINER;
const exactPrime = EXACT_PRIME;
const foldPrime = FOLD_PRIME;
const markExact = MARK_EXACT;
const markFold = MARK_FOLD;

/** A state inside a path is part of a name, in a short compound (`login_failed`) it is a state. */
const MOST_WORDS_OF_A_STATE = 3;
/** Longer ones are no path that anybody wrote: in a flood of them a line is turned away at its first word. */
const MOST_WORDS_OF_A_NAME = 8;
/** Words that stand beside the numbers of a date. */
const DATE_PART = MONTH | WEEKDAY | DAY_HALF;

const NOT_HEX = ~(HEX_LETTER | DIGIT);

const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const QUESTION = 0x3f;
const CAPITAL_H = 0x48;

export class CompoundReader {
  readonly #list: TokenList;
  readonly #fields: Fields;
  readonly #vocabulary: Vocabulary;

  constructor(list: TokenList, fields: Fields, vocabulary: Vocabulary) {
    this.#list = list;
    this.#fields = fields;
    this.#vocabulary = vocabulary;
  }

  /** One token from its first word on; returns where reading goes on, -1 when its first word shows that the line is not wanted. */
  read(bytes: Uint8Array, lineStart: number, first: number, lineLimit: number): number {
    const list = this.#list;
    const from = first | 0;
    const limit = lineLimit | 0;
    const index = list.count;
    const marks = list.marks;
    const firstMark = list.markCount;
    let markCount = firstMark;
    let tokenStart = from;
    let tokenExact = 0;
    let tokenFold = 0;
    let words = 0;
    let afterMark = false;
    let literal = false;
    /** Classes of all its word bytes. */
    let bits = 0;
    let state = false;
    let lastMeaning = 0;
    let head = 0;
    let dots = 0;
    let colon = false;
    /** Some word ends with a digit or holds one: `eth0`, `scsi1`. */
    let numbered = false;
    /** No chain of hex groups begins before here. */
    let noChainBefore = from;
    let slashes = from > lineStart && bytes[from - 1] === SLASH ? 1 : 0;
    let i = from;
    let runStart = from;
    let tokenEnd: number;
    for (;;) {
      const wordStart = i;
      const isFirst = words === 0;
      let exact = list.exactSeed | 0;
      let fold = list.foldSeed | 0;
      let kind = classOf[bytes[i]!]!;
      /** Where the masked part begins; past the word when there is none. */
      let markStart = i;
      let meaning = 0;
      words++;
      // No name and no state: what comes decides nothing, and a line that nobody wants is not read to the end of a token that may be all of it.
      if (words === MOST_WORDS_OF_A_NAME + 1 && literal && list.leaf.wanted !== null)
        if (this.#fields.isOutside() && this.#fields.isSettled() && list.leaf.firstWord() < 0)
          if (!list.leaf.isWanted(index, head)) return -1;
      if (kind === digitClass) {
        // Numbers need no hash: groups like 10.0.0.7:80 or 2026-11-22 are one run.
        const wordsBefore = words;
        let letters = 0;
        for (;;) {
          i++;
          while (i < limit && (kind = classOf[bytes[i]!]!) === digitClass) i++;
          while (i < limit && (kind = classOf[bytes[i]!]!) <= wordMax) {
            letters |= kind;
            i++;
          }
          if (words === wordsBefore && letters !== 0 && isDigitsId(bytes, wordStart, letters)) break;
          if (kind !== joinerClass || i + 1 >= limit) break;
          kind = classOf[bytes[i + 1]!]!;
          if (kind !== digitClass) {
            if (kind === hexLetter || isDoubleColon(bytes, i, limit)) letters |= hexLetter;
            break;
          }
          words++;
          i++;
        }
        if ((letters & hexLetter) !== 0 && wordStart >= noChainBefore) {
          const chain = chainEnd(bytes, wordStart, limit);
          if (chain > 0) {
            i = chain;
            words = wordsBefore;
          } else noChainBefore = -chain;
        }
        bits |= letters | digitClass;
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
          numbered = true;
          if (isId(wordBits, digits, turns, i - wordStart)) markStart = wordStart;
          else if (turns === 1 && (digits > 1 || i - wordStart < 3)) {
            markStart = headEnd;
            exact = headExact;
            fold = headFold;
          }
        } else {
          meaning = this.#vocabulary.meaning(fold, bytes, wordStart, i);
          if (meaning !== 0) {
            if ((meaning & DATE_PART) !== 0 && i - wordStart <= 3) {
              const afterNumber = afterMark || (isFirst && index > 0 && list.kind[index - 1] === MASK);
              if (this.#isDatePart(bytes, i, limit, meaning, afterNumber)) markStart = wordStart;
            } else if ((meaning & HTTP) !== 0 && i < limit && bytes[i] === SLASH && bytes[wordStart] === CAPITAL_H)
              this.#fields.http = true;
          } else if (i - wordStart > LONGEST_ASCII_WORD && (wordBits & WIDE) === 0) markStart = wordStart;
        }
        if ((wordBits & NOT_HEX) === 0 && wordStart >= noChainBefore) {
          const chain = chainEnd(bytes, wordStart, limit);
          if (chain > 0) {
            i = chain;
            markStart = wordStart;
            meaning = 0;
          } else noChainBefore = -chain;
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
          if (!literal) {
            literal = true;
            head = exact;
          }
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
      if (
        words === 1 &&
        i + 1 < limit &&
        bytes[i] === COLON &&
        literal &&
        !afterMark &&
        (bits & NOT_HEX) !== 0 &&
        (bits & digitClass) === 0 &&
        this.#fields.isOutside() &&
        this.#fields.quoteFrom < 0 &&
        classOf[bytes[i + 1]!]! <= wordMax
      ) {
        colon = true;
        break;
      }
      if (words === 1 && literal && list.leaf.wanted !== null && isLong(bytes, i, limit))
        if (this.#fields.isOutside() && this.#fields.isSettled() && list.leaf.firstWord() < 0)
          if (!list.leaf.isWanted(index, head)) return -1;
      while (i < limit && classOf[bytes[i]!] === joinerClass) i++;
      if (i >= limit || i === runStart || classOf[bytes[i]!]! > wordMax) break;
      if (i === runStart + 1) {
        if (bytes[runStart] === DOT) dots++;
        else if (bytes[runStart] === SLASH) slashes++;
      }
    }

    // `url=/cart?page=2&sort=name`: what stands behind the path belongs to the value. In a request, `GET /cart?user=7`, the names tell requests apart.
    let query = 0;
    if (slashes > 0 && tokenEnd < limit && bytes[tokenEnd] === QUESTION && !followsMethod(bytes, lineStart, tokenStart))
      query = queryEnd(bytes, tokenEnd, limit);
    if (query > 0) {
      tokenExact = mix(mix(tokenExact, QUESTION), markExact);
      tokenFold = mix(mix(tokenFold, QUESTION), markFold);
      marks[2 * markCount] = tokenEnd + 1;
      marks[2 * markCount + 1] = query;
      markCount++;
      tokenEnd = query;
    }
    list.head[index] = head;
    list.exact[index] = tokenExact;
    list.fold[index] = tokenFold;
    list.start[index] = tokenStart;
    list.end[index] = tokenEnd;
    list.firstMark[index] = firstMark;
    list.markCount = markCount;
    let kind = HARD;
    if (!literal) kind = MASK;
    else if (state && words <= MOST_WORDS_OF_A_STATE) kind = FIXED;
    else if (words === 1 && (lastMeaning & BOOLEAN) !== 0) kind = SOFT;
    else if (words <= MOST_WORDS_OF_A_NAME && isName(bytes, tokenEnd, dots, slashes)) kind = slashes > 0 ? SOFT : NAME;
    else if (words <= MOST_WORDS_OF_A_NAME && (numbered || markCount > firstMark)) kind = NAME;
    else if (isContext(bytes, tokenStart, tokenEnd, limit) && list.isMasked()) kind = NAME;
    list.kind[index] = kind;
    list.count = index + 1;
    // The first slash of a path belongs to it, as it does where the path is nothing else.
    if (kind === SOFT && tokenStart > lineStart && bytes[tokenStart - 1] === SLASH)
      list.collapse(index, bytes, tokenStart - 1);
    if (colon) {
      this.#fields.colonKey(lastMeaning);
      return tokenEnd + 1;
    }
    return this.#fields.afterToken(bytes, lineStart, limit, lastMeaning);
  }

  /** Month, weekday or AM/PM that stands beside the numbers of a date; "may" and "sun" elsewhere are words. */
  #isDatePart(bytes: Uint8Array, at: number, limit: number, meaning: number, afterNumber: boolean): boolean {
    if (afterNumber && (meaning & (MONTH | DAY_HALF)) !== 0) return true;
    if ((meaning & (MONTH | WEEKDAY)) === 0) return false;
    let next = at;
    while (next < limit && next - at < 3 && classOf[bytes[next]!]! > wordMax) next++;
    if (next === at || next >= limit) return false;
    // `Sun Dec-06-2026`: another chain of hex groups there is of the same shape, and no month.
    if ((meaning & WEEKDAY) !== 0 && chainEnd(bytes, next, limit) > 0) this.#fields.beyondShape = true;
    if (classOf[bytes[next]!] === digitClass) return isNumber(bytes, next, limit);
    if ((meaning & WEEKDAY) === 0 || next + 3 > limit) return false;
    if (next + 3 < limit && classOf[bytes[next + 3]!]! <= wordMax) return false;
    let fold = this.#list.foldSeed | 0;
    for (let i = next; i < next + 3; i++) fold = Math.imul(fold ^ (bytes[i]! | 0x20), foldPrime);
    return (this.#vocabulary.meaning(fold, bytes, next, next + 3) & MONTH) !== 0;
  }
}

/** Whether a token goes on at `at` with so many words that it is no name, whatever they are: nothing of them is hashed. */
function isLong(bytes: Uint8Array, at: number, lineLimit: number): boolean {
  const limit = lineLimit | 0;
  let i = at | 0;
  for (let words = 1; words <= MOST_WORDS_OF_A_NAME; words++) {
    const end = i;
    while (i < limit && classOf[bytes[i]!] === joinerClass) i++;
    let bits = 0;
    let kind = 0;
    while (i < limit && (kind = classOf[bytes[i]!]!) <= wordMax) {
      bits |= kind;
      i++;
    }
    // Digits and hex may be groups of one number or id.
    if (i === end || (bits & NOT_HEX) === 0 || (bits & digitClass) !== 0) return false;
  }
  return true;
}
