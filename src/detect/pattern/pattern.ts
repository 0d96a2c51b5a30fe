import { parsePattern, type Assertion } from './parse.ts';
import { compilePattern, type Instruction } from './program.ts';

/** How often a text may be read on average: matches that lie apart need two. */
const READS = 16;

/** Where the program stands in a text, in order of priority, each place once. */
class Threads {
  readonly places: Int32Array;
  /** Where the match of the thread began. */
  readonly starts: Int32Array;
  count = 0;

  constructor(size: number) {
    this.places = new Int32Array(size);
    this.starts = new Int32Array(size);
  }
}

/**
 * A regular expression whose matching takes time proportional to the text, whatever the two are: all ways to match are followed at once, one character after
 * the other, each instruction at most once a character (Pike's machine). JavaScript's own engine tries one way after the other, and takes years for
 * `(a+)+$` over forty letters. Finds what JavaScript would find, except that it never matches the empty text.
 */
export class Pattern {
  readonly #program: readonly Instruction[];
  #now: Threads;
  #next: Threads;
  /** By instruction: the step it was last followed in. */
  readonly #followed: Int32Array;
  readonly #stack: number[] = [];
  #step = 0;
  /** That {@link replaceAll} may still read. */
  #characters = 0;
  /** ASCII characters that a match may begin with. */
  readonly #first: Uint8Array;

  /** @throws PatternError */
  constructor(source: string) {
    this.#program = compilePattern(parsePattern(source));
    const size = this.#program.length;
    this.#now = new Threads(size);
    this.#next = new Threads(size);
    this.#followed = new Int32Array(size);
    this.#first = firstCharacters(this.#program);
  }

  /**
   * `text` with every match replaced, left to right. Where looking for one match after the other reads the text too often (`a.*b|a` in a line of `a`), all
   * that is left of it is replaced.
   */
  replaceAll(text: string, by: string): string {
    let out = '';
    let at = 0;
    this.#characters = READS * (text.length + 1);
    for (;;) {
      const match = this.#search(text, at);
      if (this.#characters < 0) return out + by;
      if (match === null) return at === 0 ? text : out + text.slice(at);
      out += text.slice(at, match.start) + by;
      at = match.end;
    }
  }

  /** The leftmost match from `from` on that is not empty; of those that begin there, the one JavaScript prefers. */
  #search(text: string, from: number): { start: number; end: number } | null {
    const program = this.#program;
    let start = -1;
    let end = -1;
    this.#now.count = 0;
    for (let i = from; ;) {
      if (this.#now.count === 0) {
        if (start >= 0) return { start, end };
        while (i < text.length && !this.#mayBegin(text.charCodeAt(i))) i++;
      }
      if (start < 0 && i < text.length) {
        if (this.#now.count === 0) this.#step++;
        this.#follow(this.#now, 0, i, text, i);
      }
      if (this.#now.count === 0 && i >= text.length) return start < 0 ? null : { start, end };
      if (--this.#characters < 0) return null;
      const codePoint = i < text.length ? text.codePointAt(i)! : -1;
      const after = i + (codePoint > 0xffff ? 2 : 1);
      this.#next.count = 0;
      this.#step++;
      for (let k = 0; k < this.#now.count; k++) {
        const place = this.#now.places[k]!;
        const instruction = program[place]!;
        if (instruction.op === 'match') {
          if (this.#now.starts[k]! === i) continue;
          start = this.#now.starts[k]!;
          end = i;
          // What follows has less priority.
          break;
        }
        if (instruction.op === 'one' && codePoint >= 0 && instruction.class.has(codePoint)) {
          this.#follow(this.#next, place + 1, after, text, this.#now.starts[k]!);
        }
      }
      [this.#now, this.#next] = [this.#next, this.#now];
      i = after;
    }
  }

  #mayBegin(codeUnit: number): boolean {
    return codeUnit >= 128 || this.#first[codeUnit] === 1;
  }

  /** Adds the places that `place` leads to without reading a character. */
  #follow(threads: Threads, place: number, at: number, text: string, start: number): void {
    const stack = this.#stack;
    stack.push(place);
    while (stack.length > 0) {
      const next = stack.pop()!;
      if (this.#followed[next] === this.#step) continue;
      this.#followed[next] = this.#step;
      const instruction = this.#program[next]!;
      if (instruction.op === 'jump') stack.push(instruction.to);
      else if (instruction.op === 'split') stack.push(instruction.second, instruction.first);
      else if (instruction.op === 'assert') {
        if (holds(instruction, text, at)) stack.push(next + 1);
      } else {
        threads.places[threads.count] = next;
        threads.starts[threads.count++] = start;
      }
    }
  }
}

function holds(assertion: { at: Assertion; ignoreCase: boolean }, text: string, at: number): boolean {
  if (assertion.at === 'start') return at === 0;
  if (assertion.at === 'end') return at === text.length;
  const { ignoreCase } = assertion;
  const boundary = isWord(text.charCodeAt(at - 1), ignoreCase) !== isWord(text.charCodeAt(at), ignoreCase);
  return boundary === (assertion.at === 'boundary');
}

/** `\w`; NaN is none. Ignoring case, the long s and the kelvin sign are an s and a k. */
function isWord(codeUnit: number, ignoreCase: boolean): boolean {
  if (codeUnit >= 0x80) return ignoreCase && (codeUnit === 0x17f || codeUnit === 0x212a);
  if (codeUnit >= 0x61) return codeUnit <= 0x7a;
  if (codeUnit >= 0x41) return codeUnit <= 0x5a || codeUnit === 0x5f;
  return codeUnit >= 0x30 && codeUnit <= 0x39;
}

/** Assertions are taken to hold. */
function firstCharacters(program: readonly Instruction[]): Uint8Array {
  const first = new Uint8Array(128);
  const seen = new Set<number>();
  const stack = [0];
  while (stack.length > 0) {
    const place = stack.pop()!;
    if (seen.has(place)) continue;
    seen.add(place);
    const instruction = program[place]!;
    if (instruction.op === 'split') stack.push(instruction.first, instruction.second);
    else if (instruction.op === 'jump') stack.push(instruction.to);
    else if (instruction.op === 'assert') stack.push(place + 1);
    else if (instruction.op === 'one') for (let c = 0; c < 128; c++) first[c]! |= instruction.class.ascii[c]!;
  }
  return first;
}
