import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Node, Scalar, YAMLError } from 'yaml';
import { expandEnvironment } from './expand.ts';
import { joinPath } from './path.ts';
import type { Place, Problem } from './problem.ts';
import { withValue } from './problem.ts';

/** A configuration value together with where it was written. */
export type Located =
  | { kind: 'map'; place: Place; entries: Map<string, { keyPlace: Place; value: Located }> }
  | { kind: 'list'; place: Place; items: Located[] }
  | {
      kind: 'scalar';
      place: Place;
      value: unknown;
      /** The text after `${env:…}` was put in; a text field takes this, so that a token `0123` keeps its zero. */
      text: string;
      /** The text before: what problem lines show, since the environment may hold secrets. */
      written: string;
      expanded: boolean;
      /** Already reported; nothing more is said about it. */
      broken: boolean;
    };

export interface YamlInput {
  text: string;
  env: NodeJS.ProcessEnv;
  problems: Problem[];
  /** Path of this text's root, `''` for a file. */
  path: string;
  place(line: number, column: number, offset: number): Place;
}

/** Aliases can make a small file large; no honest configuration comes near. */
const MAX_NODES = 20_000;
const MAX_DEPTH = 32;

/** Reads YAML text, expands `${env:…}`; null when it is empty or unusable (then `problems` says why). */
export function readYaml(input: YamlInput): Located | null {
  const lines = new LineCounter();
  const report = (offset: number, path: string, text: string): void => {
    input.problems.push({ place: placeAt(offset), path, text });
  };
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return input.place(Math.max(line, 1), Math.max(col, 1), offset);
  };

  let document;
  try {
    document = parseDocument(input.text, { lineCounter: lines, prettyErrors: false });
  } catch (error) {
    // Thousands of nested brackets overflow the parser's stack.
    report(0, input.path, `cannot be read as YAML – ${(error as Error).message}`);
    return null;
  }
  // After the first real syntax error the rest is mostly its echo, and the tree would be guesswork; a key given twice or a tag harms neither.
  const syntax = document.errors.find((error) => error.code !== 'DUPLICATE_KEY');
  for (const error of syntax === undefined ? [...document.errors, ...document.warnings] : [syntax]) {
    report(error.pos[0], input.path, explainYamlError(error));
  }
  if (syntax !== undefined) return null;

  let nodes = 0;
  const locate = (node: Node | null | undefined, path: string, depth: number, fallback: number): Located => {
    const offset = node?.range?.[0] ?? fallback;
    const place = placeAt(offset);
    if (++nodes > MAX_NODES || depth > MAX_DEPTH) throw new TooLarge(place, path);
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target !== undefined) return { ...locate(target, path, depth + 1, offset), place };
      report(offset, path, `unknown alias *${node.source} – quote the text if it is not meant as one`);
      return brokenScalar(place, `*${node.source}`);
    }
    if (isMap(node)) {
      const entries = new Map<string, { keyPlace: Place; value: Located }>();
      for (const pair of node.items) {
        const key = pair.key as Node;
        const keyOffset = key.range?.[0] ?? offset;
        if (!isScalar(key)) {
          report(keyOffset, path, 'a key must be plain text – put text with { } [ ] in quotes');
          continue;
        }
        const name = String(key.value);
        const value = locate(pair.value as Node | null, joinPath(path, name), depth + 1, keyOffset);
        entries.set(name, { keyPlace: placeAt(keyOffset), value });
      }
      return { kind: 'map', place, entries };
    }
    if (isSeq(node)) {
      const items = node.items.map((item, i) => locate(item as Node, joinPath(path, i), depth + 1, offset));
      return { kind: 'list', place, items };
    }
    if (isScalar(node)) return locateScalar(node, place, path, input);
    return { kind: 'scalar', place, value: null, text: '', written: '', expanded: false, broken: false };
  };

  try {
    return document.contents === null ? null : locate(document.contents, input.path, 0, 0);
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    input.problems.push({ place: error.place, path: error.path, text: error.message });
    return null;
  }
}

function locateScalar(node: Scalar, place: Place, path: string, input: YamlInput): Located {
  const written = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  const literal: Located = {
    kind: 'scalar',
    place,
    value: node.value,
    text: written,
    written,
    expanded: false,
    broken: false,
  };
  if (typeof node.value !== 'string' || !written.includes('$')) return literal;
  try {
    const { text, expanded } = expandEnvironment(written, input.env);
    const value = expanded && node.type === 'PLAIN' ? retype(text) : text;
    return { ...literal, value, text, expanded };
  } catch (error) {
    const shown = isSecret(path) ? null : written;
    input.problems.push({ place, path, text: withValue((error as Error).message, shown) });
    return brokenScalar(place, written);
  }
}

/** An unquoted `${env:PORT}` is read as if its text stood there: a number, true, null or text. */
function retype(text: string): unknown {
  const { contents, errors } = parseDocument(text);
  if (contents === null) return null;
  return errors.length === 0 && isScalar(contents) && typeof contents.value !== 'string' ? contents.value : text;
}

function brokenScalar(place: Place, written: string): Located {
  return { kind: 'scalar', place, value: null, text: '', written, expanded: false, broken: true };
}

/** Header values are credentials more often than not: never shown. */
export function isSecret(path: string): boolean {
  return path === 'exporters.otlp.headers' || path.startsWith('exporters.otlp.headers.');
}

class TooLarge extends Error {
  readonly place: Place;
  readonly path: string;
  constructor(place: Place, path: string) {
    super(`too deeply nested or too many values (at most ${MAX_DEPTH} levels, ${MAX_NODES} values) – remove aliases`);
    this.place = place;
    this.path = path;
  }
}

function explainYamlError(error: YAMLError): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return 'this key is given twice – keep one of the two';
    case 'TAB_AS_INDENT':
      return 'a tab cannot indent YAML – use spaces';
    case 'MISSING_CHAR':
      return 'not valid YAML: a quote or bracket above is never closed – close it';
    case 'MULTIPLE_DOCS':
      return 'a second YAML document begins – keep one, without ---';
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return 'not valid YAML: a key where none can stand – check the indentation, and quote text that holds ": "';
    case 'BAD_SCALAR_START':
      return 'not valid YAML: text cannot begin with this character – put it in quotes';
    case 'BAD_DQ_ESCAPE':
      return 'not valid YAML: unknown escape after \\ – use single quotes for patterns';
    case 'TAG_RESOLVE_FAILED':
      return 'YAML tags (!name) are not supported – remove it, or put the text in quotes';
    default:
      // The library quotes what it tripped over, which may be a piece of a secret.
      return `not valid YAML: ${error.message.replace(/: ?"[\s\S]*$/, '')} – text with [ ] { } # or ": " needs quotes`;
  }
}
