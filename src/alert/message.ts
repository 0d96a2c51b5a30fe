/** One line about an anomaly, as a person would write it. */
import type { Finding } from '../detect/findings.ts';
import type { TopTemplate, Verdict } from '../detect/verdict.ts';
import type { Anomaly } from './anomaly.ts';

/** What a pager or a chat line shows of a template before it becomes unreadable. */
const TEMPLATE_CHARACTERS = 80;
const MOST_TOLD = 3;
/** Templates with a smaller part in the change are left to the page. */
const MIN_SHARE = 0.1;

/**
 *     otlp:api-2 drifted: durationMs of «GET /product/<*>» rose from 12 to 910; 3 error templates are new, most of «…» (12); 3.4 sigma (critical above 3.0)
 *     otlp:api-2 drifted: «GET /product/<*>» fell from 120 to 3; 2.7 sigma (warning above 2.5, raised after 2 in 24 h)
 *     otlp:api-2 drifted further: …
 *     otlp:api-2 is back to normal after 12 min: 0.8 sigma (was critical, peak 4.2)
 */
export function anomalyMessage(anomaly: Omit<Anomaly, 'message'>): string {
  const { phase, verdict, severity, threshold } = anomaly;
  const score = verdict.score === null ? null : `${scoreText(verdict.score, threshold)} sigma`;
  if (phase === 'end') {
    const lasted = duration(verdict.windowEndMs - anomaly.startedMs);
    // A gate may hold a loud window: then its name says more than its sigma.
    const calm = verdict.gates.length > 0 ? ` (now ${verdict.gates.join(', ')})` : score === null ? '' : `: ${score}`;
    return singleLine(
      `${verdict.source} is back to normal after ${lasted}${calm} (was ${severity}, peak ${scoreText(anomaly.peakScore, threshold)})`,
    );
  }
  const verb = phase === 'start' ? 'drifted' : 'drifted further';
  const bar = `(${severity} above ${thresholdText(threshold)}${budgetText(anomaly)})`;
  return singleLine(`${verdict.source} ${verb}: ${[...changes(verdict), `${score ?? ''} ${bar}`.trim()].join('; ')}`);
}

/** At most three: what the channels heard, loudest first, then the templates that carry the rest of the change. */
export function changes(verdict: Verdict): string[] {
  /** Ids and texts of templates, also of single status classes and levels. */
  const told = new Set<string | null>();
  const words: string[] = [];
  const tell = (names: readonly (string | null)[], text: string): void => {
    if (words.length === MOST_TOLD || (names[0] !== null && told.has(names[0]!))) return;
    for (const name of names) told.add(name);
    words.push(text);
  };
  // Where the source as a whole says less, that a template says less is no more news.
  const whole = verdict.findings.find(({ about, template, now, usual }) => isRecords(about, template) && now < usual);
  if (whole !== undefined) tell([null], findingText(whole));
  for (const finding of verdict.findings) {
    const { about, template, templateId, now, usual } = finding;
    if (finding === whole || (whole !== undefined && about === 'records' && now < usual)) continue;
    tell([template, templateId], findingText(finding));
  }
  const newTemplates = new Set(verdict.newTemplates);
  for (const top of verdict.topTemplates.slice(0, MOST_TOLD)) {
    if (top.share < MIN_SHARE || (whole !== undefined && top.count < top.usualCount)) continue;
    const { templateId, template, variants } = top;
    const isNew = variants.length > 0 && variants.every((variant) => newTemplates.has(variant));
    tell([templateId, template, ...variants], templateText(top, isNew));
  }
  const more = verdict.newTemplates.filter((template) => !told.has(template));
  const counted = verdict.findings.some(({ channel }) => channel === 'novelty');
  if (more.length > 0 && !counted) {
    words.push(`${words.length > 0 ? 'also new' : 'new'}: ${quote(more[0]!)}${andMore(more.length - 1)}`);
  }
  return words;
}

/** Of the source as a whole. */
function isRecords(about: Finding['about'], template: string | null): boolean {
  return about === 'records' && template === null;
}

/** `«GET /product/<*>» fell from 120 to 3` */
export function findingText({ about, template, placeholder, now, usual }: Finding): string {
  const moved = `${now > usual ? 'rose' : 'fell'} from ${count(usual)} to ${count(now)}`;
  switch (about) {
    case 'new templates':
    case 'new error templates': {
      const kind = about === 'new templates' ? 'template' : 'error template';
      const most = template === null ? '' : `: ${quote(template)}`;
      if (now === 1) return `new ${kind}${most}`;
      return `${count(now)} ${kind}s are new${template === null ? '' : `, most of ${quote(template)}`}`;
    }
    case 'warnings':
    case 'errors':
      return `${about} ${moved}${template === null ? '' : `, most in ${quote(template)}`}`;
    case 'numbers':
      return template === null ? 'numbers changed' : numbersText(template, placeholder, now, usual);
    case 'records':
      if (template === null) return now === 0 ? `fell silent, usually ${count(usual)} records` : `records ${moved}`;
      return countText(template, now, usual);
  }
}

