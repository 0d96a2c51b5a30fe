/** Vectors by embedding space and text, least recently used out first. One cache for all sources: replicas of an app share vectors. */

/** An entry of 768 floats and its text is about 3.3 KiB; longer vectors lower the number of entries, not the bound. */
const BYTES_PER_ENTRY = 4_096;

export class VectorCache {
  /** Oldest use first: a Map keeps insertion order, and every hit is inserted again. */
  readonly #vectors = new Map<string, Float32Array>();
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #fingerprint = '';
  #bytes = 0;

  /** @param maxEntries bound on entries, and 4 KiB times as many on bytes */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxEntries * BYTES_PER_ENTRY;
  }

  get size(): number {
    return this.#vectors.size;
  }

  /** Bytes of vectors and texts held. */
  get bytes(): number {
    return this.#bytes;
  }

  get(fingerprint: string, text: string): Float32Array | undefined {
    if (fingerprint !== this.#fingerprint) return undefined;
    const vector = this.#vectors.get(text);
    if (vector === undefined) return undefined;
    this.#vectors.delete(text);
    this.#vectors.set(text, vector);
    return vector;
  }

  /** Keeps `vector`; returns how many others had to leave. Another fingerprint empties the cache: spaces are never mixed. */
  set(fingerprint: string, text: string, vector: Float32Array): number {
    let evictions = 0;
    if (fingerprint !== this.#fingerprint) {
      evictions = this.#vectors.size;
      this.#vectors.clear();
      this.#bytes = 0;
      this.#fingerprint = fingerprint;
    }
    const known = this.#vectors.get(text);
    if (known !== undefined) {
      this.#vectors.delete(text);
      this.#bytes -= entryBytes(text, known);
    }
    this.#vectors.set(text, vector);
    this.#bytes += entryBytes(text, vector);
    for (const [oldText, oldVector] of this.#vectors) {
      if (this.#vectors.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) break;
      this.#vectors.delete(oldText);
      this.#bytes -= entryBytes(oldText, oldVector);
      evictions++;
    }
    return evictions;
  }
}

function entryBytes(text: string, vector: Float32Array): number {
  return vector.byteLength + 2 * text.length;
}
