/** Which embedder a configuration means: none set = hashing, else Ollama, or OpenAI's dialect by the path of the URL. */
import type { Embedder, EmbeddingObserver } from './embedder.ts';
import { hashingEmbedder } from './hashing.ts';
import { ollamaEmbedder } from './ollama.ts';
import { openaiEmbedder } from './openai.ts';

export class EmbeddingUrlError extends Error {
  override readonly name = 'EmbeddingUrlError';
  readonly code = 'LOGDRIFT_EMBEDDING_URL';
}

export interface OpenEmbedderOptions {
  /** `logs_config.drift_detection.embedding_url`; null = the built-in hashing embedder. */
  url: string | null;
  model: string;
  requestTimeoutMs?: number;
  observe?: Partial<EmbeddingObserver>;
}

/** Opens no connection yet. @throws EmbeddingUrlError */
export function openEmbedder({ url, ...options }: OpenEmbedderOptions): Embedder {
  if (url === null) return hashingEmbedder();
  const address = embeddingAddress(url);
  const open = address.dialect === 'openai' ? openaiEmbedder : ollamaEmbedder;
  return open({ ...options, url: address.url });
}

/**
 * Completes `embedding_url`, which may be a base URL or the whole address:
 * `http://h:11434`, `…/api`, `…/api/embed` and the old `…/api/embeddings` are Ollama; `…/v1` and `…/v1/embeddings` are OpenAI.
 * @throws EmbeddingUrlError
 */
export function embeddingAddress(text: string): { url: URL; dialect: 'ollama' | 'openai' } {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new EmbeddingUrlError(
      `logs_config.drift_detection.embedding_url: "${text}" is not an http(s) URL; write it like http://localhost:11434`,
    );
  }
  const path = url.pathname.replace(/\/+$/, '');
  if (/\/v1(\/embeddings)?$/.test(path)) {
    url.pathname = path.replace(/\/v1(\/embeddings)?$/, '/v1/embeddings');
    return { url, dialect: 'openai' };
  }
  url.pathname = `${path.replace(/\/api(\/embed(dings)?)?$/, '')}/api/embed`;
  return { url, dialect: 'ollama' };
}
