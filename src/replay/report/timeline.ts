/** Verdicts and anomalies of a run on one axis of time, thinned so that a page can hold them. */
import type { Anomaly } from '../../alert/anomaly.ts';
import { CHANNELS } from '../../detect/channels/channels.ts';
import type { Verdict } from '../../detect/verdict.ts';

/** Sources drawn: those with the worst anomalies. */
const MAX_LANES = 60;
/** Points over all lanes; where a run has more windows, several share one and the loudest is drawn. */
const MAX_POINTS = 36_000;
const MAX_COLUMNS = 2_400;
/** Anomalies drawn, and those of them told with their templates: the loudest. */
const MAX_EPISODES = 3_000;
const MAX_TOLD = 300;

export interface ReportEpisode {
  source: string;
  severity: Anomaly['severity'];
  /** From the begin of its first window's last step to the end of its last window. */
  startMs: number;
  endMs: number;
  /** Had not ended with the recording. */
  isOpen: boolean;
  peakScore: number;
  /** What was sent when it was worst; null where only the bar is drawn. */
  told: Pick<Anomaly, 'message' | 'verdict'> | null;
}

export interface Lane {
  source: string;
  warnings: number;
  critical: number;
  /** Loudest score of each column; NaN = none. */
  scores: Float64Array;
  /** Index into CHANNELS of the channel that gave it; 255 = none. */
  detectors: Uint8Array;
}

export interface Timeline {
  startMs: number;
  endMs: number;
  /** Time a column stands for: one step, or several. */
  columnMs: number;
  columns: number;
  sources: number;
  windows: number;
  lanes: Lane[];
  /** In order of time. */
  episodes: ReportEpisode[];
  /** Anomalies of the run; more than `episodes` where not all are drawn. */
  anomalies: number;
}

interface SourceScores {
  ends: number[];
  scores: number[];
  detectors: number[];
}

/** Gathers while the run goes on: 24 bytes a window, and the anomalies. */
export class TimelineBuilder {
  readonly #stepMs: number;
  readonly #sources = new Map<string, SourceScores>();
  readonly #episodes = new Map<string, ReportEpisode>();
  #windows = 0;

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  verdict({ source, windowEndMs, score, detector }: Verdict): void {
    let of = this.#sources.get(source);
    if (of === undefined) this.#sources.set(source, (of = { ends: [], scores: [], detectors: [] }));
    of.ends.push(windowEndMs);
    of.scores.push(score ?? NaN);
    of.detectors.push(detector === null ? 255 : CHANNELS.indexOf(detector));
    this.#windows++;
  }

  anomaly({ phase, episodeId, verdict, severity, peakScore, message }: Anomaly): void {
    const before = this.#episodes.get(episodeId);
    if (phase === 'end' && before !== undefined) {
      Object.assign(before, { endMs: verdict.windowEndMs, peakScore, isOpen: false });
      return;
    }
    this.#episodes.set(episodeId, {
      source: verdict.source,
      severity,
      startMs: before?.startMs ?? verdict.windowEndMs - this.#stepMs,
      endMs: Infinity,
      isOpen: true,
      peakScore,
      told: { message, verdict },
    });
  }

  build(): Timeline {
    const ends = [...this.#sources.values()].flatMap((of) => [of.ends[0]!, of.ends.at(-1)!]);
    // Nothing was judged: an empty minute of 1970.
    const startMs = this.#windows === 0 ? 0 : Math.min(...ends) - this.#stepMs;
    const endMs = this.#windows === 0 ? this.#stepMs : Math.max(...ends);
    const shown = this.#loudest();
    const wanted = Math.min(MAX_COLUMNS, Math.floor(MAX_POINTS / Math.max(1, shown.length)));
    const steps = Math.max(1, Math.round((endMs - startMs) / this.#stepMs));
    const columnMs = Math.ceil(steps / wanted) * this.#stepMs;
    const columns = Math.ceil((endMs - startMs) / columnMs);
    const all = [...this.#episodes.values()].map((episode) => ({ ...episode, endMs: Math.min(episode.endMs, endMs) }));
    const drawn = all.toSorted((a, b) => b.peakScore - a.peakScore).slice(0, MAX_EPISODES);
    for (const episode of drawn.slice(MAX_TOLD)) episode.told = null;
    return {
      startMs,
      endMs,
      columnMs,
      columns,
      sources: this.#sources.size,
      windows: this.#windows,
      lanes: shown.map((source) => this.#lane(source, all, { startMs, columnMs, columns })),
      episodes: drawn.filter(({ source }) => shown.includes(source)).sort((a, b) => a.startMs - b.startMs),
      anomalies: all.length,
    };
  }

  #lane(
    source: string,
    episodes: readonly ReportEpisode[],
    { startMs, columnMs, columns }: { startMs: number; columnMs: number; columns: number },
  ): Lane {
    const { ends, scores: given, detectors: givenBy } = this.#sources.get(source)!;
    const scores = new Float64Array(columns).fill(NaN);
    const detectors = new Uint8Array(columns).fill(255);
    for (const [i, end] of ends.entries()) {
      const score = given[i]!;
      const column = Math.floor((end - this.#stepMs - startMs) / columnMs);
      if (Number.isNaN(score) || scores[column]! >= score) continue;
      scores[column] = score;
      detectors[column] = givenBy[i]!;
    }
    const own = episodes.filter((episode) => episode.source === source);
    const critical = own.filter(({ severity }) => severity === 'critical').length;
    return { source, scores, detectors, critical, warnings: own.length - critical };
  }

  /** Those with anomalies first, each by name; where there are too many, those with the highest peaks. */
  #loudest(): string[] {
    const peaks = new Map<string, number>();
    for (const { source, peakScore } of this.#episodes.values())
      peaks.set(source, Math.max(peaks.get(source) ?? 0, peakScore));
    return [...this.#sources.keys()]
      .sort((a, b) => (peaks.get(b) ?? 0) - (peaks.get(a) ?? 0))
      .slice(0, MAX_LANES)
      .sort((a, b) => Number(peaks.has(b)) - Number(peaks.has(a)) || (a < b ? -1 : 1));
  }
}
