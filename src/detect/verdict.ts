import type { Channel } from './channels/channels.ts';
import type { Finding } from './findings.ts';
import type { Gate } from './history.ts';
import type { Levels } from './levels.ts';
import type { ValueCount } from './miner/variables/enumerations.ts';

/** −ln p of each enabled channel, before cap and weight. */
export type ChannelSurprises = Readonly<Partial<Record<Channel, number>>>;

export type Severity = 'normal' | 'warning' | 'critical';

/** The numbers at one position of a template in one window. */
export interface NumberSummary {
  /** Which `<*>` of the template, from 1; null once the miner has dropped the template. */
  placeholder: number | null;
  count: number;
  median: number;
  p95: number;
}

/** The values at one position of a template in one window. */
export interface ValueSummary {
  /** Which `<*>` of the template, from 1; null once the miner has dropped the template. */
  placeholder: number | null;
  /** The most frequent first. */
  values: readonly ValueCount[];
}

export interface TopTemplate {
  templateId: string;
  template: string;
  /** {@link template} with this window's values where it has an enumeration, a status class or a level: `{GET|POST} <*> {2xx|5xx}`. */
  shown: string;
  /** What of it occurred, told apart by status class and level: `GET /cart 2xx`, `GET /cart 5xx`; as in {@link Verdict.newTemplates}. */
  variants: string[];
  /**
   * Its part in what the score consists of: of several channels by the nats that each adds (`findings.ts`), of `dmd` alone its exact share of the squared
   * residual, which may be negative. The shares of all templates of a window sum to 1.
   */
  share: number;
  count: number;
  /** Median count over the accepted windows. */
  usualCount: number;
  firstSeenMs: number;
  /** Records of this window by level, and all since the template was first seen. */
  levels: Levels;
  levelsTotal: Levels;
  /** At most 3 lines of this window; empty when the template did not occur in it, and where no samples are kept. */
  samples: string[];
  /** What its number positions held in this window, by position. */
  numbers: NumberSummary[];
  /** What its enumerations held in this window, by position. */
  values: ValueSummary[];
  /** 32 hex digits each, at most 5. */
  traceIds: string[];
  /** 16 hex digits each ('' where the record had none), same order. */
  spanIds: string[];
}

/** The judgement of one source's window. */
export interface Verdict {
  source: string;
  handle: number;
  windowId: number;
  windowStartMs: number;
  windowEndMs: number;
  records: number;
  /** Distinct templates in the window. */
  templates: number;
  /** ‖x_t − x̂_t‖, null before the 7th window. */
  reconstructionError: number | null;
  /** Sigmas over the accepted errors, null before 20 of them. */
  normalizedError: number | null;
  /** Sigmas: of the enabled channels together; with `dmd` alone it is {@link normalizedError}. */
  score: number | null;
  /** The highest score of the nine newest windows that share no pane with this one; null where none had one. */
  scoreBefore: number | null;
  /** The loudest channel. */
  detector: Channel | null;
  /** Nats of each enabled channel (0 where a gate holds it back); null where `dmd` is the only one, and while warming. */
  channels: ChannelSurprises | null;
  /** Where `score` lies among the thresholds; null until there is one. `gates` tell whether it may alert. */
  severity: Severity | null;
  gates: Gate[];
  /** DMD rank used, 0 when nothing was predicted. */
  rank: number;
  /** Texts of templates never accepted before, at most 5; a new status class of a known one is among them. */
  newTemplates: string[];
  /** What the channels heard, loudest first; empty unless the score lies above the warning threshold, and where `dmd` is the only channel. */
  findings: Finding[];
  /** Filled when the score lies above the warning threshold, else empty. Largest share first, at most 10. */
  topTemplates: TopTemplate[];
}

/** What `/api/v1/sources/:key/windows/:id/explain` shows beyond the verdict. */
export interface WindowExplanation {
  verdict: Verdict;
  /** False once windows that this one was predicted from have left. */
  exact: boolean;
  topTemplates: TopTemplate[];
  /** Eigenvalues of the one-step operator: modulus is the growth a step, period null where there is none. */
  modes: { real: number; imaginary: number; modulus: number; periodMs: number | null }[];
  /** The windows before it, oldest first. */
  errors: { windowId: number; reconstructionError: number | null; normalizedError: number | null }[];
}
