import { expect, test, vi } from 'vitest';
import { createEmbedding, type EmbeddingOptions } from '../../src/embed/batcher.ts';
import { openEmbedder } from '../../src/embed/open.ts';
import { respond, startFakeOllama, type FakeOllama } from './fake-ollama.ts';

const never = new AbortController().signal;
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix} ${index}`);

/** The batcher with what it counts, before a fake Ollama (or the hashing embedder). */
function start(ollama: Pick<FakeOllama, 'url'> | null, options: Partial<EmbeddingOptions> = {}) {
  const counts = { hits: 0, misses: 0, evictions: 0, dropped: 0, quarantined: [] as string[], late: [] as string[] };
  const requests: (string | null)[] = [];
  const observe: EmbeddingOptions['observe'] = {
    request: (_ms, error) => requests.push(error?.reason ?? null),
    cache: (hits, misses, evictions) => {
      counts.hits += hits;
      counts.misses += misses;
      counts.evictions += evictions;
    },
    dropped: (texts) => (counts.dropped += texts),
    quarantined: (texts) => counts.quarantined.push(...texts),
  };
  const embedder = openEmbedder({ url: ollama?.url ?? null, model: 'm', requestTimeoutMs: 60_000, observe });
  const embedding = createEmbedding({
    embedder,
    batchTimeoutMs: 10,
    backoffMs: 10,
    maxBackoffMs: 20,
    observe,
    onLate: (text) => counts.late.push(text),
    ...options,
  });
  return {
    embedding,
    embedder,
    counts,
    requests,
    async [Symbol.asyncDispose]() {
      await embedding[Symbol.asyncDispose]();
      await embedder[Symbol.asyncDispose]();
    },
  };
}

/** Nobody listens there. */
const GONE = { url: 'http://127.0.0.1:1' };

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

test('the hashing embedder gives every vector, in the order asked, once from the embedder and then from the cache', async () => {
  await using hashing = start(null);
  const texts = names('connection from host refused', 100);
  const first = await hashing.embedding.vectors([...texts, ...texts], never);
  expect([...first.keys()]).toEqual(texts);
  const second = await hashing.embedding.vectors(texts.toReversed(), never);
  expect([...second.keys()]).toEqual(texts.toReversed());
  expect(second.get(texts[7]!)).toBe(first.get(texts[7]!));
  expect(hashing.counts).toMatchObject({ hits: 100, misses: 100, evictions: 0 });
});

test('sources that ask within the batch timeout share requests, and the same text is asked for once', async () => {
  await using ollama = await startFakeOllama();
  await using remote = start(ollama, { batchTimeoutMs: 50 });
  await remote.embedding.vectors(['before'], never);
  const [one, two] = await Promise.all([
    remote.embedding.vectors(['shared', 'mine'], never),
    remote.embedding.vectors(['yours', 'shared'], never),
  ]);
  expect(ollama.requests.map((request) => request.toSorted())).toEqual([['before'], ['mine', 'shared', 'yours']]);
  expect(one.get('shared')).toBe(two.get('shared'));
  expect([...two.keys()]).toEqual(['yours', 'shared']);
});

test('a text that is under way is not asked for again', async () => {
  await using ollama = await startFakeOllama();
  ollama.delayMs = 60;
  await using remote = start(ollama, { batchTimeoutMs: 0 });
  const first = remote.embedding.vectors(['a'], never);
  await until(() => ollama.requests.length === 1);
  const second = await remote.embedding.vectors(['a'], never);
  expect((await first).get('a')).toBe(second.get('a'));
  expect(ollama.requests).toEqual([['a']]);
});

test('batches hold at most 32 texts and at most 2 are in flight', async () => {
  await using ollama = await startFakeOllama();
  ollama.delayMs = 20;
  await using remote = start(ollama);
  const texts = names('text', 200);
  const found = await remote.embedding.vectors(texts, never);
  expect([...found.keys()]).toEqual(texts);
  expect(ollama.requests.map((request) => request.length).sort((a, b) => b - a)).toEqual([32, 32, 32, 32, 32, 32, 8]);
  expect(ollama.mostInFlight).toBe(2);
});

test('the model is warmed up before anything is asked', async () => {
  await using ollama = await startFakeOllama();
  await using _remote = start(ollama);
  await until(() => ollama.warmUps === 1);
  expect(ollama.bodies[0]).toEqual({ model: 'm', input: [], keep_alive: '30m' });
  expect(ollama.requests).toEqual([]);
});

test('a deadline ends the wait with what is there; the late vector is announced and cached', async () => {
  await using ollama = await startFakeOllama();
  let answer: (() => void) | undefined;
  await using remote = start(ollama, { batchTimeoutMs: 0 });
  await remote.embedding.vectors(['quick'], never);
  ollama.misbehave = (input, response) => {
    answer = () => respond(response, 200, { embeddings: input.map(() => [1, 0, 0, 0, 0, 0, 0, 0]) });
    return true;
  };
  const found = await remote.embedding.vectors(['quick', 'slow'], AbortSignal.timeout(50));
  expect([...found.keys()]).toEqual(['quick']);
  expect(remote.counts.late).toEqual([]);
  await until(() => answer !== undefined);
  answer!();
  await until(() => remote.counts.late.length > 0);
  expect(remote.counts.late).toEqual(['slow']);
  expect((await remote.embedding.vectors(['slow'], AbortSignal.abort())).has('slow')).toBe(true);
});

test('a vector that is in time is not announced as late', async () => {
  await using ollama = await startFakeOllama();
  await using remote = start(ollama);
  await remote.embedding.vectors(['a'], never);
  expect(remote.counts.late).toEqual([]);
});

test('a service that comes back within the deadline costs only the wait', async () => {
  await using ollama = await startFakeOllama();
  let failures = 3;
  ollama.misbehave = (_input, response) => failures-- > 0 && respond(response, 503, 'busy');
  await using remote = start(ollama);
  expect((await remote.embedding.vectors(names('text', 40), never)).size).toBe(40);
  expect(remote.requests.filter((reason) => reason === 'status')).toHaveLength(3);
});

test('while the service fails one request at a time tries it', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = (_input, response) => {
    setTimeout(() => respond(response, 503, 'busy'), 5);
    return true;
  };
  await using remote = start(ollama);
  void remote.embedding.vectors(names('first', 32), never);
  await until(() => remote.requests.length >= 1);
  ollama.mostInFlight = 0;
  void remote.embedding.vectors(names('text', 200), never);
  await until(() => remote.requests.length >= 6);
  expect(ollama.mostInFlight).toBe(1);
});

test('a service that refuses connections costs the wait and nothing else', async () => {
  await using remote = start(GONE);
  const deadline = new AbortController();
  const vectors = remote.embedding.vectors(['a', 'b'], deadline.signal);
  await until(() => remote.requests.length > 1);
  deadline.abort();
  expect(await vectors).toEqual(new Map());
  expect(new Set(remote.requests)).toEqual(new Set(['unreachable']));
  expect(remote.embedding.pending).toBe(2);
});

test('a model that is not there ends the wait at once, and the next step asks again', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = (_input, response) => respond(response, 404, 'model not found');
  await using remote = start(ollama);
  expect((await remote.embedding.vectors(['a'], never)).size).toBe(0);
  ollama.misbehave = null;
  expect((await remote.embedding.vectors(['a'], never)).size).toBe(1);
});

test('a poison text is put aside for a while and holds up nobody', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = (input, response) => input.includes('poison') && respond(response, 500, 'NaN');
  await using remote = start(ollama, { quarantineMs: 600_000 });
  const texts = ['a', 'poison', 'b'];
  expect([...(await remote.embedding.vectors(texts, never)).keys()]).toEqual(['a', 'b']);
  expect(remote.counts.quarantined).toEqual(['poison']);
  const asked = ollama.requests.length;
  expect([...(await remote.embedding.vectors(texts, never)).keys()]).toEqual(['a', 'b']);
  expect(ollama.requests).toHaveLength(asked);
  ollama.misbehave = null;
  const now = performance.now.bind(performance);
  const later = vi.spyOn(performance, 'now').mockImplementation(() => now() + 600_000);
  expect((await remote.embedding.vectors(texts, never)).size).toBe(3);
  later.mockRestore();
});

test('more than maxPending texts drop those asked for longest ago, counted, and end their wait', async () => {
  await using remote = start(GONE, { maxPending: 50, backoffMs: 60_000, maxBackoffMs: 60_000 });
  const deadline = new AbortController();
  const old = remote.embedding.vectors(names('old', 40), never);
  await until(() => remote.requests.length === 1);
  const young = remote.embedding.vectors(names('young', 50), deadline.signal);
  expect(await old).toEqual(new Map());
  expect(remote.embedding.pending).toBe(50);
  expect(remote.counts.dropped).toBe(40);
  deadline.abort();
  expect(await young).toEqual(new Map());
});

test('texts somebody waits for go before those that only repair histories', async () => {
  await using ollama = await startFakeOllama();
  // Back in service with the first request for somebody who still waits.
  ollama.misbehave = (input, response) => {
    if (!input[0]!.startsWith('young')) return respond(response, 503, 'busy');
    ollama.misbehave = null;
    return false;
  };
  await using remote = start(ollama, { maxBatch: 4, inFlight: 1 });
  await remote.embedding.vectors(names('old', 8), AbortSignal.timeout(40));
  expect((await remote.embedding.vectors(names('young', 4), never)).size).toBe(4);
  await until(() => remote.counts.late.length === 8);
  const served = ollama.requests.findIndex((request) => request[0]!.startsWith('young'));
  expect(ollama.requests[served]).toEqual(names('young', 4));
  expect(ollama.requests.slice(served + 1).flat()).toEqual(names('old', 8));
});

test('one call may ask for more than the cache holds', async () => {
  await using hashing = start(null, { cacheSize: 10 });
  expect((await hashing.embedding.vectors(names('text', 100), never)).size).toBe(100);
  expect(hashing.embedding.cached).toBe(10);
  expect(hashing.counts.evictions).toBe(90);
});

test('disposing ends every wait and closes every connection', async () => {
  await using ollama = await startFakeOllama();
  ollama.misbehave = () => true;
  const remote = start(ollama, { batchTimeoutMs: 0 });
  const waiting = remote.embedding.vectors(['a'], never);
  await until(() => ollama.requests.length === 1);
  await remote[Symbol.asyncDispose]();
  expect(await waiting).toEqual(new Map());
  expect(await remote.embedding.vectors(['b'], never)).toEqual(new Map());
});
