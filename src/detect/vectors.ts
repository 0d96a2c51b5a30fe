/** One template text's embedding, shared by every source of the shard that uses the text. */
export interface Vector {
  readonly text: string;
  /** Null until the embedder has answered. */
  values: Float32Array | null;
  /** Templates that hold it; at 0 it leaves the table. */
  users: number;
}

/** Vectors by text. Bounded by the templates alive in the shard's sources, since each holds at most one. */
export class VectorTable {
  #byText = new Map<string, Vector>();

  hold(text: string): Vector {
    let vector = this.#byText.get(text);
    if (vector === undefined) {
      vector = { text, values: null, users: 0 };
      this.#byText.set(text, vector);
    }
    vector.users++;
    return vector;
  }

  release(vector: Vector): void {
    if (--vector.users === 0) this.#byText.delete(vector.text);
  }

  /** @returns whether somebody waited for this vector. */
  set(text: string, values: Float32Array): boolean {
    const vector = this.#byText.get(text);
    if (vector === undefined || vector.values !== null) return false;
    vector.values = values;
    return true;
  }

  /** The embedding space changed: all vectors must come again. */
  forget(): void {
    for (const vector of this.#byText.values()) vector.values = null;
  }

  get size(): number {
    return this.#byText.size;
  }
}
