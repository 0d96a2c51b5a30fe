import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Anomaly } from '../../../src/alert/anomaly.ts';
import { evaluate } from '../../../src/replay/evaluation/evaluate.ts';
import { parseLabels } from '../../../src/replay/evaluation/labels.ts';
import { embedJson, escapeHtml, markup } from '../../../src/replay/report/html.ts';
import { reportPage } from '../../../src/replay/report/page.ts';
import { TimelineBuilder } from '../../../src/replay/report/timeline.ts';
import { EPISODE_OPTIONS } from '../../alert/episode-options.ts';
import { STEP_MS, topTemplate, verdict } from '../../alert/verdict.ts';

const EVIL = '</script><script>alert("1")</script><img src=x onerror=\'alert(2)\'>&\u2028';

function anomaly(phase: Anomaly['phase'], windowId: number, more: Partial<Anomaly> = {}): Anomaly {
  return {
    phase,
    episodeId: 'e1',
    verdict: verdict({ windowId, score: 3.4, severity: 'critical' }),
    severity: 'critical',
    threshold: 3,
    raisedBy: 0,
    earlierInDay: 0,
    startedMs: windowId * STEP_MS,
    peakScore: 3.4,
    message: 'drifted',
    ...more,
  };
}

function page(timeline: TimelineBuilder, more: object = {}): string {
  return reportPage({
    inputs: ['a.log'],
    records: 1,
    timeline: timeline.build(),
    warningThreshold: 2,
    criticalThreshold: 3,
    truth: null,
    ...more,
  });
}

function quietRun(sources: number, windows: number): TimelineBuilder {
  const timeline = new TimelineBuilder(STEP_MS);
  for (let w = 0; w < windows; w++) {
    for (let s = 0; s < sources; s++) {
      timeline.verdict(
        verdict({ source: `file:s${s}`, windowId: 1000 + w, score: w < 6 ? null : Math.sin(w * s) * 3 }),
      );
    }
  }
  return timeline;
}

