import { HELD_BACK_TEXT } from '../../alert/held-back-text.ts';

/**
 * The page's script. Every text from a log goes in by `textContent`: no HTML is ever built from a string.
 * The event stream is read with fetch, because EventSource cannot send the token.
 */
export const SCRIPT = String.raw`
'use strict';
const $ = (id) => document.getElementById(id);
const MAX_SHOWN_ANOMALIES = 100;
let token = sessionStorage.getItem('logdrift-token') || '';

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'onclick') node.addEventListener('click', value);
    else node.setAttribute(name, value);
  }
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
}
function svg(tag, attributes) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
const number = (value, digits) => (value === null || value === undefined ? '–' : value.toFixed(digits).replace(/^-(?=0*\.?0*$)/, ''));
const nanoToTime = (nano) => new Date(Number(BigInt(nano) / 1000000n)).toLocaleString();

async function call(path, options) {
  const headers = token ? { Authorization: 'Bearer ' + token } : {};
  const response = await fetch('/api/v1' + path, { headers, ...options });
  if (response.status === 401) {
    $('login').hidden = false;
    throw new Error('a token is needed');
  }
  if (!response.ok) throw new Error((await response.json()).error.message);
  return response;
}
const get = async (path) => (await call(path)).json();

/** Scores over the last windows; gaps where there was none. The line is at 2 sigma. */
function sparkline(scores) {
  const low = -2, high = Math.max(4, ...scores.filter((score) => score !== null));
  const y = (score) => (30 - 28 * (Math.max(low, score) - low) / (high - low)).toFixed(1);
  const chart = svg('svg', { viewBox: '0 0 120 32', preserveAspectRatio: 'none', role: 'img', 'aria-label': 'scores of the last windows' });
  chart.append(svg('line', { x1: 0, x2: 120, y1: y(2), y2: y(2) }));
  let points = [];
  const flush = () => {
    if (points.length === 1) points.push(points[0]);
    if (points.length) chart.append(svg('polyline', { points: points.join(' ') }));
    points = [];
  };
  scores.forEach((score, i) => {
    if (score === null) flush();
    else points.push((120 - scores.length + i + 0.5) + ',' + y(score));
  });
  flush();
  return chart;
}
function badge(severity) {
  return el('span', { class: 'badge ' + (severity === 'critical' ? 'critical' : severity === 'warning' ? 'warning' : 'quiet') }, severity);
}
function state(source) {
  const last = source.last_window;
  if (source.episode) return badge(source.episode.severity);
  if (!last) return 'first window not closed yet';
  if (last.gates.length) return last.gates.join(', ');
  if (source.alert_held_back) return HELD_BACK[source.alert_held_back];
  return last.score === null ? 'learning' : 'normal';
}
const HELD_BACK = ${JSON.stringify(HELD_BACK_TEXT)};
function showSources(sources) {
  $('no-sources').hidden = sources.length > 0;
  $('sources').replaceChildren(...sources.map((source) => {
    const last = source.last_window;
    const open = last && el('button', { class: 'link', type: 'button', onclick: () => explain(source.key, last.window_id) }, source.key);
    return el('tr', null,
      el('td', null, open || source.key),
      el('td', null, sparkline(source.scores)),
      el('td', { class: 'number' }, number(last && last.score, 1)),
      el('td', { class: 'number' }, String(source.received_records)),
      el('td', null, state(source), source.alert_raised_by > 0 ? ' (alerts raised by ' + number(source.alert_raised_by, 2) + ' σ)' : null));
  }));
}
function anomalyItem(anomaly) {
  const top = anomaly.top_templates[0];
  return el('li', null,
    el('div', null, badge(anomaly.phase === 'end' ? 'resolved' : anomaly.severity),
      el('time', null, nanoToTime(anomaly.window_end_unix_nano))),
    el('button', { class: 'link', type: 'button', onclick: () => explain(anomaly.source, anomaly.window_id) }, anomaly.message),
    top ? el('div', null, el('code', null, top.sample || top.template)) : null);
}
function showAnomalies(anomalies) {
  $('no-anomalies').hidden = anomalies.length > 0;
  shown = new Set(anomalies.map(anomalyKey));
  $('anomalies').replaceChildren(...anomalies.slice(0, MAX_SHOWN_ANOMALIES).map(anomalyItem));
}
/** The stream opens before the list is read, so that nothing falls between; what is in both is shown once. */
let shown = new Set();
const anomalyKey = (anomaly) => anomaly.source + ' ' + anomaly.episode_id + ' ' + anomaly.phase;
function addAnomaly(anomaly) {
  if (shown.has(anomalyKey(anomaly))) return;
  $('no-anomalies').hidden = true;
  $('anomalies').prepend(anomalyItem(anomaly));
  while ($('anomalies').childElementCount > MAX_SHOWN_ANOMALIES) $('anomalies').lastChild.remove();
}

function table(headers, rows) {
  return el('table', null,
    el('thead', null, el('tr', null, ...headers.map((header) => el('th', null, header)))),
    el('tbody', null, ...rows.map((cells) => el('tr', null, ...cells.map((cell) => el('td', null, cell))))));
}
function period(ms) {
  return ms === null ? '–' : ms < 7200000 ? (ms / 60000).toFixed(1) + ' min' : (ms / 3600000).toFixed(1) + ' h';
}
/** Records by level, worst first. */
function levels(top) {
  const cell = el('div', null, ...Object.entries(top.levels).reverse().map(([level, count]) => el('div', { class: level === 'ERROR' || level === 'FATAL' ? 'critical' : level === 'WARN' ? 'warning' : 'quiet' }, level.toLowerCase() + ' ' + count)));
  cell.title = 'since it was first seen: ' + Object.entries(top.levels_total).map(([level, count]) => level.toLowerCase() + ' ' + count).join(', ');
  return cell;
}
/** The word before the n-th <*> of a template: what the number is called. */
function numberName(template, n) {
  const word = n === null ? null : /([\p{L}][\p{L}\p{N}_.-]*)[^\p{L}\p{N}]*$/u.exec(template.split('<*>')[n - 1] || '');
  return word ? word[1] : n === null ? 'a number' : '<*> ' + n;
}
/** The template, then what is known of this window's lines: nothing of windows that are long gone. */
function templateCell(top) {
  const line = (text) => el('div', { class: 'detail' }, el('code', null, text));
  const traces = top.trace_ids.map((trace, i) => el('div', { class: 'detail' }, 'trace ' + trace + (top.span_ids[i] ? ', span ' + top.span_ids[i] : '')));
  const more = [top.samples.length > 1 ? (top.samples.length - 1) + ' more ' + (top.samples.length > 2 ? 'lines' : 'line') : '', traces.length ? traces.length + (traces.length > 1 ? ' traces' : ' trace') : ''].filter(Boolean).join(', ');
  return el('div', null,
    el('code', null, top.shown || top.template),
    ...(top.values || []).map((v) => el('div', { class: 'detail' }, numberName(top.template, v.placeholder) + ': ' + v.values.map((one) => one.value + ' ' + one.count).join(', '))),
    ...top.numbers.map((n) => el('div', { class: 'detail' }, numberName(top.template, n.placeholder) + ': median ' + n.median + ', p95 ' + n.p95 + ' of ' + n.count + (n.count === 1 ? ' value' : ' values'))),
    top.samples.length ? line(top.samples[0]) : null,
    more ? el('details', { class: 'detail' }, el('summary', null, more), ...top.samples.slice(1).map(line), ...traces) : null);
}
function templateTable(templates) {
  const known = templates.some((top) => Object.keys(top.levels).length > 0);
  return el('div', null,
    templates.length === 0 ? el('p', { class: 'quiet' }, 'Nothing was expected yet, so nothing stands out.') : null,
    templates.length === 0 || known ? null : el('p', { class: 'quiet' }, 'Lines, levels, numbers and trace ids are remembered of the newest window and of those that the last alerts were about.'),
    templates.length === 0 ? null : el('table', { class: 'templates' },
      el('thead', null, el('tr', null, ...['Share', 'Now', 'Usual'].map((header) => el('th', { class: 'number' }, header)), known ? el('th', null, 'Levels') : null, el('th', null, known ? 'Template and lines of it' : 'Template'))),
      el('tbody', null, ...templates.map((top) => el('tr', null,
        ...[number(100 * top.share, 0) + ' %', String(top.count), String(top.usual_count)].map((text) => el('td', { class: 'number' }, text)),
        known ? el('td', { class: 'levels' }, levels(top)) : null,
        el('td', null, templateCell(top)))))));
}
/** Surprise of every channel as a bar, and what the loud ones heard. */
function channelTable(window) {
  const heard = new Map(window.findings.map((finding) => [finding.channel, finding.text]));
  const rows = Object.entries(window.channels).sort((a, b) => b[1] - a[1]);
  const most = Math.max(1, ...rows.map(([, nats]) => nats));
  return table(['Channel', 'Surprise (nats)', 'What it heard'], rows.map(([channel, nats]) => {
    const bar = el('div', { class: 'bar' });
    bar.style.width = (100 * nats / most).toFixed(1) + '%';
    return [channel, el('div', { class: 'bars' }, bar, nats.toFixed(1)), heard.get(channel) || ''];
  }));
}
async function explain(key, windowId) {
  $('explain-title').textContent = key + ', window ' + windowId;
  $('explain-body').replaceChildren('loading …');
  if (!$('explain').open) $('explain').showModal();
  try {
    const window = await get('/sources/' + encodeURIComponent(key) + '/windows/' + windowId + '/explain');
    $('explain-body').replaceChildren(
      el('p', null, nanoToTime(window.window_start_unix_nano) + ' to ' + nanoToTime(window.window_end_unix_nano) + ': ' + window.records +
        ' records of ' + window.templates + ' templates; score ' + number(window.score, 2) + ', reconstruction error ' + number(window.reconstruction_error, 4) +
        ', rank ' + window.rank),
      window.gates.length ? el('p', null, 'Gates: ' + window.gates.join(', ')) : '',
      window.exact ? '' : el('p', { class: 'quiet' }, 'Older windows that this one was predicted from have left; the figures are no longer exact.'),
      ...(window.channels ? [el('h3', null, 'What the channels say'), channelTable(window)] : []),
      el('h3', null, window.findings.length ? 'Templates by their share of the score' : 'Templates by their share of the error'),
      templateTable(window.top_templates),
      el('h3', null, 'Rhythms (modes of the one-step operator)'),
      table(['Period', 'Growth a step'], window.modes.map((mode) => [period(mode.period_ms), mode.modulus.toFixed(3)])));
  } catch (error) {
    $('explain-body').replaceChildren(error.message);
  }
}

async function refresh() {
  const [stats, list] = await Promise.all([get('/stats'), get('/sources')]);
  $('status').textContent = (stats.enabled ? stats.active_detectors + (stats.active_detectors === 1 ? ' source' : ' sources') : 'drift detection is switched off') + ', updated ' + new Date().toLocaleTimeString();
  showSources(list.sources);
}
async function follow() {
  const reader = (await call('/events')).body.pipeThrough(new TextDecoderStream()).getReader();
  showAnomalies((await get('/anomalies')).anomalies);
  await refresh();
  $('login').hidden = true;
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split('\n\n');
    text = parts.pop();
    for (const part of parts) {
      const match = /^event: (\w+)\ndata: (.*)$/.exec(part);
      if (!match) continue;
      if (match[1] === 'anomaly') addAnomaly(JSON.parse(match[2]));
      if (match[1] === 'step') await refresh();
    }
  }
}
async function run() {
  for (;;) {
    try {
      await follow();
    } catch (error) {
      $('status').textContent = error.message;
    }
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
}
$('explain-close').addEventListener('click', () => $('explain').close());
$('login').addEventListener('submit', (event) => {
  event.preventDefault();
  token = $('token').value.trim();
  sessionStorage.setItem('logdrift-token', token);
});
run();
`;
