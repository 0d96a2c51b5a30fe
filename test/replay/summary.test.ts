import { expect, test } from 'vitest';
import type { Anomaly } from '../../src/alert/anomaly.ts';
import { ReplaySummary } from '../../src/replay/summary.ts';
import { verdict } from '../alert/verdict.ts';

const INPUT = { bytesRead: 0, totalBytes: 0, lines: 0, continuationLines: 0, linesWithoutTime: 0, cutLines: 0 };

function anomaly(minute: number, score: number, rest: Partial<Anomaly> = {}): Anomaly {
  return {
    ...{ phase: 'start', episodeId: `e${minute}`, severity: 'critical', threshold: 3, raisedBy: 0, earlierInDay: 0 },
    ...{ startedMs: minute * 60_000, peakScore: score, message: `file:nginx drifted ${minute}` },
    verdict: verdict({ source: 'file:nginx', windowEndMs: minute * 60_000, score }),
    ...rest,
  };
}

test('a replay tells what it found, in order of time, and not that it ended', () => {
  const summary = new ReplaySummary();
  summary.anomaly(anomaly(1, 3.4, { message: 'file:nginx drifted: \u001b[2J went by' }));
  summary.anomaly(anomaly(4, 0.2, { phase: 'end', message: 'file:nginx is back to normal' }));
  summary.anomaly(anomaly(9, 3.1, { severity: 'warning' }));
  expect(summary.table(INPUT)).toMatch(
    /UTC\)\n1970-01-01 00:01 {2}critical {2}file:nginx drifted: \\x1b\[2J went by\n1970-01-01 00:09 {2}warning {3}file:nginx drifted 9\n\n0 records\n$/,
  );
});

test('of many it tells the ten loudest, and where all of them are', () => {
  const summary = new ReplaySummary();
  for (let minute = 0; minute < 30; minute++) summary.anomaly(anomaly(minute, minute % 3 === 0 ? 5 : 3.5));
  const told = [...summary.table(INPUT).matchAll(/drifted (\d+)$/gm)].map(([, minute]) => Number(minute));
  expect(told).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
  expect(summary.table(INPUT)).toContain('the loudest of 30; --anomalies FILE writes all of them');
});
