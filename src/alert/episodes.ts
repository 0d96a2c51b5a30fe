/**
 * From a source's verdicts, one window after another, to the start, escalation and end of an episode. Pure: no clock, no I/O.
 *
 *     score   0.4  2.3  1.7  3.4  2.2  1.1  2.4  1.9  0.8  0.5
 *     below    -    -    -    -    -    1    0    1    2
 *                 start     update                   end          (warning > 2, critical > 3; a critical one holds above 2.0)
 *
 * What a gated window does:
 *
 * - It never starts or escalates an episode, however loud.
 * - `muted`, `sparse`, `recurrent`: what is seen is not held for drift, so to an open episode it is a window below.
 * - `degraded`, `incomplete`, or no score: our own sight is impaired, so it counts neither way; the tenth such window in a row, and each
 *   after it, counts as below, so that no episode stays open for ever.
 *
 * An episode of a parked source stays open (a silence ends when the source speaks); `remove` forgets it when the source's stored state goes.
 */
import { createHash } from 'node:crypto';
import type { Gate } from '../detect/history.ts';
import type { Verdict } from '../detect/verdict.ts';
import { anomalyMessage } from './message.ts';

export type AnomalySeverity = 'warning' | 'critical';
export type Phase = 'start' | 'update' | 'end';

/** What leaves the service: one record at the start of an episode, one when it escalates, one at its end. */
export interface Anomaly {
  phase: Phase;
  /** 16 hex digits; the same after a restart, on a replica and in a replay. */
  episodeId: string;
  /** The window that caused this record. */
  verdict: Verdict;
  /** Of the episode: never falls, so an `end` carries the worst it was. */
  severity: AnomalySeverity;
  /** The threshold in sigmas that `severity` stands for. */
  threshold: number;
  /** End of the window it started with, Unix milliseconds. */
  startedMs: number;
  /** Highest score of the episode so far. */
  peakScore: number;
  /** One line for people. */
  message: string;
}

/** An open episode; plain JSON, so that a checkpoint can hold it. */
export interface Episode {
  source: string;
  episodeId: string;
  severity: AnomalySeverity;
  startedMs: number;
  peakScore: number;
  /** Windows below in a row. */
  below: number;
  /** Windows in a row that said nothing. */
  blind: number;
}

export interface EpisodeOptions {
  /** Sigmas; a score above it warns. */
  warningThreshold: number;
  criticalThreshold: number;
  /** `dmd` is the only channel, so its gates (degraded, sparse, recurrent, incomplete) hold the whole alert. Default true. */
  dmdOnly?: boolean;
}

/** An episode holds while the score is above this share of its threshold. */
const HOLD_SHARE = 0.7;
const WINDOWS_BELOW_TO_CLOSE = 2;
const BLIND_WINDOWS_TO_HOLD = 9;

const DMD_GATES: ReadonlySet<Gate> = new Set<Gate>(['degraded', 'sparse', 'recurrent', 'incomplete']);
const BLIND_GATES: ReadonlySet<Gate> = new Set<Gate>(['warming', 'gap', 'degraded', 'incomplete']);

/** Deterministic over restarts and nodes: SHA-256 of source and first window, 64 bits of it. */
export function episodeId(source: string, startWindowId: number): string {
  return createHash('sha256').update(`${source}\0${startWindowId}`).digest('hex').slice(0, 16);
}

/** Severity of a score, gates aside. */
export function severityOf(score: number | null, options: EpisodeOptions): AnomalySeverity | null {
  if (score === null) return null;
  if (score > options.criticalThreshold) return 'critical';
  return score > options.warningThreshold ? 'warning' : null;
}

