import { expect, test } from 'vitest';
import { createRandom } from '../../fuzz/mutate.ts';
import { throwFrames } from './mutated.ts';

const INPUTS = 4000;

test('damaged frames end a connection with a legal code or not at all, and every stream is told', async () => {
  const random = createRandom(9113);
  const codes = new Map<number | null, number>();
  let streams = 0;
  for (let i = 0; i < INPUTS; i++) {
    const outcome = await throwFrames(random);
    codes.set(outcome.goaway, (codes.get(outcome.goaway) ?? 0) + 1);
    streams += outcome.streams;
  }
  // PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR, ENHANCE_YOUR_CALM; never INTERNAL_ERROR.
  for (const code of codes.keys()) expect([null, 1, 3, 5, 6, 9, 11]).toContain(code);
  expect(codes.size).toBeGreaterThan(4);
  expect(streams).toBeGreaterThan(INPUTS / 2);
});
