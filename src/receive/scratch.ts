/** Memory in which requests are put together, used again for the next ones. */

const BYTES = 1_048_576;
/** As many as are decoded at once in practice; more are garbage after use. */
const MAX_KEPT = 8;

const kept: Buffer[] = [];
const lent = new WeakSet<ArrayBufferLike>();

/** A Buffer costs some hundred bytes itself: a client that sends single bytes would make gigabytes of megabytes. */
const SMALL_BYTES = 512;
const MIN_GATHER_BYTES = 512;
const MAX_GATHER_BYTES = 16_384;
/** So many chunks stay as they came, however small. What they cost beside their bytes counts in no budget: a client may have 100,000 calls open. */
const FEW_CHUNKS = 8;

/** A chunk keeps all of the memory alive that its socket read it into, with what came for others: no more than so many times its own. */
const MAX_TIMES_ITSELF = 8;

/** What has come of one request, in order. */
export class Chunks {
  readonly list: Buffer[] = [];
  /** Many small chunks are copied together here; `[start, end)` is the last of `list` unless it is empty. */
  #memory = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  add(bytes: Buffer): void {
    const chunk = bytes.length * MAX_TIMES_ITSELF < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
    if (this.list.length < FEW_CHUNKS || chunk.length >= SMALL_BYTES) {
      this.list.push(chunk);
      this.#start = this.#end;
      return;
    }
    if (this.#end + chunk.length > this.#memory.length) {
      const bytes = Math.min(MAX_GATHER_BYTES, Math.max(MIN_GATHER_BYTES, 2 * this.#memory.length));
      this.#memory = Buffer.allocUnsafeSlow(bytes);
      this.#start = this.#end = 0;
    }
    if (this.#start < this.#end) this.list.pop();
    this.#end += chunk.copy(this.#memory, this.#end);
    this.list.push(this.#memory.subarray(this.#start, this.#end));
  }
}

/**
 * `chunks` in one piece, valid until it is given back by {@link giveBack}. A fresh buffer a request was a fifth of a request's CPU: its pages
 * come from the kernel, and V8 marks its whole heap for every 80 MiB of them.
 */
export function join(chunks: readonly Uint8Array[], byteLength: number): Uint8Array {
  return chunks.length === 1 ? chunks[0]! : copyTogether(chunks, byteLength);
}

/** The same for chunks whose own memory the caller takes back. */
export function copyTogether(chunks: readonly Uint8Array[], byteLength: number): Uint8Array {
  if (byteLength > BYTES) return Buffer.concat(chunks, byteLength);
  const memory = kept.pop() ?? Buffer.allocUnsafeSlow(BYTES);
  lent.add(memory.buffer);
  let at = 0;
  for (const chunk of chunks) {
    memory.set(chunk, at);
    at += chunk.length;
  }
  return memory.subarray(0, at);
}

/**
 * Nobody reads `bytes` any more. Bytes that are no scratch memory, or given back already, are left alone.
 * @returns whether it was scratch memory
 */
export function giveBack({ buffer }: Uint8Array): boolean {
  const isScratch = lent.delete(buffer);
  if (isScratch && kept.length < MAX_KEPT) kept.push(Buffer.from(buffer));
  return isScratch;
}

/**
 * Nobody reads `bytes` any more, and if they are all of their memory, nobody else does: it is given back at once. node:http copies what comes
 * into fresh buffers; left to the garbage collector these made V8 mark its whole heap every 500 requests of 38 KB, a sixth of their CPU.
 */
export function free(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (!giveBack(bytes) && bytes.length > 0 && bytes.length === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
}
