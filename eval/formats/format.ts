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
import { VALUES } from './values.ts';

export interface Line {
  text: string;
  event: string;
}

/** Writes a line of an event. */
export type Writer = (dice: Dice) => Line;

type Part = (dice: Dice) => { text: string; event: string };

const OPEN = '«';
const CLOSE = '»';
const MOST_ITEMS = 5;

/** The writer of one sample: some placeholders hold one value in all its lines, or two or three, as in a recording of one machine. */
export function createWriter(format: string, sample: Dice): Writer {
  const parts = parse(format, sample);
  return (dice) => {
    const written = parts.map((part) => part(dice));
    return { text: written.map((one) => one.text).join(''), event: written.map((one) => one.event).join('') };
  };
}

function parse(format: string, sample: Dice): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (;;) {
    const open = format.indexOf(OPEN, at);
    const literal = open < 0 ? format.slice(at) : format.slice(at, open);
    if (literal !== '') parts.push(() => ({ text: literal, event: literal }));
    if (open < 0) return parts;
    const close = closing(format, open);
    parts.push(parsePlaceholder(format.slice(open + 1, close), sample));
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

function parsePlaceholder(inner: string, sample: Dice): Part {
  const isEvent = inner.startsWith('!');
  const alternatives = splitAlternatives(isEvent ? inner.slice(1) : inner);
  if (alternatives.length === 1) {
    const make = valueOf(inner);
    if (make === null) throw new Error(`no such kind of value: ${inner}`);
    const draw = settle(make, sample);
    return (dice) => ({ text: draw(dice), event: OPEN + CLOSE });
  }
  const writers = alternatives.map((one) => createWriter(valueOf(one) === null ? one : OPEN + one + CLOSE, sample));
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

/** A kind of `values.ts`, or a list of it; null for anything else. */
function valueOf(text: string): ((dice: Dice) => string) | null {
  const kind = VALUES[text];
  if (kind !== undefined) return kind;
  const plus = text.indexOf('+');
  const item = plus < 0 ? undefined : VALUES[text.slice(0, plus)];
  if (item === undefined) return null;
  const between = text.slice(plus + 1);
  return (dice) =>
    Array.from({ length: 1 + Math.floor(MOST_ITEMS * dice.uniform() ** 2) }, () => item(dice)).join(between);
}

/** A fifth of all placeholders hold one value in a sample, another fifth two or three. */
function settle(make: (dice: Dice) => string, sample: Dice): (dice: Dice) => string {
  const luck = sample.uniform();
  if (luck > 0.4) return make;
  const values = Array.from({ length: luck < 0.2 ? 1 : sample.integer(2, 3) }, () => make(sample));
  return (dice) => dice.pick(values);
}
