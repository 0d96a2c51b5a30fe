/** Seeded damage to byte strings. */

export interface Random {
  /** 0 <= integer < `below` */
  (below: number): number;
}

/** mulberry32 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** Bytes at which parsers go wrong: ends of varints, group tags, quotes and brackets, frame flags. */
const INTERESTING = [0x00, 0x01, 0x07, 0x0a, 0x0b, 0x0c, 0x12, 0x22, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xff];
const HUGE_VARINT = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
/** What JSON readers look at: names, escapes, starts of values. */
const WORDS = [
  '{"stringValue":"',
  '"key":"',
  '"value":',
  '"kvlistValue":{"values":[',
  '"arrayValue":{"values":[',
  '"intValue":"-9223372036854775808"',
  '"bytesValue":"',
  '"message"',
  '"resource":{"attributes":[',
  '"scopeLogs":[',
  '"logRecords":[{',
  '"timeUnixNano":"',
  'null',
  '\\u0000',
  '\\ud83d\\ude00',
  '\\ud800',
  '\\',
  '},{',
  ']}',
  '1e400',
  ' \n\t',
].map((word) => Buffer.from(word));
const MAX_BYTES = 65_536;
/** Once in so many inputs a piece is repeated until it reaches beyond slices, cuts and the limit of a body. */
const RARELY = 150;
const MAX_REPEATED_BYTES = 1_600_000;

/** One to four random changes to `input`, sometimes with a piece of `other`. */
export function mutate(input: Buffer, other: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(input);
  for (let changes = random(2) === 0 ? 1 : 1 + random(4); changes > 0; changes--) bytes = change(bytes, other, random);
  bytes = bytes.subarray(0, MAX_BYTES);
  return random(RARELY) === 0 ? repeatPiece(bytes, random) : bytes;
}

function change(bytes: Buffer, other: Buffer, random: Random): Buffer {
  const at = random(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random(16));
  const replace = (...parts: Uint8Array[]): Buffer =>
    Buffer.concat([bytes.subarray(0, at), ...parts, bytes.subarray(end)]);
  switch (random(11)) {
    case 0:
      if (at < bytes.length) bytes[at]! ^= 1 << random(8);
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = INTERESTING[random(INTERESTING.length)]!;
      return bytes;
    case 2:
      return replace();
    case 3:
      return replace(bytes.subarray(at, end), bytes.subarray(at, end));
    case 4:
      return bytes.subarray(0, at);
    case 5:
      return replace(HUGE_VARINT);
    case 6: {
      const from = random(other.length + 1);
      return replace(other.subarray(from, from + random(64)));
    }
    case 7:
    case 8:
      return replace(WORDS[random(WORDS.length)]!);
    case 9:
      return replace(Buffer.alloc(1 + random(40), INTERESTING[random(INTERESTING.length)]));
    default:
      return Buffer.concat([bytes, other.subarray(0, random(other.length + 1))]);
  }
}

function repeatPiece(bytes: Buffer, random: Random): Buffer {
  const at = random(bytes.length + 1);
  const piece = bytes.subarray(at, at + 1 + random(40));
  if (piece.length === 0) return bytes;
  return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(random(MAX_REPEATED_BYTES), piece), bytes.subarray(at)]);
}
