import { unescape } from './json/text.ts';

/** Scratch above this size is given back after use: one huge body must not pin its memory. */
const KEEP_BYTES = 262_144;

/** As many as requests are read at once in practice; more are garbage after use. */
const MAX_KEPT = 8;
const kept: TextScratch[] = [];

/** One for a reader that others get a turn between: what is written must stay while they write theirs. */
export function takeTextScratch(): TextScratch {
  return kept.pop() ?? new TextScratch();
}

/**
 * Where text that is not a slice of the request (map bodies, numbers, escaped JSON) becomes bytes. What is written is
 * valid until the next `reset`, that is, for one record.
 */
export class TextScratch {
  bytes = new Uint8Array(16_384);
  #used = 0;
  #view = Buffer.from(this.bytes.buffer);

  reset(): void {
    this.#used = 0;
    if (this.bytes.length > KEEP_BYTES) this.#resize(KEEP_BYTES);
  }

  /** Where the next text begins. */
  get end(): number {
    return this.#used;
  }

  /** Appends UTF-8 of `text`; returns where it ends (it starts where the last one ended). Earlier ranges stay valid in the new `bytes`. */
  write(text: string): number {
    const needed = this.#used + text.length * 3;
    if (needed > this.bytes.length) {
      const exact = this.#used + Buffer.byteLength(text);
      if (exact > this.bytes.length) this.#resize(Math.max(exact, this.bytes.length * 2));
    }
    this.#used += this.#view.write(text, this.#used);
    return this.#used;
  }

  /** Appends the UTF-8 of the JSON string in `from[start, end)`; returns where it ends. */
  writeUnescaped(from: Uint8Array, start: number, end: number): number {
    const most = this.#used + end - start;
    if (most > this.bytes.length) this.#resize(Math.max(most, this.bytes.length * 2));
    this.#used = unescape(from, start, end, this.bytes, this.#used);
    return this.#used;
  }

  /** Its holder is done with it. */
  giveBack(): void {
    this.reset();
    if (kept.length < MAX_KEPT) kept.push(this);
  }

  #resize(byteLength: number): void {
    const kept = this.bytes.subarray(0, this.#used);
    this.bytes = new Uint8Array(byteLength);
    this.bytes.set(kept);
    this.#view = Buffer.from(this.bytes.buffer);
  }
}
