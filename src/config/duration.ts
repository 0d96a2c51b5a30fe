/** Durations as the Collector and the seed write them: Go's `120s`, `2m`, `1h30m`, `250ms`. */

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/y;

/**
 * @returns milliseconds, a whole number ≥ 0
 * @throws Error whose message fits the configuration's problem lines: `what is wrong – what to do`
 */
export function parseDuration(value: unknown): number {
  if (typeof value === 'number' && value >= 0) throw new Error(needsUnit(String(value)));
  if (typeof value === 'number') throw new Error('must not be negative – write for example 30s');
  if (typeof value !== 'string') throw new Error('must be a duration – write for example 30s, 2m or 1h30m');
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) throw new Error(needsUnit(text));
  if (text.startsWith('-')) throw new Error('must not be negative – write for example 30s');
  const days = /^(\d+(?:\.\d+)?)d$/.exec(text);
  if (days !== null) throw new Error(`days are not a unit – write ${Number(days[1]) * 24}h`);

  let totalMs = 0;
  PART.lastIndex = 0;
  do {
    const part = PART.exec(text);
    if (part === null) throw new Error('must be a duration – write for example 30s, 2m or 1h30m (units: ms, s, m, h)');
    totalMs += Number(part[1]) * UNIT_MS[part[2]!]!;
  } while (PART.lastIndex < text.length);
  // 0.1s * 1000 is not exactly 100 in binary; anything further off really has fractions of a millisecond.
  const wholeMs = Math.round(totalMs);
  if (Math.abs(totalMs - wholeMs) > 1e-6 || !Number.isSafeInteger(wholeMs)) {
    throw new Error('must be a whole number of milliseconds – write for example 250ms');
  }
  return wholeMs;
}

function needsUnit(digits: string): string {
  return `needs a unit – write ${digits}s or ${digits}ms (units: ms, s, m, h)`;
}

/** 90000 → `1m30s`; the form that {@link parseDuration} reads back. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = ms;
  let text = '';
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
