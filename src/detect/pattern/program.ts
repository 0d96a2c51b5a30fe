import { PatternError, type Assertion, type Node } from './parse.ts';

/**
 * A pattern as instructions (Thompson, "Regular Expression Search Algorithm", CACM 11(6), 1968; the instruction set is Pike's, as in Cox, "Regular
 * Expression Matching: the Virtual Machine Approach", 2009).
 */
export type Instruction =
  | { op: 'one'; class: CharacterClass }
  | { op: 'assert'; at: Assertion; ignoreCase: boolean }
  /** Goes on at `first` and, with less priority, at `second`. */
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { op: 'match' };

/** What a step per character may cost: a line of 8 KiB takes at most this many steps a character. */
export const MAX_INSTRUCTIONS = 1000;

/** A set of characters; a look into a table for ASCII. */
class CharacterClass {
  readonly ascii = new Uint8Array(128);
  readonly #native: RegExp;

  constructor(source: string, ignoreCase: boolean) {
    // Of one character: there is nothing to go back to.
    this.#native = new RegExp(`^${source}$`, ignoreCase ? 'iu' : 'u');
    for (let c = 0; c < 128; c++) this.ascii[c] = this.#native.test(String.fromCharCode(c)) ? 1 : 0;
  }

  has(codePoint: number): boolean {
    return codePoint < 128 ? this.ascii[codePoint] === 1 : this.#native.test(String.fromCodePoint(codePoint));
  }
}

/** @throws PatternError when the pattern, its counted repetitions written out, is too long */
export function compilePattern(root: Node): Instruction[] {
  const program: Instruction[] = [];
  const add = (instruction: Instruction): number => {
    if (program.length === MAX_INSTRUCTIONS) {
      throw new PatternError(`is too long with its repetitions written out – at most ${MAX_INSTRUCTIONS} steps`);
    }
    return program.push(instruction) - 1;
  };
  const split = (greedy: boolean): ((end: number) => void) => {
    const at = add({ op: 'split', first: 0, second: 0 });
    const body = at + 1;
    return (end) => (program[at] = { op: 'split', first: greedy ? body : end, second: greedy ? end : body });
  };
  const emit = (node: Node): void => {
    switch (node.type) {
      case 'one':
        add({ op: 'one', class: new CharacterClass(node.class, node.ignoreCase) });
        return;
      case 'assert':
        add({ op: 'assert', at: node.at, ignoreCase: node.ignoreCase });
        return;
      case 'sequence':
        node.parts.forEach(emit);
        return;
      case 'choice': {
        const jumps: number[] = [];
        for (const [i, option] of node.options.entries()) {
          if (i === node.options.length - 1) emit(option);
          else {
            const otherwise = split(true);
            emit(option);
            jumps.push(add({ op: 'jump', to: 0 }));
            otherwise(program.length);
          }
        }
        for (const jump of jumps) program[jump] = { op: 'jump', to: program.length };
        return;
      }
      case 'repeat':
        emitRepeat(node);
    }
  };
  const emitRepeat = ({ body, min, max, greedy }: Extract<Node, { type: 'repeat' }>): void => {
    for (let k = 0; k < min; k++) emitBounded(body, k);
    if (max === Infinity) {
      const again = program.length;
      const leave = split(greedy);
      emit(body);
      add({ op: 'jump', to: again });
      leave(program.length);
      return;
    }
    const leaves: ((end: number) => void)[] = [];
    for (let k = min; k < max; k++) {
      leaves.push(split(greedy));
      emitBounded(body, k);
    }
    for (const leave of leaves) leave(program.length);
  };
  /** A body without instructions, `(?:){9999999}`, must not be repeated for ever either. */
  const emitBounded = (body: Node, k: number): void => {
    if (k >= MAX_INSTRUCTIONS) throw new PatternError(`repeats more than ${MAX_INSTRUCTIONS} times`);
    emit(body);
  };
  emit(root);
  add({ op: 'match' });
  return program;
}
