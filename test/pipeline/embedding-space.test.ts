import { expect, test } from 'vitest';
import type { Embedding } from '../../src/embed/batcher.ts';
import type { Embedder } from '../../src/embed/embedder.ts';
import { EmbeddingSpace } from '../../src/pipeline/embedding-space.ts';

/** The other side of the contract: an embedder whose dimensions can change, and a batcher that answers at once. */
function parts() {
  const embedder = { fingerprint: 'ollama:m:?' } as { -readonly [K in keyof Embedder]: Embedder[K] };
  let answer = new Map<string, Float32Array>();
  const embedding: Embedding = {
    vectors: () => Promise.resolve(answer),
    pending: 0,
    cached: 0,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const answerWith = (dimensions: number): void => {
    embedder.fingerprint = `ollama:m:${dimensions}`;
    answer = new Map([['a', new Float32Array(dimensions)]]);
  };
  return { embedder, embedding, answerWith, signal: new AbortController().signal };
}

test('the first dimensions that become known are no change', async () => {
  const { embedder, embedding, answerWith, signal } = parts();
  let changes = 0;
  const space = new EmbeddingSpace(embedder, null, () => changes++);
  await space.vectors(embedding, ['a'], signal);
  expect(space.fingerprint).toBe(null);
  answerWith(768);
  await space.vectors(embedding, ['a'], signal);
  expect([space.fingerprint, changes]).toEqual(['ollama:m:768', 0]);
});

test('other vectors than those of the restored history are told once, before they are handed on', async () => {
  const { embedder, embedding, answerWith, signal } = parts();
  let handedOn = false;
  const told: boolean[] = [];
  const space = new EmbeddingSpace(embedder, 'ollama:m:768', () => told.push(handedOn));
  await space.vectors(embedding, ['a'], signal); // service down: nothing is known, nothing changed
  expect(told).toEqual([]);
  answerWith(384);
  await space.vectors(embedding, ['a'], signal).then(() => (handedOn = true));
  await space.vectors(embedding, ['a'], signal);
  expect(told).toEqual([false]);
});
