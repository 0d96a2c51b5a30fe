import type { ArrivalClock, CloseStep, PaneOf, PaneRecords } from './clock.ts';

/** A pane further ahead than this does not move the watermark … */
const FUTURE_MS = 10 * 60_000;
/** … until so many records agree that time has moved. */
const AGREEING_RECORDS = 100;
/** Records held; those furthest ahead leave first. */
const MAX_HELD_RECORDS = 1_000;
/** Records of panes that are not open yet. Beyond it panes close without waiting for late records, so that memory stays bounded. */
const MAX_PENDING_RECORDS = 100_000;

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
 *            │           ▲ #openMs    ▲ newest
 *
 * Requests are taken one after another and wait until the panes they complete are judged, so a replay is deterministic and a fast
 * sender is slowed instead of refused.
 *
 * One wrong clock must not take the others along: while records that are not ahead keep coming, held ones move the time only when 100
 * of them lie within 10 minutes. A log that is sparse (nothing but records far apart) has its time moved by the oldest of 100.
 */
export class EventTimeClock implements ArrivalClock, AsyncDisposable {
  readonly #options: EventTimeClockOptions;
  /** End of the open pane; NaN before the first record. */
  #openMs = NaN;
  #newestMs = -Infinity;
  /** End of the newest pane that had records. */
  #lastActiveMs = -Infinity;
  /** End of the newest window judged before a restart. */
  #judgedMs = -Infinity;
  /** Panes that end up to here were not seen whole. */
  #gapUntilMs = -Infinity;
  readonly #pending = new Map<number, PaneRecords[]>();
  #pendingRecords = 0;
  #held = new Map<number, PaneRecords[]>();
  #heldRecords = 0;
  /** Records that were not ahead came while others were held. */
  #timeGoesOn = false;
  #queue: Promise<void> = Promise.resolve();
  #holdTimer: NodeJS.Timeout | undefined;

  constructor(options: EventTimeClockOptions) {
    this.#options = options;
  }

  nowMs(): number {
    if (this.#newestMs !== -Infinity) return this.#newestMs;
    return this.#judgedMs === -Infinity ? 0 : this.#judgedMs;
  }

  /** A restored service goes on behind what it has judged; all up to the first record's pane is a gap. */
  resumeAt(judgedMs: number): void {
    this.#judgedMs = judgedMs;
  }

  panes(): PaneOf {
    return (_observedMs, timeMs) => {
      const pane = this.#paneOf(timeMs);
      const closedMs = Number.isNaN(this.#openMs) ? this.#judgedMs : this.#openMs - this.#options.stepMs;
      return pane <= closedMs ? null : pane;
    };
  }

  take(byPane: ReadonlyMap<number, PaneRecords>): Promise<void> {
    return this.#serially(async () => {
      const holding = this.#heldRecords > 0;
      for (const pane of sorted(byPane.keys())) {
        const arrived = byPane.get(pane)!;
        if (this.#isAhead(pane)) {
          this.#hold(pane, arrived);
          continue;
        }
        this.#admit(pane, arrived);
        this.#timeGoesOn ||= holding;
      }
      this.#followHeld(AGREEING_RECORDS);
      await this.#advance(this.#newestMs - this.#options.allowedLatenessMs);
      this.#armHold();
    });
  }

  /** The input has ended: what is held is analysed and every pane that the newest record has passed closes; the open one does not. */
  flush(): Promise<void> {
    return this.#serially(async () => {
      this.#endHold();
      await this.#advance(this.#newestMs);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#holdTimer);
    await this.#queue;
    clearTimeout(this.#holdTimer); // a request that was under way may have armed it again
  }

  #serially(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined); // the caller of `take` sees the error; the next one must still run
    return done;
  }

  /** End of the pane that a time lies in. */
  #paneOf(timeMs: number): number {
    return (Math.floor(timeMs / this.#options.stepMs) + 1) * this.#options.stepMs;
  }

  #isAhead(pane: number): boolean {
    return this.#newestMs !== -Infinity && pane - this.#options.stepMs - this.#newestMs > FUTURE_MS;
  }

  #hold(pane: number, arrived: PaneRecords): void {
    add(this.#held, pane, arrived);
    this.#heldRecords += arrived.records;
  }

