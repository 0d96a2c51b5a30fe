/** Anomalies against what really happened: which faults were found, which alarms were false, and what chance would have found. */
import type { Labels } from '../../src/replay/evaluation/labels.ts';
import { faultSpans, type FaultSpan } from '../../src/replay/evaluation/windows.ts';

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

/** When a fault is found, and which windows are quiet, is what `replay --labels` says ({@link FaultSpan}). */
export function compare(labels: Labels, alarms: readonly Alarm[], windows: readonly JudgedWindow[]): Outcome {
  const spans = faultSpans(labels);
  const during = (span: FaultSpan, { timeMs }: JudgedWindow): boolean =>
    span.fault.startMs <= timeMs && timeMs <= span.foundByMs;
  const isQuiet = ({ source, timeMs }: JudgedWindow): boolean =>
    !spans.some((span) => span.concerns(nameOf(source)) && span.fault.startMs <= timeMs && timeMs <= span.quietAfterMs);

  const alarmsBySource = Map.groupBy(alarms, (alarm) => alarm.source);
  const windowsBySource = Map.groupBy(windows, (window) => window.source);
  const byChance = { found: 0, own: 0 };
  const outcomes = spans.map((span): FaultOutcome => {
    const hits = alarms.filter((alarm) => span.concerns(nameOf(alarm.source)) && during(span, alarm));
    const own = hits.find((alarm) => span.isOwn(nameOf(alarm.source)));
    const found = own ?? hits[0] ?? null;

    // n alarms of a source, each in the fault's time with probability h: all beside it with (1 − h)ⁿ.
    let besideAny = 1;
    let besideOwn = 1;
    for (const [source, judged] of windowsBySource) {
      const hit = judged.filter((window) => during(span, window)).length / judged.length;
      const beside = (1 - hit) ** (alarmsBySource.get(source)?.length ?? 0);
      if (span.concerns(nameOf(source))) besideAny *= beside;
      if (span.isOwn(nameOf(source))) besideOwn *= beside;
    }
    byChance.found += 1 - besideAny;
    byChance.own += 1 - besideOwn;

    const others = new Set(
      hits.map((alarm) => nameOf(alarm.source)).filter((name) => name !== (found && nameOf(found.source))),
    );
    return {
      kind: span.fault.kind,
      source: span.fault.source,
      startMs: span.fault.startMs,
      found,
      own: own !== undefined,
      others: [...others],
    };
  });
  return {
    faults: outcomes,
    falseAlarms: alarms.filter(isQuiet),
    quietHours: (windows.filter(isQuiet).length * labels.windowStepMs) / 3_600_000,
    byChance,
  };
}

/** `nginx-error` of `file:nginx-error`. */
export function nameOf(source: string): string {
  return source.slice(source.indexOf(':') + 1);
}
