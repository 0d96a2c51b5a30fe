/**
 * Zstandard data of several frames (RFC 8878 section 3.1): files appended to, written in parallel, bodies sent in pieces, skippable frames.
 *
 * node:zlib goes on with the next frame only when it begins a write of its own; what follows a frame's end inside a write is dropped without a word
 * (nodejs/node#64741). So the chunks are cut where frames end.
 */

import { DecodeError } from './decode-error.ts';

/**
 * Of one body. Each is a write of its own, 0.07 ms of the main thread however small it is: 64 MiB of empty ones would take ten minutes. Senders make one
 * frame, parallel compressors one a MiB or so.
 */
const MAX_FRAMES = 1024;

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const RLE_BLOCK = 1;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/** What the next bytes are. `rest`: no frame, left to the decoder to complain about. */
type Stage = 'magic' | 'skippable-size' | 'descriptor' | 'block' | 'rest';
const STAGE_BYTES: Record<Stage, number> = { magic: 4, 'skippable-size': 4, descriptor: 1, block: 3, rest: 0 };

/** The same bytes in the same order; no chunk goes over the end of a frame. @throws {DecodeError} beyond {@link MAX_FRAMES} */
export async function* cutAtFrameEnds(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let stage = 'magic' as Stage;
  const field = Buffer.alloc(4);
  let fieldBytes = 0;
  // Bytes to pass over before the next field, and whether the frame ends with them.
  let skip = 0;
  let isLast = false;
  let checksumBytes = 0;
  let frames = 0;

  const readField = () => {
    fieldBytes = 0;
    switch (stage) {
      case 'magic': {
        const magic = field.readUInt32LE();
        stage = magic === MAGIC ? 'descriptor' : (magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC ? 'skippable-size' : 'rest';
        break;
      }
      case 'skippable-size':
        skip = field.readUInt32LE();
        isLast = true;
        break;
      case 'descriptor': {
        const descriptor = field[0]!;
        const isSingleSegment = (descriptor & 0x20) !== 0;
        const sizeFlag = descriptor >> 6;
        checksumBytes = (descriptor & 4) !== 0 ? 4 : 0;
        skip = (isSingleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3];
        skip += sizeFlag === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[sizeFlag as 0 | 1 | 2 | 3];
        stage = 'block';
        break;
      }
      case 'block': {
        const header = field.readUIntLE(0, 3);
        isLast = (header & 1) !== 0;
        skip = ((header >> 1) & 3) === RLE_BLOCK ? 1 : header >> 3;
        if (isLast) skip += checksumBytes;
        break;
      }
      case 'rest':
    }
  };

  for await (const chunk of chunks) {
    let start = 0;
    for (let at = 0; at < chunk.length && stage !== 'rest';) {
      if (skip > 0) {
        const passed = Math.min(skip, chunk.length - at);
        at += passed;
        skip -= passed;
      } else {
        field[fieldBytes++] = chunk[at++]!;
        if (fieldBytes === STAGE_BYTES[stage]) readField();
      }
      if (isLast && skip === 0) {
        if (++frames > MAX_FRAMES)
          throw new DecodeError(`broken zstd compression (more than ${MAX_FRAMES} frames)`, '', -1);
        yield chunk.subarray(start, at);
        start = at;
        stage = 'magic';
        isLast = false;
      }
    }
    if (start < chunk.length) yield chunk.subarray(start);
  }
}
