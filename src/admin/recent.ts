/** What the page shows of the past: the last windows of every source and the last anomalies. Memory only, bounded. */
import { anomalyLine, type AnomalyLine } from '../alert/anomaly-line.ts';
import type { Anomaly } from '../alert/anomaly.ts';
import type { Gate } from '../detect/history.ts';
import type { Verdict } from '../detect/verdict.ts';

const MAX_ANOMALIES = 1_000;
/** As many as a source's model keeps. */
const MAX_WINDOWS = 120;

/** One window of a source; the sparkline's point. */
export interface RecentWindow {
  windowId: number;
  windowEndMs: number;
  records: number;
  score: number | null;
  severity: string | null;
  gates: Gate[];
}

export interface RecentSource {
  last: Verdict;
  /** Oldest first. */
  windows: RecentWindow[];
}

export class Recent {
  readonly #sources = new Map<string, RecentSource>();
  readonly #anomalies: AnomalyLine[] = [];

  observe(verdict: Verdict): void {
    const { windowId, windowEndMs, records, score, severity, gates } = verdict;
    const windows = this.#sources.get(verdict.source)?.windows ?? [];
    windows.push({ windowId, windowEndMs, records, score, severity, gates });
    if (windows.length > MAX_WINDOWS) windows.shift();
    this.#sources.set(verdict.source, { last: verdict, windows });
  }

  anomaly(anomaly: Anomaly): void {
    this.#anomalies.push(anomalyLine(anomaly));
    if (this.#anomalies.length > MAX_ANOMALIES) this.#anomalies.shift();
  }

  source(key: string): RecentSource | null {
    return this.#sources.get(key) ?? null;
  }

  /** Its anomalies stay. */
  remove(key: string): void {
    this.#sources.delete(key);
  }

  /** Newest first. */
  anomalies(): AnomalyLine[] {
    return this.#anomalies.toReversed();
  }
}
