import type { EmbeddingObserver } from '../embed/embedder.ts';
import type { Instruments } from './instruments.ts';
import type { Log } from './log.ts';

/** What the service logs and counts of its embedding requests. */
export function embeddingObserver({ embedding }: Instruments, log: Log): EmbeddingObserver {
  return {
    request: (durationMs: number, error: (Error & { reason?: string }) | null) => {
      embedding.requests.add(1);
      embedding.requestDurationSeconds.record(durationMs / 1000);
      if (error === null) return;
      embedding.errors.add(1, { reason: error.reason ?? 'unknown' });
      log.warnLimited('embedding', 'Embedding service failed; windows are kept and judged degraded', {
        error: error.message,
      });
    },
    cache: (hits: number, misses: number) => {
      embedding.cacheHits.add(hits);
      embedding.cacheMisses.add(misses);
    },
    quarantined: (texts: string[]) => {
      embedding.quarantinedTexts.add(texts.length);
      log.warnLimited('embedding-poison', 'Embedding service fails on some templates; they are left out', {
        templates: texts.length,
      });
    },
    dropped: (texts: number) =>
      log.warnLimited('embedding-dropped', 'Too many templates wait for the embedding service', { dropped: texts }),
    fingerprint: (fingerprint: string) => log.info('Embedding space', { fingerprint }),
  };
}
