/** One template of a source: its tokens, its text, and the place where the detector hangs its counts. */
import { createHash } from 'node:crypto';
import { isClass, type ClassValue, type SharedTemplate } from './classes.ts';
import type { Enumerations, StoredPosition } from '../variables/enumerations.ts';
import { MARK } from '../tokens/hash.ts';
import { readLayout } from '../tokens/layout.ts';
import type { LeafFilter } from './leaf-filter.ts';
import { FIXED, HARD, isWord, WILD, type Lanes, type Layout } from '../tokens/kinds.ts';
import { NumberSlots } from '../variables/numbers.ts';
import type { TokenList } from '../tokens/token-list.ts';

export const PLACEHOLDER = '<*>';
/** `<*> <*> is <*>` says too little to take in `cached a.org is 10.0.0.7`. */
const FEWEST_WORDS_OF_OPEN = 2;

/** A cluster as the store keeps it: JSON-able, the whole cluster, independent of the hash seed. */
export interface StoredCluster {
  number: number;
  count: number;
  /** The source's line number of the cluster's newest line: the order of last use. */
  lastLine: number;
  /** The sender gave the template: `tokens` is its text, in one piece. */
  given: boolean;
  /** Bytes of each token, one character per byte, NUL for every masked part. */
  tokens: string[];
  /** What stands before, between and behind the tokens: one more than tokens. */
  separators: string[];
  kinds: number[];
  /** Token index of each number slot. */
  slots: number[];
  /** Varying words that are looked at, and lines of every value of them. */
  positions: StoredPosition[];
  totals: number[];
}

/** All clusters whose lines have the token count, field names, states and first words in common. */
export interface Leaf<Pane> {
  readonly exact: number;
  readonly fold: number;
  /** See `LeafKey.beginning`. */
  readonly beginning: number;
  /** Oldest first. */
  readonly candidates: Cluster<Pane>[];
  /** Grows with every change of a candidate: what was found before holds no longer. */
  version: number;
  /** Which candidates need no closer look; null while there are few. */
  filter: LeafFilter | null;
  /** Next leaf under the same key of the table. */
  next: Leaf<Pane> | null;
}

/** Where a cluster's strings come from: the line it was born of, until somebody asks for text, or the store. */
export type ClusterText = Layout | Pick<StoredCluster, 'tokens' | 'separators'>;

export class Cluster<Pane = unknown> {
  /** Grows by one per cluster born in this source; never reused. */
  readonly number: number;
  readonly given: boolean;
  /** Lines since birth. */
  count = 0;
  /** The source's line number of the newest line. */
  lastLine = 0;
  /** Lines of the open pane: the detector's own counter; the miner only sets it to 0 at birth. */
  paneCount = 0;
  /** What the detector hangs on the cluster for the open pane (samples, trace ids); the miner never touches it. */
  pane: Pane | null = null;

  /** The numbers of the lines given to `Miner.countVariables`; null while there are none. */
  numbers: NumberSlots | null = null;
  /** What its varying words hold; null while none varies. */
  enumerations: Enumerations | null = null;
  /** Token index of each number position in use. */
  readonly slots: number[] = [];

  readonly leaf: Leaf<Pane>;
  readonly lanes: Lanes;
  /** Positions that count in the similarity. */
  words = 0;
  /** Positions that held different words. */
  wildcards = 0;
  /** Neighbours in the order of last use. */
  newer: Cluster<Pane> | null = null;
  older: Cluster<Pane> | null = null;
  /** The cluster that has its lines since it said the same and more; that one may have merged too, see {@link survivor}. */
  mergedInto: Cluster<Pane> | null = null;
  /** Waits for `drainChanged`. */
  changed = false;
  #savedSlots = 0;
  #source: ClusterText;
  #text: string | null = null;
  #id: string | null = null;
  #shared: SharedTemplate | null = null;

  constructor(number: number, source: ClusterText, lanes: Lanes, leaf: Leaf<Pane>, given: boolean) {
    this.number = number;
    this.given = given;
    this.#source = source;
    this.lanes = lanes;
    this.leaf = leaf;
    for (let i = 2; i < lanes.length; i += 3) {
      if (isWord(lanes[i]!)) this.words++;
      else if (lanes[i] === WILD) this.wildcards++;
    }
  }

  /** For the embedder and the id: `Failed password for <*> from <*> port <*> ssh2`. */
  get text(): string {
    this.#text ??= this.#render(this.#strings().tokens);
    return this.#text;
  }

  /** 16 hex digits, the first 64 bits of the SHA-256 of the text's words: equal in every process. Changes when the text generalises. */
  get id(): string {
    this.#id ??= templateId(this.text);
    return this.#id;
  }

  /** What people see: clusters that differ in status classes and levels only are one template. */
  get shared(): SharedTemplate {
    this.#shared ??= this.#share();
    return this.#shared;
  }

