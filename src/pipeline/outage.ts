import { OUTAGE_PANES, type SourceEntry } from '../source/registry.ts';

/** A share of the steady sources, and a number, that must fall silent in one pane. */
const SILENT_SHARE = 0.8;
const SILENT_SOURCES = 3;
/** After so many steps it is no longer an outage of the sender but what the sources do now. */
const MAX_STEPS = 30;

/**
 * Tells an outage of the sender (a Collector that died, a cut network) from sources that fell silent: when nearly all steady
 * sources stop within one pane, the pane and those after it are gaps until half of them are back (design section 3).
 */
export class SenderOutage {
  #missing: SourceEntry[] = [];
  #steps = 0;

  /** Call once a step before the registry moves its pane counters. */
  observe(entries: Iterable<SourceEntry>): { gap: boolean; started: number; ended: boolean } {
    if (this.#missing.length > 0) {
      const back = this.#missing.filter((entry) => entry.paneReceived > 0).length;
      this.#steps++;
      const ended = back * 2 >= this.#missing.length || this.#steps > MAX_STEPS;
      if (ended) this.#missing = [];
      return { gap: !ended, started: 0, ended };
    }
    const steady = [...entries].filter(
      (entry) => entry.closedPanes.length >= OUTAGE_PANES && entry.closedPanes.slice(0, OUTAGE_PANES).every((pane) => pane.received > 0),
    );
    const silent = steady.filter((entry) => entry.paneReceived === 0);
    if (silent.length < SILENT_SOURCES || silent.length < SILENT_SHARE * steady.length) {
      return { gap: false, started: 0, ended: false };
    }
    this.#missing = silent;
    this.#steps = 1;
    return { gap: true, started: silent.length, ended: false };
  }
}
