/** What the user's configuration says about source keys: rules that set them and patterns that name them. */
/** Longer attribute values are cut before a pattern sees them: with the check below, a match is bounded. */
const MAX_VALUE_CHARS = 256;
/** A group repeated more often than this counts as unbounded. */
const MAX_SAFE_REPEAT = 16;
const MAX_REPETITIONS = 4;

/** An entry of `sources.rules`; the first match wins. `${1}` in `source` is the first capture group. */
export interface SourceRule {
  attribute: string;
  pattern: string;
  source: string;
}

/** A `sources.rules` entry that cannot be used. */
export class SourceRuleError extends Error {
  readonly code = 'LOGDRIFT_SOURCE_RULE';
  override name = 'SourceRuleError';
}

/** Where a rule's attribute is looked up; `undefined` and '' both mean absent. */
export type AttributeLookup = (attribute: string) => string | undefined;

export interface SourceRules {
  /** Attributes the rules read. `scope.name` and `body.<field>` are not attributes of the record but found in the same way. */
  readonly attributes: readonly string[];
  /** `type:id` or an id alone, null when no rule matches. */
  match(lookup: AttributeLookup): string | null;
}

/**
 * Compiles the rules once. The first rule whose attribute is present and whose pattern matches gives the source; `${1}` (or `${name}`) in it is a
 * capture group. A rule that comes out empty counts as not matching.
 * @throws {@link SourceRuleError} naming the rule, for a pattern that is no regular expression or could take exponential time.
 */
export function compileRules(rules: readonly SourceRule[]): SourceRules {
  const compiled = rules.map((rule, index) => ({
    ...rule,
    regex: compilePattern(rule.pattern, `sources.rules[${index}].pattern`),
  }));
  return {
    attributes: compiled.map((rule) => rule.attribute),
    match(lookup) {
      for (const rule of compiled) {
        const value = lookup(rule.attribute);
        if (value === undefined || value === '') continue;
        const found = rule.regex.exec(value.slice(0, MAX_VALUE_CHARS));
        if (found === null) continue;
        const source = rule.source.replace(
          /\$\{(\w+)\}/g,
          (_, group: string) => (/^\d+$/.test(group) ? found[Number(group)] : found.groups?.[group]) ?? '',
        );
        if (source !== '' && !source.endsWith(':')) return source;
      }
      return null;
    },
  };
}

function compilePattern(pattern: string, where: string): RegExp {
  let regex: RegExp;
  try {
    regex = new RegExp(pattern);
  } catch (cause) {
    throw new SourceRuleError(`${where}: ${JSON.stringify(pattern)} is not a regular expression`, { cause });
  }
  const danger = backtrackingDanger(pattern);
  if (danger !== null) throw new SourceRuleError(`${where}: ${JSON.stringify(pattern)} ${danger}`);
  return regex;
}

/**
 * JavaScript's engine backtracks, and attribute values come from outside. A group under an unbounded repetition may therefore hold no unbounded
 * repetition, no optional part and no alternative, and there are no back references; what is left is polynomial in 256 characters, and the number of
 * unbounded repetitions is its degree. Returns what is wrong, or null.
 */
function backtrackingDanger(pattern: string): string | null {
  // One entry per open group: does it hold something that makes repeating it exponential?
  const risky: boolean[] = [];
  let repetitions = 0;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    let closed = false;
    if (char === '\\') {
      if (/[1-9k]/.test(pattern[i + 1] ?? ''))
        return 'has a back reference, which can take exponential time; leave it out';
      i++;
    } else if (char === '[') {
      while (i < pattern.length && pattern[i] !== ']') i += pattern[i] === '\\' ? 2 : 1;
    } else if (char === '(') {
      risky.push(false);
      // (?: (?= (?<name>: the question mark is no quantifier
      if (pattern[i + 1] === '?') i++;
      continue;
    } else if (char === ')') {
      closed = risky.pop() ?? false;
    } else if (char === '|') {
      risky.fill(true);
      continue;
    }
    const repeat = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(pattern.slice(i + 1, i + 14))?.[0];
    if (repeat !== undefined) {
      const unbounded = isUnbounded(repeat);
      if (closed && unbounded) {
        return 'repeats a group that itself holds a repetition or an alternative, which can take exponential time; write [ab]+ in place of (a|b)+';
      }
      if (unbounded && ++repetitions > MAX_REPETITIONS) {
        return `has more than ${MAX_REPETITIONS} unbounded repetitions (* or +), which can take very long; use fewer or bounded ones like {1,8}`;
      }
      if (unbounded || repeat === '?') risky.fill(true);
      i += repeat.length;
    } else if (closed) {
      risky.fill(true);
    }
  }
  return null;
}

function isUnbounded(repeat: string): boolean {
  if (repeat === '*' || repeat === '+') return true;
  const bounds = /^\{(\d+)(,?)(\d*)\}$/.exec(repeat);
  if (bounds === null) return false;
  const [, least, comma, most] = bounds;
  return Number(comma === '' ? least : most === '' ? Infinity : most) > MAX_SAFE_REPEAT;
}

/** Tells whether a source key is named by one of `patterns`: the key itself, with `*` for any run of characters (`k8s:kube-system/*`). */
export function createKeyMatcher(patterns: readonly string[]): (key: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const globs = patterns.filter((pattern) => pattern.includes('*')).map((pattern) => pattern.split('*'));
  return (key) => exact.has(key) || globs.some((pieces) => matchesGlob(key, pieces));
}

/** Pieces between stars, matched leftmost; no backtracking is needed because a star takes anything. */
function matchesGlob(key: string, pieces: readonly string[]): boolean {
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  if (key.length < first.length + last.length || !key.startsWith(first) || !key.endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = key.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return at <= key.length - last.length;
}
