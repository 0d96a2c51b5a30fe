import { Acceptance } from '../../../src/detect/channels/acceptance.ts';
import { Calibration } from '../../../src/detect/channels/calibration.ts';
import { ChannelScorer, newCalibrations } from '../../../src/detect/channels/channel-scorer.ts';
import { DEFAULT_WEIGHTS, type Channel } from '../../../src/detect/channels/channels.ts';
import { History } from '../../../src/detect/history.ts';

export interface StreamWindow {
  counts: readonly number[];
  warnings?: number;
  errors?: number;
  error?: number | null;
  values?: number;
  incomplete?: boolean;
  dmdHeld?: boolean;
}

/** A source of the channels alone: windows in, scores out. What the detector does with mined lines, on plain counts. */
export class Stream {
  readonly scorer: ChannelScorer;
  calibrations = newCalibrations();
  acceptance = new Acceptance();
  readonly #history = new History(121);
  readonly #known = new Uint8Array(256);
  readonly #columns: { warnings: number[]; errors: number[]; novel: number[] } = {
    warnings: [],
    errors: [],
    novel: [],
  };
  #accepted = 0;
  readonly #said: number[][] = [];

  constructor(weights: Partial<Record<Channel, number>> = {}) {
    this.scorer = new ChannelScorer({ ...DEFAULT_WEIGHTS, ...weights });
  }

  next(window: StreamWindow): { score: number; loudest: Channel } | null {
    const history = this.#history;
    const { warnings, errors, novel } = this.#columns;
    const slots = Math.max(1, window.counts.length);
    history.growSlots(slots);
    if (history.size === history.capacity) for (const column of [warnings, errors, novel]) column.shift();
    const i = history.push();
    for (const [slot, count] of window.counts.entries()) history.setCount(i, slot, count);
    const records = window.counts.reduce((sum, count) => sum + count, 0);
    const unseen = window.counts.filter((count, slot) => count > 0 && this.#known[slot] === 0).length;
    warnings.push(window.warnings ?? 0);
    errors.push(window.errors ?? 0);
    novel.push(this.#accepted === 0 ? 0 : unseen);
    const row = { windowId: 0, records, error: NaN, normalizedError: NaN, rank: 0, gates: [] };
    history.set(i, { ...row, accepted: false });
    const result = this.scorer.score(
      {
        history,
        columns: {
          records: (j) => history.records(j),
          warnings: (j) => warnings[j]!,
          errorRecords: (j) => errors[j]!,
          novelTemplates: (j) => novel[j]!,
        },
        i,
        from: Math.max(0, i - 120),
        earlier: this.#earlier(),
        panesPerWindow: 2,
        slots,
        known: this.#known,
        reconstructionError: window.error ?? null,
        values: window.values ?? 0,
        dmdHeld: window.dmdHeld ?? false,
        incomplete: window.incomplete ?? false,
      },
      this.calibrations,
    );
    this.#said.push(Array.from(this.scorer.nats));
    if (window.incomplete !== true && this.acceptance.offer(result?.score ?? null)) {
      this.#accepted++;
      history.set(i, { ...row, accepted: true });
      for (const [slot, count] of window.counts.entries()) if (count > 0) this.#known[slot] = 1;
      if (result !== null) this.scorer.accept(this.calibrations);
    }
    return result;
  }

  /** Nats two and four windows ago. */
  #earlier(): (readonly number[])[] {
    const { length } = this.#said;
    return length < 10 ? [] : [this.#said[length - 2]!, this.#said[length - 4]!];
  }

  /** What a restart does to the channels' own state; the history's is tested with it. */
  restart(): void {
    const saved = JSON.parse(JSON.stringify(this.calibrations.map((calibration) => calibration.save()))) as string[];
    this.calibrations = saved.map((values) => Calibration.restore(values));
    this.acceptance = new Acceptance(this.acceptance.save());
  }
}
