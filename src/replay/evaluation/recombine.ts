/** Scores as other sets of channels would have given them, from the nats of a run. */
import { Acceptance } from '../../detect/channels/acceptance.ts';
import { CHANNELS, weightsOf, type Channel } from '../../detect/channels/channels.ts';
import { combineChannels } from '../../detect/channels/combination.ts';
import { LASTING_WINDOWS } from '../../detect/channels/lasting.ts';
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
 * @param run window size / step, and the weights that were configured
 * @returns null where the run had one channel only
 */
export function recombine(
  windows: readonly ChannelWindow[],
  run: { panesPerWindow: number; weights?: Readonly<Partial<Record<Channel, number>>> },
): Recombined | null {
  const enabled = CHANNELS.filter((channel) => windows.some(({ channels }) => channels?.[channel] !== undefined));
  if (enabled.length === 0) return null;
  const column = (): Float64Array => new Float64Array(windows.length).fill(NaN);
  const combined = column();
  const alone = new Map(enabled.map((channel) => [channel, column()]));
  const without = new Map(enabled.length > 1 ? enabled.map((channel) => [channel, column()]) : []);
  const weightsOfAll = (channels: readonly Channel[]): number[] => {
    const weights = weightsOf(channels, run.weights);
    return CHANNELS.map((channel) => weights[channel]);
  };
  const weights = weightsOfAll(enabled);
  const weightsWithout = new Map(
    Array.from(without.keys(), (channel) => [channel, weightsOfAll(enabled.filter((other) => other !== channel))]),
  );
  const learnt = new Map<string, Learnt>();
  const scratch = new Float64Array(CHANNELS.length);
  for (const [i, window] of windows.entries()) {
    let source = learnt.get(window.source);
    if (source === undefined) learnt.set(window.source, (source = new Learnt(run.panesPerWindow)));
    const said = source.take(window);
    if (said === null) continue;
    combined[i] = combineChannels({ ...said, weights }, scratch).score;
    for (const [channel, values] of alone) values[i] = window.channels![channel]!;
    for (const [channel, values] of without)
      values[i] = combineChannels({ ...said, weights: weightsWithout.get(channel)! }, scratch).score;
  }
  return { combined, alone, without };
}

/** What the cap of a channel and the score of what lasts depend on, counted as the judge does. */
class Learnt {
  readonly #panesPerWindow: number;
  /** How many values each channel of the source is calibrated against. */
  readonly #sizes = new Float64Array(CHANNELS.length);
  readonly #acceptance = new Acceptance();
  /** Nats by {@link CHANNELS} of the newest windows, oldest first; null while warming. */
  readonly #recent: (readonly number[] | null)[] = [];

  constructor(panesPerWindow: number) {
    this.#panesPerWindow = panesPerWindow;
  }

  /** The next window. @returns what its score is made of; null while warming */
  take({
    score,
    gates,
    channels,
  }: ChannelWindow): { nats: readonly number[]; earlier: (readonly number[])[]; sizes: Float64Array } | null {
    const nats = channels === null ? null : CHANNELS.map((channel) => channels[channel] ?? 0);
    const said = nats === null ? null : { nats, earlier: this.#earlier(), sizes: this.#sizes.slice() };
    this.#recent.push(nats);
    if (this.#recent.length > (LASTING_WINDOWS - 1) * this.#panesPerWindow) this.#recent.shift();
    if (gates.includes('incomplete') || !this.#acceptance.offer(score) || channels === null) return said;
    for (const [c, channel] of CHANNELS.entries()) {
      if (channel === 'dmd' && gates.includes('degraded')) continue;
      this.#sizes[c] = Math.min(CALIBRATION_WINDOWS, this.#sizes[c]! + 1);
    }
    return said;
  }

  #earlier(): (readonly number[])[] {
    const earlier: (readonly number[])[] = [];
    for (let k = 1; k < LASTING_WINDOWS; k++) {
      const nats = this.#recent[this.#recent.length - k * this.#panesPerWindow] ?? null;
      if (nats === null) break;
      earlier.push(nats);
    }
    return earlier;
  }
}
