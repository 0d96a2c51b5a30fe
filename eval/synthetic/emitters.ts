/** What makes a source speak: traffic, jobs, single events. Each is asked minute by minute and keeps its own state. */
import type { Dice } from './distributions.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** OTLP severity numbers. */
export const INFO = 9;
export const WARN = 13;
export const ERROR = 17;

export interface Line {
  timeMs: number;
  severity: number;
  text: string;
}

/** What a fault does to a source while it runs. Left out = as usual. */
export interface Effect {
  /** Nothing is logged at all. */
  silent?: true;
  /** Times as much traffic. */
  rate?: number;
  /** Share of the traffic that fails with one of the source's usual errors. */
  errors?: number;
  /** A line that the source never logged before, so many times a minute. */
  novel?: { text: string; perMinute: number };
  /** Traffic of the same volume in the proportions of {@link Kind.shifted}. */
  shifted?: true;
  /** Times as long. */
  slow?: number;
  /** Share of the traffic that is logged two levels up, in the same words. */
  louder?: number;
  /** Jobs do not run, or run again and again. */
  jobs?: 'off' | 'loop';
}

export type Emitter = (fromMs: number, effect: Effect, dice: Dice) => Line[];

/** One kind of line in the traffic. */
export interface Kind {
  weight: number;
  /** Weight while the mix is changed; as usual where left out. */
  shifted?: number;
  severity?: number;
  /** In use from and until, for lines of one version. */
  sinceMs?: number;
  untilMs?: number;
  /** @param slow times as long as usual */
  text(dice: Dice, slow: number, timeMs: number): string;
}

export interface TrafficOptions {
  /** Expected lines, without chance. */
  perMinute(timeMs: number): number;
  kinds: readonly Kind[];
  errors: readonly Kind[];
  /** Share of errors in usual traffic. */
  errorShare: number;
}

/** A minute's load goes with the one before … */
const PERSISTENCE = 0.95;
/** … and wanders so far around its mean (standard deviation of the logarithm); beside it each minute has its own gamma, so counts are over-dispersed. */
const WANDER = 0.2;
const MINUTE_SHAPE = 12;

export function traffic({ perMinute, kinds, errors, errorShare }: TrafficOptions): Emitter {
  let wander = 0;
  return (fromMs, effect, dice) => {
    wander = PERSISTENCE * wander + Math.sqrt(1 - PERSISTENCE ** 2) * dice.normal();
    const load = Math.exp(WANDER * wander - WANDER ** 2 / 2) * dice.gamma(MINUTE_SHAPE);
    const count = dice.poisson(perMinute(fromMs) * load * (effect.rate ?? 1));
    return Array.from({ length: count }, () => {
      const timeMs = fromMs + dice.uniform() * MINUTE_MS;
      const failed = dice.uniform() < Math.max(errorShare, effect.errors ?? 0);
      const kind = choose(failed ? errors : kinds, timeMs, effect.shifted === true, dice);
      const louder = dice.uniform() < (effect.louder ?? 0) ? 8 : 0;
      const severity = Math.min(ERROR, (kind.severity ?? (failed ? ERROR : INFO)) + louder);
      return { timeMs, severity, text: kind.text(dice, effect.slow ?? 1, timeMs) };
    });
  };
}

function choose(kinds: readonly Kind[], timeMs: number, isShifted: boolean, dice: Dice): Kind {
  const inUse = kinds.filter(({ sinceMs = -Infinity, untilMs = Infinity }) => sinceMs <= timeMs && timeMs < untilMs);
  const weightOf = ({ weight, shifted = weight }: Kind): number => (isShifted ? shifted : weight);
  let rest = dice.uniform() * inUse.reduce((sum, kind) => sum + weightOf(kind), 0);
  return inUse.find((kind) => (rest -= weightOf(kind)) < 0) ?? inUse.at(-1)!;
}

export interface JobOptions {
  periodMs: number;
  /** First run after a multiple of the period. */
  offsetMs?: number;
  /** Standard deviation of a run's start. */
  jitterMs: number;
  /** A run's lines, with their distance from its start. */
  run(dice: Dice, slow: number): { afterMs: number; text: string; severity?: number }[];
}

/** Runs of a job that is stuck in a loop follow each other at this share of the period. */
const LOOP_SHARE = 0.25;

export function job({ periodMs, offsetMs = 0, jitterMs, run }: JobOptions): Emitter {
  let waiting: Line[] = [];
  return (fromMs, effect, dice) => {
    const untilMs = fromMs + MINUTE_MS;
    const every = effect.jobs === 'loop' ? periodMs * LOOP_SHARE : periodMs;
    const first = Math.ceil((fromMs - offsetMs) / every) * every + offsetMs;
    for (let startMs = first; startMs < untilMs; startMs += every) {
      const beginMs = startMs + Math.abs(jitterMs * dice.normal());
      const lines = run(dice, effect.slow ?? 1);
      if (effect.jobs === 'off') continue;
      for (const { afterMs, text, severity = INFO } of lines)
        waiting.push({ timeMs: beginMs + afterMs, severity, text });
    }
    const due = waiting.filter(({ timeMs }) => timeMs < untilMs);
    waiting = waiting.filter(({ timeMs }) => timeMs >= untilMs);
    return due;
  };
}

/** Lines that come by themselves now and then. */
export function rare(perDay: number, kinds: readonly Kind[]): Emitter {
  return (fromMs, _effect, dice) =>
    Array.from({ length: dice.poisson((perDay * MINUTE_MS) / DAY_MS) }, () => {
      const timeMs = fromMs + dice.uniform() * MINUTE_MS;
      const kind = choose(kinds, timeMs, false, dice);
      return { timeMs, severity: kind.severity ?? INFO, text: kind.text(dice, 1, timeMs) };
    });
}