/** One window further: `open` is the source's open episode before it, the result's `episode` the one after it. */
export function advanceEpisode(
  open: Episode | null,
  verdict: Verdict,
  options: EpisodeOptions,
): { episode: Episode | null; anomaly: Anomaly | null } {
  const holding = holdingGates(verdict, options);
  const severity = holding.length > 0 ? null : severityOf(verdict.score, options);

  if (!open) {
    if (severity === null) return { episode: null, anomaly: null };
    const episode: Episode = {
      source: verdict.source,
      episodeId: episodeId(verdict.source, verdict.windowId),
      severity,
      startedMs: verdict.windowEndMs,
      peakScore: verdict.score!,
      below: 0,
      blind: 0,
    };
    return { episode, anomaly: toAnomaly('start', episode, verdict, options) };
  }

  const isBlind = verdict.score === null || holding.some((gate) => BLIND_GATES.has(gate));
  const blind = isBlind ? open.blind + 1 : 0;
  if (isBlind && blind <= BLIND_WINDOWS_TO_HOLD) return { episode: { ...open, blind }, anomaly: null };

  const holds = holding.length === 0 && verdict.score !== null && verdict.score > holdLevel(open.severity, options);
  if (!holds) {
    const episode = { ...open, blind, below: open.below + 1 };
    if (episode.below < WINDOWS_BELOW_TO_CLOSE) return { episode, anomaly: null };
    return { episode: null, anomaly: toAnomaly('end', episode, verdict, options) };
  }
  const peakScore = Math.max(open.peakScore, verdict.score!);
  if (severity === 'critical' && open.severity === 'warning') {
    const episode: Episode = { ...open, severity, peakScore, below: 0, blind: 0 };
    return { episode, anomaly: toAnomaly('update', episode, verdict, options) };
  }
  return { episode: { ...open, peakScore, below: 0, blind: 0 }, anomaly: null };
}

/** Never above the warning threshold: else a window could close a critical episode and open a warning in one breath. */
function holdLevel(severity: AnomalySeverity, options: EpisodeOptions): number {
  return Math.min(HOLD_SHARE * thresholdOf(severity, options), options.warningThreshold);
}

function thresholdOf(severity: AnomalySeverity, options: EpisodeOptions): number {
  return severity === 'critical' ? options.criticalThreshold : options.warningThreshold;
}

function holdingGates(verdict: Verdict, { dmdOnly = true }: EpisodeOptions): Gate[] {
  return verdict.gates.filter((gate) => dmdOnly || !DMD_GATES.has(gate));
}

function toAnomaly(phase: Phase, episode: Episode, verdict: Verdict, options: EpisodeOptions): Anomaly {
  const { episodeId, severity, startedMs, peakScore } = episode;
  const threshold = thresholdOf(severity, options);
  const anomaly = { phase, episodeId, verdict, severity, threshold, startedMs, peakScore };
  return { ...anomaly, message: anomalyMessage(anomaly) };
}

/** The open episodes of all sources. */
export class Episodes {
  readonly #options: EpisodeOptions;
  readonly #open = new Map<string, Episode>();

  /** `restored`: what {@link Episodes.save} gave before the restart; entries that are not episodes are left out. */
  constructor(options: EpisodeOptions, restored: readonly unknown[] = []) {
    this.#options = options;
    for (const entry of restored) if (isEpisode(entry)) this.#open.set(entry.source, { ...entry });
  }

  /** Verdicts of one source must come in the order of their windows. */
  observe(verdict: Verdict): Anomaly | null {
    const { episode, anomaly } = advanceEpisode(this.#open.get(verdict.source) ?? null, verdict, this.#options);
    if (episode) this.#open.set(verdict.source, episode);
    else this.#open.delete(verdict.source);
    return anomaly;
  }

  get(source: string): Episode | null {
    return this.#open.get(source) ?? null;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** The source's state is gone for good (not: parked). */
  remove(source: string): void {
    this.#open.delete(source);
  }

  /** Plain JSON, sorted by source: same state, same bytes. */
  save(): Episode[] {
    return [...this.#open.values()].sort((a, b) => (a.source < b.source ? -1 : 1));
  }
}

function isEpisode(value: unknown): value is Episode {
  const episode = value as Partial<Episode> | null;
  return (
    typeof episode === 'object' &&
    episode !== null &&
    typeof episode.source === 'string' &&
    typeof episode.episodeId === 'string' &&
    (episode.severity === 'warning' || episode.severity === 'critical') &&
    [episode.startedMs, episode.peakScore, episode.below, episode.blind].every(Number.isFinite)
  );
}
