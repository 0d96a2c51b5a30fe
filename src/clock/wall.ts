import type { AddressedFrame } from '../source/admission.ts';
import type { ArrivalClock, CloseStep, PaneFrames } from './clock.ts';

export interface WallClockOptions {
  stepMs: number;
  closeStep: CloseStep;
  /** A line for the log: the wall clock jumped, a step was missed. */
  onIrregular(message: string): void;
  /** Injected for tests: epoch ms that may jump, and monotonic ms that may not. */
  wallMs?: () => number;
  monotonicMs?: () => number;
}

/**
 * Ticks at epoch-aligned step ends on the monotonic clock.
 *
 * - A tick that comes a whole step late (suspend, overload) closes everything since as one gap.
 * - A wall-clock jump over step/2 re-anchors with a gap; window ids never go back, so after a jump backwards they run ahead of the wall.
 */
export class WallClock implements ArrivalClock, AsyncDisposable {
  readonly isEventTime = false;
  readonly #options: WallClockOptions;
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  /** wall = monotonic + offset at the last anchor. */
  #offsetMs: number;
  #closedMs: number;
  /** How far window ids run ahead of the wall after a jump backwards. */
  #aheadMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WallClockOptions) {
    this.#options = options;
    this.#wallMs = options.wallMs ?? Date.now;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#offsetMs = this.#wallMs() - this.#monotonicMs();
    this.#closedMs = floor(this.#wallMs(), options.stepMs);
  }

  /** @param judgedMs end of the newest window judged before a restart: ids go on behind it. */
  start(judgedMs: number | null): void {
    if (judgedMs !== null && judgedMs > this.#closedMs) {
      this.#aheadMs = judgedMs - this.#closedMs;
      this.#closedMs = judgedMs;
    }
    this.#arm();
  }

  nowMs(): number {
    return this.#wallMs();
  }

  paneOf(observedMs: number, _timeMs: number): number | null {
    return observedMs < this.#wallMs() - this.#options.stepMs ? null : 0;
  }

  async take(byPane: ReadonlyMap<number, PaneFrames>, handOver: (frames: AddressedFrame[]) => Promise<void>): Promise<void> {
    for (const { frames } of byPane.values()) await handOver(frames);
  }

  /** Checks the time and closes what is due; called by the timer. */
  poll(): void {
    const { stepMs, closeStep, onIrregular } = this.#options;
    let gap = false;
    const driftMs = this.#wallMs() - (this.#monotonicMs() + this.#offsetMs);
    if (Math.abs(driftMs) > stepMs / 2) {
      onIrregular(`wall clock jumped by ${Math.round(driftMs)} ms: windows around it are a gap`);
      this.#offsetMs += driftMs;
      this.#aheadMs = Math.max(0, this.#closedMs - floor(this.#wallMs(), stepMs));
      gap = true;
    }
    const dueMs = floor(this.#monotonicMs() + this.#offsetMs, stepMs) + this.#aheadMs;
    if (dueMs > this.#closedMs || gap) {
      const endMs = Math.max(dueMs, this.#closedMs + stepMs);
      const missed = (endMs - this.#closedMs) / stepMs - 1;
      if (missed > 0 && !gap) onIrregular(`${missed} steps were missed (suspended or overloaded): windows around them are a gap`);
      this.#closedMs = endMs;
      this.#aheadMs = Math.max(this.#aheadMs, endMs - floor(this.#monotonicMs() + this.#offsetMs, stepMs));
      void closeStep(endMs, gap || missed > 0);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const { stepMs } = this.#options;
    const now = this.#monotonicMs() + this.#offsetMs;
    this.#timer = setTimeout(
      () => {
        this.poll();
        this.#arm();
      },
      Math.max(1, floor(now, stepMs) + stepMs - now),
    );
  }
}

function floor(ms: number, stepMs: number): number {
  return Math.floor(ms / stepMs) * stepMs;
}
