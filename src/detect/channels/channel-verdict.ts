import type { ChannelSurprises } from '../verdict.ts';
import { CHANNELS, type Channel } from './channels.ts';

/**
 * What the channels said of a window as numbers, for the history and the store, so that `explain` tells what was said then:
 *
 *     score | place of the loudest in CHANNELS | nats of each, NaN = not enabled
 *
 * A score of NaN = the source was warming.
 */
export const VERDICT_NUMBERS = 2 + CHANNELS.length;

export interface ChannelVerdict {
  score: number;
  loudest: Channel;
  channels: ChannelSurprises;
}

/** @param out - {@link VERDICT_NUMBERS} numbers */
export function packVerdict(verdict: ChannelVerdict | null, out: Float64Array): void {
  out.fill(NaN);
  if (verdict === null) return;
  out[0] = verdict.score;
  out[1] = CHANNELS.indexOf(verdict.loudest);
  for (const [c, channel] of CHANNELS.entries()) out[2 + c] = verdict.channels[channel] ?? NaN;
}

export function unpackVerdict(numbers: Float64Array): ChannelVerdict | null {
  const score = numbers[0]!;
  if (Number.isNaN(score)) return null;
  const channels: Partial<Record<Channel, number>> = {};
  for (const [c, channel] of CHANNELS.entries()) {
    if (!Number.isNaN(numbers[2 + c])) channels[channel] = numbers[2 + c]!;
  }
  return { score, loudest: CHANNELS[numbers[1]!]!, channels };
}

/** Nats by {@link CHANNELS}, a view; null where the source was warming. */
export function natsOf(numbers: Float64Array): Float64Array | null {
  return Number.isNaN(numbers[0]) ? null : numbers.subarray(2, VERDICT_NUMBERS);
}
