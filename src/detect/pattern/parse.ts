/** JavaScript's regular expressions with the flag `u`, as far as they can be matched in linear time. */

export type Node =
  /** One character, `class` as in a regular expression: `a`, `.`, `\d`, `[^x-z]`, `\p{L}`. */
  | { type: 'one'; class: string; ignoreCase: boolean }
  | { type: 'assert'; at: Assertion; ignoreCase: boolean }
  | { type: 'sequence'; parts: Node[] }
  /** The first that leads to a match. */
  | { type: 'choice'; options: Node[] }
  | { type: 'repeat'; body: Node; min: number; max: number; greedy: boolean };

export type Assertion = 'start' | 'end' | 'boundary' | 'no boundary';

/** Why a pattern cannot be used: what is wrong and what to do, for the configuration's message. */
export class PatternError extends Error {
  readonly code = 'LOGDRIFT_PATTERN_INVALID';
}

const UNSUPPORTED = 'no pattern may look around or back: each line is matched in time proportional to its length';

/** @throws PatternError for what JavaScript does not accept, and for lookarounds and backreferences */
export function parsePattern(source: string): Node {
  try {
    new RegExp(source, 'u');
  } catch (error) {
    const reason = (error as Error).message.replace(/^Invalid regular expression: \/[\s\S]*\/u: /, '');
    throw new PatternError(
      `is not a regular expression: ${reason} – in YAML, single quotes keep backslashes as they are`,
    );
  }
  return new Parser(source).choice(false);
}

/** The syntax has been checked: what is left is to find the parts. */
class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  choice(ignoreCase: boolean): Node {
    const options = [this.#sequence(ignoreCase)];
    while (this.#skip('|')) options.push(this.#sequence(ignoreCase));
    return options.length === 1 ? options[0]! : { type: 'choice', options };
  }

  #sequence(ignoreCase: boolean): Node {
    const parts: Node[] = [];
    while (this.#at < this.#text.length && !this.#sees('|') && !this.#sees(')')) {
      parts.push(this.#repeated(this.#atom(ignoreCase)));
    }
    return { type: 'sequence', parts };
  }

  #atom(ignoreCase: boolean): Node {
    if (this.#skip('^')) return { type: 'assert', at: 'start', ignoreCase };
    if (this.#skip('$')) return { type: 'assert', at: 'end', ignoreCase };
    if (this.#skip('\\b')) return { type: 'assert', at: 'boundary', ignoreCase };
    if (this.#skip('\\B')) return { type: 'assert', at: 'no boundary', ignoreCase };
    if (this.#sees('(')) return this.#group(ignoreCase);
    return { type: 'one', class: this.#take(this.#classLength()), ignoreCase };
  }

  #group(ignoreCase: boolean): Node {
    if (this.#matches(/\(\?<?[=!]/y)) throw new PatternError(`has a lookaround – ${UNSUPPORTED}`);
    const opening = this.#matches(/\((?:\?(?:<[^>]*>|[a-z]*(?:-[a-z]*)?:))?/y)!;
    this.#at += opening.length;
    const flags = /^\(\?([a-z]*)(?:-([a-z]*))?:$/.exec(opening);
    if (/[^i]/.test((flags?.[1] ?? '') + (flags?.[2] ?? ''))) {
      throw new PatternError(`has the flags ${opening} – only i can be switched inside a pattern`);
    }
    const inside = (ignoreCase || flags?.[1] === 'i') && flags?.[2] !== 'i';
    const body = this.choice(inside);
    this.#at++;
    return body;
  }

  /** Characters of the source that stand for one character of a line. */
  #classLength(): number {
    if (this.#matches(/\\[1-9k]/y)) throw new PatternError(`has a backreference – ${UNSUPPORTED}`);
    const escape = this.#matches(
      /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|x..|c.|[\s\S])/uy,
    );
    if (escape !== null) return escape.length;
    const set = this.#matches(/\[(?:\\[\s\S]|[^\]\\])*\]/y);
    if (set !== null) return set.length;
    return this.#text.codePointAt(this.#at)! > 0xffff ? 2 : 1;
  }

  #repeated(body: Node): Node {
    const quantifier = this.#matches(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    if (quantifier === null) return body;
    this.#at += quantifier.length;
    const greedy = quantifier.length === 1 || !quantifier.endsWith('?');
    if (quantifier.startsWith('*')) return { type: 'repeat', body, min: 0, max: Infinity, greedy };
    if (quantifier.startsWith('+')) return { type: 'repeat', body, min: 1, max: Infinity, greedy };
    if (quantifier.startsWith('?')) return { type: 'repeat', body, min: 0, max: 1, greedy };
    const [, min, comma, max] = /\{(\d+)(,?)(\d*)\}/.exec(quantifier)!;
    const most = comma === '' ? Number(min) : max === '' ? Infinity : Number(max);
    return { type: 'repeat', body, min: Number(min), max: most, greedy };
  }

  #sees(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }

  #skip(text: string): boolean {
    if (!this.#sees(text)) return false;
    this.#at += text.length;
    return true;
  }

  #take(length: number): string {
    const taken = this.#text.slice(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  #matches(sticky: RegExp): string | null {
    sticky.lastIndex = this.#at;
    return sticky.exec(this.#text)?.[0] ?? null;
  }
}
