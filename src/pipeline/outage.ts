import { OUTAGE_PANES, type SourceEntry } from '../source/registry.ts';

/** A share of the steady sources, and a number, that must fall silent in one pane. */
const SILENT_SHARE = 0.8;
const SILENT_SOURCES = 3;
/** After so many steps it is no longer an outage of the sender but what the sources do now. */
const MAX_STEPS = 30;

/**
 * Tells an outage of the sender (a Collector that died, a cut network) from sources that fell silent: when nearly all steady
 * sources stop within one pane, that pane and those after it are gaps until half of them are back. The pane in which they
 * come back is not whole, so it is the last gap.
 */
export class SenderOutage {
  /** Keys: a source may be parked and come back as another entry. */
  #missing: ReadonlySet<string> = new Set();
  #steps = 0;

  /**
   * Call once a step before the registry moves its pane counters.
   *
   * @param unseen we missed the pane ourselves: silence in it says nothing
   */
  observe(entries: Iterable<SourceEntry>, unseen: boolean): { gap: boolean; started: number; ended: boolean } {
    if (this.#missing.size > 0) {
      let back = 0;
      for (const entry of entries) if (entry.paneReceived > 0 && this.#missing.has(entry.key)) back++;
      const over = ++this.#steps > MAX_STEPS;
      const ended = over || back * 2 >= this.#missing.size;
      if (ended) this.#missing = new Set();
      return { gap: !over, started: 0, ended };
    }
    const none = { gap: false, started: 0, ended: false };
    if (unseen) return none;
    const steady = [...entries].filter(
      (entry) =>
        entry.closedPanes.length >= OUTAGE_PANES &&
        entry.closedPanes.slice(0, OUTAGE_PANES).every((pane) => pane.received > 0),
    );
    const silent = steady.filter((entry) => entry.paneReceived === 0);
    if (silent.length < SILENT_SOURCES || silent.length < SILENT_SHARE * steady.length) return none;
    this.#missing = new Set(silent.map(({ key }) => key));
    this.#steps = 1;
    return { gap: true, started: silent.length, ended: false };
  }
}
