/**
 * The built-in embedder: signed feature hashing (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML
 * 2009, eq. 2), 768 dimensions, no model, no download.
 *
 *     "Failed to open <*> for NullPointerException 17"
 *      words    failed, to, open, for, null, pointer, exception; and nullpointerexception, the compound
 *      bigrams  failed to, to open, open for, for null, null pointer, pointer exception
 *      grams    3-5 characters of every ^word$ (compounds whole): ^fa, fai, ail, …, ^fail, …
 *
 *     b_j = Σ over features f with h(f) = j of ±weight(f)        v_j = sign(b_j)·√|b_j|        v / ‖v‖
 *
 * The root keeps a word that a template repeats, or a long template's many grams, from drowning the rest. Weights are the squares
 * of the influence meant, because the root is taken afterwards: word 2, bigram 1, gram 1/2.
 */
import type { Embedder } from './embedder.ts';

export const HASHING_DIMENSIONS = 768;

const WORD_WEIGHT = 4;
const BIGRAM_WEIGHT = 1;
const GRAM_WEIGHT = 0.25;

/** Longer texts are read to here (UTF-16 units): one text may not hold up the event loop. */
const MAX_TEXT = 8_192;
/** Between two looks at the event loop: as long as a request may decode. */
const SLICE_MS = 4;
const CLOCK_EVERY = 16;

const WORD_SEED = 0x811c9dc5;
const BIGRAM_SEED = 0x2f0b4c47;
const GRAM_SEED = 0x5bd1e995;
const RAW_SEED = 0x1b873593;
const FNV_PRIME = 0x01000193;
const BOUNDARY = 0x5e; // ^ before and after a word; it never occurs inside one

/** One compound word, lower-cased, with a boundary on each side. */
const compound = new Uint16Array(MAX_TEXT + 2);
const sums = new Float64Array(HASHING_DIMENSIONS);

/** Embeds `text` into `out` (length 768): a unit vector, equal for equal texts on every machine, never zero. */
export function hashEmbed(text: string, out: Float32Array): void {
  sums.fill(0);
  addWords(text);
  if (!damp(out)) {
    // Nothing but numbers, placeholders and punctuation (or features that cancelled out): the raw characters decide.
    sums.fill(0);
    addRaw(text);
    damp(out);
  }
}

