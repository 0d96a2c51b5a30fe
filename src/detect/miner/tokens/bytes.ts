/** What a byte is to the tokenizer. Letters and digits form words; joiners hold words of one token together; the rest separates. */
export const HEX_LETTER = 1;
export const LETTER = 2;
export const DIGIT = 4;
/** Any byte of a multi-byte UTF-8 character. */
export const WIDE = 8;
/** Largest class that is part of a word. */
export const WORD_MAX = 8;
export const JOINER = 16;
export const SPACE = 32;
export const NEWLINE = 33;
export const SEPARATOR = 34;
export const QUOTE = 35;
export const ESCAPE = 36;
export const BACKSLASH = 37;

/** byte -> class */
export const CLASS = byteClasses();

/** Two bytes as a little-endian number -> both classes, or-ed: at most {@link PAIR_MAX} where both are part of a word. Half the steps for long words. */
export const PAIR = pairClasses();
export const PAIR_MAX = HEX_LETTER | LETTER | DIGIT | WIDE;

function byteClasses(): Uint8Array {
  const table = new Uint8Array(256).fill(SPACE);
  const set = (characters: string, value: number): void => {
    for (const character of characters) table[character.charCodeAt(0)] = value;
  };
  table.fill(WIDE, 0x80);
  set('abcdefABCDEF', HEX_LETTER);
  set('ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ', LETTER);
  set('0123456789', DIGIT);
  set("_-./:@#+*$%!~^`'", JOINER);
  set('=,;()[]{}<>|&?', SEPARATOR);
  set('\n', NEWLINE);
  set('"', QUOTE);
  set('\x1b', ESCAPE);
  set('\\', BACKSLASH);
  return table;
}

function pairClasses(): Uint8Array {
  const table = new Uint8Array(65536);
  for (let pair = 0; pair < table.length; pair++) table[pair] = CLASS[pair & 0xff]! | CLASS[pair >>> 8]!;
  return table;
}
