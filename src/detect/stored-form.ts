/**
 * The JSON of a source's stored state, and its reading. A file can be whole and its content wrong all the same (another tool wrote it, a fault of ours): what has
 * another form is refused here, with its place, and not met as a TypeError some steps later.
 */
import type { SavedBaseline } from './baseline.ts';
import type { SavedChannels } from './channels/channel-state.ts';
import type { SavedSlots } from './channels/slot-places.ts';
import { LEVEL_NAMES, type Levels } from './levels.ts';
import type { SharedTemplate } from './miner/tree/classes.ts';
import type { StoredCluster, StoredMiner } from './miner/miner.ts';
import { MAX_TEMPLATES } from './template.ts';

/** Everything small of a source. */
export interface Meta {
  baseline: SavedBaseline;
  /** Null where `dmd` is the only channel. */
  channels: SavedChannels | null;
  /** Null where the channel `values` is off. */
  slots: SavedSlots | null;
  miner: StoredMiner;
  nextTemplate: number;
  /**
   * Of the miner's clusters, least recently used first: number, lines, and lines of each value of its enumerations. They move with every line, so what the
   * templates' rows say of them is not kept up to date.
   */
  recency: [number, number, ...number[]][];
  /** Records by level of the templates that had any: number and counts. They move with every window, so they are not in the templates' rows. */
  levels: [number, Levels][];
  /** Numbers of the templates without a vector when Gram rows were last formed. */
  unembedded: number[];
}

export interface TemplateRow {
  id: string;
  text: string;
  /** Left out where there is no status class or level in it. */
  shared?: SharedTemplate;
  firstSeenMs: number;
  /** Column in the history, -1 = none. */
  slot: number;
  clusters: StoredCluster[];
}

/** Gives a value back that has the form. @throws RangeError with `where` it has not */
type Form<T> = (value: unknown, where: string) => T;

function form<T>(what: string, fits: (value: unknown) => boolean): Form<T> {
  return (value, where) => {
    if (fits(value)) return value as T;
    throw new RangeError(`stored ${where} must be ${what}, is ${JSON.stringify(value)?.slice(0, 40) ?? 'missing'}`);
  };
}

function list<T>(item: Form<T>): Form<T[]> {
  const isList = form<unknown[]>('a list', Array.isArray);
  return (value, where) => {
    for (const [i, entry] of isList(value, where).entries()) item(entry, `${where}[${i}]`);
    return value as T[];
  };
}

function fields<T extends object>(forms: { [Key in keyof Required<T>]: Form<T[Key]> }): Form<T> {
  const isObject = form<Record<string, unknown>>(
    'an object',
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  );
  const entries = Object.entries<Form<unknown>>(forms);
  return (value, where) => {
    const object = isObject(value, where);
    for (const [name, check] of entries) check(object[name], `${where}.${name}`);
    return value as T;
  };
}

function optional<T>(given: Form<T>): Form<T | undefined> {
  return (value, where) => (value === undefined ? undefined : given(value, where));
}

function orNull<T>(given: Form<T>): Form<T | null> {
  return (value, where) => (value === null ? null : given(value, where));
}

function wholeNumbers<T extends readonly number[]>(atLeast: number): Form<T> {
  return form(
    `a list of at least ${atLeast} whole numbers`,
    (value) => Array.isArray(value) && value.length >= atLeast && value.every(Number.isSafeInteger),
  );
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const text = form<string>('text', (value) => typeof value === 'string');
const flag = form<boolean>('true or false', (value) => typeof value === 'boolean');
const finite = form<number>('a number', Number.isFinite);
const count = form<number>('a count', isCount);
const column = form<number>(
  `-1 or a column below ${MAX_TEMPLATES}`,
  (value) => value === -1 || (isCount(value) && (value as number) < MAX_TEMPLATES),
);

const clusterFields = fields<StoredCluster>({
  number: count,
  count,
  // Of one that was not used since its row was written it is below zero.
  lastLine: finite,
  given: flag,
  tokens: list(text),
  separators: list(text),
  kinds: list(count),
  slots: list(count),
  positions: list(
    fields<StoredCluster['positions'][number]>({
      token: count,
      values: orNull(
        list(
          form<[string, number]>(
            'a value and its check',
            (value) =>
              Array.isArray(value) &&
              value.length === 2 &&
              typeof value[0] === 'string' &&
              Number.isSafeInteger(value[1]),
          ),
        ),
      ),
    }),
  ),
  totals: list(count),
});

const cluster: Form<StoredCluster> = (value, where) => {
  const stored = clusterFields(value, where);
  const { given, tokens, separators, kinds, slots, positions } = stored;
  const last = Math.max(-1, ...slots, ...positions.map(({ token }) => token));
  // A given one is its text in one piece, which nothing is known of.
  const isWhole = given ? tokens.length === 1 && kinds.length === 0 : kinds.length === tokens.length;
  if (!isWhole || separators.length !== tokens.length + 1 || last >= kinds.length) {
    throw new RangeError(`stored ${where} has ${tokens.length} tokens, and something else for more or less of them`);
  }
  return stored;
};

const templateRow = fields<TemplateRow>({
  id: text,
  text,
  shared: optional(
    fields<SharedTemplate>({
      id: text,
      text,
      classes: list(fields<SharedTemplate['classes'][number]>({ placeholder: count, value: text })),
    }),
  ),
  firstSeenMs: finite,
  slot: column,
  clusters: list(cluster),
});

const meta = fields<Meta>({
  baseline: fields<SavedBaseline>({ errors: list(finite), offered: text }),
  channels: orNull(fields<SavedChannels>({ calibrations: list(text), acceptance: count })),
  slots: orNull(
    fields<SavedSlots>({
      nextNumber: count,
      slots: list(
        fields<SavedSlots['slots'][number]>({
          number: count,
          template: count,
          token: count,
          unrest: fields<SavedSlots['slots'][number]['unrest']>({ squares: finite, weight: finite }),
          isName: flag,
        }),
      ),
    }),
  ),
  miner: fields<StoredMiner>({
    nextNumber: count,
    lines: count,
    evicted: fields<StoredMiner['evicted']>({ clusters: count, candidates: count }),
    births: optional(finite),
    former: optional(list(wholeNumbers<[number, number, ...number[]]>(2))),
  }),
  nextTemplate: count,
  recency: list(wholeNumbers<[number, number, ...number[]]>(2)),
  levels: list(
    form<[number, Levels]>(
      'a template and its records by level',
      (value) =>
        Array.isArray(value) &&
        value.length === 2 &&
        isCount(value[0]) &&
        Array.isArray(value[1]) &&
        value[1].length === LEVEL_NAMES.length &&
        value[1].every(isCount),
    ),
  ),
  unembedded: list(count),
});

const decoder = new TextDecoder();

/** @throws SyntaxError or RangeError when it cannot have come from a {@link Meta} */
export function readMeta(json: string): Meta {
  return meta(JSON.parse(json), 'source');
}

/** @throws SyntaxError or RangeError when it cannot have come from a {@link TemplateRow} */
export function readTemplateRow(blob: Uint8Array, number: number): TemplateRow {
  return templateRow(JSON.parse(decoder.decode(blob)), `template ${number}`);
}

/** Ids. @throws SyntaxError or RangeError */
export function readSeen(blob: Uint8Array): string[] {
  return list(text)(JSON.parse(decoder.decode(blob)), 'ids');
}
