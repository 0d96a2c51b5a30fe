import { avalanche, foldWord } from './hash.ts';
import {
  BOOLEANS,
  DAY_HALVES,
  LEVEL_KEYS,
  MESSAGE_KEYS,
  MONTHS,
  PROTOCOL,
  STATE_WORDS,
  STATUS_KEYS,
  UNITS,
  WEEKDAYS,
} from './words.ts';

/** What a word can mean; a word may have several (bits). */
export const STATE = 1;
export const MONTH = 2;
export const WEEKDAY = 4;
export const DAY_HALF = 8;
export const MESSAGE_KEY = 16;
export const LEVEL_KEY = 32;
export const STATUS_KEY = 64;
export const UNIT = 128;
export const HTTP = 256;
export const BOOLEAN = 512;

/** At most a third full, so that a word which is not on the list costs one look. */
const TABLE_BITS = 14;

/** The word list keyed by the tokenizer's own hash: looking a word up makes no string. Open addressing, linear probing. */
export class Vocabulary {
  readonly #folds = new Int32Array(1 << TABLE_BITS);
  /** 0 = empty. */
  readonly #meanings = new Uint16Array(1 << TABLE_BITS);
  /** Index of each slot's word. */
  readonly #indices = new Uint16Array(1 << TABLE_BITS);
  readonly #words: string[] = [];

  constructor(seed: number) {
    this.#add(seed, STATE_WORDS, STATE);
    this.#add(seed, MONTHS.split(' '), MONTH);
    this.#add(seed, WEEKDAYS.split(' '), WEEKDAY);
    this.#add(seed, DAY_HALVES.split(' '), DAY_HALF);
    this.#add(seed, MESSAGE_KEYS.split(' '), MESSAGE_KEY);
    this.#add(seed, LEVEL_KEYS.split(' '), LEVEL_KEY);
    this.#add(seed, STATUS_KEYS.split(' '), STATUS_KEY);
    this.#add(seed, UNITS.split(' '), UNIT);
    this.#add(seed, [PROTOCOL], HTTP);
    this.#add(seed, BOOLEANS.split(' '), BOOLEAN);
  }

  /** Meanings of the word `bytes[from, to)` with this fold lane, 0 for an ordinary word. */
  meaning(fold: number, bytes: Uint8Array, from: number, to: number): number {
    const meanings = this.#meanings;
    let slot = avalanche(fold) >>> (32 - TABLE_BITS);
    let meaning = meanings[slot]!;
    // Of a million words one has the lane of some word of the list, another one under every seed: replicas must agree.
    while (
      meaning !== 0 &&
      !(this.#folds[slot] === fold && isWord(this.#words[this.#indices[slot]!]!, bytes, from, to))
    ) {
      slot = (slot + 1) & ((1 << TABLE_BITS) - 1);
      meaning = meanings[slot]!;
    }
    return meaning;
  }

  #add(seed: number, words: Iterable<string>, meaning: number): void {
    for (const word of words) {
      const fold = foldWord(word, seed);
      let slot = avalanche(fold) >>> (32 - TABLE_BITS);
      while (this.#meanings[slot] !== 0 && this.#words[this.#indices[slot]!] !== word)
        slot = (slot + 1) & ((1 << TABLE_BITS) - 1);
      if (this.#meanings[slot] === 0) this.#indices[slot] = this.#words.push(word) - 1;
      this.#folds[slot] = fold;
      this.#meanings[slot]! |= meaning;
    }
  }
}

/** Whether `bytes[from, to)` are a lower-case ASCII word, in any case. */
function isWord(word: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (word.length !== to - from) return false;
  for (let i = 0; i < word.length; i++) if (word.charCodeAt(i) !== (bytes[from + i]! | 0x20)) return false;
  return true;
}
