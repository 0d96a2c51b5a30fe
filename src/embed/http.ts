/**
 * The embedders that ask a service over HTTP: one undici pool, one validation, one way of finding a poison text. What differs
 * between services (path, bodies) is a {@link Dialect}.
 */
import { Pool } from 'undici';
import { EmbeddingError, type Embedder, type EmbeddingFailure, type EmbeddingObserver } from './embedder.ts';

export interface Dialect {
  /** First part of the identity. */
  name: string;
  requestBody(model: string, texts: string[]): unknown;
  /** The rows of an answer, one a text, unchecked; null when the answer has another shape. */
  rows(answer: unknown): unknown[] | null;
  /** A request that loads the model and computes nothing; null when the dialect has none. */
  warmUpBody(model: string): unknown;
}

export interface HttpEmbedderOptions {
  /** Full address of the embedding call; user and password become a Basic authorization. */
  url: URL;
  model: string;
  /** One request, model loading included. */
  requestTimeoutMs?: number;
  observe?: Partial<EmbeddingObserver>;
}

const CONNECTIONS = 10;
/** Above the 60 s step: with undici's 4 s every step would connect anew. */
const KEEP_ALIVE_MS = 90_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Loading a model takes tens of seconds; a late vector still repairs the history. */
const REQUEST_TIMEOUT_MS = 60_000;
/** 32 vectors of 8,192 floats printed with 20 digits are 5 MiB. */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;
const MAX_DIMENSIONS = 16_384;
const MAX_RETRY_AFTER_MS = 60_000;
/** Statuses by which services answer a text that they cannot embed: Ollama 400 and 500, OpenAI 400, others 413 and 422. */
const TEXT_STATUSES = new Set([400, 413, 422, 500]);
/** Statuses that last until somebody changes the service or our configuration. */
const LASTING_STATUSES = new Set([401, 403, 404, 405]);
/** Harmless: a service that fails on this fails on everything. */
const PROBE = 'logdrift';
/** Services refuse an empty input; a record may be empty. */
const EMPTY_TEXT = '<empty>';

export function httpEmbedder(dialect: Dialect, options: HttpEmbedderOptions): Embedder {
  const identity = `${dialect.name}:${options.model}`;
  const post = poster(options);
  let dimensions = 0;

  /** One request. Null = this vector is unusable; at least one of the others is usable, or all are null. */
  async function ask(texts: string[], signal: AbortSignal): Promise<Answer> {
    const input = texts.map((text) => (text.trim() === '' ? EMPTY_TEXT : text));
    const startMs = performance.now();
    try {
      const answer = await post(dialect.requestBody(options.model, input), signal);
      const rows = dialect.rows(answer);
      if (rows === null) throw failure('malformed', options.url, 'answered with another JSON shape');
      if (rows.length !== texts.length) {
        throw failure('count', options.url, `answered with ${rows.length} vectors for ${texts.length} texts`);
      }
      const checked = checkRows(rows, dimensions, options.url);
      const usable = checked.vectors.find((vector) => vector !== null);
      if (dimensions === 0 && usable !== undefined) {
        dimensions = usable.length;
        options.observe?.fingerprint?.(`${identity}:${dimensions}`);
      }
      options.observe?.request?.(performance.now() - startMs, checked.fault);
      return checked;
    } catch (cause) {
      const error = asEmbeddingError(cause, options.url, signal);
      options.observe?.request?.(performance.now() - startMs, error);
      throw error;
    }
  }

  /** Fails unless the service can embed a harmless text: then what it failed on before was a text's fault. */
  async function blameTheService(error: EmbeddingError, signal: AbortSignal): Promise<void> {
    let probe: Answer;
    try {
      probe = await ask([PROBE], signal);
    } catch (probeError) {
      throw probeError instanceof EmbeddingError && probeError.blamesText ? error : probeError;
    }
    if (probe.fault !== null) throw error;
  }

  /** Halves `texts`, one of which the service fails on, until the poison ones stand alone; each gets a second chance there. */
  async function bisect(texts: string[], signal: AbortSignal): Promise<(Float32Array | null)[]> {
    const middle = texts.length >> 1;
    const halves = texts.length === 1 ? [texts] : [texts.slice(0, middle), texts.slice(middle)];
    const vectors: (Float32Array | null)[] = [];
    for (const half of halves) {
      try {
        vectors.push(...(await ask(half, signal)).vectors);
      } catch (error) {
        if (!(error instanceof EmbeddingError && error.blamesText)) throw error;
        vectors.push(...(texts.length === 1 ? [null] : await bisect(half, signal)));
      }
    }
    return vectors;
  }

  const embedder: Embedder = {
    identity,
    get fingerprint() {
      return `${identity}:${dimensions === 0 ? '?' : dimensions}`;
    },
    get dimensions() {
      return dimensions;
    },
    remote: true,
    async embed(texts, signal) {
      try {
        const { vectors, fault } = await ask(texts, signal);
        if (fault !== null && vectors.every((vector) => vector === null)) await blameTheService(fault, signal);
        return vectors;
      } catch (error) {
        if (!(error instanceof EmbeddingError && error.blamesText)) throw error;
        await blameTheService(error, signal);
        return bisect(texts, signal);
      }
    },
    [Symbol.asyncDispose]: post.destroy,
  };
  const warmUpBody = dialect.warmUpBody(options.model);
  if (warmUpBody !== null) embedder.warmUp = async (signal) => void (await post(warmUpBody, signal));
  return embedder;
}