  /** Something varies before its first word: lines that begin with another word may be of it, if it has enough others. */
  get isOpen(): boolean {
    if (this.words < FEWEST_WORDS_OF_OPEN) return false;
    for (let at = 2; at < this.lanes.length; at += 3) {
      if (this.lanes[at] === WILD) return true;
      if (this.lanes[at] === HARD || this.lanes[at]! >= FIXED) return false;
    }
    return false;
  }

  /** Slot of the number at token `token`, -1 when it has none. */
  slotOf(token: number): number {
    return this.slots.indexOf(token);
  }

  openSlot(token: number): number {
    return this.slots.push(token) - 1;
  }

  /** Adds the number read last to a slot. */
  addNumber(slot: number): void {
    this.numbers ??= new NumberSlots(this.slots);
    this.numbers.add(slot);
  }

  /** Bytes of a token as in {@link StoredCluster.tokens}. */
  token(index: number): string {
    return this.#strings().tokens[index]!;
  }

  /** Which `<*>` of its text, or of the one that it shares, the mark of token `index` is, from 1. */
  placeholderOf(index: number, text: 'own' | 'shared'): number {
    const tokens = text === 'own' ? this.#strings().tokens : this.#sharedTokens();
    return tokens.slice(0, index).join('').split(MARK).length;
  }

  /** Position `index` held another word: it stays `<*>` from now on. */
  generalise(index: number): void {
    this.#strings().tokens[index] = MARK;
    if (isWord(this.lanes[3 * index + 2]!)) this.words--;
    this.lanes[3 * index + 2] = WILD;
    this.wildcards++;
    this.#text = null;
    this.#id = null;
    this.#shared = null;
  }

  /** Slots or values have come since it was last saved or restored. */
  get hasUnsavedVariables(): boolean {
    return this.#savedSlots < this.slots.length || (this.enumerations?.isUnsaved ?? false);
  }

  /** A stored one goes on with what it knew of its lines. */
  restoreVariables(slots: readonly number[], enumerations: Enumerations | null): void {
    this.#savedSlots = this.slots.push(...slots);
    this.enumerations = enumerations;
  }

  save(): StoredCluster {
    this.#savedSlots = this.slots.length;
    const { number, count, lastLine, given } = this;
    const { tokens, separators } = this.#strings();
    const kinds = Array.from({ length: this.lanes.length / 3 }, (_, i) => this.lanes[3 * i + 2]!);
    return {
      ...{ number, count, lastLine, given, tokens: [...tokens], separators: [...separators], kinds },
      ...{
        slots: [...this.slots],
        positions: this.enumerations?.save() ?? [],
        totals: this.enumerations?.totals() ?? [],
      },
    };
  }

  #strings(): Pick<StoredCluster, 'tokens' | 'separators'> {
    if ('line' in this.#source) this.#source = readLayout(this.#source, this.lanes);
    return this.#source;
  }

  /** {@link MARK} for a status class or level. */
  #sharedTokens(): readonly string[] {
    const { tokens, separators } = this.#strings();
    if (this.given) return tokens;
    return tokens.map((token, i) => (isClass(tokens, separators, this.lanes, i) ? MARK : token));
  }

  #share(): SharedTemplate {
    const { tokens } = this.#strings();
    const shared = this.#sharedTokens();
    const classes: ClassValue[] = [];
    for (const [i, value] of tokens.entries())
      if (value !== shared[i]) classes.push({ placeholder: this.placeholderOf(i, 'shared'), value });
    const text = this.#render(shared);
    return { id: templateId(text), text, classes };
  }

  #render(tokens: readonly string[]): string {
    const { separators } = this.#strings();
    const bytes = tokens.reduce((text, token, i) => text + token + separators[i + 1]!, separators[0]!);
    const text = Buffer.from(bytes, 'latin1').toString('utf8');
    return this.given ? text : text.replaceAll(MARK, PLACEHOLDER).trim() || PLACEHOLDER;
  }
}

/** See {@link Cluster.id}. */
function templateId(text: string): string {
  return createHash('sha256').update(wordsOf(text)).digest('hex').slice(0, 16);
}

/**
 * Words and placeholders one blank apart: punctuation between words is that of the first line of a template, which is another one on another replica.
 * The miner does not look at it either.
 */
function wordsOf(text: string): string {
  const words = text
    .replaceAll(PLACEHOLDER, MARK)
    .replace(/[\x01- !-/:-@[-`{-\x7f]+/g, ' ')
    .trim();
  return words || text;
}

/** The cluster that counts the lines of `cluster` now. */
export function survivor<Pane>(cluster: Cluster<Pane>): Cluster<Pane> {
  let living = cluster;
  while (living.mergedInto !== null) living = living.mergedInto;
  return living;
}

/** Lanes of stored tokens under this process's seed. */
export function lanesOf(stored: StoredCluster, tokens: TokenList): Lanes {
  const lanes: Lanes = new Array<number>(3 * stored.kinds.length).fill(0);
  stored.kinds.forEach((kind, i) => {
    tokens.hashToken(stored.tokens[i]!, lanes, i);
    lanes[3 * i + 2] = kind;
  });
  return lanes;
}
