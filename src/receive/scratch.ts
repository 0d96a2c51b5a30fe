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

/** What has come of one request, in order. */
export class Chunks {
  readonly list: Buffer[] = [];
  byteLength = 0;
  /** Copies go here; `[start, end)` is the last of `list` unless it is empty. */
  #memory = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** Keeps `bytes` as they are if they are all of their memory, which then is ours, and not small. */
  add(bytes: Buffer): void {
    if (bytes.length < SMALL_BYTES || bytes.length < bytes.buffer.byteLength) return this.copy(bytes);
    this.byteLength += bytes.length;
    this.list.push(bytes);
    this.#start = this.#end;
  }

  /** Keeps a copy: else one piece of what a socket gave would hold all of it, with what came for others. */
  copy(bytes: Buffer): void {
    this.byteLength += bytes.length;
    if (this.#end + bytes.length > this.#memory.length) {
      const growth = Math.min(MAX_GATHER_BYTES, Math.max(MIN_GATHER_BYTES, 2 * this.#memory.length));
      this.#memory = Buffer.allocUnsafeSlow(bytes.length >= SMALL_BYTES ? bytes.length : growth);
      this.#start = this.#end = 0;
    }
    if (this.#start < this.#end) this.list.pop();
    this.#end += bytes.copy(this.#memory, this.#end);
    this.list.push(this.#memory.subarray(this.#start, this.#end));
  }

  /** All of it in one piece, to be given back by {@link free}. */
  take(): Uint8Array {
    const { list } = this;
    if (list.length === 1) return list.pop()!;
    const whole = copyTogether(list, this.byteLength);
    this.free();
    return whole;
  }

  /** Nobody wants them any more. */
  free(): void {
    for (const chunk of this.list.splice(0)) free(chunk);
  }
}

/**
 * `chunks` in one piece, to be given back by {@link free}. A fresh buffer a request was a fifth of a request's CPU: its pages come from the kernel,
 * and V8 marks its whole heap for every 80 MiB of them.
 */
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
 * Nobody reads `bytes` any more. Scratch memory is used again. Other bytes, if they are all of their memory and so nobody else's, are given back at
 * once: left to the garbage collector, what sockets and node:http read into made V8 mark its whole heap every 800 requests of 38 KB
 * (docs/decisions/0046-memory-back-at-once.md). Twice is once.
 */
export function free(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (lent.delete(buffer)) {
    if (kept.length < MAX_KEPT) kept.push(Buffer.from(buffer));
  } else if (bytes.length > 0 && bytes.length === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
}
