/** The report of a replay: one HTML file that loads nothing, and whose policy would let it load nothing. */
import { createHash } from 'node:crypto';
import { CHANNELS } from '../../detect/channels/channels.ts';
import type { Evaluation } from '../evaluation/evaluate.ts';
import { labelName, type Labels } from '../evaluation/labels.ts';
import { WARM_UP_WINDOWS } from '../evaluation/windows.ts';
import { anomalySection } from './anomalies.ts';
import { columnOf, faultRow, laneChart, outcome, sweepChart } from './chart.ts';
import { count, embedJson, Html, markup, utc } from './html.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';
import type { Lane, Timeline } from './timeline.ts';

export interface ReportContent {
  /** Names of the recordings. */
  inputs: readonly string[];
  records: number;
  timeline: Timeline;
  warningThreshold: number;
  criticalThreshold: number;
  /** Null without `--labels`. */
  truth: { labels: Labels; evaluation: Evaluation; notes: readonly string[] } | null;
}

const MAX_INPUTS = 5;

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const POLICY = [
  "default-src 'none'",
  `script-src ${hash(SCRIPT)}`,
  `style-src ${hash(STYLE)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** @returns the file's text */
export function reportPage(content: ReportContent): string {
  const { inputs, records, timeline, truth } = content;
  const names =
    inputs.slice(0, MAX_INPUTS).join(', ') +
    (inputs.length > MAX_INPUTS ? ` and ${inputs.length - MAX_INPUTS} more` : '');
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${new Html(POLICY)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>logdrift: ${names}</title>
        <style>${new Html(STYLE)}</style>
      </head>
      <body>
        <header>
          <h1>logdrift report</h1>
          <p class="quiet">
            ${names} · ${utc(timeline.startMs)} to ${utc(timeline.endMs)} UTC · ${count(records)} records,
            ${count(timeline.sources)} sources, ${count(timeline.windows)} windows
          </p>
        </header>
        ${cards(content)} ${timelineSection(content)}
        ${truth === null ? new Html('') : truthSection(truth.labels, truth.evaluation, truth.notes)}
        ${anomalySection(timeline)}
        <div id="tip" hidden></div>
        <div id="cursor" hidden></div>
        <div id="brush" hidden></div>
        <aside id="panel" hidden aria-label="anomaly">
          <button id="close" type="button" aria-label="Close">×</button>
          <div id="told"></div>
        </aside>
        <script type="application/json" id="data">${embedJson(scriptData(content))}</script>
        <script>${new Html(SCRIPT)}</script>
      </body>
    </html> `;
  return page.text;
}

function cards({ timeline, truth }: ReportContent): Html {
  const critical = timeline.lanes.reduce((sum, lane) => sum + lane.critical, 0);
  const card = (value: string, text: string): Html => markup`<div class="card"><b>${value}</b>${text}</div>`;
  const shown = [card(count(timeline.anomalies), `anomalies, ${count(critical)} of them critical`)];
  if (truth !== null) {
    const { evaluation: e } = truth;
    const own = e.fault_list.filter((fault) => fault.delay_own_source_s !== null).length;
    const at = (row: Evaluation['score']): string =>
      ['0.1', '0.25'].map((rate) => share(row.recall_own_source_at[rate]!)).join(' / ');
    shown.push(
      card(`${own} of ${e.faults}`, `faults found in their own source, ${e.alerts.detected} in any that they touch`),
      card(
        e.alerts.median_delay_s === null ? '–' : `${Math.round(e.alerts.median_delay_s)} s`,
        'median delay of what was found',
      ),
      card(
        perDay(e.alerts.fa_per_source_day),
        `false anomalies a source and day; critical: ${perDay(e.alerts_critical.fa_per_source_day)}`,
      ),
      card(at(e.score), `found at 0.1 / 0.25 false windows a source and hour; random scores: ${at(e.random)}`),
    );
  }
  return markup`<div class="cards">${shown}</div>`;
}

