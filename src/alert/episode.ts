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
 *
 * Four things keep a source from crying wolf; none touches a score:
 *
 * - A warning is given when one of the nine newest windows that share no pane with this one was above 70 % of the threshold, too: chance is loud once, a fault
 *   lasts. Critical is given at once. Where `dmd` is the only channel, warnings are.
 * - What began at the same time of the day on two of the last seven days is a schedule, not an incident (`schedule.ts`); not where `dmd` is the only channel.
 * - `alert_budget`: a source that has warned more often than that in 24 h needs a higher score for its next warning (`alert-budget.ts`).
 * - `refractory_period`: for so long after an episode's end only a critical score begins the next; a warning is taken for its afterglow.
 */
import type { Gate } from '../detect/history.ts';
import type { Verdict } from '../detect/verdict.ts';
import { barRaise, recentWarnings, withWarning } from './alert-budget.ts';
import { episodeId, type Anomaly, type AnomalySeverity, type Phase } from './anomaly.ts';
import { anomalyMessage } from './message.ts';
import { EXPECTED_MS, isScheduled, withBegin } from './schedule.ts';

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
  /** Sigmas that the alert budget had added to the warning threshold when it began. */
  raisedBy: number;
  earlierInDay: number;
}

/** What is remembered of a source's alerts; plain JSON, so that a checkpoint can hold it. */
export interface AlertHistory {
  source: string;
  episode: Episode | null;
  /** When the episodes that count towards the budget began, Unix milliseconds, oldest first. */
  warningsMs: number[];
  /** When its last episode ended; null before that. */
  endedMs: number | null;
  /** When loud times began in the last days, Unix milliseconds, oldest first: episodes, and what was expected. */
  beginsMs: number[];
  /** Until then nothing begins: what was expected is going on. */
  expectedUntilMs: number | null;
}

/**
 * Why a score above the threshold that no gate holds begins no episode. `second_look`: nothing was loud before it. `schedule`: it comes at this time of the day. `budget`:
 * the source has warned too often. `refractory`: its last episode has just ended.
 */
export type HeldBack = 'second_look' | 'schedule' | 'budget' | 'refractory';

export interface EpisodeOptions {
  /** Sigmas; a score above it warns. */
  warningThreshold: number;
  criticalThreshold: number;
  /** Warnings a source may give in 24 h before its bar rises. */
  alertBudget: number;
  /** Milliseconds after an episode's end in which a warning begins no other. */
  refractoryMs: number;
  /** `dmd` is the only channel, so its gates (degraded, sparse, recurrent, incomplete) hold the whole alert. Default true. */
  dmdOnly?: boolean;
}

/** An episode holds while the score is above this share of its threshold. */
const HOLD_SHARE = 0.7;
const WINDOWS_BELOW_TO_CLOSE = 2;
const BLIND_WINDOWS_TO_HOLD = 9;

const DMD_GATES: ReadonlySet<Gate> = new Set<Gate>(['degraded', 'sparse', 'recurrent', 'incomplete']);
const BLIND_GATES: ReadonlySet<Gate> = new Set<Gate>(['warming', 'gap', 'degraded', 'incomplete']);

/** Severity of a score, gates aside. */
function severityOf(score: number | null, options: Thresholds): AnomalySeverity | null {
  if (score === null) return null;
  if (score > options.criticalThreshold) return 'critical';
  return score > options.warningThreshold ? 'warning' : null;
}

/** One window further: `before` is what is known of the source, the result's `after` what is to be remembered. */
export function advanceAlerts(
  before: AlertHistory,
  verdict: Verdict,
  options: EpisodeOptions,
): { after: AlertHistory; anomaly: Anomaly | null; heldBack: HeldBack | null } {
  const nowMs = verdict.windowEndMs;
  if (before.episode === null) {
    if (holdingGates(verdict, options).length > 0 || severityOf(verdict.score, options) === null) {
      return { after: before, anomaly: null, heldBack: null };
    }
    if (before.expectedUntilMs !== null && nowMs < before.expectedUntilMs) {
      return { after: before, anomaly: null, heldBack: 'schedule' };
    }
    const episode = beginEpisode(before, verdict, options);
    if (typeof episode === 'string') return { after: before, anomaly: null, heldBack: episode };
    const beginsMs = withBegin(before.beginsMs, nowMs);
    if (options.dmdOnly === false && isScheduled(before.beginsMs, nowMs)) {
      const after = { ...before, beginsMs, expectedUntilMs: nowMs + EXPECTED_MS };
      return { after, anomaly: null, heldBack: 'schedule' };
    }
    const anomaly = toAnomaly('start', episode, verdict, options);
    return { after: { ...before, beginsMs, episode }, anomaly, heldBack: null };
  }
  const { episode, anomaly } = advanceEpisode(before.episode, verdict, options);
  if (episode !== null) return { after: { ...before, episode }, anomaly, heldBack: null };
  const { severity, startedMs } = before.episode;
  const warningsMs = severity === 'warning' ? withWarning(before.warningsMs, startedMs, options) : before.warningsMs;
  return { after: { ...before, episode, warningsMs, endedMs: nowMs }, anomaly, heldBack: null };
}

