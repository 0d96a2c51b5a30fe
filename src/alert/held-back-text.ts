import type { HeldBack } from './episode.ts';

/** For people: why a loud window began no anomaly. Page and `logdrift top` say the same. */
export const HELD_BACK_TEXT: Readonly<Record<HeldBack, string>> = {
  second_look: 'loud once, waits for a second look',
  schedule: 'loud as at this time of other days',
  budget: 'loud, below its raised threshold',
  refractory: 'loud just after an anomaly',
};
