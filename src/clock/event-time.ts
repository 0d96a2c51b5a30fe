import type { AddressedFrame } from '../source/admission.ts';
import type { ArrivalClock, CloseStep, PaneFrames } from './clock.ts';

/** A pane further ahead than this does not move the watermark … */
const FUTURE_MS = 10 * 60_000;
/** … until so many records agree that time has moved. */
const AGREEING_RECORDS = 100;

export interface EventTimeClockOptions {
  stepMs: number;
  /** The watermark stays this far behind the newest record. */
  allowedLatenessMs: number;
  /** Silence of all sources beyond this is jumped as a gap. */
  maxIdleMs: number;
  closeStep: CloseStep;
  /** Ends a hold of records from the future in a live service; null in a replay, where only the end of input does. */
  holdMs: number | null;
}

/**
 * The record's time decides. Panes close when the watermark (newest time − allowed lateness) passes their end:
 *
 *     closed │ open pane │ pending panes …        … held (> 10 min ahead)
 *            ▲ #closedMs                ▲ newest
 *
 * Requests are taken one after another and wait until the panes they complete are judged, so a replay is deterministic and a fast
 * sender is slowed instead of refused.
 */
export class EventTimeClock implements ArrivalClock, AsyncDisposable {
  readonly isEventTime = true;
  readonly #options: EventTimeClockOptions;
  /** End of the newest closed pane; NaN before the first record. */
  #closedMs = NaN;
  #newestMs = -Infinity;
  /** End of the newest pane that had records. */
  #lastActiveMs = -Infinity;
  #pending = new Map<number, PaneFrames>();
  #held = new Map<number, PaneFrames>();
  #heldRecords = 0;
  #handOver: ((frames: AddressedFrame[]) => Promise<void>) | null = null;
  #queue: Promise<void> = Promise.resolve();
  #holdTimer: NodeJS.Timeout | undefined;

  constructor(options: EventTimeClockOptions) {
    this.#options = options;
  }

  nowMs(): number {
    return this.#newestMs === -Infinity ? 0 : this.#newestMs;
  }

  /** A restored service goes on behind what it has judged. */
  resumeAt(stepEndMs: number): void {
    this.#closedMs = stepEndMs;
    this.#newestMs = stepEndMs;
    this.#lastActiveMs = stepEndMs;
  }

  paneOf(_observedMs: number, timeMs: number): number | null {
    const pane = (Math.floor(timeMs / this.#options.stepMs) + 1) * this.#options.stepMs;
    return pane <= this.#closedMs ? null : pane;
  }

  take(byPane: ReadonlyMap<number, PaneFrames>, handOver: (frames: AddressedFrame[]) => Promise<void>): Promise<void> {
    return this.#serially(async () => {
      this.#handOver = handOver;
      for (const pane of [...byPane.keys()].sort((a, b) => a - b)) this.#accept(pane, byPane.get(pane)!);
      while (this.#heldRecords >= AGREEING_RECORDS) this.#jump();
      this.#armHold();
      await this.#advance(this.#newestMs - this.#options.allowedLatenessMs);
    });
  }

  /** The input has ended: what is held is analysed and every pane that the newest record has passed closes; the open one does not. */
  flush(): Promise<void> {
    return this.#serially(async () => {
      while (this.#heldRecords > 0) this.#jump();
      await this.#advance(this.#newestMs);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#holdTimer);
    await this.#queue;
  }

  #serially(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined); // the caller of `take` sees the error; the next one must still run
    return done;
  }

  #accept(pane: number, frames: PaneFrames): void {
    const ahead = pane - this.#options.stepMs - this.#newestMs > FUTURE_MS;
    if (ahead && this.#newestMs !== -Infinity) {
      this.#heldRecords += records(frames);
      add(this.#held, pane, frames);
      return;
    }
    if (Number.isNaN(this.#closedMs)) this.#closedMs = pane - this.#options.stepMs;
    // Between decoding and its turn here the pane may have closed; its records then count in the open pane, as on the wall clock.
    add(this.#pending, Math.max(pane, this.#closedMs + this.#options.stepMs), frames);
    this.#newestMs = Math.max(this.#newestMs, frames.newestMs);
  }

  /** Time has moved to the lowest held pane; those near it follow, far ones stay held. */
  #jump(): void {
    const panes = [...this.#held.keys()].sort((a, b) => a - b);
    const held = this.#held;
    this.#held = new Map();
    this.#heldRecords = 0;
    this.#newestMs = Math.max(this.#newestMs, held.get(panes[0]!)!.newestMs);
    for (const pane of panes) this.#accept(pane, held.get(pane)!);
  }

  async #advance(watermarkMs: number): Promise<void> {
    const { stepMs, maxIdleMs, closeStep } = this.#options;
    await this.#handOverOpenPane();
    while (this.#closedMs + stepMs <= watermarkMs) {
      const next = this.#closedMs + stepMs;
      if (next - this.#lastActiveMs > maxIdleMs && this.#lastActiveMs !== -Infinity) {
        const active = Math.min(...this.#pending.keys(), Math.floor(watermarkMs / stepMs) * stepMs + stepMs);
        if (active > next) {
          this.#closedMs = active - stepMs;
          this.#lastActiveMs = this.#closedMs;
          await closeStep(this.#closedMs, true);
          await this.#handOverOpenPane();
          continue;
        }
      }
      this.#closedMs = next;
      await closeStep(next, false);
      await this.#handOverOpenPane();
    }
  }

  async #handOverOpenPane(): Promise<void> {
    const open = this.#closedMs + this.#options.stepMs;
    const frames = this.#pending.get(open);
    if (frames === undefined) return;
    this.#pending.delete(open);
    this.#lastActiveMs = open;
    await this.#handOver!(frames.frames);
  }

  #armHold(): void {
    const { holdMs } = this.#options;
    if (holdMs === null || this.#heldRecords === 0 || this.#holdTimer !== undefined) return;
    this.#holdTimer = setTimeout(() => {
      this.#holdTimer = undefined;
      void this.#serially(async () => {
        if (this.#heldRecords > 0) this.#jump();
        await this.#advance(this.#newestMs - this.#options.allowedLatenessMs);
      });
    }, holdMs);
    this.#holdTimer.unref();
  }
}

function add(panes: Map<number, PaneFrames>, pane: number, more: PaneFrames): void {
  const known = panes.get(pane);
  if (known === undefined) {
    panes.set(pane, { frames: [...more.frames], newestMs: more.newestMs });
    return;
  }
  known.frames.push(...more.frames);
  known.newestMs = Math.max(known.newestMs, more.newestMs);
}

function records(pane: PaneFrames): number {
  return pane.frames.reduce((sum, { frame }) => sum + frame.count, 0);
}
