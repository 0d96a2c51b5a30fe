import { describe, expect, test } from 'vitest';
import { Http2Error } from '../../../src/receive/http2/frames.ts';
import { encodeHeaders, HeaderDecoder, MAX_LIST_BYTES } from '../../../src/receive/http2/hpack.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const read = (decoder: HeaderDecoder, block: Buffer): string[] =>
  decoder.decode(block).map(({ name, value }) => `${name}: ${value}`);

const REQUESTS = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
  [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
];
const LOCATION = 'location: https://www.example.com';
const COOKIE = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';

describe("RFC 7541's examples", () => {
  test.each([
    [
      'C.3, literal strings',
      [
        '828684410f7777772e6578616d706c652e636f6d',
        '828684be58086e6f2d6361636865',
        '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
      ],
    ],
    [
      'C.4, Huffman strings',
      [
        '828684418cf1e3c2e5f23a6ba0ab90f4ff',
        '828684be5886a8eb10649cbf',
        '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
      ],
    ],
  ])('%s', (_name, blocks) => {
    const decoder = new HeaderDecoder();
    expect(blocks.map((block) => read(decoder, hex(block)))).toEqual(REQUESTS);
  });

  test('C.6, a table of 256 bytes that evicts', () => {
    const decoder = new HeaderDecoder();
    decoder.decode(hex('3fe101'));
    const blocks = [
      '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
      '4883640effc1c0bf',
      '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ];
    const date = 'date: Mon, 21 Oct 2013 20:13:';
    expect(blocks.map((block) => read(decoder, hex(block)))).toEqual([
      [':status: 302', 'cache-control: private', `${date}21 GMT`, LOCATION],
      [':status: 307', 'cache-control: private', `${date}21 GMT`, LOCATION],
      [':status: 200', 'cache-control: private', `${date}22 GMT`, LOCATION, 'content-encoding: gzip', COOKIE],
    ]);
  });
});

test('what we write reads back, also values longer than one byte of length says', () => {
  const headers = { ':status': 200, 'grpc-status': 3, 'grpc-message': 'x'.repeat(126), long: 'y'.repeat(5000) };
  expect(read(new HeaderDecoder(), encodeHeaders(headers))).toEqual(
    Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  );
});

test('an entry larger than the table empties it and is no error', () => {
  const decoder = new HeaderDecoder();
  decoder.decode(hex('828684410f7777772e6578616d706c652e636f6d'));
  const large = Buffer.concat([hex('40'), encodeHeaders({ large: 'x'.repeat(5000) }).subarray(1)]);
  expect(decoder.decode(large)).toHaveLength(1);
  expect(() => decoder.decode(hex('be'))).toThrow(/there is no header 62/);
});

test.each([
  ['index 0', '80'],
  ['an index that nothing has', 'be'],
  ['an integer without an end', 'ffffffffffffffffff'],
  ['an integer that is cut off', 'ff80'],
  ['a string that is cut off', '400561'],
  ['a name without a value', '400161'],
  ['a table larger than we allow', '3fe21f'],
  ['a table that changes its size behind a header', '8220'],
  ['Huffman padding of zeros', '4001618100'],
  ['Huffman padding of a whole byte', '400161821fff'],
  ["Huffman's end of a string within one", '40016184ffffffff'],
])('%s is a compression error', (_name, block) => {
  expect(() => new HeaderDecoder().decode(hex(block))).toThrow(Http2Error);
  expect(() => new HeaderDecoder().decode(hex(block))).toThrow(expect.objectContaining({ code: 9 }) as Error);
});

test('a block that stands for more text than it has bytes is bounded', () => {
  const decoder = new HeaderDecoder();
  decoder.decode(Buffer.concat([hex('40'), encodeHeaders({ k: 'x'.repeat(4000) }).subarray(1)]));
  const times = Math.ceil(MAX_LIST_BYTES / 4000);
  expect(() => decoder.decode(Buffer.alloc(times, 0xbe))).toThrow(expect.objectContaining({ code: 11 }) as Error);
});

test('random blocks are read or refused, never anything else', () => {
  let seed = 7;
  const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 16;
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    const block = Buffer.from(Array.from({ length: 1 + (next() % 40) }, () => next() & 0xff));
    try {
      for (const { name, value } of new HeaderDecoder().decode(block)) expect(typeof (name + value)).toBe('string');
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(1000);
  expect(refused).toBeLessThan(20_000);
});
