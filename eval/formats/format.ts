/**
 * Formats of log lines, one a line of `NAME.txt`, `#` before a comment. What varies stands in `«»`:
 *
 *     «ip»           a value of this kind, see `values.ts`
 *     «word+, »      one to five of them, `, ` between
 *     «a|b «int»|»   one of these; an alternative that is the name of a kind is that kind
 *     «!up|down»     one of these, and each is an event of its own: states, outcomes, and what a request asks for
 *
 * The event of a line is its format, with the alternatives taken behind `!`.
 */
import type { Dice } from '../synthetic/distributions.ts';
import { IS_NEW_IN_EACH_LINE, VALUES } from './values.ts';

export interface Line {
  text: string;
  event: string;
}

/** Writes a line of an event. */
export type Writer = (dice: Dice) => Line;

/** What there is of a kind on one machine: hosts, users, files. */
export type Pools = Map<string, readonly string[]>;

type Part = (dice: Dice) => { text: string; event: string };

const OPEN = '«';
const CLOSE = '»';
const MOST_ITEMS = 5;
/** Of half the kinds a machine has one, of the others up to forty (decades). */
const ONLY_ONE = 0.5;
const POOL_DECADES = 1.6;

/**
 * The writer of one sample: values but for numbers and ids come from the `pools` of the sample, and some placeholders hold one value in all its lines, as in
 * a recording of one machine.
 */
export function createWriter(format: string, sample: Dice, pools: Pools = new Map()): Writer {
  const parts = parse(format, sample, pools);
  return (dice) => {
    const written = parts.map((part) => part(dice));
    return { text: written.map((one) => one.text).join(''), event: written.map((one) => one.event).join('') };
  };
}

function parse(format: string, sample: Dice, pools: Pools): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (;;) {
    const open = format.indexOf(OPEN, at);
    const literal = open < 0 ? format.slice(at) : format.slice(at, open);
    if (literal !== '') parts.push(() => ({ text: literal, event: literal }));
    if (open < 0) return parts;
    const close = closing(format, open);
    parts.push(parsePlaceholder(format.slice(open + 1, close), sample, pools));
    at = close + 1;
  }
}

function closing(format: string, open: number): number {
  let depth = 0;
  for (let i = open; i < format.length; i++) {
    if (format[i] === OPEN) depth++;
    else if (format[i] === CLOSE && --depth === 0) return i;
  }
  throw new Error(`no ${CLOSE} for the ${OPEN} at ${open + 1} in: ${format}`);
}

function parsePlaceholder(inner: string, sample: Dice, pools: Pools): Part {
  const isEvent = inner.startsWith('!');
  const alternatives = splitAlternatives(isEvent ? inner.slice(1) : inner);
  if (alternatives.length === 1) {
    const make = valueOf(inner, sample, pools);
    if (make === null) throw new Error(`no such kind of value: ${inner}`);
    const draw = settle(make, sample);
    return (dice) => ({ text: draw(dice), event: OPEN + CLOSE });
  }
  const writers = alternatives.map((one) => createWriter(isKind(one) ? OPEN + one + CLOSE : one, sample, pools));
  return (dice) => {
    // The first ones more often.
    const { text, event } = writers[Math.floor(writers.length * dice.uniform() ** 1.5)]!(dice);
    return { text, event: isEvent ? event : OPEN + CLOSE };
  };
}

function splitAlternatives(inner: string): string[] {
  const alternatives = [''];
  let depth = 0;
  for (const character of inner) {
    if (character === OPEN) depth++;
    else if (character === CLOSE) depth--;
    if (character === '|' && depth === 0) alternatives.push('');
    else alternatives[alternatives.length - 1] += character;
  }
  return alternatives;
}

function isKind(text: string): boolean {
  return VALUES[text.split('+', 1)[0]!] !== undefined;
}

/** A kind of `values.ts`, or a list of it; null for anything else. */
function valueOf(text: string, sample: Dice, pools: Pools): ((dice: Dice) => string) | null {
  if (!isKind(text)) return null;
  const plus = text.indexOf('+');
  if (plus < 0) return valueOfKind(text, sample, pools);
  const item = valueOfKind(text.slice(0, plus), sample, pools);
  const between = text.slice(plus + 1);
  return (dice) =>
    Array.from({ length: 1 + Math.floor(MOST_ITEMS * dice.uniform() ** 2) }, () => item(dice)).join(between);
}

/** The first ones of a pool more often. */
function valueOfKind(kind: string, sample: Dice, pools: Pools): (dice: Dice) => string {
  const make = VALUES[kind]!;
  if (IS_NEW_IN_EACH_LINE.has(kind)) return make;
  let pool = pools.get(kind);
  if (pool === undefined) {
    const size = sample.uniform() < ONLY_ONE ? 1 : Math.floor(10 ** sample.between(0, POOL_DECADES));
    pools.set(kind, (pool = Array.from({ length: size }, () => make(sample))));
  }
  const own = pool;
  return (dice) => own[Math.floor(own.length * dice.uniform() ** 2)]!;
}

/** A third of all placeholders hold one value in a sample. */
function settle(make: (dice: Dice) => string, sample: Dice): (dice: Dice) => string {
  if (sample.uniform() > 1 / 3) return make;
  const value = make(sample);
  return () => value;
}
