import { ChannelScorer } from './channels/channel-scorer.ts';
import { natsOf, packVerdict, type ChannelVerdict } from './channels/channel-verdict.ts';
import { CHANNELS, isDmdOnly, weightsOf, type Channel } from './channels/channels.ts';
import { LASTING_WINDOWS } from './channels/lasting.ts';
import type { SlotPart, SlotsVerdict } from './channels/slot-history.ts';
import type { Reasons } from './details.ts';
import { explainChannels } from './findings.ts';
import { isRecurrent, isSparse } from './gates.ts';
import type { Gate, History } from './history.ts';
import { unite, type PaneEntry } from './pane.ts';
import { makeRoom } from './room.ts';
import { WindowScorer, type ScorerOptions } from './score.ts';
import type { PendingWindow, Source } from './source.ts';
import { MAX_TEMPLATES, type Template, type TemplateTable } from './template.ts';
import { topTemplates } from './top-templates.ts';
import type { Severity, Verdict } from './verdict.ts';
import type { Work } from './work.ts';

export interface JudgeOptions extends ScorerOptions {
  stepMs: number;
  /** window size / step */
  panesPerWindow: number;
  warningThreshold: number;
  criticalThreshold: number;
  /** Those that make up the score; `dmd` alone makes it the normalised error. */
  channels: readonly Channel[];
  /** How much of a channel's nats counts, above 0; those left out count as by default. */
  weights?: Readonly<Partial<Record<Channel, number>>>;
}

const MAX_NEW_TEMPLATES = 5;
/** Windows that a template is new for when it is not learnt at once. */
const NOVEL_WINDOWS = 12;
/** Windows that may confirm a warning, see `alert/episode.ts`. */
const SECOND_LOOK = 9;
/** Without the channel `values`. */
const NO_SLOTS: SlotsVerdict = { surprise: 0, parts: [] };
const QUIET: Reasons = { findings: [], topTemplates: [] };
/** Gates that hold back dmd's surprise among several channels. */
const DMD_GATES: readonly Gate[] = ['degraded', 'sparse', 'recurrent'];

/**
 * One closed window of one source → its verdict; the source's history, baseline and channels learn from it. Owns the scratch that all sources of a
 * shard share.
 *
 *     counts → history → DMD error → z (normalized_error)
 *                  └──────── channels ───────┴→ score → accepted?
 */
