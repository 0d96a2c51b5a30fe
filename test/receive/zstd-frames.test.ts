import { Readable, pipeline } from 'node:stream';
import { constants, createZstdDecompress, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { cutAtFrameEnds } from '../../src/receive/zstd-frames.ts';

function skippable(size: number): Buffer {
  const frame = Buffer.alloc(8 + size, 7);
  frame.writeUInt32LE(0x184d2a53, 0);
  frame.writeUInt32LE(size, 4);
  return frame;
}

async function decompressed(bytes: Buffer, chunkBytes: number): Promise<Buffer> {
  const chunks = (async function* () {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  })();
  const decoder = createZstdDecompress();
  pipeline(Readable.from(cutAtFrameEnds(chunks)), decoder, () => {}); // its error is the decoder's, too
  return Buffer.concat(await Array.fromAsync(decoder as AsyncIterable<Buffer>));
}

const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24));
const contents = [
  Buffer.from('one'),
  Buffer.alloc(0),
  Buffer.alloc(500_000, 'x'),
  noise,
  noise.subarray(0, 70_000),
  Buffer.from('last'),
];
const frames = contents.map((content, i) =>
  zstdCompressSync(content, {
    params: {
      [constants.ZSTD_c_checksumFlag]: i % 2,
      [constants.ZSTD_c_contentSizeFlag]: i % 3 === 0 ? 1 : 0,
      [constants.ZSTD_c_compressionLevel]: 1 + i,
    },
  }),
);
const whole = Buffer.concat([skippable(3), ...frames.slice(0, 3), skippable(0), ...frames.slice(3), skippable(1000)]);

test.each([1, 7, 4096, 65_536, 10_000_000])(
  'every frame is read, whatever the chunks (%i bytes)',
  async (chunkBytes) => {
    const bytes =
      chunkBytes < 4096
        ? Buffer.concat([skippable(3), frames[0]!, frames[1]!, frames[2]!, skippable(0), frames[5]!])
        : whole;
    const expected = chunkBytes < 4096 ? [contents[0]!, contents[1]!, contents[2]!, contents[5]!] : contents;
    expect((await decompressed(bytes, chunkBytes)).equals(Buffer.concat(expected))).toBe(true);
  },
);

test('what follows the frames and is none reaches the decoder, which complains', async () => {
  await expect(decompressed(Buffer.concat([frames[0]!, Buffer.from('no frame at all')]), 4096)).rejects.toThrow();
});

test('a body of more than 1,024 frames is refused before their cost is paid: each is a write of its own', async () => {
  const taken = Buffer.concat(Array.from({ length: 1024 }, () => skippable(0)));
  expect(await decompressed(taken, 65_536)).toHaveLength(0);
  await expect(decompressed(Buffer.concat([taken, frames[0]!]), 65_536)).rejects.toThrow('more than 1024 frames');
});
