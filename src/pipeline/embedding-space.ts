import type { Embedding } from '../embed/batcher.ts';
import type { Embedder } from '../embed/embedder.ts';

/**
 * Vectors of two embedding spaces are never mixed: when the embedder turns out to make others than those of the history (a model replaced
 * behind the same name), `onChange` comes before the first of them is handed on.
 *
 * @param known fingerprint of the history's vectors, null when there is no history
 */
export class EmbeddingSpace {
  #fingerprint: string | null;
  readonly #embedder: Embedder;
  readonly #onChange: () => void;

  constructor(embedder: Embedder, known: string | null, onChange: () => void) {
    this.#embedder = embedder;
    this.#fingerprint = known;
    this.#onChange = onChange;
  }

  /** Null until the first vector told the dimensions. */
  get fingerprint(): string | null {
    return this.#fingerprint;
  }

  async vectors(embedding: Embedding, texts: string[], deadline: AbortSignal): Promise<Map<string, Float32Array>> {
    const vectors = await embedding.vectors(texts, deadline);
    if (vectors.size > 0 && this.#embedder.fingerprint !== this.#fingerprint) {
      const isChange = this.#fingerprint !== null;
      this.#fingerprint = this.#embedder.fingerprint;
      if (isChange) this.#onChange();
    }
    return vectors;
  }
}