export class Judge {
  readonly scorer: WindowScorer;
  readonly #options: JudgeOptions;
  /** Null where dmd is the only channel: the score is its z, and its baseline decides what is accepted. */
  readonly #channels: ChannelScorer | null;
  readonly #known = new Uint8Array(MAX_TEMPLATES);

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.scorer = new WindowScorer(options);
    this.#channels = isDmdOnly(options.channels)
      ? null
      : new ChannelScorer(weightsOf(options.channels, options.weights));
  }

  /** @returns null when `work` has ended before the window could be judged: to be asked again, nothing of it is learnt yet */
  judge(
    source: Source,
    pending: PendingWindow,
    { handle, muted, work }: { handle: number; muted: boolean; work: Work },
  ): Verdict | null {
    const { history, templates, baseline } = source;
    const { dmdWindows, stepMs, warningThreshold } = this.#options;
    const { entries, records, warnings, errors } = unite(pending.panes);
    this.#ripen(source);
    const newTemplates = entries.filter(({ template }) => !templates.wasSeen(template.id));
    const left = makeRoom(history, templates, entries);
    if (!source.refreshGram(this.scorer, work)) return null;
    templates.overflowed += left;

    const i = history.push();
    source.slots?.push();
    for (const { template, count } of entries) {
      if (template.slot >= 0) history.setCount(i, template.slot, history.count(i, template.slot) + count);
    }
    // A source's first window is all new, which says nothing about it.
    history.setTallies(i, { warnings, errors, novelTemplates: templates.hasSeen ? newTemplates.length : 0 });
    const degraded = source.noteUnembedded();
    const { error, rank } = this.scorer.predict(history, templates, i);
    const z = error === null ? null : baseline.normalizedError(error, this.scorer.floors(history, i));
    this.scorer.pushGramRow(history, templates, i);
    const window = {
      windowId: Math.round(pending.stepEndMs / stepMs),
      records,
      error: error ?? NaN,
      normalizedError: z ?? NaN,
      rank,
    };
    history.set(i, { ...window, gates: [], accepted: false });

    const gates: Gate[] = [];
    if (muted) gates.push('muted');
    if (degraded) gates.push('degraded');
    if (isSparse(history.recordsOf(Math.max(0, i - dmdWindows), i))) gates.push('sparse');
    if (z !== null && z > warningThreshold && isRecurrent(history.gram, history.errorsOf(0, i + 1)))
      gates.push('recurrent');
    if (pending.incomplete) gates.push('incomplete');

    // A window that we saw badly teaches nothing.
    const trusted = !degraded && !pending.incomplete;
    let accepted = trusted && (error === null || baseline.offer(error, z));
    let channels: ChannelVerdict | null = null;
    let slots = NO_SLOTS;
    if (this.#channels !== null) {
      slots = source.slots?.judge(entries, history) ?? NO_SLOTS;
      channels = this.#listen(this.#channels, source, i, { error, values: slots.surprise, gates });
      if (channels !== null && this.#channels.recurs && !gates.includes('recurrent')) gates.push('recurrent');
      accepted = this.#learn(this.#channels, source, { said: channels, slots, gates });
      packVerdict(channels, history.verdict(i));
    }
    const score = this.#channels === null ? z : (channels?.score ?? null);
    if (score === null) gates.unshift('warming');
    history.set(i, { ...window, gates, accepted });

    source.details.keep(window.windowId, pending.panes);
    const isLoud = score !== null && score > warningThreshold;
    const why = isLoud
      ? this.#explain(source, i, {
          ...{ error, entries, slotParts: slots.parts },
          newTemplates: newTemplates.map(({ template }) => template),
        })
      : QUIET;
    if (isLoud) source.details.keepLoud(window.windowId, why, score > this.#options.criticalThreshold);
    if (accepted) for (const { template } of entries) templates.markSeen(template.id);
    return this.verdict(source, {
      handle,
      windowId: window.windowId,
      windowEndMs: pending.stepEndMs,
      records,
      templates: new Set(entries.map(({ template }) => template.shared.id)).size,
      reconstructionError: error,
      normalizedError: z,
      channels,
      gates,
      rank,
      newTemplates: newTemplates.slice(0, MAX_NEW_TEMPLATES).map(({ template }) => template.text),
      ...why,
    });
  }

  /** Why window `i`, which has just been scored, is loud. */
  #explain(
    source: Source,
    i: number,
    window: {
      error: number | null;
      entries: readonly PaneEntry[];
      slotParts: readonly SlotPart[];
      newTemplates: readonly Template[];
    },
  ): Reasons {
    const { history, templates, details } = source;
    const { entries, slotParts, newTemplates } = window;
    const dmdShares = window.error === null ? [] : this.scorer.shares();
    const from = Math.max(0, i - this.#options.dmdWindows);
    const { findings, shares } =
      this.#channels === null
        ? { findings: [], shares: dmdShares }
        : explainChannels({
            ...{ scorer: this.#channels, history, templates, i, from },
            ...{ entries, newTemplates, dmdShares, slotParts },
          });
    return { findings, topTemplates: topTemplates(shares, source, i, details.of(history.windowId(i))) };
  }

  /** Score and severity of a window that has been judged, now or long ago. `channels`: null where dmd is the only one, or while warming. */
  verdict(
    source: Source,
    window: Omit<
      Verdict,
      'source' | 'windowStartMs' | 'score' | 'scoreBefore' | 'detector' | 'channels' | 'severity'
    > & {
      channels: ChannelVerdict | null;
    },
  ): Verdict {
    const { channels } = window;
    const score = this.#channels === null ? window.normalizedError : (channels?.score ?? null);
    const dmd = score === null ? null : 'dmd';
    return {
      ...window,
      source: source.key,
      windowStartMs: window.windowEndMs - this.#options.stepMs * this.#options.panesPerWindow,
      score,
      scoreBefore: this.#scoreBefore(source.history, window.windowId),
      detector: this.#channels === null ? dmd : (channels?.loudest ?? null),
      channels: channels?.channels ?? null,
      severity: score === null ? null : this.#severity(score),
    };
  }

  /** The highest score of the {@link SECOND_LOOK} newest windows that share no pane with this one. */
  #scoreBefore(history: History, windowId: number): number | null {
    const newest = history.indexOf(windowId) - this.#options.panesPerWindow;
    let highest: number | null = null;
    for (let i = newest; i >= 0 && i > newest - SECOND_LOOK; i--) {
      const score = this.#channels === null ? history.window(i).normalizedError : history.verdict(i)[0]!;
      if (score > (highest ?? -Infinity)) highest = score;
    }
    return highest;
  }

  /** What all channels say of window `i`, which is in the history. @returns null while warming */
  #listen(
    scorer: ChannelScorer,
    source: Source,
    i: number,
    { error, values, gates }: { error: number | null; values: number; gates: readonly Gate[] },
  ): ChannelVerdict | null {
    const { history, templates } = source;
    const result = scorer.score(
      {
        history,
        columns: history,
        i,
        from: Math.max(0, i - this.#options.dmdWindows),
        earlier: this.#earlierNats(history, i),
        panesPerWindow: this.#options.panesPerWindow,
        slots: templates.bySlot.length,
        known: this.#markKnown(templates),
        reconstructionError: error,
        values,
        dmdHeld: DMD_GATES.some((gate) => gates.includes(gate)),
        incomplete: gates.includes('incomplete'),
      },
      source.channels!.calibrations,
    );
    if (result === null) return null;
    const channels: Partial<Record<Channel, number>> = {};
    for (const [c, channel] of CHANNELS.entries()) {
      if (this.#options.channels.includes(channel)) channels[channel] = scorer.nats[c]!;
    }
    return { ...result, channels };
  }

  /** What the channels said of the windows before `i` that share no pane with it or each other, newest first; up to one that had no score. */
  #earlierNats(history: History, i: number): Float64Array[] {
    const earlier: Float64Array[] = [];
    for (let k = 1; k < LASTING_WINDOWS; k++) {
      const j = i - k * this.#options.panesPerWindow;
      const nats = j < 0 ? null : natsOf(history.verdict(j));
      if (nats === null) break;
      earlier.push(nats);
    }
    return earlier;
  }

  /** @returns whether the window counts as normal */
  #learn(
    scorer: ChannelScorer,
    source: Source,
    { said, slots, gates }: { said: ChannelVerdict | null; slots: SlotsVerdict; gates: readonly Gate[] },
  ): boolean {
    const { acceptance, calibrations } = source.channels!;
    if (gates.includes('incomplete')) return false;
    const accepted = acceptance.offer(said?.score ?? null);
    source.slots?.learn(slots.parts);
    if (accepted && said !== null) scorer.accept(calibrations, gates.includes('degraded'));
    return accepted;
  }

  /** What was new {@link NOVEL_WINDOWS} ago is so no longer, also where its window was not accepted: it has been said, and it may come again. */
  #ripen({ history, templates }: Source): void {
    const j = history.size - NOVEL_WINDOWS;
    if (j < 0 || history.accepted(j)) return;
    const counts = history.counts(j);
    for (const [slot, template] of templates.bySlot.entries()) {
      if (template !== null && counts[slot]! > 0) templates.markSeen(template.id);
    }
  }

  /** By slot: 1 where the template has ever been in an accepted window. */
  #markKnown(templates: TemplateTable): Uint8Array {
    for (const [slot, template] of templates.bySlot.entries()) {
      this.#known[slot] = template !== null && templates.wasSeen(template.id) ? 1 : 0;
    }
    return this.#known;
  }

  #severity(score: number): Severity {
    if (score > this.#options.criticalThreshold) return 'critical';
    return score > this.#options.warningThreshold ? 'warning' : 'normal';
  }
}
