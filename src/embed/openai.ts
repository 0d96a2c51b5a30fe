/** OpenAI's `POST /v1/embeddings` as vLLM, llama.cpp, text-embeddings-inference, LiteLLM and others speak it, too. */
import type { Embedder } from './embedder.ts';
import { httpEmbedder, type Dialect, type HttpEmbedderOptions } from './http.ts';

const openai: Dialect = {
  name: 'openai',
  requestBody: (model, input) => ({ model, input, encoding_format: 'float' }),
  rows: (answer) => {
    const entries = (answer as { data?: unknown } | null)?.data;
    if (!Array.isArray(entries)) return null;
    // The order is promised by `index` only.
    const rows = new Array<unknown>(entries.length);
    for (const [position, entry] of (entries as ({ index?: number; embedding?: unknown } | null)[]).entries()) {
      rows[entry?.index ?? position] = entry?.embedding;
    }
    return rows;
  },
  warmUpBody: () => null,
};

export function openaiEmbedder(options: HttpEmbedderOptions): Embedder {
  return httpEmbedder(openai, options);
}
