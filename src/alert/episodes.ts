/** The alerts of all sources: which episodes are open, what is remembered, and its way through a checkpoint. */
import type { Verdict } from '../detect/verdict.ts';
import { barRaise, recentWarnings } from './alert-budget.ts';
import type { Anomaly } from './anomaly.ts';
import { advanceAlerts, type AlertHistory, type Episode, type EpisodeOptions, type HeldBack } from './episode.ts';
import { recentBegins } from './schedule.ts';

/** What is remembered of the alerts of all sources. */
export class Episodes {
  readonly #options: EpisodeOptions;
  readonly #sources = new Map<string, AlertHistory>();
  /** Of sources whose newest window was held back. */
  readonly #heldBack = new Map<string, HeldBack>();

  /** `restored`: what {@link Episodes.save} gave before the restart; entries that cannot come from there are left out. */
  constructor(options: EpisodeOptions, restored: readonly unknown[] = []) {
    this.#options = options;
    for (const entry of restored) if (isAlertHistory(entry)) this.#sources.set(entry.source, structuredClone(entry));
  }

  /** Verdicts of one source must come in the order of their windows. */
  observe(verdict: Verdict): Anomaly | null {
    const { source, windowEndMs } = verdict;
    const before = this.#sources.get(source) ?? newHistory(source);
    const { after, anomaly, heldBack } = advanceAlerts(before, verdict, this.#options);
    if (heldBack === null) this.#heldBack.delete(source);
    else this.#heldBack.set(source, heldBack);
    if (this.#matters(after, windowEndMs)) this.#sources.set(source, after);
    else this.#sources.delete(source);
    return anomaly;
  }

  /** The open episode of a source. */
  get(source: string): Episode | null {
    return this.#sources.get(source)?.episode ?? null;
  }

  /** Sigmas that the alert budget adds to the warning threshold of a source. */
  raisedBy(source: string, nowMs: number): number {
    const history = this.#sources.get(source);
    if (history === undefined) return 0;
    return history.episode?.raisedBy ?? barRaise(history.warningsMs, nowMs, this.#options);
  }

  get openCount(): number {
    let open = 0;
    for (const { episode } of this.#sources.values()) if (episode !== null) open++;
    return open;
  }

  /** Why the newest window of a source, though loud, began no episode; null where it did or was not loud. */
  heldBack(source: string): HeldBack | null {
    return this.#heldBack.get(source) ?? null;
  }

  /** The source's state is gone for good (not: parked). */
  remove(source: string): void {
    this.#sources.delete(source);
    this.#heldBack.delete(source);
  }

  /** Plain JSON, sorted by source: same state, same bytes. */
  save(): AlertHistory[] {
    return [...this.#sources.values()].sort((a, b) => (a.source < b.source ? -1 : 1));
  }

  #matters({ episode, warningsMs, endedMs, beginsMs }: AlertHistory, nowMs: number): boolean {
    if (episode !== null || recentWarnings(warningsMs, nowMs).length > 0) return true;
    if (recentBegins(beginsMs, nowMs).length > 0) return true;
    return endedMs !== null && nowMs - endedMs < this.#options.refractoryMs;
  }
}

function newHistory(source: string): AlertHistory {
  return { source, episode: null, warningsMs: [], endedMs: null, beginsMs: [], expectedUntilMs: null };
}

function isAlertHistory(value: unknown): value is AlertHistory {
  const history = value as Partial<AlertHistory> | null;
  return (
    typeof history === 'object' &&
    history !== null &&
    typeof history.source === 'string' &&
    (history.episode === null || isEpisode(history.episode)) &&
    Array.isArray(history.warningsMs) &&
    history.warningsMs.every(Number.isFinite) &&
    Array.isArray(history.beginsMs) &&
    history.beginsMs.every(Number.isFinite) &&
    (history.expectedUntilMs === null || Number.isFinite(history.expectedUntilMs)) &&
    (history.endedMs === null || Number.isFinite(history.endedMs))
  );
}

function isEpisode(value: unknown): value is Episode {
  const episode = value as Partial<Episode> | null;
  return (
    typeof episode === 'object' &&
    episode !== null &&
    typeof episode.source === 'string' &&
    typeof episode.episodeId === 'string' &&
    (episode.severity === 'warning' || episode.severity === 'critical') &&
    [
      ...[episode.startedMs, episode.peakScore, episode.below, episode.blind],
      ...[episode.raisedBy, episode.earlierInDay],
    ].every(Number.isFinite)
  );
}
