/** A tie for the loudest goes to the first; stored by place, so append only. */
export const CHANNELS = ['rate', 'novelty', 'severity', 'silence', 'distance', 'dmd', 'values'] as const;
export type Channel = (typeof CHANNELS)[number];

/** How much of a channel's nats counts. */
export const DEFAULT_WEIGHTS: Readonly<Record<Channel, number>> = {
  rate: 1,
  novelty: 1,
  severity: 1,
  silence: 1,
  distance: 1,
  dmd: 1,
  values: 1,
};

/** Whether x of a channel is −ln of a probability; else it is a length. */
export function isSurprise(channel: Channel): boolean {
  return channel !== 'distance' && channel !== 'dmd';
}

/** The score is dmd's z then, and the gates that concern dmd hold the whole alert. */
export function isDmdOnly(channels: readonly string[]): boolean {
  return channels.length === 1 && channels[0] === 'dmd';
}

/** 0 = not enabled. */
export function weightsOf(
  channels: readonly Channel[],
  given: Readonly<Partial<Record<Channel, number>>> = {},
): Record<Channel, number> {
  const weights = { ...DEFAULT_WEIGHTS, ...given };
  for (const channel of CHANNELS) if (!channels.includes(channel)) weights[channel] = 0;
  return weights;
}
