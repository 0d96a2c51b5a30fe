/** The API's JSON: snake_case, as in the `--scores` and `--anomalies` lines. */
import { scoreLine, topTemplateLine } from '../alert/anomaly-line.ts';
import { findingText } from '../alert/message.ts';
import { namedLevels } from '../detect/levels.ts';
import type { WindowExplanation } from '../detect/verdict.ts';
import type { RecentSource } from './recent.ts';

/** A live source, as the registry knows it and `Recent` remembers it. */
export interface SourceSummary {
  key: string;
  createdMs: number;
  lastSeenMs: number;
  received: number;
  late: number;
  dropped: ReadonlyMap<string, number>;
  anomalies: { warning: number; critical: number };
  muted: boolean;
  /** Null before its first window has closed. */
  recent: RecentSource | null;
  /** The open episode. */
  episode: { episodeId: string; severity: string; startedMs: number; peakScore: number } | null;
  /** Sigmas that the alert budget adds to the thresholds. */
  alertRaisedBy: number;
  /** Why the newest window, though loud, is no anomaly. */
  alertHeldBack: string | null;
}

export function summaryJson(source: SourceSummary): Record<string, unknown> {
  const { recent, episode } = source;
  return {
    key: source.key,
    created_unix_ms: source.createdMs,
    last_seen_unix_ms: source.lastSeenMs,
    received_records: source.received,
    late_records: source.late,
    dropped_records: Object.fromEntries(source.dropped),
    anomalies: source.anomalies,
    muted: source.muted,
    last_window: recent && scoreLine(recent.last),
    /** Oldest first. */
    scores: recent?.windows.map((window) => window.score) ?? [],
    episode: episode && {
      episode_id: episode.episodeId,
      severity: episode.severity,
      started_unix_ms: episode.startedMs,
      peak_score: episode.peakScore,
    },
    alert_raised_by: source.alertRaisedBy,
    alert_held_back: source.alertHeldBack,
  };
}

export function sourceJson(source: SourceSummary): Record<string, unknown> {
  const windows = source.recent?.windows ?? [];
  return {
    ...summaryJson(source),
    windows: windows.map(({ windowId, windowEndMs, records, score, severity, gates }) => ({
      window_id: windowId,
      window_end_unix_ms: windowEndMs,
      records,
      score,
      severity,
      gates,
    })),
  };
}

export function explanationJson(explanation: WindowExplanation): Record<string, unknown> {
  const { verdict } = explanation;
  return {
    ...scoreLine(verdict),
    rank: verdict.rank,
    new_templates: verdict.newTemplates,
    exact: explanation.exact,
    /** What the channels heard, loudest first. */
    findings: verdict.findings.map((finding) => ({
      channel: finding.channel,
      nats: finding.nats,
      text: findingText(finding),
      template_id: finding.templateId,
    })),
    top_templates: explanation.topTemplates.map((top) => ({
      ...topTemplateLine(top),
      shown: top.shown,
      first_seen_unix_ms: top.firstSeenMs,
      levels_total: namedLevels(top.levelsTotal),
      samples: top.samples,
      span_ids: top.spanIds,
    })),
    modes: explanation.modes.map(({ real, imaginary, modulus, periodMs }) => ({
      real,
      imaginary,
      modulus,
      period_ms: periodMs,
    })),
    errors: explanation.errors.map(({ windowId, reconstructionError, normalizedError }) => ({
      window_id: windowId,
      reconstruction_error: reconstructionError,
      normalized_error: normalizedError,
    })),
  };
}
