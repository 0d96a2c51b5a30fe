/** Cuts a stream of bytes into lines. */

export interface LineLimit {
  maxLineBytes: number;
  /** A line longer than the limit comes cut to it; called once for each. `line` counts from 1. */
  onTooLong(line: number): void;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Yields the lines of one chunk at a time, without their line ends, blank ones included (as empty buffers), so that they can be counted. Lines are views into
 * the chunks and stay valid. Memory: a chunk and `maxLineBytes`.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>, limit: LineLimit): AsyncGenerator<Buffer[]> {
  const { maxLineBytes } = limit;
  // Beginning of a line whose end has not come yet, at most maxLineBytes of it.
  let open: Buffer[] = [];
  let openBytes = 0;
  let isCut = false;
  let lineNumber = 0;
  let isFirst = true;

  const append = (piece: Buffer) => {
    const room = maxLineBytes - openBytes;
    if (piece.length > room) isCut = true;
    if (room > 0 && piece.length > 0) {
      open.push(piece.subarray(0, room));
      openBytes += Math.min(room, piece.length);
    }
  };
  const close = (): Buffer => {
    lineNumber++;
    let line = open.length === 1 ? open[0]! : Buffer.concat(open);
    if (isCut) limit.onTooLong(lineNumber);
    else if (line.at(-1) === CARRIAGE_RETURN) line = line.subarray(0, -1);
    open = [];
    openBytes = 0;
    isCut = false;
    return line;
  };

  for await (let chunk of chunks) {
    if (isFirst && chunk.subarray(0, 3).equals(BYTE_ORDER_MARK)) chunk = chunk.subarray(3);
    isFirst = false;
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      append(chunk.subarray(start, end));
      lines.push(close());
      start = end + 1;
    }
    append(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (openBytes > 0) yield [close()];
}
