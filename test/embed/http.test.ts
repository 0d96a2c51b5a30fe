import { expect, test } from 'vitest';
import { EmbeddingError, type EmbeddingObserver } from '../../src/embed/embedder.ts';
import { EmbeddingUrlError, embeddingAddress, openEmbedder } from '../../src/embed/open.ts';
import { fakeVector, respond, startFakeOllama } from './fake-ollama.ts';

const never = new AbortController().signal;

function open(url: string, observe: Partial<EmbeddingObserver> = {}, requestTimeoutMs = 60_000) {
  return openEmbedder({ url, model: 'embeddinggemma', observe, requestTimeoutMs });
}

async function failureOf(promise: Promise<unknown>): Promise<EmbeddingError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EmbeddingError);
  return error as EmbeddingError;
}

test('Ollama is asked as its API says and gives unit vectors in the order of the texts', async () => {
  await using ollama = await startFakeOllama();
  await using embedder = open(ollama.url);
  expect(embedder.fingerprint).toBe('ollama:embeddinggemma:?');
  const [one, two] = await embedder.embed(['one', 'two'], never);
  expect(ollama.paths).toEqual(['/api/embed']);
  expect(ollama.bodies[0]).toEqual({
    model: 'embeddinggemma',
    input: ['one', 'two'],
    keep_alive: '30m',
    truncate: true,
  });
  for (const [vector, text] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    const raw = fakeVector(text, 8);
    const norm = Math.hypot(...raw);
    expect([...vector!]).toEqual(raw.map((value) => Math.fround(value / norm)));
  }
  expect(embedder.fingerprint).toBe('ollama:embeddinggemma:8');
  expect(embedder.dimensions).toBe(8);
});

test('the fingerprint does not depend on where the service runs', async () => {
  await using here = await startFakeOllama();
  await using there = await startFakeOllama();
  await using one = open(here.url);
  await using other = open(there.url);
  await Promise.all([one.embed(['a'], never), other.embed(['b'], never)]);
  expect(one.fingerprint).toBe(other.fingerprint);
});

test("OpenAI's dialect goes by the index of the answer, not its order", async () => {
  await using service = await startFakeOllama();
  await using embedder = open(`${service.url}/v1`);
  const [one] = await embedder.embed(['one', 'two'], never);
  expect(service.paths).toEqual(['/v1/embeddings']);
  expect(service.bodies[0]).toEqual({ model: 'embeddinggemma', input: ['one', 'two'], encoding_format: 'float' });
  expect(Math.sign(one![0]!)).toBe(Math.sign(fakeVector('one', 8)[0]!));
  const raw = fakeVector('one', 8);
  expect(one![3]! / one![0]!).toBeCloseTo(raw[3]! / raw[0]!, 5);
  expect(embedder.fingerprint).toBe('openai:embeddinggemma:8');
});

test.each([
  ['http://h:11434', 'ollama', 'http://h:11434/api/embed'],
  ['http://h:11434/', 'ollama', 'http://h:11434/api/embed'],
  ['http://h:11434/api/embed', 'ollama', 'http://h:11434/api/embed'],
  ['http://h:11434/api/embeddings', 'ollama', 'http://h:11434/api/embed'],
  ['https://h/ollama/', 'ollama', 'https://h/ollama/api/embed'],
  ['http://h/v1', 'openai', 'http://h/v1/embeddings'],
  ['http://h/proxy/v1/embeddings?key=a', 'openai', 'http://h/proxy/v1/embeddings?key=a'],
])('%s is %s at %s', (text, dialect, address) => {
  expect(embeddingAddress(text)).toMatchObject({ dialect, url: { href: address } });
});

test.each(['localhost:11434', '', 'ftp://h/'])('%j is refused with the name of its key', (text) => {
  expect(() => embeddingAddress(text)).toThrow(EmbeddingUrlError);
  expect(() => embeddingAddress(text)).toThrow(/embedding_url/);
});

