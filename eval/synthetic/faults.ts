/** What goes wrong in the stream, and when: the labels. */
import { createDice, type Dice } from './distributions.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, type Effect } from './emitters.ts';
import type { SourceModel } from './services.ts';

export interface PlannedFault {
  kind: string;
  source: string;
  /** Other sources where it may show. */
  affected: string[];
  startMs: number;
  endMs: number;
  effects: ReadonlyMap<string, Effect>;
}

interface FaultKind {
  kind: string;
  /** Where it can happen, in the order of preference by turns. */
  sources: readonly string[];
  effect(dice: Dice, source: SourceModel, turn: number): Effect;
}

const KINDS: readonly FaultKind[] = [
  {
    kind: 'error_burst',
    sources: ['web', 'api', 'db', 'worker', 'auth'],
    effect: (dice) => ({ errors: dice.between(0.1, 0.35) }),
  },
  {
    kind: 'new_error',
    sources: ['api', 'db', 'scheduler', 'cache', 'web', 'worker', 'auth'],
    // Another text each time: what was accepted once is not new again.
    effect: (dice, source, turn) => ({ novel: { text: source.novel[turn]!, perMinute: dice.between(0.7, 4) } }),
  },
  { kind: 'silence', sources: ['worker', 'web', 'db', 'cache', 'scheduler', 'api'], effect: () => ({ silent: true }) },
  { kind: 'vanished_job', sources: ['cache', 'worker', 'scheduler'], effect: () => ({ jobs: 'off' }) },
  {
    kind: 'rate_surge',
    sources: ['web', 'db', 'auth', 'worker', 'api'],
    effect: (dice) => ({ rate: dice.between(2.5, 6) }),
  },
  { kind: 'mix_change', sources: ['web', 'cache', 'api', 'db', 'auth', 'worker'], effect: () => ({ shifted: true }) },
  {
    kind: 'slow',
    sources: ['api', 'db', 'web', 'worker', 'scheduler'],
    effect: (dice) => ({ slow: dice.between(4, 15) }),
  },
  {
    kind: 'severity_shift',
    sources: ['auth', 'worker', 'cache', 'web', 'api', 'db'],
    effect: (dice) => ({ louder: dice.between(0.2, 0.6) }),
  },
  { kind: 'broken_rhythm', sources: ['scheduler', 'worker', 'cache'], effect: () => ({ jobs: 'loop' }) },
];

export const FAULT_KINDS: readonly string[] = KINDS.map(({ kind }) => kind);

interface Turn {
  kind: FaultKind;
  turn: number;
}

/** Each kind so many times. */
const REPEATS = 6;
/** The first day is left to learning, and a day's end to what follows a fault. */
const FROM_MS = DAY_MS;
const SHORTEST_MINUTES = 6;
const LONGEST_MINUTES = 15;
/** A fault keeps so far from a source's own start of a new version: which of the two was found would be a guess. */
const APART_MS = HOUR_MS;
/** Nobody notices an error burst where nothing runs: a fault comes while its source has at least this share of its busiest minute. */
const BUSY_SHARE = 0.5;

/**
 * One fault after another, evenly spread with some chance over the time after the first day.
 *
 * @param startMs of the stream; faults begin on whole minutes from here
 */
export function planFaults(
  sources: readonly SourceModel[],
  startMs: number,
  endMs: number,
  seed: number,
): PlannedFault[] {
  const dice = createDice(seed, 'faults');
  const turns: Turn[] = KINDS.flatMap((kind) => Array.from({ length: REPEATS }, (_, turn) => ({ kind, turn })));
  shuffle(turns, dice);
  const spacingMs = (endMs - startMs - FROM_MS) / turns.length;
  const byName = new Map(sources.map((source) => [source.name, source]));
  return Array.from({ length: turns.length }, (_, i) => {
    const minute = Math.floor((FROM_MS + (i + dice.between(0.1, 0.7)) * spacingMs) / MINUTE_MS);
    const faultMs = startMs + minute * MINUTE_MS;
    const minutes = dice.integer(SHORTEST_MINUTES, LONGEST_MINUTES);
    const {
      kind: { kind, effect },
      turn,
      source,
    } = takeFitting(turns, byName, faultMs);
    const effects = new Map([[source.name, effect(dice, source, turn)]]);
    const affected: string[] = [];
    // Who waits for the database feels it.
    if (source.name === 'db' && (kind === 'silence' || kind === 'slow')) {
      effects.set('api', { errors: 0.15 });
      affected.push('api');
    }
    return { kind, source: source.name, affected, startMs: faultMs, endMs: faultMs + minutes * MINUTE_MS, effects };
  });
}

/** The first turn whose source is fit now; at night that leaves the busy sources' turns for the day. If there is none, any source of the first turn that is fit. */
function takeFitting(
  turns: Turn[],
  byName: ReadonlyMap<string, SourceModel>,
  timeMs: number,
): Turn & { source: SourceModel } {
  const sourceOf = ({ kind, turn }: Turn, k = 0): SourceModel =>
    byName.get(kind.sources[(turn + k) % kind.sources.length]!)!;
  const at = Math.max(
    0,
    turns.findIndex((turn) => isFit(sourceOf(turn), timeMs)),
  );
  const [turn] = turns.splice(at, 1);
  const candidates = turn!.kind.sources.map((_, k) => sourceOf(turn!, k));
  return { ...turn!, source: candidates.find((source) => isFit(source, timeMs)) ?? candidates[0]! };
}

function isFit(source: SourceModel, timeMs: number): boolean {
  if (source.starts.some((start) => Math.abs(start.timeMs - timeMs) < APART_MS)) return false;
  let busiest = 0;
  for (let hour = 0; hour < 7 * 24; hour++) busiest = Math.max(busiest, source.perMinute(timeMs - hour * HOUR_MS));
  return source.perMinute(timeMs) >= BUSY_SHARE * busiest;
}

function shuffle<T>(items: T[], dice: Dice): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = dice.integer(0, i);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
}