/** The embedder around {@link hashEmbed}; gives the event loop a turn about every 4 ms. */
export function hashingEmbedder(): Embedder {
  const identity = 'hashing-1';
  return {
    identity,
    fingerprint: `${identity}:${HASHING_DIMENSIONS}`,
    dimensions: HASHING_DIMENSIONS,
    remote: false,
    async embed(texts, signal) {
      const vectors: Float32Array[] = [];
      let sliceStart = performance.now();
      for (const [index, text] of texts.entries()) {
        const vector = new Float32Array(HASHING_DIMENSIONS);
        hashEmbed(text, vector);
        vectors.push(vector);
        if (index % CLOCK_EVERY !== CLOCK_EVERY - 1 || performance.now() - sliceStart < SLICE_MS) continue;
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        sliceStart = performance.now();
      }
      return vectors;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Cuts `text` into compounds of letters, those into camelCase parts, and adds all features. Everything else separates. */
function addWords(text: string): void {
  const end = Math.min(text.length, MAX_TEXT);
  let previousPart = 0;
  let position = 0;
  while (position < end) {
    const code = text.charCodeAt(position);
    if (code === 0x3c) {
      position = placeholderEnd(text, position);
      continue;
    }
    if (!isLetter(code)) {
      position++;
      continue;
    }
    const start = position;
    let length = 0;
    let parts = 0;
    let part = WORD_SEED;
    compound[length++] = BOUNDARY;
    for (; position < end; position++) {
      const letter = text.charCodeAt(position);
      if (!isLetter(letter)) break;
      if (position > start && startsPart(text, position)) {
        previousPart = addPart(part, previousPart);
        parts++;
        part = WORD_SEED;
      }
      const lower = isUpper(letter) ? letter | 0x20 : letter;
      compound[length++] = lower;
      part = Math.imul(part ^ lower, FNV_PRIME);
    }
    previousPart = addPart(part, previousPart);
    compound[length++] = BOUNDARY;
    if (parts > 0) add(hashRange(WORD_SEED, 1, length - 1), WORD_WEIGHT);
    addGrams(length);
  }
}

function addPart(part: number, previousPart: number): number {
  add(part, WORD_WEIGHT);
  if (previousPart !== 0)
    add(Math.imul(Math.imul(previousPart ^ BIGRAM_SEED, FNV_PRIME) ^ part, FNV_PRIME), BIGRAM_WEIGHT);
  return part;
}

/** Character 3-, 4- and 5-grams of `compound[0..length)`; a word of one letter has one: ^a^. */
function addGrams(length: number): void {
  for (let start = 0; start + 3 <= length; start++) {
    const three = hashRange(GRAM_SEED, start, start + 3);
    add(three, GRAM_WEIGHT);
    if (start + 4 > length) continue;
    const four = Math.imul(three ^ compound[start + 3]!, FNV_PRIME);
    add(four, GRAM_WEIGHT);
    if (start + 5 <= length) add(Math.imul(four ^ compound[start + 4]!, FNV_PRIME), GRAM_WEIGHT);
  }
}

/** Features of a text without words: that it is one, and its characters with digits made equal. */
function addRaw(text: string): void {
  add(RAW_SEED, WORD_WEIGHT);
  const end = Math.min(text.length, MAX_TEXT);
  for (let position = 0; position < end; position++) {
    const code = text.charCodeAt(position);
    add(Math.imul(RAW_SEED ^ (isDigit(code) ? 0x30 : code), FNV_PRIME), GRAM_WEIGHT);
  }
  // All of them may cancel each other out; one more of the first feature cannot.
  if (sums.every((sum) => sum === 0)) add(RAW_SEED, WORD_WEIGHT);
}

function add(hash: number, weight: number): void {
  const mixed = finalMix(hash);
  const bucket = (mixed >>> 1) % HASHING_DIMENSIONS;
  sums[bucket] = sums[bucket]! + ((mixed & 1) === 0 ? weight : -weight);
}

/** Square-root damping and L2 norm; false when everything is zero. Σ (√|b|)² = Σ |b|, so one pass gives the norm. */
function damp(out: Float32Array): boolean {
  let total = 0;
  for (let index = 0; index < HASHING_DIMENSIONS; index++) total += Math.abs(sums[index]!);
  if (total === 0) return false;
  const scale = 1 / Math.sqrt(total);
  for (let index = 0; index < HASHING_DIMENSIONS; index++) {
    const sum = sums[index]!;
    out[index] = sum < 0 ? -Math.sqrt(-sum) * scale : Math.sqrt(sum) * scale;
  }
  return true;
}

/** FNV-1a over UTF-16 units of the compound. */
function hashRange(seed: number, start: number, end: number): number {
  let hash = seed;
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ compound[index]!, FNV_PRIME);
  return hash;
}

/** MurmurHash3's 32-bit finalizer: FNV alone leaves its low bits correlated with the last character. */
function finalMix(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** The position behind `<*>` or `<name>` (a to z and _), else behind the `<`. `<started|stopped>` keeps its words. */
function placeholderEnd(text: string, start: number): number {
  let position = start + 1;
  if (text.charCodeAt(position) === 0x2a) position++;
  else while (isPlaceholderLetter(text.charCodeAt(position)) && position - start <= 16) position++;
  return position > start + 1 && text.charCodeAt(position) === 0x3e ? position + 1 : start + 1;
}

/** nullPointer: before the P; HTTPServer: before the S. */
function startsPart(text: string, position: number): boolean {
  if (!isUpper(text.charCodeAt(position))) return false;
  if (!isUpper(text.charCodeAt(position - 1))) return true;
  const next = text.charCodeAt(position + 1);
  return next >= 0x61 && next <= 0x7a;
}

/** ASCII letters, and everything beyond ASCII: a script we know nothing about is kept, whole. */
function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || isUpper(code) || code >= 0x80;
}

function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isPlaceholderLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || code === 0x5f;
}