function timelineSection({ timeline, truth, warningThreshold, criticalThreshold }: ReportContent): Html {
  const lanes = timeline.lanes.map(
    (lane) =>
      markup`<div class="row">
        <div class="name">${lane.source}<br /><span class="quiet">${tally(lane)}</span></div>
        ${laneChart(lane, timeline, truth?.labels ?? null, [warningThreshold, criticalThreshold])}
      </div> `,
  );
  const hidden = timeline.sources - timeline.lanes.length;
  const minutes = timeline.columnMs / 60_000;
  return markup`<section id="timeline">
    <h2>Scores over time</h2>
    <div class="legend">
      <span><i class="key line"></i>score in sigmas, −1 to 6</span
      ><span><i class="key warning"></i>warning (band: above ${warningThreshold} σ)</span
      ><span><i class="key critical"></i>critical (band: above ${criticalThreshold} σ)</span>
      ${truth === null ? new Html('') : new Html('<span><i class="key own"></i>fault in this source</span><span><i class="key touched"></i>fault elsewhere that may show here</span>')}
      <span class="quiet">drag to zoom, click a bar at the top of a lane for its message</span
      ><button id="all" type="button" hidden>whole time</button>
    </div>
    ${
      truth === null
        ? new Html('')
        : markup`<div class="row head">
            <div class="name quiet">faults</div>
            ${faultRow(truth.labels, truth.evaluation, timeline)}
          </div>`
    }
    ${lanes}
    <div class="row">
      <div class="name quiet">UTC</div>
      <svg id="axis" class="axis"></svg>
    </div>
    <p class="quiet">
      A point is
      ${minutes === 1 ? 'one window' : `the loudest of ${count(minutes)} minutes`}.${hidden > 0 ? ` ${count(hidden)} quieter sources are not drawn.` : ''}${timeline.episodes.length < timeline.anomalies ? ` ${count(timeline.episodes.length)} of ${count(timeline.anomalies)} anomalies are drawn, the loudest.` : ''}
    </p>
  </section>`;
}

function tally({ warnings, critical }: Lane): string {
  const said = [
    critical > 0 ? `${critical} critical` : '',
    warnings > 0 ? `${warnings} warning${warnings === 1 ? '' : 's'}` : '',
  ];
  return said.filter((text) => text !== '').join(', ') || 'quiet';
}

function truthSection(labels: Labels, evaluation: Evaluation, notes: readonly string[]): Html {
  const rows = labels.faults.map((fault, f) => {
    const { result, delay } = outcome(evaluation, f);
    const text = { found: 'found', elsewhere: 'elsewhere', missed: 'missed' }[result];
    const severity = evaluation.fault_list[f]!.critical_own_source ? 'critical' : result === 'found' ? 'warning' : '';
    return markup`<tr data-fault="${f}">
      <td class="number">${f + 1}</td>
      <td>${fault.kind}</td>
      <td>${fault.source}</td>
      <td class="whole">${utc(fault.startMs)}</td>
      <td class="whole ${result}">${text}</td>
      <td class="number">${delay === null ? '' : `${Math.round(delay)} s`}</td>
      <td class="whole ${severity}">${severity}</td>
    </tr> `;
  });
  return markup`<section>
    <h2>Against ${labels.faults.length} faults, ${evaluation.normal_source_hours} source-hours without one</h2>
    <p class="quiet">A source's first ${WARM_UP_WINDOWS} windows are its warm-up: alarms there are not counted as false.</p>
    ${notes.map((note) => markup`<p class="critical">${note}</p>`)}
    <div class="two">
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th class="number">#</th>
              <th>fault</th>
              <th>source</th>
              <th>start (UTC)</th>
              <th>result</th>
              <th class="number">after</th>
              <th>as</th>
            </tr>
          </thead>
          <tbody>
            ${rows}
          </tbody>
        </table>
      </div>
      <div>
        ${sweepChart(evaluation)}
        <p class="legend">
          <span><i class="key line"></i>found in own source, by threshold</span
          ><span class="quiet">dashed: in any source it touches · dotted: random scores, own source</span>
        </p>
      </div>
    </div>
  </section>`;
}

/** What the script needs beside the drawing. Scores in hundredths; a letter a column says which channel was loudest. */
function scriptData({ timeline, truth }: ReportContent): object {
  const { startMs, columnMs, columns, lanes, episodes } = timeline;
  const laneOf = new Map(lanes.map(({ source }, i) => [source, i]));
  const faults = (truth?.labels.faults ?? []).map(({ kind, source, affected, ...fault }) => ({
    name: `${kind} in ${source}`,
    from: columnOf(fault.startMs, timeline),
    to: columnOf(fault.endMs, timeline),
    lanes: lanes.flatMap((lane, i) => {
      const name = labelName(lane.source, truth!.labels.names);
      return source === '*' || source === name || affected === '*' || affected.includes(name) ? [i] : [];
    }),
  }));
  return {
    startMs,
    columnMs,
    columns,
    channels: CHANNELS,
    told: episodes.filter(({ told }) => told !== null).length,
    lanes: lanes.map(({ source, scores, detectors }) => ({
      source,
      scores: Array.from(scores, (score) => (Number.isNaN(score) ? null : Math.round(100 * score))),
      detectors: Array.from(detectors, (detector) =>
        detector === 255 ? '.' : String.fromCharCode(97 + detector),
      ).join(''),
    })),
    episodes: episodes.map((episode) => ({
      lane: laneOf.get(episode.source)!,
      severity: episode.severity,
      peak: Math.round(100 * episode.peakScore) / 100,
      from: columnOf(episode.startMs, timeline),
      to: columnOf(episode.endMs, timeline),
    })),
    faults,
  };
}

function share(x: number): string {
  return `${Math.round(100 * x)} %`;
}

function perDay(x: number | null): string {
  return x === null ? '–' : x.toFixed(1);
}