describe('text of a log stays text', () => {
  test('in the message, in templates, samples, source names and labels', () => {
    const timeline = new TimelineBuilder(STEP_MS);
    const loud = verdict({
      source: `file:${EVIL}`,
      windowId: 1000,
      score: 3.4,
      topTemplates: [topTemplate({ template: EVIL, samples: [EVIL] })],
    });
    timeline.verdict(loud);
    timeline.anomaly(anomaly('start', 1000, { verdict: loud, message: EVIL }));
    const labels = parseLabels(
      JSON.stringify({ faults: [{ source: EVIL, kind: EVIL, start: '1', end: '2' }] }),
      'labels',
    );
    const evaluation = evaluate(
      { verdicts: [loud], anomalies: [], episodes: EPISODE_OPTIONS, panesPerWindow: 2 },
      labels,
    );
    const text = page(timeline, { inputs: [EVIL], truth: { labels, evaluation, notes: [EVIL] } });
    expect(text).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;');
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain('<img');
    expect(text.match(/<script/g)).toHaveLength(2);
    expect(text.match(/<\/script>/g)).toHaveLength(2);
    const data = /id="data">(.*?)<\/script>/s.exec(text)![1]!;
    expect(JSON.parse(data)).toMatchObject({
      lanes: [{ source: `file:${EVIL}` }],
      faults: [{ name: `${EVIL} in ${EVIL}` }],
    });
  });

  test('piece by piece', () => {
    expect(escapeHtml('<a b="c" d=\'e\'>&\x1b[31m')).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp; [31m');
    expect(markup`<b>${'<i>'}${[markup`<u>${1}</u>`]}</b>`.text).toBe('<b>&lt;i&gt;<u>1</u></b>');
    expect(embedJson({ a: '</script>' }).text).toBe('{"a":"\\u003c/script\\u003e"}');
  });
});

test('its policy allows its own style and script by hash, and nothing else', () => {
  const text = page(quietRun(2, 40));
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text)![1]!;
  const hash = (content: string): string => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
  const style = /<style>(.*?)<\/style>/s.exec(text)![1]!;
  const script = /<script>(.*?)<\/script>/s.exec(text)![1]!;
  expect(policy.split('; ')).toEqual([
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  // A style or handler in an attribute would be refused.
  expect(text).not.toMatch(/<[^>]* (style|on\w+)=/);
  expect(text.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|src=|href=|url\(|@import/);
});

test('an episode lasts from its first window to the one that ended it, and shows what was said at its worst', () => {
  const timeline = quietRun(1, 60);
  const source = 'file:s0';
  const at = (windowId: number) => verdict({ source, windowId, score: 2.5 });
  timeline.anomaly(
    anomaly('start', 1020, { verdict: at(1020), severity: 'warning', message: 'began', peakScore: 2.5 }),
  );
  timeline.anomaly(anomaly('update', 1022, { verdict: at(1022), message: 'got worse', peakScore: 3.4 }));
  timeline.anomaly(anomaly('end', 1030, { verdict: at(1030), message: 'is over', peakScore: 5.1 }));
  timeline.anomaly(anomaly('start', 1050, { verdict: at(1050), episodeId: 'e2', message: 'again' }));
  const { episodes, lanes } = timeline.build();
  expect(episodes).toMatchObject([
    {
      startMs: 1019 * STEP_MS,
      endMs: 1030 * STEP_MS,
      severity: 'critical',
      peakScore: 5.1,
      isOpen: false,
      told: { message: 'got worse' },
    },
    { startMs: 1049 * STEP_MS, endMs: 1059 * STEP_MS, isOpen: true, told: { message: 'again' } },
  ]);
  expect(lanes).toMatchObject([{ source, critical: 2, warnings: 0 }]);
});

describe('its size is bounded', () => {
  test('of many windows the loudest of each column is drawn', () => {
    const timeline = quietRun(1, 10_000);
    timeline.verdict(verdict({ source: 'file:s0', windowId: 11_000, score: 7 }));
    const { lanes, columns, columnMs } = timeline.build();
    expect(columnMs).toBe(5 * STEP_MS);
    expect(columns).toBe(2001);
    expect(Math.max(...lanes[0]!.scores.filter((score) => !Number.isNaN(score)))).toBe(7);
  });

  test('fifteen sources of a week with a thousand anomalies stay below 2 MB', () => {
    const timeline = quietRun(15, 2_000);
    for (let k = 0; k < 1_000; k++) {
      const source = `file:s${k % 15}`;
      const top = Array.from({ length: 10 }, () =>
        topTemplate({ template: 'x'.repeat(900), samples: ['y'.repeat(512)] }),
      );
      const loud = verdict({ source, windowId: 1000 + k, score: 3, topTemplates: top });
      timeline.anomaly(anomaly('start', 1000 + k, { episodeId: String(k), verdict: loud, message: 'm'.repeat(2_000) }));
    }
    const text = page(timeline);
    expect(text.length).toBeLessThan(2_000_000);
    expect(text).toContain('Anomalies, the 300 loudest');
  });

  test('of hundreds of sources those with the worst anomalies are drawn, and stand first', () => {
    const timeline = quietRun(300, 40);
    timeline.anomaly(anomaly('start', 1020, { verdict: verdict({ source: 'file:s299', windowId: 1020, score: 4 }) }));
    const { lanes, sources } = timeline.build();
    expect(lanes).toHaveLength(60);
    expect(sources).toBe(300);
    expect(lanes.slice(0, 2).map(({ source }) => source)).toEqual(['file:s299', 'file:s0']);
    expect(page(timeline)).toContain('240 quieter sources are not drawn.');
  });
});

test('a run in which nothing was judged is a page, too', () => {
  for (const timeline of [new TimelineBuilder(STEP_MS), quietRun(1, 3)]) {
    const text = page(timeline).replace(/<script>.*?<\/script>/s, '');
    expect(text).toMatch(/[03] windows/);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  }
});
