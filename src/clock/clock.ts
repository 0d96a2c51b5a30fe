import type { AddressedFrame } from '../source/admission.ts';

/** Frames of one pane, and the newest record time among them (ms). */
export interface PaneFrames {
  frames: AddressedFrame[];
  newestMs: number;
}

/** Closes the pane that ends at `stepEndMs` for all sources; resolves when its window is judged. */
export type CloseStep = (stepEndMs: number, gap: boolean) => Promise<void>;

/** What the arrival leg asks of a clock. There is one clock for all sources. */
export interface ArrivalClock {
  /** Record times, not arrival, decide (replay, demo, library). */
  readonly isEventTime: boolean;
  /** The clock's idea of now, in epoch milliseconds. */
  nowMs(): number;
  /**
   * The pane a record belongs to, named by its end (epoch ms).
   *
   * @param observedMs when the record was observed (else its event time)
   * @param timeMs the record's event time
   * @returns null when that pane is closed: the record is late and not analysed.
   */
  paneOf(observedMs: number, timeMs: number): number | null;
  /** Hands the frames of one request over, each in its pane. */
  take(byPane: ReadonlyMap<number, PaneFrames>, handOver: (frames: AddressedFrame[]) => Promise<void>): Promise<void>;
}
