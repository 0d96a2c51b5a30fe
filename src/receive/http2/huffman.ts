/** The one Huffman code of HPACK (RFC 7541, section 5.2 and appendix B), which clients write header strings in. */
import { CODE, Http2Error } from './frames.ts';

/** Bits of each symbol's code: bytes 0 to 255, then the end of the string. */
// prettier-ignore
const CODE_BITS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const END = 256;
const MIN_BITS = 5;
const MAX_BITS = 30;

/**
 * The code is canonical: codes of one length follow one another in the order of their symbols, and begin where those a bit shorter end.
 * `symbols[from[n] + k]` is the k-th symbol of n bits, whose code is `first[n] + k`.
 */
const first = new Int32Array(MAX_BITS + 1);
const count = new Int32Array(MAX_BITS + 1);
const from = new Int32Array(MAX_BITS + 1);
const symbols = CODE_BITS.map((_, symbol) => symbol).sort((a, b) => CODE_BITS[a]! - CODE_BITS[b]! || a - b);
for (const bits of CODE_BITS) count[bits]!++;
for (let bits = 1; bits <= MAX_BITS; bits++) {
  first[bits] = (first[bits - 1]! + count[bits - 1]!) << 1;
  from[bits] = from[bits - 1]! + count[bits - 1]!;
}

/** @throws {Http2Error} when `bytes[start, end)` is no Huffman string */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.allocUnsafe(Math.ceil(((end - start) * 8) / MIN_BITS));
  let length = 0;
  let code = 0;
  let bits = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      bits++;
      const offset = code - first[bits]!;
      if (offset < count[bits]!) {
        const symbol = symbols[from[bits]! + offset]!;
        if (symbol === END) throw broken();
        text[length++] = symbol;
        code = bits = 0;
      } else if (bits === MAX_BITS) throw broken();
    }
  }
  // Filled up with the beginning of the end's code, which is all ones, and by less than a byte.
  if (bits > 7 || code !== (1 << bits) - 1) throw broken();
  return text.toString('latin1', 0, length);
}

function broken(): Http2Error {
  return new Http2Error(CODE.compressionError, 'a header string is no Huffman code');
}
