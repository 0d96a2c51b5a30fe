/** Opens an input: a file or standard input, decompressed by what its first bytes say. */
import { open } from 'node:fs/promises';
import { Readable, pipeline } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { InputError } from './read-error.ts';
import { cutAtFrameEnds } from '../receive/zstd-frames.ts';

const CHUNK_BYTES = 256 * 1024;
/** The check for UTF-8 looks at this much; what follows passes as it is, one damaged line must not end a long replay. */
const CHECKED_BYTES = 64 * 1024;

export interface ByteInput {
  /** As the user wrote it; `standard input` for `-`. */
  name: string;
  /** 0 when unknown (a pipe). */
  sizeBytes: number;
  modifiedMs: number;
  /** Bytes of the file read so far, compressed as it is. */
  bytesRead(): number;
  /** The first chunk with anything but white space and zeros in it; all there is when none has. */
  head: Buffer;
  /** The whole content from the beginning, {@link ByteInput.head} included. Once. */
  chunks: AsyncGenerator<Buffer>;
  close(): void;
}

/** @throws InputError when the file is missing, a directory, unreadable, compressed in another way or no UTF-8 text. */
export async function openBytes(path: string): Promise<ByteInput> {
  const name = path === '-' ? 'standard input' : path;
  const source = path === '-' ? await openStandardInput() : await openFile(path);
  let bytesRead = 0;
  const raw = (async function* () {
    for await (const chunk of source.stream as AsyncIterable<Buffer>) {
      bytesRead += chunk.length;
      yield chunk;
    }
  })();
  try {
    const start = await peek(raw, (bytes) => bytes.length >= 4, name);
    const content = decompress(start.head, start.chunks, name);
    const { head, chunks } = await peek(content, hasText, name);
    assertUtf8(head, name);
    return {
      name,
      sizeBytes: source.sizeBytes,
      modifiedMs: source.modifiedMs,
      bytesRead: () => bytesRead,
      head,
      chunks,
      close: () => void source.stream.destroy(),
    };
  } catch (error) {
    source.stream.destroy();
    throw error;
  }
}

interface Source {
  stream: Readable;
  sizeBytes: number;
  modifiedMs: number;
}

async function openFile(path: string): Promise<Source> {
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new InputError('LOGDRIFT_INPUT_NOT_FOUND', `${path}: no such file`, cause);
    throw new InputError(
      'LOGDRIFT_INPUT_UNREADABLE',
      `${path}: cannot be opened (${cause.code ?? cause.message})`,
      cause,
    );
  });
  const stat = await file.stat();
  if (stat.isDirectory()) {
    await file.close();
    throw new InputError(
      'LOGDRIFT_INPUT_DIRECTORY',
      `${path}: is a directory; name the files in it, for example ${path.replace(/\/+$/, '')}/*.log`,
    );
  }
  return {
    stream: file.createReadStream({ highWaterMark: CHUNK_BYTES }),
    sizeBytes: stat.size,
    modifiedMs: stat.mtimeMs,
  };
}

async function openStandardInput(): Promise<Source> {
  // A file redirected into us has its own modification time, which decides the year of lines that have none.
  const file = await open('/dev/stdin').catch(() => null);
  const stat = await file?.stat();
  await file?.close();
  return {
    stream: process.stdin,
    sizeBytes: stat?.isFile() ? stat.size : 0,
    modifiedMs: stat?.mtimeMs ?? Date.now(),
  };
}

/** Reads until `enough`, and gives everything back behind it. */
async function peek(source: AsyncGenerator<Buffer>, enough: (bytes: Buffer) => boolean, name: string) {
  let head: Buffer = Buffer.alloc(0);
  const seen: Buffer[] = [];
  while (!enough(head)) {
    const next = await source.next().catch((cause: NodeJS.ErrnoException) => {
      throw readFailure(cause, name);
    });
    if (next.done) break;
    seen.push(next.value);
    // Leading blank chunks are no help in telling what the input is.
    head =
      seen.length > 1 && !hasText(head) ? next.value : seen.length > 1 ? Buffer.concat([head, next.value]) : next.value;
  }
  const chunks = (async function* () {
    try {
      yield* seen.splice(0);
      yield* source;
    } catch (cause) {
      throw readFailure(cause as NodeJS.ErrnoException, name);
    } finally {
      await source.return(undefined);
    }
  })();
  return { head, chunks };
}

function hasText(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte > 0x20) return true;
  return false;
}

function readFailure(cause: NodeJS.ErrnoException, name: string): InputError {
  if (cause instanceof InputError) return cause;
  const damaged =
    cause.code?.startsWith('Z_') || cause.code?.startsWith('ZSTD_') || cause.code === 'ERR_ZLIB_INITIALIZATION_FAILED';
  return damaged
    ? new InputError(
        'LOGDRIFT_INPUT_DAMAGED',
        `${name}: the compressed data is damaged or cut off (${cause.message})`,
        cause,
      )
    : new InputError('LOGDRIFT_INPUT_UNREADABLE', `${name}: cannot be read (${cause.code ?? cause.message})`, cause);
}

const OTHER_COMPRESSIONS: [magic: number[], name: string][] = [
  [[0x42, 0x5a, 0x68], 'bzip2'],
  [[0xfd, 0x37, 0x7a, 0x58], 'xz'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4'],
  [[0x50, 0x4b, 0x03, 0x04], 'zip'],
];

function decompress(head: Buffer, chunks: AsyncGenerator<Buffer>, name: string): AsyncGenerator<Buffer> {
  const startsWith = (magic: number[]) => magic.every((byte, i) => head[i] === byte);
  const other = OTHER_COMPRESSIONS.find(([magic]) => startsWith(magic));
  if (other) {
    throw new InputError(
      'LOGDRIFT_INPUT_NOT_UTF8',
      `${name}: is compressed with ${other[1]}; replay reads plain, .gz and .zst, so decompress it first`,
    );
  }
  if (startsWith([0x1f, 0x8b])) return through(chunks, createGunzip({ chunkSize: CHUNK_BYTES }));
  const isZstd =
    startsWith([0x28, 0xb5, 0x2f, 0xfd]) || (startsWith([head[0]!, 0x2a, 0x4d, 0x18]) && head[0]! >> 4 === 5);
  return isZstd ? through(cutAtFrameEnds(chunks), createZstdDecompress({ chunkSize: CHUNK_BYTES })) : chunks;
}

async function* through(
  chunks: AsyncGenerator<Buffer>,
  decoder: ReturnType<typeof createGunzip>,
): AsyncGenerator<Buffer> {
  // The callback keeps a failure from being an unhandled one; iterating the decoder throws it.
  pipeline(Readable.from(chunks), decoder, () => {});
  yield* decoder as AsyncIterable<Buffer>;
}

function assertUtf8(head: Buffer, name: string): void {
  // A file truncated while it was written (logrotate's copytruncate) begins with a hole.
  const from = head.findIndex((byte) => byte !== 0);
  const checked = head.subarray(Math.max(from, 0), Math.max(from, 0) + CHECKED_BYTES);
  const isUtf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  const zeros = checked.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  try {
    // Streaming: the check may end inside a character.
    new TextDecoder('utf-8', { fatal: true }).decode(checked, { stream: true });
    if (zeros * 8 <= checked.length) return;
  } catch {
    // The same answer as for text with zeros.
  }
  const encoding = isUtf16 ? 'utf-16' : 'latin1';
  throw new InputError(
    'LOGDRIFT_INPUT_NOT_UTF8',
    `${name}: is not UTF-8 text; convert it first, for example: iconv -f ${encoding} -t utf-8 ${name} > converted.log`,
  );
}
