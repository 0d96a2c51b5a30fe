import { describe, expect, test } from 'vitest';
import { PatternError } from '../../src/detect/pattern/parse.ts';
import { Pattern } from '../../src/detect/pattern/pattern.ts';
import { MAX_INSTRUCTIONS } from '../../src/detect/pattern/program.ts';
import { randomNumbers } from './miner/lines.ts';

const ours = (pattern: string, text: string): string => new Pattern(pattern).replaceAll(text, '<x>');
/** What JavaScript's own engine does. */
const theirs = (pattern: string, text: string): string => text.replace(new RegExp(pattern, 'gu'), '<x>');

const TEXT =
  'user=Alice password=hunter2; card 4111-1111-1111-1111 from alice@example.org (10.0.0.7) token: "eyJh.bGci" ÄÖ straße 😀 日本 a.b\\c\nnext';

describe('a pattern', () => {
  test.each([
    ...[
      'token',
      'a|b|ab',
      'ab|a|b',
      '\\d+',
      '\\d{4}(?:-\\d{4}){3}',
      '[^\\s@]+@[^\\s@]+',
      'password=\\S+?;',
      'password=\\S+',
    ],
    ...[
      '\\b\\w{4}\\b',
      '\\B\\w',
      '^user',
      'next$',
      '(?<name>user)=(\\w+)',
      '(?i:ALICE)',
      '(?i:a(?-i:L)ice)',
      '(?i:[a-c]+)',
    ],
    ...[
      '.',
      '.+',
      '\\n',
      '[\\n.]',
      '\\p{Lu}+',
      '\\P{ASCII}+',
      '[^\\x00-\\x7f]',
      '\\u{1F600}',
      '\\ud83d\\ude00',
      '😀|日',
      '\\u65e5',
    ],
    ...[
      '(?:a|b)+?c?',
      'x{0}a',
      '(?:1{2}){2}',
      '1{3,}',
      '1{1,2}?1',
      '[\\]\\\\]',
      '\\.|\\\\',
      '"[^"]*"',
      '(?:)a',
      'a{2}|a',
      'e(?:x|xa)(?:ample|mple)',
    ],
  ])('%s matches what it matches in JavaScript', (pattern) => {
    expect(ours(pattern, TEXT)).toBe(theirs(pattern, TEXT));
    expect(ours(pattern, '')).toBe('');
  });

  test('matches what it matches in JavaScript, made up at random', () => {
    const random = randomNumbers(77);
    const int = (below: number): number => Math.floor(random() * below);
    const pick = <T>(values: readonly T[]): T => values[int(values.length)]!;
    // Nothing that may be empty is repeated: there the two differ in what an empty turn means.
    const solid = (depth: number): string =>
      depth === 0 || int(3) === 0
        ? pick(['a', 'b', 'c', '[ab]', '[^a]', '.', '\\w'])
        : pick([
            () => `(?:${solid(depth - 1)}|${solid(depth - 1)})`,
            () => solid(depth - 1) + any(depth - 1),
            () => any(depth - 1) + solid(depth - 1),
            () => `(?:${solid(depth - 1)})${pick(['+', '+?', '{2}', '{1,3}', '{1,3}?', '{2,}'])}`,
          ])();
    const any = (depth: number): string =>
      pick([
        () => solid(depth),
        () => `(?:${solid(depth)})${pick(['*', '*?', '?', '??', '{0,2}', '{0,2}?'])}`,
        () => pick(['\\b', '\\B']),
      ])();
    let matched = 0;
    for (let k = 0; k < 3000; k++) {
      const pattern = solid(4);
      const text = Array.from({ length: int(14) }, () => pick(['a', 'b', 'c', ' ', 'é'])).join('');
      expect(ours(pattern, text), `${pattern} in ${text}`).toBe(theirs(pattern, text));
      if (ours(pattern, text) !== text) matched++;
    }
    expect(matched).toBeGreaterThan(1000);
  });

  test('that ignores case takes the long s and the kelvin sign for letters of a word, as JavaScript does', () => {
    const texts = ['ſ12 12ſ \u212a12', 'k12 s12 12', 'ſ', 'é12é'];
    for (const pattern of ['(?i:\\b)12', '(?i:\\B)12', '12(?i:\\b)', '(?i:\\b\\w+\\b)', '\\b12', '(?i:(?-i:\\b)12)']) {
      for (const text of texts) expect(ours(pattern, text), `${pattern} in ${text}`).toBe(theirs(pattern, text));
    }
  });

  test('never matches the empty text', () => {
    expect(ours('x*', 'axxb')).toBe('a<x>b');
    expect(ours('\\b', 'a b')).toBe('a b');
    expect(ours('', 'a b')).toBe('a b');
  });

  // JavaScript's engine needs longer than the universe for some of these: that they end is the claim.
  test.each([
    ['(a+)+$', 'a'.repeat(8192) + 'b'],
    ['(?:a|aa)+$', 'a'.repeat(8192) + 'b'],
    ['(?:.*)*x', 'a'.repeat(8192)],
    ['(?:\\w+\\s?)+:', 'word '.repeat(1600)],
    ['\\d+\\d+\\d+\\d+\\d+x', '1'.repeat(8192)],
    ['(?:a?){300}a{300}', 'a'.repeat(8192)],
  ])('%s takes time proportional to the line', (pattern, text) => {
    const compiled = new Pattern(pattern);
    for (let k = 0; k < 3; k++) expect(compiled.replaceAll(text, '<x>').length).toBeGreaterThan(0);
  });

  test('that finds many short matches only after reading on takes the rest of the line with them', () => {
    expect(ours('a.*b|a', 'aaa')).toBe('<x><x><x>');
    const redacted = ours('a.*b|a', 'a'.repeat(8192));
    expect(redacted).toMatch(/^(?:<x>)+$/);
    expect(redacted.length).toBeLessThan(100);
  });

  test('that needs to look around or back, or is too large, is refused with the reason', () => {
    const reason = (pattern: string): string => {
      try {
        new Pattern(pattern);
      } catch (error) {
        if (error instanceof PatternError) return error.message;
        throw error;
      }
      return '';
    };
    for (const pattern of ['a(?=b)', 'a(?!b)', '(?<=a)b', '(?<!a)b'])
      expect(reason(pattern)).toContain('has a lookaround');
    for (const pattern of ['(a)\\1', '(?<n>a)\\k<n>']) expect(reason(pattern)).toContain('has a backreference');
    expect(reason('(?s:a.b)')).toContain('only i can be switched');
    expect(reason('(')).toContain('is not a regular expression: Unterminated group');
    for (const pattern of [
      'a{1001}',
      '(?:a{40}){40}',
      '(?:(?:(?:a{99}){99}){99}){99}',
      '(?:){99999999}',
      '(?:(?:){999}){999}',
    ])
      expect(reason(pattern), pattern).toMatch(/at most 1000 steps|repeats more than 1000 times|^$/);
    expect(reason(`a{${MAX_INSTRUCTIONS - 1}}`)).toBe('');
  });
});
