/** Anomalies against what really happened: which faults were found, which alarms were false, and what chance would have found. */
import type { Labels } from './recording.ts';

/** The start of an anomaly. */
export interface Alarm {
  /** `file:nginx-error`; labels name sources without the type. */
  source: string;
  /** End of its window, ms. */
  timeMs: number;
  score: number;
}

/** A window that had a score. */
export type JudgedWindow = Pick<Alarm, 'source' | 'timeMs'>;

export interface FaultOutcome {
  kind: string;
  source: string;
  startMs: number;
  /** First alarm of the fault's own source, else of another source that it may touch, else null: missed. */
  found: Alarm | null;
  own: boolean;
  /** Other sources that alarmed. */
  others: string[];
}

export interface Outcome {
  faults: FaultOutcome[];
  /** Alarms while no fault ran or had just ended. */
  falseAlarms: Alarm[];
  /** Judged source time in which an alarm would be false. */
  quietHours: number;
  /** Faults (and faults in their own source) that as many alarms of each source at random times would be expected to find. */
  byChance: { found: number; own: number };
}

/**
 * A fault is found when an anomaly that starts in its own or in an affected source ends within [start, end + 2 steps]. An alarm is false when
 * its window ends outside [start, end + window + 2 steps] of every fault that concerns its source.
 */
export function compare(labels: Labels, alarms: readonly Alarm[], windows: readonly JudgedWindow[]): Outcome {
  const stepMs = labels.window_step_s * 1000;
  const faults = labels.faults.map(({ kind, source, affected, start, end }) => {
    const [startMs, endMs] = [Number(start) / 1e6, Number(end) / 1e6];
    return {
      kind,
      source,
      affected,
      startMs,
      foundByMs: endMs + 2 * stepMs,
      guardMs: endMs + 2 * stepMs + labels.window_size_s * 1000,
    };
  });
  type Span = (typeof faults)[number];
  const isOwn = (fault: Span, source: string) => fault.source === '*' || fault.source === nameOf(source);
  const concerns = (fault: Span, source: string) =>
    isOwn(fault, source) || fault.affected === '*' || fault.affected.includes(nameOf(source));
  const isQuiet = ({ source, timeMs }: JudgedWindow) =>
    !faults.some((fault) => concerns(fault, source) && fault.startMs <= timeMs && timeMs <= fault.guardMs);

  const alarmsBySource = Map.groupBy(alarms, (alarm) => alarm.source);
  const windowsBySource = Map.groupBy(windows, (window) => window.source);
  const byChance = { found: 0, own: 0 };
  const outcomes = faults.map((fault): FaultOutcome => {
    const during = ({ timeMs }: JudgedWindow) => fault.startMs <= timeMs && timeMs <= fault.foundByMs;
    const hits = alarms.filter((alarm) => concerns(fault, alarm.source) && during(alarm));
    const own = hits.find((alarm) => isOwn(fault, alarm.source));
    const found = own ?? hits[0] ?? null;

    // n alarms of a source, each in the fault's time with probability h: all beside it with (1 − h)ⁿ.
    let besideAny = 1;
    let besideOwn = 1;
    for (const [source, judged] of windowsBySource) {
      const hit = judged.filter(during).length / judged.length;
      const beside = (1 - hit) ** (alarmsBySource.get(source)?.length ?? 0);
      if (concerns(fault, source)) besideAny *= beside;
      if (isOwn(fault, source)) besideOwn *= beside;
    }
    byChance.found += 1 - besideAny;
    byChance.own += 1 - besideOwn;

    const others = new Set(
      hits.map((alarm) => nameOf(alarm.source)).filter((name) => name !== (found && nameOf(found.source))),
    );
    return {
      kind: fault.kind,
      source: fault.source,
      startMs: fault.startMs,
      found,
      own: own !== undefined,
      others: [...others],
    };
  });
  return {
    faults: outcomes,
    falseAlarms: alarms.filter(isQuiet),
    quietHours: (windows.filter(isQuiet).length * stepMs) / 3_600_000,
    byChance,
  };
}

/** `nginx-error` of `file:nginx-error`. */
export function nameOf(source: string): string {
  return source.slice(source.indexOf(':') + 1);
}
