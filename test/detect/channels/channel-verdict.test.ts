import { expect, test } from 'vitest';
import { packVerdict, unpackVerdict, VERDICT_NUMBERS } from '../../../src/detect/channels/channel-verdict.ts';
import { CHANNELS } from '../../../src/detect/channels/channels.ts';

test('what the channels said comes back from its numbers, whichever are enabled and whichever was loudest', () => {
  const numbers = new Float64Array(VERDICT_NUMBERS).fill(7);
  for (const [c, loudest] of CHANNELS.entries()) {
    const channels = Object.fromEntries(CHANNELS.slice(0, c + 1).map((channel, k) => [channel, k / 3]));
    const verdict = { score: c - 3.25, loudest, channels };
    packVerdict(verdict, numbers);
    expect(unpackVerdict(numbers)).toEqual(verdict);
  }
});

test('a window before scoring starts has said nothing', () => {
  const numbers = new Float64Array(VERDICT_NUMBERS);
  packVerdict(null, numbers);
  expect(unpackVerdict(numbers)).toBeNull();
});
