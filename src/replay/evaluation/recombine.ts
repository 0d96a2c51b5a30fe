/** Scores as other sets of channels would have given them, from the nats of a run. */
import { Acceptance } from '../../detect/channels/acceptance.ts';
import { CHANNELS, combineChannels, DEFAULT_WEIGHTS, type Channel } from '../../detect/channels/combination.ts';
import type { Verdict } from '../../detect/verdict.ts';

export type ChannelWindow = Pick<Verdict, 'source' | 'score' | 'gates' | 'channels'>;

/** Values a channel is calibrated against, at most. */
const CALIBRATION_WINDOWS = 120;

/** Each array by the index of the windows; NaN where the window has no score. */
export interface Recombined {
  /** All channels of the run together: what the run scored itself. */
  combined: Float64Array;
  /** Nats of one channel, as it says them: not cut, not weighted. */
  alone: ReadonlyMap<Channel, Float64Array>;
  /** Sigmas without one channel. */
  without: ReadonlyMap<Channel, Float64Array>;
}

/**
 * What each source has learnt stays that of the run: which windows were accepted was decided by all channels together, so a run without a channel may
 * differ a little from its row here.
 *
 * @param windows of all sources, each in the order they were judged
 * @returns null where the run had one channel only
 */
export function recombine(windows: readonly ChannelWindow[]): Recombined | null {
  const enabled = CHANNELS.filter((channel) => windows.some(({ channels }) => channels?.[channel] !== undefined));
  if (enabled.length === 0) return null;
  const column = (): Float64Array => new Float64Array(windows.length).fill(NaN);
  const combined = column();
  const alone = new Map(enabled.map((channel) => [channel, column()]));
  const without = new Map(enabled.length > 1 ? enabled.map((channel) => [channel, column()]) : []);
  const weightsOf = (channels: readonly Channel[]): number[] =>
    CHANNELS.map((channel) => (channels.includes(channel) ? DEFAULT_WEIGHTS[channel] : 0));
  const weights = weightsOf(enabled);
  const weightsWithout = new Map(
    Array.from(without.keys(), (channel) => [channel, weightsOf(enabled.filter((other) => other !== channel))]),
  );
  const learnt = new Map<string, Learnt>();
  const nats = new Float64Array(CHANNELS.length);
  const scratch = new Float64Array(CHANNELS.length);
  for (const [i, window] of windows.entries()) {
    let source = learnt.get(window.source);
    if (source === undefined) learnt.set(window.source, (source = new Learnt()));
    if (window.channels !== null) {
      for (const [c, channel] of CHANNELS.entries()) nats[c] = window.channels[channel] ?? 0;
      combined[i] = combineChannels(nats, source.sizes, weights, scratch).score;
      for (const [channel, values] of alone) values[i] = window.channels[channel]!;
      for (const [channel, values] of without)
        values[i] = combineChannels(nats, source.sizes, weightsWithout.get(channel)!, scratch).score;
    }
    source.take(window);
  }
  return { combined, alone, without };
}

/** How many values each channel of a source is calibrated against: the cap of a channel depends on it. As the judge counts them. */
class Learnt {
  readonly sizes = new Float64Array(CHANNELS.length);
  readonly #acceptance = new Acceptance();

  take({ score, gates, channels }: ChannelWindow): void {
    if (gates.includes('incomplete') || !this.#acceptance.offer(score) || channels === null) return;
    for (const [c, channel] of CHANNELS.entries()) {
      if (channel === 'dmd' && gates.includes('degraded')) continue;
      this.sizes[c] = Math.min(CALIBRATION_WINDOWS, this.sizes[c]! + 1);
    }
  }
}
