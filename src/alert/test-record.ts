/** What `logdrift test-anomaly` sends: shaped like a warning, so that it takes the way of one, and marked everywhere as no incident. */
import type { Verdict } from '../detect/verdict.ts';
import { anomalyRecord, anomalyScope, ownResource, type AnomalyRecord } from './anomaly-record.ts';
import { episodeId } from './anomaly.ts';

/** Attribute, true, that no other record of logdrift has: for rules and dashboards that leave tests out. */
export const TEST_ATTRIBUTE = 'logdrift.test';
export const TEST_SOURCE = 'test:logdrift';

export interface TestRecordOptions {
  version: string;
  /** Name of this machine. */
  host: string;
  /** Unix milliseconds. */
  nowMs: number;
  windowSizeMs: number;
  windowStepMs: number;
  /** Sigmas. The record claims a score half way between, so that rules that look at it see a warning. */
  warningThreshold: number;
  criticalThreshold: number;
}

export function testRecord(options: TestRecordOptions): AnomalyRecord {
  const { version, host, nowMs, warningThreshold, criticalThreshold } = options;
  const windowId = Math.floor(nowMs / options.windowStepMs);
  const score = (warningThreshold + criticalThreshold) / 2;
  const verdict: Verdict = {
    ...{ source: TEST_SOURCE, handle: 0, windowId },
    ...{ windowStartMs: nowMs - options.windowSizeMs, windowEndMs: nowMs, records: 0, templates: 0 },
    ...{ reconstructionError: null, normalizedError: null, score, scoreBefore: null },
    ...{ detector: null, channels: null, severity: 'warning', gates: [], rank: 0 },
    ...{ newTemplates: [], findings: [], topTemplates: [] },
  };
  const instanceId = `${host}-test`;
  const record = anomalyRecord(
    {
      ...{ phase: 'start', episodeId: episodeId(TEST_SOURCE, nowMs), verdict, severity: 'warning' },
      ...{ threshold: warningThreshold, raisedBy: 0, earlierInDay: 0, startedMs: nowMs, peakScore: score },
      message: `TEST, no incident: logdrift test-anomaly on ${host} checks that anomalies arrive here`,
    },
    {
      resource: ownResource(instanceId),
      lost: 0,
      instanceId,
      scope: anomalyScope(version),
      observedMs: nowMs,
    },
  );
  return { ...record, attributes: { ...record.attributes, [TEST_ATTRIBUTE]: true } };
}
