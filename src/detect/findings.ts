import type { ChannelScorer } from './channels/channel-scorer.ts';
import { CHANNELS, type Channel } from './channels/channels.ts';
import type { SlotPart } from './channels/slot-history.ts';
import type { TemplateShare } from './attribution.ts';
import type { History } from './history.ts';
import { LEVEL_NAMES, type Levels } from './levels.ts';
import type { PaneEntry } from './pane.ts';
import { placeholderOf, type Template, type TemplateTable } from './template.ts';

/** What one channel heard, in its own terms: `now` instead of `usual`. */
export interface Finding {
  channel: Channel;
  /** What it adds to the sum that the score is made of: capped and weighted. */
  nats: number;
  about: 'records' | 'warnings' | 'errors' | 'new templates' | 'new error templates' | 'numbers';
  /** The template that carries most of it; null: the source as a whole. Its text tells the status class or level it is about: `GET /cart 5xx`. */
  templateId: string | null;
  template: string | null;
  /** Of the template's `<*>`, from 1, whose numbers these are; null where it is not about numbers. */
  placeholder: number | null;
  now: number;
  /** Median of the accepted windows; of numbers the geometric mean. */
  usual: number;
}

/** A window that has just been scored: the scorer still holds what it measured. */
export interface ScoredWindow {
  scorer: ChannelScorer;
  history: History;
  templates: TemplateTable;
  /** Index in the history, and first window of its past. */
  i: number;
  from: number;
  entries: readonly PaneEntry[];
  /** Of this window, those never accepted before. */
  newTemplates: readonly Template[];
  /** Exact shares in the reconstruction error. */
  dmdShares: readonly TemplateShare[];
  /** Slots that had values. */
  slotParts: readonly SlotPart[];
}

/** Channels that add less say nothing that a person needs to read: p > 1/e². */
const MIN_NATS = 2;
/** Loud channels are often cut to the same nats: then the one that says most to a person comes first. */
const MOST_TELLING: readonly Channel[] = ['severity', 'novelty', 'silence', 'values', 'rate', 'distance', 'dmd'];
const WARN_LEVEL = LEVEL_NAMES.indexOf('WARN');
const ERROR_LEVEL = LEVEL_NAMES.indexOf('ERROR');

/**
 * Why the channels spoke, loudest first, and which templates carry it.
 *
 * Every channel c that adds s'_c nats to the score spreads them over the templates in its own way, shareᶜ_i ≥ 0 with Σ_i shareᶜ_i = 1, and the templates are
 * ranked by their part of the whole sum:
 *
 *     share_i = Σ_c s'_c shareᶜ_i / Σ_c s'_c
 *
 * | channel | shareᶜ_i ∝ |
 * |---|---|
 * | rate | b_i |
 * | novelty | ln(1 + count) of new templates, twice that where they hold errors |
 * | severity | records at the level beyond the template's mean count |
 * | silence | lo_i; mean − now where the whole source has less than half its usual records |
 * | distance | (ln(1 + count) − ln(1 + mean))² |
 * | dmd | exact share of ‖r‖², where positive (`attribution.ts`) |
 * | values | nats of its slots |
 *
 * Worked example: novelty adds 4 nats, all from a new template A; rate adds 6, 5/6 of them from B and 1/6 from A: A has (4 + 1)/10, B 5/10.
 */
export function explainChannels(window: ScoredWindow): { findings: Finding[]; shares: TemplateShare[] } {
  const { scorer, templates } = window;
  const columns = templates.bySlot.length;
  const merged = new Float64Array(columns);
  const findings: Finding[] = [];
  let sum = 0;
  for (const [c, channel] of CHANNELS.entries()) {
    const nats = scorer.capped[c]!;
    if (!(nats > 0)) continue;
    const parts = new Float64Array(columns);
    const finding = { channel, nats, ...EXPLAIN[channel](window, parts) };
    findings.push(finding);
    const whole = parts.reduce((a, b) => a + b, 0);
    if (!(whole > 0)) continue;
    sum += nats;
    for (let column = 0; column < columns; column++) merged[column]! += (nats * parts[column]!) / whole;
  }
  findings.sort((a, b) => b.nats - a.nats || MOST_TELLING.indexOf(a.channel) - MOST_TELLING.indexOf(b.channel));
  const shares = Array.from(merged, (part, column) => ({ column, share: part / sum })).filter(({ share }) => share > 0);
  return {
    findings: findings.filter(({ nats }, k) => k === 0 || nats >= MIN_NATS),
    shares: shares.sort((a, b) => b.share - a.share || a.column - b.column),
  };
}

type Heard = Omit<Finding, 'channel' | 'nats'>;

