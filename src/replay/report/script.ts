/** Plain JavaScript of the report; it writes text, never markup. */
export const SCRIPT = `
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const $ = (id) => document.getElementById(id);
const plots = [...document.querySelectorAll('svg.plot')];
const [tip, cursor, brush, panel] = ['tip', 'cursor', 'brush', 'panel'].map($);
let view = [0, data.columns];

const two = (n) => String(n).padStart(2, '0');
const time = (ms) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
const msOf = (column) => data.startMs + column * data.columnMs;
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160, 43200].map((minutes) => minutes * 60000);

function show(from, to) {
  const least = Math.min(data.columns, 20);
  if (to - from < least) { const middle = (from + to) / 2; from = middle - least / 2; to = middle + least / 2; }
  const width = Math.min(data.columns, to - from);
  from = Math.max(0, Math.min(from, data.columns - width));
  view = [from, from + width];
  for (const plot of plots) plot.setAttribute('viewBox', from + ' 0 ' + width + ' 100');
  for (const mark of document.querySelectorAll('[data-x]')) {
    const share = (Number(mark.dataset.x) - from) / width;
    mark.setAttribute(mark.tagName === 'circle' ? 'cx' : 'x', 100 * share + '%');
    mark.classList.toggle('hidden', share < 0 || share > 1);
  }
  const axis = $('axis');
  axis.replaceChildren();
  const [fromMs, toMs] = [msOf(from), msOf(from + width)];
  const step = TICKS.find((tick) => (toMs - fromMs) / tick <= 9) ?? TICKS.at(-1);
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs; at += step) {
    const text = document.createElementNS('http://www.w3.org/2000/svg', 'text');
    const date = new Date(at);
    const day = two(date.getUTCMonth() + 1) + '-' + two(date.getUTCDate());
    const clock = two(date.getUTCHours()) + ':' + two(date.getUTCMinutes());
    text.textContent = step >= 86400000 ? day : clock === '00:00' ? day : clock;
    text.setAttribute('x', (100 * (at - fromMs)) / (toMs - fromMs) + '%');
    text.setAttribute('y', '12');
    text.setAttribute('class', 'middle');
    axis.append(text);
  }
  $('all').hidden = width === data.columns;
}

const around = (from, to) => { const pad = Math.max(to - from, 60 * 60000 / data.columnMs, 20); show(from - pad, to + pad); };

function place(box, x, y) {
  box.hidden = false;
  box.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.offsetWidth - 8)) + 'px';
  box.style.top = (y + 18 + box.offsetHeight > innerHeight ? y - box.offsetHeight - 12 : y + 18) + 'px';
}

function columnAt(event, plot) {
  const { left, width } = plot.getBoundingClientRect();
  return view[0] + ((event.clientX - left) / width) * (view[1] - view[0]);
}

/** The episode under the pointer, or within five pixels of it. */
function episodeAt(lane, column, plot) {
  const slack = (5 * (view[1] - view[0])) / plot.getBoundingClientRect().width;
  let best = null;
  data.episodes.forEach((episode, e) => {
    if (episode.lane !== lane || column < episode.from - slack || column > episode.to + slack) return;
    if (best === null || episode.peak > data.episodes[best].peak) best = e;
  });
  return best;
}

let drag = null;
plots.forEach((plot, lane) => {
  const { scores, detectors } = data.lanes[lane];
  plot.addEventListener('pointermove', (event) => {
    const column = columnAt(event, plot);
    const at = Math.max(0, Math.min(data.columns - 1, Math.floor(column)));
    const lines = [data.lanes[lane].source + '  ' + time(msOf(at) + data.columnMs) + ' UTC'];
    const detector = data.channels[detectors.charCodeAt(at) - 97];
    lines.push(scores[at] === null ? 'no score' : (scores[at] / 100).toFixed(2) + ' sigma' + (detector ? ', loudest: ' + detector : ''));
    const e = episodeAt(lane, column, plot);
    if (e !== null) lines.push(data.episodes[e].severity + ' anomaly, peak ' + data.episodes[e].peak.toFixed(1) + ' – click for details');
    for (const fault of data.faults) if (column >= fault.from && column <= fault.to && fault.lanes.includes(lane)) lines.push('fault: ' + fault.name);
    tip.textContent = lines.join('\\n');
    place(tip, event.clientX, event.clientY);
    const [first, last] = [plots[0].getBoundingClientRect(), plots.at(-1).getBoundingClientRect()];
    cursor.hidden = false;
    cursor.style.left = event.clientX + 'px';
    cursor.style.top = Math.max(0, first.top) + 'px';
    cursor.style.height = Math.min(innerHeight, last.bottom) - Math.max(0, first.top) + 'px';
    if (drag !== null) {
      brush.hidden = Math.abs(event.clientX - drag.x) < 4;
      brush.style.left = Math.min(event.clientX, drag.x) + 'px';
      brush.style.width = Math.abs(event.clientX - drag.x) + 'px';
      brush.style.top = cursor.style.top;
      brush.style.height = cursor.style.height;
    }
  });
  plot.addEventListener('pointerleave', () => { tip.hidden = cursor.hidden = true; });
  plot.addEventListener('pointerdown', (event) => {
    drag = { x: event.clientX, column: columnAt(event, plot) };
    plot.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  plot.addEventListener('pointerup', (event) => {
    if (drag === null) return;
    const column = columnAt(event, plot);
    const moved = Math.abs(event.clientX - drag.x) >= 4;
    if (moved) show(Math.min(column, drag.column), Math.max(column, drag.column));
    else { const e = episodeAt(lane, column, plot); if (e !== null) tell(e); }
    drag = null;
    brush.hidden = true;
  });
  plot.addEventListener('dblclick', () => show(0, data.columns));
});

/** The panel shows what the list below says of the anomaly. */
function tell(e) {
  const told = $('e' + e);
  const body = $('told');
  if (told === null) body.textContent = 'This report tells the ' + data.told + ' loudest anomalies; write --anomalies FILE for all of them.';
  else body.replaceChildren(...[...told.children].map((part) => part.cloneNode(true)));
  panel.hidden = false;
}
$('close').addEventListener('click', () => { panel.hidden = true; });
$('all').addEventListener('click', () => show(0, data.columns));
addEventListener('keydown', (event) => { if (event.key === 'Escape') panel.hidden = true; });
for (const mark of document.querySelectorAll('.mark, tr[data-fault]')) {
  mark.addEventListener('click', () => {
    const fault = data.faults[Number(mark.dataset.fault)];
    if (fault === undefined) return;
    around(fault.from, fault.to);
    $('timeline').scrollIntoView({ behavior: 'smooth' });
  });
}
show(0, data.columns);
`;
