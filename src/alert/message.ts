/** One line about an anomaly, as a person would write it. */
import type { TopTemplate, Verdict } from '../detect/verdict.ts';
import type { Anomaly } from './episodes.ts';

/** What a pager or a chat line shows of a template before it becomes unreadable. */
const TEMPLATE_CHARACTERS = 80;
const TEMPLATES_SHOWN = 3;

/**
 *     otlp:api-2 drifted: 3.4 sigma (critical above 3.0); new: «…» (12 times); usual 120, now 3: «GET /product/<*>»
 *     otlp:api-2 drifted further: …
 *     otlp:api-2 is back to normal after 12 min: 0.8 sigma (was critical, peak 4.2)
 */
export function anomalyMessage(anomaly: Omit<Anomaly, 'message'>): string {
  const { phase, verdict, severity, threshold } = anomaly;
  const score = verdict.score === null ? '' : `: ${scoreText(verdict.score, threshold)} sigma`;
  if (phase === 'end') {
    const lasted = duration(verdict.windowEndMs - anomaly.startedMs);
    // A gate may hold a loud window: then its name says more than its sigma.
    const calm = verdict.gates.length > 0 ? ` (now ${verdict.gates.join(', ')})` : score;
    return singleLine(
      `${verdict.source} is back to normal after ${lasted}${calm} (was ${severity}, peak ${scoreText(anomaly.peakScore, threshold)})`,
    );
  }
  const verb = phase === 'start' ? 'drifted' : 'drifted further';
  const head = `${verdict.source} ${verb}${score} (${severity} above ${thresholdText(threshold)})`;
  return singleLine([head, ...changes(verdict)].join('; '));
}

/** The templates that carry most of the change, in words. */
function changes(verdict: Verdict): string[] {
  const isNew = new Set(verdict.newTemplates);
  const shown = verdict.topTemplates.filter((top) => top.share > 0).slice(0, TEMPLATES_SHOWN);
  const words = shown.map((top) => change(top, isNew.has(top.template)));
  const more = verdict.newTemplates.filter((template) => !shown.some((top) => top.template === template));
  if (more.length > 0)
    words.push(`${shown.length > 0 ? 'also new' : 'new'}: ${quote(more[0]!)}${andMore(more.length - 1)}`);
  return words;
}

function change(top: TopTemplate, isNew: boolean): string {
  const text = quote(top.template);
  if (isNew) return `new: ${text} (${times(top.count)})`;
  // A burst of the past that the model thought would come again.
  if (top.count === 0 && top.usualCount === 0) return `expected again, did not come: ${text}`;
  if (top.count === 0) return `gone, usually ${count(top.usualCount)}: ${text}`;
  return `usual ${count(top.usualCount)}, now ${count(top.count)}: ${text}`;
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

/** As configured, with at least one decimal. */
function thresholdText(threshold: number): string {
  return Number.isInteger(threshold) ? threshold.toFixed(1) : String(threshold);
}

function quote(template: string): string {
  return `«${shortTemplate(template, TEMPLATE_CHARACTERS)}»`;
}

/** What of a template tells it apart: the message of a JSON line, else the text from its first word on. */
export function shortTemplate(template: string, maxCharacters: number): string {
  const message = /"(?:msg|message)":"((?:[^"\\]|\\.)*)/.exec(template)?.[1];
  const text = message ?? template.replace(/^.*?(?=\p{L}{3,})/su, '');
  return truncate(text || template, maxCharacters);
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
