import { expect, test } from 'vitest';
import { inflect, isConstant, opposes, stateWords } from '../../../../src/detect/miner/tokens/words.ts';

test('a verb stem stands for its regular forms', () => {
  expect(inflect('stop')).toContain('stopped');
  expect(inflect('deny')).toEqual(['deny', 'denies', 'denied', 'denying']);
  expect(inflect('refuse')).toEqual(['refuse', 'refuses', 'refused', 'refusing']);
  expect(inflect('die')).toEqual(['die', 'dies', 'died', 'dying']);
});

test('prefixes turn a state round', () => {
  const words = stateWords();
  for (const word of ['disconnected', 'unavailable', 'unhealthy', 'reconnecting', 'invalid', 'deactivated']) {
    expect(words, word).toContain(word);
  }
});

test('tokens oppose when their states differ, camelCase included', () => {
  expect(opposes('JobStarted', 'JobFailed')).toBe(true);
  expect(opposes('login_failed', 'login_succeeded')).toBe(true);
  expect(opposes('alice', 'failed')).toBe(true);
  expect(opposes('alice', 'bob')).toBe(false);
  expect(opposes('OrderService', 'CartService')).toBe(false);
});

test('a word in capitals is a constant, an abbreviation with digits or two letters is not', () => {
  expect(['RUNNING', 'CONTAINER_REMOTE_LAUNCH', 'GET'].every(isConstant)).toBe(true);
  expect(['KB', 'A1B', 'Running', 'MSRA-SA'].some(isConstant)).toBe(false);
});
