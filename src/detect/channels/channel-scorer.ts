import type { History } from '../history.ts';
import { Calibration, countNoise } from './calibration.ts';
import { CHANNELS, isSurprise, type Channel } from './channels.ts';
import { combineChannels } from './combination.ts';
import { hasRecurred, nearestDistance } from './distance.ts';
import { noveltySurprise } from './novelty.ts';
import { rateSurprise } from './rate.ts';
import { RARE_GUARD, severitySurprise } from './severity.ts';
import { silenceSurprise } from './silence.ts';
import { TemplateCounts } from './template-counts.ts';

const DISTANCE = CHANNELS.indexOf('distance');

/** Templates that must surge together before a window can be told from others of its kind: silence looks like silence, one error like another. */
const SIGNATURE_TEMPLATES = 5;

/** Accepted windows before anything is scored: `warming` until then. */
const MIN_ACCEPTED = 6;

/** Numbers of each kept window beside its template counts; the index is the history's, 0 = oldest. */
export interface WindowColumns {
  records(i: number): number;
  /** Records at WARN or above. */
  warnings(i: number): number;
  /** Records at ERROR or above. */
  errorRecords(i: number): number;
  /** Templates that had never been accepted when the window was judged; 0 for a source's first. */
  novelTemplates(i: number): number;
}

/** One window as the channels see it. */
export interface ChannelWindow {
  history: History;
  columns: WindowColumns;
  /** The window being judged; its counts are in the history. */
  i: number;
  /** First window of its past: max(0, i − dmd_windows). */
  from: number;
  /** Nats by {@link CHANNELS} of earlier windows that share no pane, newest first. */
  earlier: readonly ArrayLike<number>[];
  /** Window size / step: windows so far apart share no pane. */
  panesPerWindow: number;
  /** Template columns in use. */
  slots: number;
  /** By slot: 1 where the template has ever been in an accepted window. */
  known: ArrayLike<number>;
  /** DMD's e_t; null before there is one. */
  reconstructionError: number | null;
  /** x of the channel `values`. */
  values: number;
  /** `degraded`, `sparse` or `recurrent`: dmd counts 0. */
  dmdHeld: boolean;
  /** Records are missing: dmd, distance, silence and values count 0, rate looks up only. */
  incomplete: boolean;
}

/**
 * All channels of one window; owns the scratch that all sources of a shard share. Its arrays, by {@link CHANNELS}, are valid until the next call.
 *
 *     counts → raw x → calibration → nats → cap, weight → one score
 */
export class ChannelScorer {
  /** x of each channel: what {@link accept} teaches. */
  readonly raw = new Float64Array(CHANNELS.length);
  /** s of each channel in nats, 0 where a gate holds it back. */
  readonly nats = new Float64Array(CHANNELS.length);
  /** What of it counts. */
  readonly capped = new Float64Array(CHANNELS.length);
  /** Surprises by template slot, for attribution. */
  readonly templates = new TemplateCounts();
  /** The window scored last has come twice before. */
  recurs = false;
  /** `rate`'s b by template slot. */
  rateParts = new Float64Array(0);
  readonly #weights: Float64Array;
  readonly #sizes = new Float64Array(CHANNELS.length);
  #past = new Float64Array(0);
  #pastOther = new Float64Array(0);

  /** @param weights - 0 = not enabled; at least one above 0 */
  constructor(weights: Readonly<Record<Channel, number>>) {
    this.#weights = Float64Array.from(CHANNELS, (channel) => weights[channel]);
  }

