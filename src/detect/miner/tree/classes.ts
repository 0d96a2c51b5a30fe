/**
 * Status classes and levels: positions whose values count apart, in clusters of their own, under one template. People see one text with the
 * values of a window, detection sees how often each came.
 *
 *     clusters   GET /cart 2xx <*>   GET /cart 5xx <*>        template   GET /cart <*> <*>, shown as GET /cart {2xx|5xx} <*>
 */
import { FIXED, KEY, STATUS } from '../tokens/kinds.ts';
import { LEVELS, LEVEL_KEYS } from '../tokens/words.ts';

/** The template that a cluster is shown under: its own, without its status class and level. */
export interface SharedTemplate {
  readonly id: string;
  readonly text: string;
  /** The cluster's values, and which `<*>` of {@link text} stands for each, from 1. */
  readonly classes: readonly ClassValue[];
}

/** Of a text without any. */
export function unclassed({ id, text }: { id: string; text: string }): SharedTemplate {
  return { id, text, classes: [] };
}

export interface ClassValue {
  placeholder: number;
  value: string;
}

const LEVEL_NUMBER = /^\d{1,3}$/;
const LEVEL = new RegExp(`^(?:${LEVELS.replaceAll(' ', '|')})$`);
const LEVEL_KEY = new RegExp(`(?:^|[^a-z])(?:${LEVEL_KEYS.replaceAll(' ', '|')})$`, 'i');

/**
 * Whether token `i` is a status class or a level: a number or word behind the name of a level field, a level in capitals, one alone in square brackets.
 *
 * @param kinds a cluster's lanes: every third is a kind
 */
export function isClass(
  tokens: readonly string[],
  separators: readonly string[],
  kinds: readonly number[],
  i: number,
): boolean {
  const kind = kinds[3 * i + 2]!;
  if (kind !== FIXED) return kind === STATUS;
  const token = tokens[i]!;
  // Other numbers are marks.
  if (LEVEL_NUMBER.test(token)) return true;
  if (!LEVEL.test(token.toLowerCase())) return false;
  if (token === token.toUpperCase()) return true;
  if (separators[i]!.endsWith('[') && separators[i + 1]!.startsWith(']')) return true;
  return i > 0 && kinds[3 * i - 1] === KEY && LEVEL_KEY.test(tokens[i - 1]!);
}
