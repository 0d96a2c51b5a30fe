/**
 * What turns template texts into vectors. Three exist: `hashing` (built in, synchronous), `ollama` and `openai` (over HTTP).
 *
 * Every vector is a unit vector of `dimensions` finite floats; it is shared by all who asked, so nobody writes into it.
 */
export interface Embedder extends AsyncDisposable {
  /**
   * Names what makes the vectors, known before the first one: `hashing-1`, `ollama:embeddinggemma`. The store compares it:
   * another identity is another embedding space for certain.
   */
  readonly identity: string;
  /**
   * Names the embedding space: `<identity>:<dimensions>`, `<identity>:?` until the first answer told the dimensions. Vectors of
   * two fingerprints are never mixed.
   */
  readonly fingerprint: string;
  /** 0 until the first answer told them. */
  readonly dimensions: number;
  /** Asking costs a round trip, so it pays to linger and to ask in batches. */
  readonly remote: boolean;
  /**
   * One vector a text, in the order of `texts`; null = this text is poison (the service fails on it while it serves others).
   * @throws EmbeddingError the service failed, whatever the text
   */
  embed(texts: string[], signal: AbortSignal): Promise<(Float32Array | null)[]>;
  /** Makes a service load its model before the first step needs it. */
  warmUp?(signal: AbortSignal): Promise<void>;
}

/** Why an embedding service failed; the metric's `reason`. */
export type EmbeddingFailure =
  /** No connection, or it broke. */
  | 'unreachable'
  | 'timeout'
  /** An answer with an error status. */
  | 'status'
  /** Not JSON, or not of the dialect's shape. */
  | 'malformed'
  /** The body passed the size limit. */
  | 'too_large'
  /** Another number of vectors than texts. */
  | 'count'
  /** A vector of another length than the first one ever received. */
  | 'dimensions'
  /** NaN, infinity or null inside a vector. */
  | 'not_finite'
  | 'zero_vector'
  /** We are shutting down. */
  | 'aborted';

/** `code` is `LOGDRIFT_EMBEDDING_` and the reason in capitals. */
export class EmbeddingError extends Error {
  override readonly name = 'EmbeddingError';
  readonly code: string;
  readonly reason: EmbeddingFailure;
  /** False: the same request will fail until somebody changes something (404: the model is not there, 401, 403). */
  readonly retryable: boolean;
  /** The failure may be the fault of one text of the batch. */
  readonly blamesText: boolean;
  /** What `Retry-After` asked for, 0 when it did not. */
  readonly retryAfterMs: number;

  constructor(
    reason: EmbeddingFailure,
    message: string,
    options: { retryable?: boolean; blamesText?: boolean; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = `LOGDRIFT_EMBEDDING_${reason.toUpperCase()}`;
    this.reason = reason;
    this.retryable = options.retryable ?? true;
    this.blamesText = options.blamesText ?? false;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** Where the counters come from. One object serves the remote embedders (`request`) and the batcher (the others). */
export interface EmbeddingObserver {
  /** One HTTP request ended; `error` null = a usable answer. */
  request(durationMs: number, error: EmbeddingError | null): void;
  cache(hits: number, misses: number, evictions: number): void;
  /** Texts put aside because the service fails on them. */
  quarantined(texts: string[]): void;
  /** Texts no longer waited for because more than `maxPending` were. */
  dropped(texts: number): void;
  /** The dimensions became known, or the space changed. */
  fingerprint(fingerprint: string): void;
}
