import { expect, test } from 'vitest';
import { compileRules, createKeyMatcher, SourceRuleError } from '../../src/source/rules.ts';

const rule = (pattern: string) => [{ attribute: 'a', pattern, source: 'x:${1}' }];

test.each([
  '(a+)+$',
  '(a|a)*b',
  '((ab)?)+',
  '(?:x+x+)+y',
  '([a-z]+){2,}',
  '(a{1,200})*',
  '(\\w)\\1',
  '.*.*.*.*.*x',
  '(a|b){20}',
])('a pattern that could take for ever is refused: %s', (pattern) => {
  expect(() => compileRules(rule(pattern))).toThrow(SourceRuleError);
  expect(() => compileRules(rule(pattern))).toThrow('sources.rules[0].pattern');
});

test.each([
  '^/srv/([^/]+)/',
  '(\\d{1,3}\\.){3}\\d+',
  '(?:api|web)-(\\w+)',
  '(?<name>x)+',
  '[a-z()|+*]+',
  '\\(a+\\)+',
  '^(a|b)?c',
])('an ordinary pattern is taken: %s', (pattern) => {
  expect(() => compileRules(rule(pattern))).not.toThrow();
});

test('a broken pattern is named with its place', () => {
  expect(() => compileRules([...rule('a'), ...rule('(')])).toThrow(
    'sources.rules[1].pattern: "(" is not a regular expression',
  );
});

test('only the first 256 characters of a value are matched', () => {
  const rules = compileRules(rule('(z)'));
  expect(rules.match(() => `${'a'.repeat(255)}z`)).toBe('x:z');
  expect(rules.match(() => `${'a'.repeat(256)}z`)).toBeNull();
});

test('a rule that comes out empty leaves the record to the next one', () => {
  const rules = compileRules([
    { attribute: 'a', pattern: 'v(x)?', source: 'x:${1}' },
    { attribute: 'a', pattern: 'v', source: 'y:v' },
  ]);
  expect(rules.match(() => 'v')).toBe('y:v');
});

test('stars match any run of characters, in order and without overlap', () => {
  const matches = createKeyMatcher(['k8s:*/web', 'a*b*c', 'exact']);
  expect(['k8s:prod/web', 'abc', 'aXbYc', 'exact'].map(matches)).toEqual([true, true, true, true]);
  expect(['k8s:prod/web/x', 'ac', 'abcd', 'exactly', 'k8s:web'].map(matches)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
  expect(createKeyMatcher(['ab*ba'])('aba')).toBe(false);
  expect(createKeyMatcher(['*'])('anything')).toBe(true);
});