/** For a score above the configured threshold that no gate holds. */
function beginEpisode(
  { warningsMs, endedMs }: AlertHistory,
  verdict: Verdict,
  options: EpisodeOptions,
): Episode | HeldBack {
  const nowMs = verdict.windowEndMs;
  const raisedBy = barRaise(warningsMs, nowMs, options);
  const severity = severityOf(verdict.score, raised(options, raisedBy));
  if (severity === null) return 'budget';
  if (severity === 'warning' && !isConfirmed(verdict, raised(options, raisedBy), options)) return 'second_look';
  if (severity === 'warning' && endedMs !== null && nowMs - endedMs < options.refractoryMs) return 'refractory';
  return {
    source: verdict.source,
    episodeId: episodeId(verdict.source, verdict.windowId),
    severity,
    startedMs: nowMs,
    peakScore: verdict.score!,
    below: 0,
    blind: 0,
    raisedBy,
    earlierInDay: recentWarnings(warningsMs, nowMs).length,
  };
}

/** Was it loud shortly before, too? */
function isConfirmed({ scoreBefore }: Verdict, thresholds: Thresholds, { dmdOnly = true }: EpisodeOptions): boolean {
  return dmdOnly || (scoreBefore !== null && scoreBefore > holdLevel('warning', thresholds));
}

function advanceEpisode(
  open: Episode,
  verdict: Verdict,
  options: EpisodeOptions,
): { episode: Episode | null; anomaly: Anomaly | null } {
  const thresholds = raised(options, open.raisedBy);
  const holding = holdingGates(verdict, options);
  const severity = holding.length > 0 ? null : severityOf(verdict.score, thresholds);

  const isBlind = verdict.score === null || holding.some((gate) => BLIND_GATES.has(gate));
  const blind = isBlind ? open.blind + 1 : 0;
  if (isBlind && blind <= BLIND_WINDOWS_TO_HOLD) return { episode: { ...open, blind }, anomaly: null };

  const holds = holding.length === 0 && verdict.score !== null && verdict.score > holdLevel(open.severity, thresholds);
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

type Thresholds = Pick<EpisodeOptions, 'warningThreshold' | 'criticalThreshold'>;

function raised({ warningThreshold, criticalThreshold }: Thresholds, by: number): Thresholds {
  return { warningThreshold: warningThreshold + by, criticalThreshold };
}

/** Never above the warning threshold: else a window could close a critical episode and open a warning in one breath. */
function holdLevel(severity: AnomalySeverity, thresholds: Thresholds): number {
  return Math.min(HOLD_SHARE * thresholdOf(severity, thresholds), thresholds.warningThreshold);
}

function thresholdOf(severity: AnomalySeverity, thresholds: Thresholds): number {
  return severity === 'critical' ? thresholds.criticalThreshold : thresholds.warningThreshold;
}

function holdingGates(verdict: Verdict, { dmdOnly = true }: EpisodeOptions): Gate[] {
  return verdict.gates.filter((gate) => dmdOnly || !DMD_GATES.has(gate));
}

function toAnomaly(phase: Phase, episode: Episode, verdict: Verdict, options: EpisodeOptions): Anomaly {
  const { episodeId, severity, startedMs, peakScore, raisedBy, earlierInDay } = episode;
  const threshold = thresholdOf(severity, raised(options, raisedBy));
  const added = threshold - thresholdOf(severity, options);
  const anomaly = {
    phase,
    episodeId,
    verdict,
    severity,
    threshold,
    raisedBy: added,
    earlierInDay,
    startedMs,
    peakScore,
  };
  return { ...anomaly, message: anomalyMessage(anomaly) };
}
