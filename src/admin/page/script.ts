import { HELD_BACK_TEXT } from '../../alert/held-back-text.ts';
import { DOM } from './dom.ts';
import { EXPLAIN } from './explain.ts';

/** The page's script. The event stream is read with fetch, because EventSource cannot send the token. */
export const SCRIPT = String.raw`
'use strict';
${DOM}
const HELD_BACK = ${JSON.stringify(HELD_BACK_TEXT)};
const MAX_SHOWN_EPISODES = 100;
/** Of each list, until somebody asks for more: both begin on one screen. */
const SHOWN_AT_FIRST = { anomalies: 8, sources: 20 };
let token = sessionStorage.getItem('logdrift-token') || '';

async function call(path) {
  const headers = token ? { Authorization: 'Bearer ' + token } : {};
  const response = await fetch('/api/v1' + path, { headers }).catch((error) => {
    throw new Error('the service does not answer, trying again', { cause: error });
  });
  if (response.status === 401) {
    $('login').hidden = false;
    throw new Error(token ? 'this token is not the one of admin.token_file' : 'a token is needed');
  }
  if (!response.ok) throw new Error((await response.json()).error.message);
  return response;
}
const get = async (path) => (await call(path)).json();
${EXPLAIN}
/** Scores of the last windows on one scale, gaps where there was none; above the line, 2 sigma, they are red. */
function sparkline(scores) {
  const y = (score) => (30 - 28 * (Math.min(5, Math.max(-2, score)) + 2) / 7).toFixed(1);
  const known = scores.filter((score) => score !== null);
  const told = known.length ? 'scores of the last ' + scores.length + ' windows, at most ' + number(Math.max(...known), 1) : 'no score yet';
  const chart = svg('svg', { viewBox: '0 0 120 32', preserveAspectRatio: 'none', role: 'img', 'aria-label': told });
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
const badge = (severity, isOpen) => el('span', { class: 'badge ' + severity + (isOpen ? ' open' : '') }, severity);

/** The first of a list, and a button for the rest. */
function showList(name, nodes) {
  const button = $('more-' + name), first = SHOWN_AT_FIRST[name];
  const all = button.getAttribute('aria-expanded') === 'true';
  replace($(name), all ? nodes : nodes.slice(0, first));
  button.hidden = nodes.length <= first;
  button.textContent = all ? 'Show the first ' + first : 'Show all ' + nodes.length.toLocaleString();
  $('no-' + name).hidden = nodes.length > 0;
}
for (const [name, show] of [['sources', () => showSources()], ['anomalies', () => showAnomalies()]]) {
  $('more-' + name).addEventListener('click', (event) => {
    event.target.setAttribute('aria-expanded', String(event.target.getAttribute('aria-expanded') !== 'true'));
    show();
  });
}

let sources = [];
function state(source) {
  const last = source.last_window;
  if (source.episode) return badge(source.episode.severity, true);
  if (!last) return 'first window not closed yet';
  if (last.gates.length) return last.gates.join(', ');
  if (source.alert_held_back) return HELD_BACK[source.alert_held_back];
  return last.score === null ? 'learning' : 'normal';
}
/** As in logdrift top: what needs attention comes first. */
function attention(source) {
  if (source.episode) return source.episode.severity === 'critical' ? 0 : 1;
  if (source.alert_held_back) return 2;
  return source.last_window && source.last_window.score !== null ? 3 : 4;
}
function showSources() {
  const score = (source) => (source.last_window && source.last_window.score !== null ? source.last_window.score : -Infinity);
  const sorted = sources.toSorted((a, b) => attention(a) - attention(b) || (score(b) === score(a) ? (a.key < b.key ? -1 : 1) : score(b) - score(a)));
  showList('sources', sorted.map((source) => {
    const last = source.last_window;
    const open = last && el('button', { class: 'link', type: 'button', 'data-about': source.key, onclick: () => explain(source.key, last.window_id) }, source.key);
    return el('tr', null,
      el('td', { class: 'name' }, open || source.key),
      el('td', { class: 'state' }, state(source), source.alert_raised_by > 0 ? ' (alerts raised by ' + number(source.alert_raised_by, 2) + ' σ)' : null),
      el('td', null, sparkline(source.scores)),
      el('td', { class: 'number' }, number(last && last.score, 1)),
      el('td', { class: 'number records' }, last ? last.records.toLocaleString() : '–'));
  }));
}

/** What was sent of each episode: its loudest record and its end. The one heard of last is last. */
let episodes = new Map();
function addRecord(anomaly) {
  const key = anomaly.source + ' ' + anomaly.episode_id;
  const episode = episodes.get(key) || { key, loud: null, startNano: anomaly.window_end_unix_nano, end: null };
  // The stream opens before the list is read, so that nothing falls between: a record that is in both changes nothing.
  if (anomaly.phase === 'end') episode.end = anomaly;
  else episode.loud = anomaly;
  episodes.delete(key);
  episodes.set(key, episode);
  if (episodes.size <= MAX_SHOWN_EPISODES) return;
  // One that is open is not forgotten before one that is over.
  const over = [...episodes.values()].find(({ end }) => end);
  episodes.delete((over || episodes.values().next().value).key);
}
function episodeItem({ key, loud, startNano, end }) {
  const told = loud || end;
  const top = told.top_templates[0];
  return el('li', null,
    el('div', null, badge(told.severity, !end),
      el('time', { datetime: nanoToDate(startNano).toISOString() }, dateAndTime(nanoToDate(startNano))),
      loud && end ? el('span', { class: 'quiet' }, ', ' + end.message.replace(end.source + ' is ', '')) : end ? null : el('span', { class: 'quiet' }, ', still open')),
    el('button', { class: 'link', type: 'button', 'data-about': key, onclick: () => explain(told.source, told.window_id) }, told.message),
    top ? el('code', { class: 'sample' }, top.sample || top.template) : null);
}
function showAnomalies() {
  const newestFirst = [...episodes.values()].sort((a, b) => Number(BigInt(b.startNano) - BigInt(a.startNano)));
  const open = newestFirst.filter(({ end }) => !end);
  showList('anomalies', [...open, ...newestFirst.filter(({ end }) => end)].map(episodeItem));
  $('open').textContent = open.length ? counted(open.length, 'anomaly', 'anomalies') + ' open' : 'no anomaly open';
  document.title = (open.length ? '(' + open.length + ') ' : '') + 'logdrift';
}

async function refresh() {
  const [stats, list] = await Promise.all([get('/stats'), get('/sources')]);
  sources = list.sources;
  $('status').textContent = stats.enabled ? counted(stats.active_detectors, 'source', 'sources') : 'drift detection is switched off';
  $('updated').textContent = 'updated ' + new Date().toLocaleTimeString();
  showSources();
}
async function follow() {
  const reader = (await call('/events')).body.pipeThrough(new TextDecoderStream()).getReader();
  episodes = new Map();
  for (const anomaly of (await get('/anomalies')).anomalies.reverse()) addRecord(anomaly);
  showAnomalies();
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
      if (match[1] === 'anomaly') {
        addRecord(JSON.parse(match[2]));
        showAnomalies();
      }
      if (match[1] === 'step') await refresh();
    }
  }
}
let wake = () => {};
async function run() {
  for (;;) {
    try {
      await follow();
    } catch (error) {
      $('status').textContent = visible(error.message);
      $('open').textContent = '';
    }
    await new Promise((resolve) => {
      wake = resolve;
      setTimeout(resolve, 3000);
    });
  }
}
$('login').addEventListener('submit', (event) => {
  event.preventDefault();
  token = $('token').value.trim();
  sessionStorage.setItem('logdrift-token', token);
  wake();
});
run();
`;