/** Each fills `parts` by column and says what it heard. */
const EXPLAIN: Record<Channel, (window: ScoredWindow, parts: Float64Array) => Heard> = {
  rate(window, parts) {
    parts.set(window.scorer.rateParts.subarray(0, parts.length));
    return ofTemplate(window, parts);
  },
  novelty(window, parts) {
    const isNew = new Set(window.newTemplates);
    let withErrors = 0;
    for (const { template, count, levels } of window.entries) {
      if (!isNew.has(template)) continue;
      const errors = atOrAbove(levels, ERROR_LEVEL);
      if (errors > 0) withErrors++;
      if (template.slot >= 0) parts[template.slot] = Math.log1p(count) * (errors > 0 ? 2 : 1);
    }
    const { history, i, from } = window;
    const usual = median(history, i, from, (j) => history.novelTemplates(j));
    const about = withErrors === isNew.size ? 'new error templates' : 'new templates';
    return { ...ofTemplate(window, parts), about, now: isNew.size, usual };
  },
  severity(window, parts) {
    const { scorer, history, i, from, entries } = window;
    const usualErrors = median(history, i, from, (j) => history.errorRecords(j));
    const about = history.errorRecords(i) > usualErrors ? 'errors' : 'warnings';
    for (const { template, levels } of entries) {
      const records = atOrAbove(levels, about === 'errors' ? ERROR_LEVEL : WARN_LEVEL);
      if (template.slot >= 0) parts[template.slot] = Math.max(0, records - scorer.templates.mean[template.slot]!);
    }
    const count = (j: number) => (about === 'errors' ? history.errorRecords(j) : history.warnings(j));
    return { ...ofTemplate(window, parts), about, now: count(i), usual: median(history, i, from, count) };
  },
  silence(window, parts) {
    const { scorer, history, i, from } = window;
    const { mean, now, lo } = scorer.templates;
    const count = (j: number) => history.records(j);
    const usual = median(history, i, from, count);
    if (count(i) > usual / 2) {
      parts.set(lo.subarray(0, parts.length));
      return ofTemplate(window, parts);
    }
    for (let column = 0; column < parts.length; column++) parts[column] = Math.max(0, mean[column]! - now[column]!);
    return { ...ofSource('records'), now: count(i), usual };
  },
  distance(window, parts) {
    const { mean, now } = window.scorer.templates;
    for (let column = 0; column < parts.length; column++) {
      parts[column] = (Math.log1p(now[column]!) - Math.log1p(mean[column]!)) ** 2;
    }
    return ofTemplate(window, parts);
  },
  dmd(window, parts) {
    for (const { column, share } of window.dmdShares) parts[column] = Math.max(0, share);
    return ofTemplate(window, parts);
  },
  values(window, parts) {
    let loudest: SlotPart | null = null;
    for (const part of window.slotParts) {
      if (part.template.slot < 0) continue;
      parts[part.template.slot]! += part.nats;
      if (part.usual !== null && part.nats > (loudest?.nats ?? 0)) loudest = part;
    }
    if (loudest === null) return ofSource('numbers');
    const { template, token, now, usual } = loudest;
    return {
      about: 'numbers',
      templateId: template.shared.id,
      template: template.text,
      placeholder: placeholderOf(template, token, 'own'),
      now: Math.sign(now.mean) * Math.expm1(Math.abs(now.mean)) + 0,
      usual: usual!,
    };
  },
};

/** The template with the largest part, its records now and usually. */
function ofTemplate({ history, templates, i }: ScoredWindow, parts: Float64Array): Heard {
  let most = -1;
  for (let column = 0; column < parts.length; column++) {
    if (parts[column]! > (most < 0 ? 0 : parts[most]!)) most = column;
  }
  const template = most < 0 ? null : templates.bySlot[most]!;
  if (template === null) return ofSource('records');
  return {
    about: 'records',
    templateId: template.shared.id,
    template: template.text,
    placeholder: null,
    now: history.count(i, most),
    usual: history.medianCount([most], i),
  };
}

function ofSource(about: Finding['about']): Heard {
  return { about, templateId: null, template: null, placeholder: null, now: 0, usual: 0 };
}

function atOrAbove(levels: Levels, level: number): number {
  let records = 0;
  for (let k = level; k < levels.length; k++) records += levels[k]!;
  return records;
}

/** Median of a column over the accepted windows from..i-1; 0 when there are none. */
function median(history: History, i: number, from: number, column: (j: number) => number): number {
  const values: number[] = [];
  for (let j = from; j < i; j++) if (history.accepted(j)) values.push(column(j));
  if (values.length === 0) return 0;
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2;
}
