/** Which judged windows lie in a fault, which must be quiet. */
import { labelName, type Fault, type Labels } from './labels.ts';

/** A source's first windows are its warm-up; nobody judges them. */
export const WARM_UP_WINDOWS = 30;

/** What is needed of a verdict; every verdict of a run, in the order they came. */
export interface JudgedWindow {
  source: string;
  windowEndMs: number;
}

/** What a window is to its source. `ignored`: the fault is another source's and may show here, or it has just ended. */
export const NORMAL = 0;
export const FAULTY = 1;
const IGNORED = 2;

/** The windows beyond warm-up as columns, by one index; `steps` are the distinct window ends, in order of time. */
export interface PlacedWindows {
  size: number;
  /** Index among all windows given. */
  given: Int32Array;
  endMs: Float64Array;
  /** NORMAL, FAULTY or IGNORED. */
  truth: Uint8Array;
  /** Equal for windows with the same label name and end: two sources may have one name. */
  key: Int32Array;
  keys: ReadonlyMap<string, number>;
  /** Index into `stepTruth`. */
  step: Int32Array;
  /** Of the system as a whole: FAULTY while any fault runs, IGNORED just after it. */
  stepTruth: Uint8Array;
  faults: readonly PlacedFault[];
}

/** Indices of the windows that can find a fault, in order of time. */
export interface PlacedFault {
  /** Of its own source. */
  own: number[];
  /** Of any source that it may touch. */
  concerned: number[];
}

/**
 * A fault can be found from its start to two steps after its end. What comes until a window and two steps after its end counts as no false alarm in a
 * source that it concerns.
 */
export interface FaultSpan {
  fault: Fault;
  foundByMs: number;
  quietAfterMs: number;
  /** Is this its own source? `name` is the label name of one. */
  isOwn(name: string): boolean;
  /** May it show in this source? */
  concerns(name: string): boolean;
}

export function faultSpans({ faults, windowSizeMs, windowStepMs }: Labels): FaultSpan[] {
  return faults.map((fault) => {
    const isOwn = (name: string): boolean => fault.source === '*' || fault.source === name;
    return {
      fault,
      foundByMs: fault.endMs + 2 * windowStepMs,
      quietAfterMs: fault.endMs + windowSizeMs + 2 * windowStepMs,
      isOwn,
      concerns: (name) => isOwn(name) || fault.affected === '*' || fault.affected.includes(name),
    };
  });
}

export function placeWindows(windows: readonly JudgedWindow[], labels: Labels): PlacedWindows {
  const seen = new Map<string, number>();
  const given = windows.flatMap(({ source }, i) => {
    const nth = (seen.get(source) ?? 0) + 1;
    seen.set(source, nth);
    return nth > WARM_UP_WINDOWS ? [i] : [];
  });
  const names = new Map(Array.from(seen.keys(), (source) => [source, labelName(source, labels.names)]));
  const spans = faultSpans(labels);
  const faults = spans.map((): PlacedFault => ({ own: [], concerned: [] }));

  const size = given.length;
  const placed = {
    size,
    given: Int32Array.from(given),
    endMs: new Float64Array(size),
    truth: new Uint8Array(size),
    key: new Int32Array(size),
    step: new Int32Array(size),
  };
  const keys = new Map<string, number>();
  const steps = new Map<number, number>();
  for (let i = 0; i < size; i++) {
    const { source, windowEndMs } = windows[given[i]!]!;
    const name = names.get(source)!;
    placed.endMs[i] = windowEndMs;
    placed.key[i] = indexOf(keys, windowKey(name, windowEndMs));
    placed.step[i] = indexOf(steps, windowEndMs);
    for (const [f, span] of spans.entries()) {
      if (windowEndMs < span.fault.startMs || windowEndMs > span.quietAfterMs || !span.concerns(name)) continue;
      if (windowEndMs <= span.foundByMs) {
        faults[f]!.concerned.push(i);
        if (span.isOwn(name)) {
          faults[f]!.own.push(i);
          placed.truth[i] = FAULTY;
        }
      }
      if (placed.truth[i] === NORMAL) placed.truth[i] = IGNORED;
    }
  }
  const stepTruth = Uint8Array.from(steps.keys(), (endMs) => {
    if (spans.some(({ fault, foundByMs }) => fault.startMs <= endMs && endMs <= foundByMs)) return FAULTY;
    return spans.some(({ fault, quietAfterMs }) => fault.startMs <= endMs && endMs <= quietAfterMs) ? IGNORED : NORMAL;
  });
  return { ...placed, keys, stepTruth, faults };
}

export function windowKey(name: string, windowEndMs: number): string {
  return `${windowEndMs} ${name}`;
}

function indexOf<K>(indices: Map<K, number>, key: K): number {
  let index = indices.get(key);
  if (index === undefined) indices.set(key, (index = indices.size));
  return index;
}
