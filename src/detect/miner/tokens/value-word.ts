/** One word of a line or of a stored token, read so that it can be compared with kept ones: nothing is allocated. */
import { MARK, mix } from './hash.ts';
import { byteString } from './layout.ts';
import type { TokenList } from './token-list.ts';

/** Bytes of a value that are kept; longer ones are told apart by their check. */
export const LONGEST_VALUE = 48;

class ValueWord {
  /** Over all bytes; equal in every process. */
  check = 0;
  readonly #kept = new Uint8Array(LONGEST_VALUE);
  #length = 0;

  clear(): void {
    this.check = 0;
    this.#length = 0;
  }

  push(byte: number): void {
    this.check = mix(this.check, byte);
    if (this.#length < LONGEST_VALUE) this.#kept[this.#length++] = byte;
  }

  /** Whether a kept value has the same first bytes. */
  is(text: string): boolean {
    if (text.length !== this.#length) return false;
    for (let i = 0; i < this.#length; i++) if (text.charCodeAt(i) !== this.#kept[i]) return false;
    return true;
  }

  /** The first bytes, one character per byte, {@link MARK} for every masked part. */
  text(): string {
    return byteString(this.#kept, 0, this.#length);
  }
}

/** The word read last. */
export const word = new ValueWord();

const mark = MARK.charCodeAt(0);

/** Reads token `index` of a scanned line. */
export function readToken(line: TokenList, index: number, bytes: Uint8Array): void {
  const lastMark = index + 1 < line.count ? line.firstMark[index + 1]! : line.markCount;
  const end = line.end[index]!;
  let at = line.start[index]!;
  word.clear();
  for (let m = line.firstMark[index]!; m < lastMark; m++) {
    for (; at < line.marks[2 * m]!; at++) word.push(bytes[at]!);
    word.push(mark);
    at = line.marks[2 * m + 1]!;
  }
  for (; at < end; at++) word.push(bytes[at]!);
}

/** Reads a token as it is stored. */
export function readText(text: string): void {
  word.clear();
  for (let i = 0; i < text.length; i++) word.push(text.charCodeAt(i));
}