  #admit(pane: number, arrived: PaneRecords): void {
    const { stepMs, allowedLatenessMs } = this.#options;
    this.#newestMs = Math.max(this.#newestMs, arrived.newestMs);
    if (Number.isNaN(this.#openMs)) {
      // The lateness allowed later is allowed to the records beside the first one, too.
      this.#openMs = Math.max(this.#paneOf(this.#newestMs - allowedLatenessMs), this.#judgedMs + stepMs);
      if (this.#judgedMs !== -Infinity) this.#gapUntilMs = pane;
    }
    // Between decoding and its turn here the pane may have closed; its records then count in the open pane, as on the wall clock.
    add(this.#pending, Math.max(pane, this.#openMs), arrived);
    this.#pendingRecords += arrived.records;
  }

  /** Time moves to held records as long as at least `agreeing` of them say that it has; those near it follow, far ones stay held. */
  #followHeld(agreeing: number): void {
    const panes = sorted(this.#held.keys());
    const agreed = this.#timeGoesOn ? agreedPanes(panes, this.#held) : null;
    for (const pane of panes) {
      const moves = agreed === null ? this.#heldRecords >= agreeing : agreed.has(pane);
      if (moves || !this.#isAhead(pane)) this.#release(pane);
    }
    for (const pane of panes.reverse()) {
      if (this.#heldRecords <= MAX_HELD_RECORDS) break;
      if (this.#held.has(pane)) this.#discard(pane);
    }
    if (this.#heldRecords === 0) this.#timeGoesOn = false;
  }

  /** No more records will speak for the held ones: the time has moved to them, or they are wrong. */
  #endHold(): void {
    if (!this.#timeGoesOn) return this.#followHeld(0);
    for (const pane of [...this.#held.keys()]) this.#discard(pane);
    this.#timeGoesOn = false;
  }

  #release(pane: number): void {
    const released = this.#held.get(pane)!;
    this.#held.delete(pane);
    for (const arrived of released) {
      this.#heldRecords -= arrived.records;
      this.#admit(pane, arrived);
    }
  }

  #discard(pane: number): void {
    for (const arrived of this.#held.get(pane)!) {
      this.#heldRecords -= arrived.records;
      arrived.discard();
    }
    this.#held.delete(pane);
  }

  async #advance(watermarkMs: number): Promise<void> {
    const { stepMs, maxIdleMs, closeStep } = this.#options;
    await this.#handOverOpenPane();
    while (this.#openMs <= watermarkMs || this.#pendingRecords > MAX_PENDING_RECORDS) {
      let endMs = this.#openMs;
      if (endMs - this.#lastActiveMs > maxIdleMs) {
        endMs = Math.max(endMs, Math.min(...this.#pending.keys(), this.#paneOf(watermarkMs)) - stepMs);
        // Nothing was there before the first pane: no source whose pane could close.
        if (this.#lastActiveMs !== -Infinity || this.#judgedMs !== -Infinity) {
          this.#gapUntilMs = Math.max(this.#gapUntilMs, endMs);
          this.#lastActiveMs = endMs;
        } else {
          this.#openMs = endMs + stepMs;
          await this.#handOverOpenPane();
          continue;
        }
      }
      this.#openMs = endMs + stepMs;
      await closeStep(endMs, endMs <= this.#gapUntilMs);
      await this.#handOverOpenPane();
    }
  }

  async #handOverOpenPane(): Promise<void> {
    const arrived = this.#pending.get(this.#openMs);
    if (arrived === undefined) return;
    this.#pending.delete(this.#openMs);
    this.#lastActiveMs = this.#openMs;
    for (const records of arrived) {
      this.#pendingRecords -= records.records;
      await records.handOver(Math.min(this.#newestMs, this.#openMs));
    }
  }

  #armHold(): void {
    const { holdMs } = this.#options;
    if (holdMs === null || this.#heldRecords === 0 || this.#holdTimer !== undefined) return;
    this.#holdTimer = setTimeout(() => {
      this.#holdTimer = undefined;
      const ended = this.#serially(async () => {
        this.#endHold();
        await this.#advance(this.#newestMs - this.#options.allowedLatenessMs);
      });
      ended.catch(() => undefined); // a step that fails is told to the pipeline by itself
    }, holdMs);
    this.#holdTimer.unref();
  }
}

function sorted(panes: Iterable<number>): number[] {
  return [...panes].sort((a, b) => a - b);
}

function add(panes: Map<number, PaneRecords[]>, pane: number, arrived: PaneRecords): void {
  const known = panes.get(pane);
  if (known === undefined) panes.set(pane, [arrived]);
  else known.push(arrived);
}

/** The panes (ascending) from which on {@link AGREEING_RECORDS} lie within {@link FUTURE_MS}. */
function agreedPanes(panes: readonly number[], held: ReadonlyMap<number, PaneRecords[]>): Set<number> {
  const counts = panes.map((pane) => held.get(pane)!.reduce((sum, { records }) => sum + records, 0));
  const agreed = new Set<number>();
  let records = 0;
  let end = 0;
  for (const [i, pane] of panes.entries()) {
    while (end < panes.length && panes[end]! <= pane + FUTURE_MS) records += counts[end++]!;
    if (records >= AGREEING_RECORDS) agreed.add(pane);
    records -= counts[i]!;
  }
  return agreed;
}
