/** How busy people keep a service. */
import { DAY_MS, HOUR_MS } from './emitters.ts';

/**
 * Day and night, weekend and working week, from 1 at the busiest hour of a working day down to about 0.15 at night. 1970 began on a Thursday, so day 2 and 3
 * of a week counted from there are its weekend.
 */
export function humanLoad(timeMs: number): number {
  const hour = (timeMs % DAY_MS) / HOUR_MS;
  const day = Math.floor(timeMs / DAY_MS) % 7;
  const daily = 0.15 + 0.85 * Math.max(0, Math.sin((Math.PI * (hour - 5)) / 19)) ** 1.3;
  return daily * (day === 2 || day === 3 ? 0.6 : 1);
}
