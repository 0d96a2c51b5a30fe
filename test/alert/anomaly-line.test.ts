import { expect, test } from 'vitest';
import { anomalyLine, scoreLine } from '../../src/alert/anomaly-line.ts';
import { Episodes } from '../../src/alert/episodes.ts';
import { topTemplate, verdict } from './verdict.ts';
import { EPISODE_OPTIONS } from './episode-options.ts';

test('a --scores line has exactly the promised keys in their order', () => {
  const line = JSON.stringify(scoreLine(verdict({ windowId: 29_922_560, score: 0.5, normalizedError: 0.5 })));
  expect(line).toBe(
    '{"source":"otlp:api-2","window_id":29922560,"window_start_unix_nano":"1795353480000000000",' +
      '"window_end_unix_nano":"1795353600000000000","records":240,"templates":12,"reconstruction_error":0.75,' +
      '"normalized_error":0.5,"score":0.5,"detector":"dmd","severity":"normal","gates":[]}',
  );
});

test('where there are more channels than dmd, their surprises come at its end', () => {
  const line = scoreLine(verdict({ score: 2.5, detector: 'severity', channels: { severity: 6.01, dmd: 0.5 } }));
  expect(Object.keys(line).at(-1)).toBe('channels');
  expect(JSON.stringify(line)).toMatch(
    /"detector":"severity".*"gates":\[\],"channels":\{"severity":6.01,"dmd":0.5\}\}$/,
  );
});

test('before scoring starts the scores are null', () => {
  const warming = verdict({
    reconstructionError: null,
    normalizedError: null,
    score: null,
    detector: null,
    severity: null,
  });
  expect(scoreLine({ ...warming, gates: ['warming'] })).toMatchObject({
    reconstruction_error: null,
    normalized_error: null,
    score: null,
    detector: null,
    severity: null,
    gates: ['warming'],
  });
});

test('an --anomalies line adds episode, phase, message and top templates, in this order', () => {
  const episodes = new Episodes(EPISODE_OPTIONS);
  const anomaly = episodes.observe(
    verdict({ score: 3.5, severity: 'critical', topTemplates: [topTemplate({ traceIds: ['ab'.repeat(16)] })] }),
  )!;
  const line = anomalyLine(anomaly);
  expect(Object.keys(line)).toEqual([
    ...['source', 'window_id', 'window_start_unix_nano', 'window_end_unix_nano', 'records', 'templates'],
    ...['reconstruction_error', 'normalized_error', 'score', 'detector', 'severity', 'gates'],
    ...['episode_id', 'phase', 'message', 'top_templates'],
  ]);
  expect(JSON.stringify(line.top_templates)).toBe(
    '[{"template_id":"00112233aabbccdd","template":"GET /product/<*>","share":0.6,"count":3,"usual_count":120,' +
      `"sample":"GET /product/17","trace_ids":["${'ab'.repeat(16)}"],"levels":{"INFO":3},` +
      '"numbers":[{"placeholder":1,"count":3,"median":12,"p95":40}],"values":[]}]',
  );
});

test('the line of an end carries the severity of its episode', () => {
  const episodes = new Episodes(EPISODE_OPTIONS);
  const [, , end] = [3.5, 0, 0].map((score, i) => episodes.observe(verdict({ windowId: 1_000 + i, score })));
  expect(anomalyLine(end!)).toMatchObject({ phase: 'end', severity: 'critical', score: 0 });
});
