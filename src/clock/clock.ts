/** What one request brought for one pane. */
export interface PaneRecords {
  readonly records: number;
  /** Newest record time among them (ms). */
  readonly newestMs: number;
  /**
   * Hands them to their shards, once, while their pane is open.
   *
   * @param nowMs the clock's time: sources are born and seen at it
   */
  handOver(nowMs: number): Promise<void>;
  /** In place of {@link handOver}: their time is too far ahead to be believed. */
  discard(): void;
}

/** Closes the pane that ends at `stepEndMs` for all sources; resolves when its window is judged. */
export type CloseStep = (stepEndMs: number, gap: boolean) => Promise<void>;

/**
 * The pane a record belongs to, named by its end (epoch ms). Changes nothing.
 *
 * @param observedMs when the record was observed (else its event time)
 * @param timeMs the record's event time
 * @returns null when that pane is closed: the record is late and not analysed.
 */
export type PaneOf = (observedMs: number, timeMs: number) => number | null;

/** What the arrival leg asks of a clock. There is one clock for all sources. */
export interface ArrivalClock {
  /** The clock's idea of now, in epoch milliseconds; never behind the end of a closed pane. */
  nowMs(): number;
  /** Panes as of now, for the records of one request. */
  panes(): PaneOf;
  /** Takes the records of one request, each in its pane, and hands them over when the pane is open. */
  take(byPane: ReadonlyMap<number, PaneRecords>): Promise<void>;
}