  /** @returns null while `warming`. Changes nothing but the scratch. */
  score(window: ChannelWindow, calibrations: readonly Calibration[]): { score: number; loudest: Channel } | null {
    const { history, i, from, slots, known } = window;
    const { templates, nats } = this;
    templates.load(history, i, from, slots, known);
    if (templates.n < MIN_ACCEPTED) return null;
    this.#measure(window);
    this.recurs = this.#surging() >= SIGNATURE_TEMPLATES && hasRecurred(history, i, from, slots, this.raw[DISTANCE]!);
    const noise = countNoise(templates.mean, slots);
    for (const [c, channel] of CHANNELS.entries()) {
      const calibration = calibrations[c]!;
      const isLength = !isSurprise(channel);
      const scale = isLength ? calibration.lengthScale(noise) : 1;
      nats[c] = isHeld(channel, window, this.recurs) ? 0 : calibration.surprise(this.raw[c]!, scale, !isLength);
      this.#sizes[c] = calibration.size;
    }
    return combineChannels({ nats, earlier: window.earlier, sizes: this.#sizes, weights: this.#weights }, this.capped);
  }

  /**
   * The window that was just scored is accepted: its x become part of what is usual.
   *
   * @param degraded - vectors were missing: dmd's x is not an error of this source and is left out
   */
  accept(calibrations: readonly Calibration[], degraded = false): void {
    for (const [c, channel] of CHANNELS.entries()) {
      if (!(degraded && channel === 'dmd')) calibrations[c]!.accept(this.raw[c]!);
    }
  }

  /** Templates that come e times as often as usual. */
  #surging(): number {
    const { now, mean, slots } = this.templates;
    let surging = 0;
    for (let slot = 0; slot < slots; slot++) if (now[slot]! + 1 > Math.E * (mean[slot]! + 1)) surging++;
    return surging;
  }

  #measure(window: ChannelWindow): void {
    const { history, columns, i, from, slots, incomplete } = window;
    const { templates } = this;
    const { n } = templates;
    if (this.rateParts.length < slots) this.rateParts = new Float64Array(2 * slots);
    const novel = this.#accepted(window, (j) => columns.novelTemplates(j));
    const novelty = noveltySurprise(columns.novelTemplates(i), novel, n);
    const guard = Math.min(RARE_GUARD, (i - from) >> 1);
    const until = i - guard;
    const severity = severitySurprise(
      {
        warnings: newest(window, guard, (j) => columns.warnings(j)),
        errors: newest(window, guard, (j) => columns.errorRecords(j)),
      },
      {
        warnings: this.#accepted(window, (j) => columns.warnings(j), { until }),
        errors: this.#accepted(window, (j) => columns.errorRecords(j), { until, other: true }),
      },
    );
    const records = this.#accepted(window, (j) => columns.records(j));
    const x: Record<Channel, number> = {
      rate: rateSurprise(templates, incomplete, this.rateParts),
      novelty,
      severity,
      silence: silenceSurprise(templates, columns.records(i), records, n),
      distance: nearestDistance(history, i, from, slots),
      dmd: window.reconstructionError ?? 0,
      values: window.values,
    };
    for (const [c, channel] of CHANNELS.entries()) this.raw[c] = x[channel];
  }

  /** A column over A as far as it lies before `until`, in one of the two scratch arrays. */
  #accepted(
    { history, i, from }: ChannelWindow,
    column: (j: number) => number,
    { until = i, other = false } = {},
  ): Float64Array {
    if (this.#past.length < i) {
      this.#past = new Float64Array(history.capacity);
      this.#pastOther = new Float64Array(history.capacity);
    }
    const out = other ? this.#pastOther : this.#past;
    let n = 0;
    for (let j = from; j < until; j++) if (history.accepted(j)) out[n++] = column(j);
    return out.subarray(0, n);
  }
}

/** One calibration a channel, of a new source. */
export function newCalibrations(): Calibration[] {
  return CHANNELS.map(() => new Calibration());
}

function isHeld(channel: Channel, { dmdHeld, incomplete }: ChannelWindow, recurs: boolean): boolean {
  if (recurs && channel !== 'novelty' && channel !== 'values') return true;
  if (channel === 'dmd' && dmdHeld) return true;
  return incomplete && channel !== 'rate' && channel !== 'severity' && channel !== 'novelty';
}

/** A column of this window and of those among the newest `guard` that share no pane with it or each other, newest first. */
function newest({ i, panesPerWindow }: ChannelWindow, guard: number, column: (j: number) => number): number[] {
  const counts = [column(i)];
  for (let j = i - panesPerWindow; j > i - guard; j -= panesPerWindow) counts.push(column(j));
  return counts;
}
