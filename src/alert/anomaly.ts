/** What leaves the service: an anomaly is one record of an episode. */
import { createHash } from 'node:crypto';
import type { Verdict } from '../detect/verdict.ts';

export type AnomalySeverity = 'warning' | 'critical';
export type Phase = 'start' | 'update' | 'end';

/** One at the start of an episode, one when it escalates, one at its end. */
export interface Anomaly {
  phase: Phase;
  /** 16 hex digits; the same after a restart, on a replica and in a replay. */
  episodeId: string;
  /** The window that caused this record. */
  verdict: Verdict;
  /** Of the episode: never falls, so an `end` carries the worst it was. */
  severity: AnomalySeverity;
  /** The threshold in sigmas that `severity` stands for, raised or not. */
  threshold: number;
  /** What the alert budget has added to it: 0 for a source within its budget, and for a critical anomaly. */
  raisedBy: number;
  /** Warnings of the source in the 24 h before this episode. */
  earlierInDay: number;
  /** End of the window it started with, Unix milliseconds. */
  startedMs: number;
  /** Highest score of the episode so far. */
  peakScore: number;
  /** One line for people. */
  message: string;
}

/** Deterministic over restarts and nodes: SHA-256 of source and first window, 64 bits of it. */
export function episodeId(source: string, startWindowId: number): string {
  return createHash('sha256').update(`${source}\0${startWindowId}`).digest('hex').slice(0, 16);
}