interface Answer {
  vectors: (Float32Array | null)[];
  /** Why a vector is null. */
  fault: EmbeddingError | null;
}

/** Sends one JSON body through the pool and parses the answer; everything bounded in time and size. */
function poster({ url, requestTimeoutMs = REQUEST_TIMEOUT_MS }: HttpEmbedderOptions) {
  const pool = new Pool(url.origin, {
    connections: CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    headersTimeout: requestTimeoutMs,
    bodyTimeout: requestTimeoutMs,
    maxResponseSize: MAX_RESPONSE_BYTES,
  });
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json' };
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  const post = async (body: unknown, signal: AbortSignal): Promise<unknown> => {
    signal.throwIfAborted();
    // Not AbortSignal.any: on a signal that lives as long as the service each call leaves about 100 bytes behind.
    const request = new AbortController();
    const abort = () => request.abort(signal.reason);
    const timeout = setTimeout(
      () => request.abort(failure('timeout', url, 'did not answer in time')),
      requestTimeoutMs,
    );
    signal.addEventListener('abort', abort, { once: true });
    try {
      const {
        statusCode,
        headers: answered,
        body: answer,
      } = await pool.request({
        method: 'POST',
        path: url.pathname + url.search,
        headers,
        body: JSON.stringify(body),
        signal: request.signal,
      });
      const text = await answer.text();
      if (statusCode !== 200) throw statusError(url, statusCode, text, answered['retry-after']);
      return parseJson(text, url);
    } finally {
      clearTimeout(timeout);
      signal.removeEventListener('abort', abort);
    }
  };
  post.destroy = () => pool.destroy();
  return post;
}

function parseJson(text: string, url: URL): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failure('malformed', url, 'did not answer with JSON', { cause });
  }
}

/** Unit vectors of `dimensions` floats (0 = the first usable row decides); null where a row is not finite or has no length. */
function checkRows(rows: unknown[], dimensions: number, url: URL): Answer {
  let expected = dimensions;
  let fault: EmbeddingError | null = null;
  const vectors = rows.map((row) => {
    if (!Array.isArray(row)) throw failure('malformed', url, 'answered with a vector that is not an array');
    if (expected === 0 && row.length > 0 && row.length <= MAX_DIMENSIONS) expected = row.length;
    if (row.length === 0 || row.length !== expected) {
      throw failure(
        'dimensions',
        url,
        `answered with ${row.length} dimensions instead of ${expected || `1 to ${MAX_DIMENSIONS}`}; restart logdrift if the model was replaced`,
      );
    }
    const squared = squaredNorm(row);
    if (squared > 0 && squared < Infinity) return unitVector(row as number[], squared);
    fault =
      squared === 0
        ? failure('zero_vector', url, 'answered with a vector of zeros')
        : failure('not_finite', url, 'answered with a vector that holds something else than finite numbers');
    return null;
  });
  return { vectors, fault };
}

/** NaN when something in the row is not a number. Doubles: 1e39 is finite there and not in a Float32Array. */
function squaredNorm(row: unknown[]): number {
  let squared = 0;
  for (const value of row) {
    if (typeof value !== 'number') return NaN;
    squared += value * value;
  }
  return squared;
}

function unitVector(row: number[], squared: number): Float32Array {
  const scale = 1 / Math.sqrt(squared);
  const vector = new Float32Array(row.length);
  for (let index = 0; index < row.length; index++) vector[index] = row[index]! * scale;
  return vector;
}

function statusError(
  url: URL,
  status: number,
  body: string,
  retryAfter: string | string[] | undefined,
): EmbeddingError {
  const seconds = Number(retryAfter ?? 0);
  return failure('status', url, `answered ${status}: ${body.trim().slice(0, 200) || '(no body)'}`, {
    retryable: !LASTING_STATUSES.has(status),
    blamesText: TEXT_STATUSES.has(status),
    retryAfterMs: seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : 0,
  });
}

function asEmbeddingError(cause: unknown, url: URL, signal: AbortSignal): EmbeddingError {
  if (cause instanceof EmbeddingError) return cause;
  if (signal.aborted) return failure('aborted', url, 'was not waited for any longer', { cause });
  const { code, message } = cause as Error & { code?: string };
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return failure('too_large', url, `answered with more than ${MAX_RESPONSE_BYTES} bytes`, { cause });
  }
  if (code?.startsWith('UND_ERR_') && code.endsWith('_TIMEOUT')) {
    return failure('timeout', url, 'did not answer in time', { cause });
  }
  return failure('unreachable', url, `cannot be reached (${code ?? message})`, { cause });
}

function failure(
  reason: EmbeddingFailure,
  url: URL,
  what: string,
  options?: ConstructorParameters<typeof EmbeddingError>[2],
): EmbeddingError {
  // Without user and password: the message ends in logs.
  const message = `embedding service ${url.origin}${url.pathname} ${what} (logs_config.drift_detection.embedding_url)`;
  return new EmbeddingError(reason, message, options);
}
