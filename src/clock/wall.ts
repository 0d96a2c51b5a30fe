import type { ArrivalClock, CloseStep, PaneOf, PaneRecords } from './clock.ts';

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
 * - A wall-clock jump over step/2 re-anchors with a gap (the pane it fell in and the short one that follows); window ids never go back,
 *   so after a jump backwards they run ahead of the wall.
 */
export class WallClock implements ArrivalClock, AsyncDisposable {
  readonly #options: WallClockOptions;
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  /** wall = monotonic + offset at the last anchor. */
  #offsetMs: number;
  #closedMs: number;
  /** How far window ids run ahead of the wall after a jump backwards. */
  #aheadMs = 0;
  /** The open pane is not whole: it began with a restart, or its length changed with the anchor. */
  #partial = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WallClockOptions) {
    this.#options = options;
    this.#wallMs = options.wallMs ?? Date.now;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#offsetMs = this.#wallMs() - this.#monotonicMs();
    this.#closedMs = floor(this.#wallMs(), options.stepMs);
  }

  /** @param judgedMs end of the newest window judged before a restart: ids go on behind it, the rest of its pane is a gap. */
  start(judgedMs: number | null): void {
    // Whatever ended while the service was still opening was not missed.
    this.#closedMs = floor(this.nowMs(), this.#options.stepMs);
    if (judgedMs !== null) {
      this.#partial = true;
      this.#aheadMs = Math.max(0, judgedMs - this.#closedMs);
      this.#closedMs += this.#aheadMs;
    }
    this.#arm();
  }

  /** On the scale of the step ends, so that idle times stay right while the ids run ahead of the wall. */
  nowMs(): number {
    return this.#monotonicMs() + this.#offsetMs + this.#aheadMs;
  }

  panes(): PaneOf {
    const lateMs = this.#wallMs() - this.#options.stepMs;
    return (observedMs) => (observedMs < lateMs ? null : 0);
  }

  async take(byPane: ReadonlyMap<number, PaneRecords>): Promise<void> {
    for (const records of byPane.values()) await records.handOver(this.nowMs());
  }

  /** Checks the time and closes what is due; called by the timer. */
  poll(): void {
    const { stepMs, closeStep, onIrregular } = this.#options;
    const driftMs = this.#driftMs();
    // Read twice: a pause of this process between its two clocks must not look like a jump.
    const jumped = Math.abs(driftMs) > stepMs / 2 && Math.abs(this.#driftMs()) > stepMs / 2;
    if (jumped) {
      onIrregular(`wall clock jumped by ${Math.round(driftMs)} ms: windows around it are a gap`);
      this.#offsetMs += driftMs;
      this.#aheadMs = Math.max(0, this.#closedMs - floor(this.#monotonicMs() + this.#offsetMs, stepMs));
    }
    const dueMs = floor(this.#monotonicMs() + this.#offsetMs, stepMs) + this.#aheadMs;
    if (dueMs <= this.#closedMs && !jumped) return;
    const endMs = Math.max(dueMs, this.#closedMs + stepMs);
    const missed = (endMs - this.#closedMs) / stepMs - 1;
    if (missed > 0 && !jumped)
      onIrregular(
        `${missed === 1 ? '1 step was' : `${missed} steps were`} missed (suspended or overloaded): windows around are a gap`,
      );
    const gap = jumped || missed > 0 || this.#partial;
    this.#closedMs = endMs;
    this.#aheadMs += endMs - dueMs;
    // The new anchor's next tick comes less than a step from now.
    this.#partial = jumped;
    void closeStep(endMs, gap);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
  }

  #driftMs(): number {
    return this.#wallMs() - (this.#monotonicMs() + this.#offsetMs);
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
