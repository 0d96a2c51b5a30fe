import { expect, test } from 'vitest';
import { nearest } from '../../src/config/suggest.ts';

test.each([
  ['window_sise', 'window_size'],
  ['windowStep', 'window_step'],
  ['grcp', 'grpc'],
  ['window-size', 'window_size'],
  ['htp', 'http'],
])('%s was meant as %s', (word, meant) => {
  expect(nearest(word, ['window_step', 'window_size', 'grpc', 'http'])).toBe(meant);
});

test('a word that is near nothing gets no suggestion', () => {
  expect(nearest('processors', ['window_size', 'grpc', 'exporters'])).toBeNull();
  expect(nearest('x', [])).toBeNull();
  expect(nearest('y'.repeat(100_000), ['window_size'])).toBeNull();
});