test('user and password of the URL become an authorization and stay out of error messages', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = (_input, response) => respond(response, 401, 'who are you');
  await using embedder = open(ollama.url.replace('//', '//me:s3cret@'));
  const error = await failureOf(embedder.embed(['a'], never));
  expect(ollama.headers[0]!.authorization).toBe(`Basic ${Buffer.from('me:s3cret').toString('base64')}`);
  expect(error.message).not.toContain('s3cret');
  expect(error.message).toContain('401: who are you');
  expect(error.retryable).toBe(false);
});

test('an empty text is sent as something a service can embed', async () => {
  await using ollama = await startFakeOllama();
  await using embedder = open(ollama.url);
  expect(await embedder.embed([' '], never)).toHaveLength(1);
  expect(ollama.requests[0]![0]!.trim()).not.toBe('');
});

test('connections are kept between requests', async () => {
  await using ollama = await startFakeOllama();
  await using embedder = open(ollama.url);
  for (let index = 0; index < 20; index++) {
    await embedder.embed([`text ${index}`], never);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  // A second one may open while the first still ends its response.
  expect(ollama.connections).toBeLessThanOrEqual(2);
});

test('a refused connection is retryable and names the address and the key', async () => {
  await using embedder = open('http://127.0.0.1:1');
  const error = await failureOf(embedder.embed(['a'], never));
  expect(error).toMatchObject({ code: 'LOGDRIFT_EMBEDDING_UNREACHABLE', retryable: true });
  expect(error.message).toContain('127.0.0.1:1/api/embed');
  expect(error.message).toContain('embedding_url');
  expect(error.message).toContain('ECONNREFUSED');
});

test('no answer in time is a timeout; an abort by the caller is not', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = () => true;
  await using embedder = open(ollama.url, {}, 50);
  expect(await failureOf(embedder.embed(['a'], never))).toMatchObject({ code: 'LOGDRIFT_EMBEDDING_TIMEOUT' });
  await using patient = open(ollama.url);
  const closing = new AbortController();
  const failed = failureOf(patient.embed(['a'], closing.signal));
  closing.abort();
  expect(await failed).toMatchObject({ code: 'LOGDRIFT_EMBEDDING_ABORTED' });
});

test('an answer that never ends is cut off', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = (_input, response) => {
    const chunk = ' '.repeat(1024 * 1024);
    const write = () => {
      while (!response.destroyed && response.write(chunk)) continue;
    };
    response.on('drain', write);
    write();
    return true;
  };
  await using embedder = open(ollama.url);
  expect(await failureOf(embedder.embed(['a'], never))).toMatchObject({ code: 'LOGDRIFT_EMBEDDING_TOO_LARGE' });
});

test.each([
  ['LOGDRIFT_EMBEDDING_COUNT', { embeddings: [[1, 2]] }],
  [
    'LOGDRIFT_EMBEDDING_DIMENSIONS',
    {
      embeddings: [
        [1, 2],
        [1, 2, 3],
      ],
    },
  ],
  ['LOGDRIFT_EMBEDDING_DIMENSIONS', { embeddings: [[], []] }],
  ['LOGDRIFT_EMBEDDING_MALFORMED', { embeddings: ['a', 'b'] }],
  ['LOGDRIFT_EMBEDDING_MALFORMED', { error: 'oops' }],
  ['LOGDRIFT_EMBEDDING_MALFORMED', 'null'],
  ['LOGDRIFT_EMBEDDING_MALFORMED', '{"embeddings":[[NaN,1],[1,2]]}'],
  ['LOGDRIFT_EMBEDDING_MALFORMED', '<html>it works</html>'],
  [
    'LOGDRIFT_EMBEDDING_NOT_FINITE',
    {
      embeddings: [
        [null, 1],
        ['1', 1],
      ],
    },
  ],
  [
    'LOGDRIFT_EMBEDDING_ZERO_VECTOR',
    {
      embeddings: [
        [0, 0],
        [0, 0],
      ],
    },
  ],
])('%s: %j answered to two texts', async (code, answer) => {
  await using ollama = await startFakeOllama();
  // Whatever is asked, the probe included, gets nonsense.
  ollama.misbehave = (input, response) => {
    const rows = (answer as { embeddings?: unknown[] }).embeddings;
    return respond(response, 200, rows && input.length === 1 ? { embeddings: rows.slice(0, 1) } : answer);
  };
  const errors: (string | undefined)[] = [];
  await using embedder = open(ollama.url, { request: (_ms, error) => errors.push(error?.code) });
  expect(await failureOf(embedder.embed(['a', 'b'], never))).toMatchObject({ code, retryable: true });
  expect(errors[0]).toBe(code);
});