/** `durationMs of «GET /product/<*>» rose from 12 to 910` */
function numbersText(template: string, placeholder: number | null, now: number, usual: number): string {
  const { name, unit } = placeholder === null ? { name: null, unit: '' } : numberName(template, placeholder);
  const value = (v: number): string => `${Number(v.toPrecision(3))}${unit}`;
  return `${name ?? 'numbers'} of ${quote(template)} ${now > usual ? 'rose' : 'fell'} from ${value(usual)} to ${value(now)}`;
}

/** What stands around the n-th `<*>`: the key before it (`took=<*>`, `"ms":<*>`, `time: <*>`) and the unit behind it. */
export function numberName(template: string, placeholder: number): { name: string | null; unit: string } {
  const parts = template.split('<*>');
  const name =
    /([\p{L}_][\w.-]{0,39})["']?\s{0,2}[=:]\s{0,2}["']?$/u.exec((parts[placeholder - 1] ?? '').slice(-60))?.[1] ?? null;
  const unit = /^ ?(?:[nuµm]s|s|sec|seconds|[kKMG]i?B|bytes|%)(?![\p{L}\d])/u.exec(parts[placeholder] ?? '')?.[0] ?? '';
  return { name, unit: unit.trim() === '' ? '' : ` ${unit.trim()}` };
}

function templateText(top: TopTemplate, isNew: boolean): string {
  if (isNew) return `new: ${quote(top.template)} (${times(top.count)})`;
  return countText(top.template, top.count, top.usualCount);
}

function countText(template: string, now: number, usual: number): string {
  const text = quote(template);
  // A burst of the past that the model thought would come again.
  if (now === 0 && usual === 0) return `expected again, did not come: ${text}`;
  if (now === 0) return `gone, usually ${count(usual)}: ${text}`;
  if (now === usual) return `usual number at an unusual time: ${text}`;
  return `${text} ${now > usual ? 'rose' : 'fell'} from ${count(usual)} to ${count(now)}`;
}

function andMore(n: number): string {
  return n > 0 ? ` and ${n} more` : '';
}

function times(n: number): string {
  return n === 1 ? 'once' : `${count(n)} times`;
}

/** Medians can be halves. */
function count(n: number): string {
  return Number.isInteger(n) ? String(n) : n.toFixed(1);
}

/** 2.04 over a threshold of 2 may not read "2.0 sigma (warning above 2.0)". */
function scoreText(score: number, threshold: number): string {
  return score.toFixed(1) === threshold.toFixed(1) ? score.toFixed(2) : score.toFixed(1);
}

/** As configured, with at least one decimal; raised ones are cut to two. */
function thresholdText(threshold: number): string {
  return Number.isInteger(threshold) ? threshold.toFixed(1) : String(Number(threshold.toFixed(2)));
}

/** Why the threshold is higher than the configured one. */
function budgetText({ raisedBy, earlierInDay }: Pick<Anomaly, 'raisedBy' | 'earlierInDay'>): string {
  return raisedBy > 0 ? `, raised after ${earlierInDay} in 24 h` : '';
}

function quote(template: string): string {
  return `«${shortTemplate(template, TEMPLATE_CHARACTERS)}»`;
}

/**
 * What of a template tells it apart: of a JSON line the message, its status and its error, of another line the text from its first word on.
 *
 *     {"level":50,"time":<*>,"err":"connect ECONNREFUSED <*>","msg":"request failed"} → request failed: connect ECONNREFUSED <*>
 *     <*> <*> [error] <*>: no live upstreams → [error] <*>: no live upstreams
 *     <*> fe be/ng <*> 5xx <*> "GET /search HTTP/<*>" → 5xx "GET /search HTTP/<*>"
 */
export function shortTemplate(template: string, maxCharacters: number): string {
  const message = jsonText(template, 'msg|message');
  if (message === undefined) {
    const text = /[[("']?\p{L}{3,}.*/su.exec(template)?.[0] ?? template;
    const statusBefore = /(?:^|\s)([1-5]xx\s)/.exec(template.slice(0, template.length - text.length))?.[1] ?? '';
    return truncate(statusBefore + text, maxCharacters);
  }
  const status = /"(?:status|status_?code|code)":"?([1-5]xx)/i.exec(template)?.[1];
  const error = jsonText(template, 'err|error|exception|cause');
  const more = `${status === undefined ? '' : ` ${status}`}${error === undefined || error === message ? '' : `: ${error}`}`;
  return truncate((message || template) + more, maxCharacters);
}

/** Text of the first of these fields that is one. */
function jsonText(template: string, names: string): string | undefined {
  return new RegExp(`"(?:${names})":"((?:[^"\\\\]|\\\\.)*)`).exec(template)?.[1];
}

/** By code points, so that no surrogate pair is cut. */
export function truncate(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const characters = Array.from(text.slice(0, 2 * (maxCharacters + 1)));
  return characters.length <= maxCharacters ? text : characters.slice(0, maxCharacters - 1).join('') + '…';
}

/** Templates come from logs: no newline and no terminal escape gets into the line. */
function singleLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ');
}

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(ms / 3_600_000);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
