/** Ollama's `POST /api/embed` (github.com/ollama/ollama, docs/api.md, "Generate Embeddings"). */
import type { Embedder } from './embedder.ts';
import { httpEmbedder, type Dialect, type HttpEmbedderOptions } from './http.ts';

/** A step comes every 60 s; Ollama's own 5 minutes would unload the model of a service that logs in bursts. */
const KEEP_ALIVE = '30m';

const ollama: Dialect = {
  name: 'ollama',
  requestBody: (model, input) => ({ model, input, keep_alive: KEEP_ALIVE, truncate: true }),
  rows: (answer) => {
    const rows = (answer as { embeddings?: unknown } | null)?.embeddings;
    return Array.isArray(rows) ? rows : null;
  },
  warmUpBody: (model) => ({ model, input: [], keep_alive: KEEP_ALIVE }),
};

export function ollamaEmbedder(options: HttpEmbedderOptions): Embedder {
  return httpEmbedder(ollama, options);
}