test('the first vector fixes the dimensions', async () => {
  await using ollama = await startFakeOllama();
  const fingerprints: string[] = [];
  await using embedder = open(ollama.url, { fingerprint: (fingerprint) => fingerprints.push(fingerprint) });
  await embedder.embed(['a'], never);
  ollama.dimensions = 9;
  const error = await failureOf(embedder.embed(['b'], never));
  expect(error.code).toBe('LOGDRIFT_EMBEDDING_DIMENSIONS');
  expect(error.message).toContain('9 dimensions instead of 8');
  expect(fingerprints).toEqual(['ollama:embeddinggemma:8']);
});

test.each([400, 413, 422, 500])(
  'a text answered with %i is found by bisection; the others get their vectors',
  async (status) => {
    await using ollama = await startFakeOllama();
    ollama.misbehave = (input, response) => input.includes('poison 17') && respond(response, status, { error: 'NaN' });
    await using embedder = open(ollama.url);
    const texts = Array.from({ length: 32 }, (_, index) => (index === 17 ? 'poison 17' : `text ${index}`));
    const vectors = await embedder.embed(texts, never);
    expect(vectors.map((vector) => vector !== null)).toEqual(texts.map((text) => text !== 'poison 17'));
    // The batch, the probe, two halves on each of five levels, the second chance.
    expect(ollama.requests).toHaveLength(13);
  },
);

test('a service that fails on everything costs two requests and blames no text', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = (_input, response) => respond(response, 500, { error: 'llama runner process has terminated' });
  await using embedder = open(ollama.url);
  const texts = Array.from({ length: 32 }, (_, index) => `text ${index}`);
  const error = await failureOf(embedder.embed(texts, never));
  expect(error).toMatchObject({ code: 'LOGDRIFT_EMBEDDING_STATUS', retryable: true });
  expect(error.message).toContain('llama runner process has terminated');
  expect(ollama.requests).toHaveLength(2);
});

test('a text that failed once by chance is asked for again before it is given up', async () => {
  await using ollama = await startFakeOllama();
  let failures = 1;
  ollama.misbehave = (_input, response) => failures-- > 0 && respond(response, 500, 'hiccup');
  await using embedder = open(ollama.url);
  expect(await embedder.embed(['a'], never)).not.toContain(null);
});

test('a vector of zeros beside usable ones costs only its own text', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = (_input, response) => respond(response, 200, '{"embeddings":[[3,4],[0,0],[null,1],[1e999,1]]}');
  await using embedder = open(ollama.url);
  expect(await embedder.embed(['a', 'b', 'c', 'd'], never)).toEqual([new Float32Array([0.6, 0.8]), null, null, null]);
});

test('a model that is not there is not worth a retry', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = (_input, response) => respond(response, 404, { error: 'model "embeddinggemma" not found' });
  await using embedder = open(ollama.url);
  const error = await failureOf(embedder.embed(['a'], never));
  expect(error.retryable).toBe(false);
  expect(error.message).toContain('not found');
});

test('Retry-After is passed on, up to a minute', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = (input, response) => {
    response.setHeader('retry-after', input[0] === 'a' ? '7' : '86400');
    return respond(response, 429, 'slow down');
  };
  await using embedder = open(ollama.url);
  expect((await failureOf(embedder.embed(['a'], never))).retryAfterMs).toBe(7_000);
  expect((await failureOf(embedder.embed(['b'], never))).retryAfterMs).toBe(60_000);
});
