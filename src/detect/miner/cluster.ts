/** One template of a source: its tokens, its text, and the place where the detector hangs its counts. */
import { createHash } from 'node:crypto';
import { MARK } from './hash.ts';
import { KEY, MASK, SOFT, WILD, type Tokens } from './tokens.ts';

export const PLACEHOLDER = '<*>';
/** Punctuation between two words that a template shows at most. */
const LONGEST_SEPARATOR = 24;

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
}

/** All clusters whose lines have the token count, field names, states and first words in common. */
export interface Leaf<Pane> {
  readonly exact: number;
  readonly fold: number;
  /** Oldest first. */
  readonly candidates: Cluster<Pane>[];
  /** Next leaf with the same `exact` lane. */
  next: Leaf<Pane> | null;
}

export class Cluster<Pane = unknown> {
  /** Grows by one per cluster born in this source; never reused. */
  readonly number: number;
  readonly given: boolean;
  /** Lines since birth. */
  count: number;
  /** The source's line number of the newest line. */
  lastLine: number;
  /** Lines of the open pane: the detector's own counter; the miner only sets it to 0 at birth. */
  paneCount = 0;
  /** What the detector hangs on the cluster for the open pane (samples, trace ids); the miner never touches it. */
  pane: Pane | null = null;

  readonly leaf: Leaf<Pane>;
  readonly exact: Int32Array;
  readonly fold: Int32Array;
  readonly kind: Uint8Array;
  /** Neighbours in the order of last use. */
  newer: Cluster<Pane> | null = null;
  older: Cluster<Pane> | null = null;
  /** Waits for `drainChanged`. */
  changed = false;
  readonly #tokens: string[];
  readonly #separators: string[];
  #text: string | null = null;
  #id: string | null = null;

  constructor(stored: StoredCluster, lanes: Lanes, leaf: Leaf<Pane>) {
    this.number = stored.number;
    this.given = stored.given;
    this.count = stored.count;
    this.lastLine = stored.lastLine;
    this.#tokens = stored.tokens;
    this.#separators = stored.separators;
    this.exact = lanes.exact;
    this.fold = lanes.fold;
    this.kind = lanes.kind;
    this.leaf = leaf;
  }

  /** For people, the embedder and the id: `Failed password for <*> from <*> port <*> ssh2`. */
  get text(): string {
    this.#text ??= this.#render();
    return this.#text;
  }

  /** 16 hex digits, the first 64 bits of the text's SHA-256: equal in every process. Changes when the text generalises. */
  get id(): string {
    this.#id ??= createHash('sha256').update(this.text).digest('hex').slice(0, 16);
    return this.#id;
  }

  /** Bytes of a token as in {@link StoredCluster.tokens}. */
  token(index: number): string {
    return this.#tokens[index]!;
  }

  /** Position `index` held another word: it stays `<*>` from now on. */
  generalise(index: number): void {
    this.kind[index] = WILD;
    this.#tokens[index] = MARK;
    this.#text = null;
    this.#id = null;
  }

  save(): StoredCluster {
    const { number, count, lastLine, given } = this;
    return {
      number,
      count,
      lastLine,
      given,
      tokens: [...this.#tokens],
      separators: [...this.#separators],
      kinds: [...this.kind],
    };
  }

  #render(): string {
    let bytes = this.#separators[0]!;
    for (let i = 0; i < this.#tokens.length; i++) bytes += this.#tokens[i]! + this.#separators[i + 1]!;
    const text = Buffer.from(bytes, 'latin1').toString('utf8');
    return this.given ? text : text.replaceAll(MARK, PLACEHOLDER).trim() || PLACEHOLDER;
  }
}

/** Hash lanes and kinds of a cluster's tokens, index by index. */
export interface Lanes {
  exact: Int32Array;
  fold: Int32Array;
  kind: Uint8Array;
}

/** Lanes of stored tokens under this process's seed. */
export function lanesOf(stored: StoredCluster, tokens: Tokens): Lanes {
  const size = stored.kinds.length;
  const lanes = { exact: new Int32Array(size), fold: new Int32Array(size), kind: Uint8Array.from(stored.kinds) };
  for (let i = 0; i < size; i++) tokens.hashToken(stored.tokens[i]!, lanes.exact, lanes.fold, i);
  return lanes;
}

/** The line just scanned as a new cluster's tokens and separators. */
export function readTokens(tokens: Tokens, bytes: Uint8Array, start: number): Pick<StoredCluster, 'tokens' | 'separators' | 'kinds'> {
  const texts: string[] = [];
  const separators: string[] = [];
  let at = start;
  for (let i = 0; i < tokens.count; i++) {
    separators.push(separator(bytes, at, tokens.start[i]!));
    texts.push(tokens.tokenBytes(bytes, i));
    at = tokens.end[i]!;
  }
  separators.push(separator(bytes, at, tokens.scannedEnd));
  return { tokens: texts, separators, kinds: [...tokens.kind.subarray(0, tokens.count)] };
}

/** Blanks as one, colours and skipped words not at all: how a line was padded must not make another text. */
function separator(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, to - from))
    .toString('latin1')
    // eslint-disable-next-line no-control-regex
    .replace(/\x1b\[?[^@-~]*[@-~]?|\\[a-z]|[a-zA-Z0-9\x80-\xff]+/g, '')
    // eslint-disable-next-line no-control-regex
    .replace(/[\x00-\x20\x7f]+/g, ' ')
    .slice(0, LONGEST_SEPARATOR);
}

/** Words of a line equal to the cluster's, over the words that count: see {@link compare}. */
export interface Fit {
  equal: number;
  compared: number;
  /** Some position that is not a wildcard differs. */
  differs: boolean;
}

/**
 * How well a line fits a cluster of its leaf. Two masks, wildcards, field names and single-word values say nothing; a mask
 * against a word is a difference. Writes to `fit` (nothing is allocated a line).
 */
export function compare(cluster: Lanes, line: Tokens, fit: Fit): void {
  const { exact, fold, kind } = cluster;
  let equal = 0;
  let compared = 0;
  let differs = false;
  for (let i = 0; i < kind.length; i++) {
    const own = kind[i]!;
    if (own === WILD) continue;
    if (exact[i] !== line.exact[i] || fold[i] !== line.fold[i]) {
      differs = true;
      if (own !== SOFT && line.kind[i] !== SOFT) compared++;
    }
    else if (own !== MASK && own !== SOFT && own !== KEY) {
      equal++;
      compared++;
    }
  }
  fit.equal = equal;
  fit.compared = compared;
  fit.differs = differs;
}

