/** The dialog that says why a window scored as it did. */
export const EXPLAIN = String.raw`
function table(headers, rows) {
  return el('table', null,
    el('thead', null, el('tr', null, ...headers.map((header) => el('th', { scope: 'col' }, header)))),
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
      el('thead', null, el('tr', null, ...['Share', 'Now', 'Usual'].map((header) => el('th', { class: 'number', scope: 'col' }, header)), known ? el('th', { scope: 'col' }, 'Levels') : null, el('th', { scope: 'col' }, known ? 'Template and lines of it' : 'Template'))),
      el('tbody', null, ...templates.map((top) => el('tr', null,
        ...[number(100 * top.share, 0) + ' %', String(top.count), String(top.usual_count)].map((text) => el('td', { class: 'number' }, text)),
        known ? el('td', { class: 'levels' }, levels(top)) : null,
        el('td', null, templateCell(top)))))));
}
/** What every channel heard, the loudest first, and its surprise as a bar. */
function channelTable(window) {
  const heard = new Map(window.findings.map((finding) => [finding.channel, finding.text]));
  const rows = Object.entries(window.channels).sort((a, b) => b[1] - a[1]);
  const most = Math.max(1, ...rows.map(([, nats]) => nats));
  return table(['Channel', 'Surprise (nats)', 'What it heard'], rows.map(([channel, nats]) => {
    const bar = el('div', { class: 'bar' });
    bar.style.width = (100 * nats / most).toFixed(1) + '%';
    return [channel, el('div', { class: 'bars' }, el('span', null, nats.toFixed(1)), el('div', null, bar)), heard.get(channel) || ''];
  }));
}
/** docs/detection.md, "Gates". */
const GATE_TEXT = {
  warming: 'too few windows for a score yet',
  muted: 'scored, never alerted',
  degraded: 'some templates had no vector in time: dmd has no say',
  incomplete: 'records were late or refused: less is not taken for a change',
  sparse: 'too few windows with records: dmd has no say',
  recurrent: 'this form came before, at least twice: dmd has no say',
};
const windowRange = (window) => dateAndTime(nanoToDate(window.window_start_unix_nano)) + ' to ' + nanoToDate(window.window_end_unix_nano).toLocaleTimeString(undefined, { timeStyle: 'short' });
let explained = null;
async function explain(key, windowId) {
  const mine = explained = { key, windowId };
  $('explain-title').textContent = visible(key);
  if (!$('explain').open) {
    $('explain-body').replaceChildren('loading …');
    $('explain').showModal();
  }
  try {
    const window = await get('/sources/' + encodeURIComponent(key) + '/windows/' + windowId + '/explain');
    if (mine !== explained) return;
    $('explain-body').replaceChildren(
      el('p', null, windowRange(window) + ': ' + counted(window.records, 'record', 'records') + ' of ' + counted(window.templates, 'template', 'templates')),
      el('p', null, 'Score ' + number(window.score, 1) + ' σ', el('span', { class: 'quiet' }, ', reconstruction error ' + number(window.reconstruction_error, 4) + ', rank ' + window.rank + ', window ' + windowId)),
      ...window.gates.map((gate) => el('p', null, gate, el('span', { class: 'quiet' }, GATE_TEXT[gate] ? ': ' + GATE_TEXT[gate] : ''))),
      window.exact ? '' : el('p', { class: 'quiet' }, 'Older windows that this one was predicted from have left; the figures are no longer exact.'),
      ...(window.channels ? [el('h3', null, 'What the channels say'), channelTable(window)] : []),
      el('h3', null, window.findings.length ? 'Templates by their share of the score' : 'Templates by their share of the error'),
      templateTable(window.top_templates),
      el('h3', null, 'Rhythms (modes of the one-step operator)'),
      table(['Period', 'Growth a step'], window.modes.map((mode) => [period(mode.period_ms), mode.modulus.toFixed(3)])));
  } catch (error) {
    if (mine === explained) $('explain-body').replaceChildren(visible(error.message));
  }
}
$('explain-earlier').addEventListener('click', () => explain(explained.key, explained.windowId - 1));
$('explain-later').addEventListener('click', () => explain(explained.key, explained.windowId + 1));
$('explain-close').addEventListener('click', () => $('explain').close());
`;
