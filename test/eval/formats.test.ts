import { expect, test } from 'vitest';
import { createWriter } from '../../eval/formats/format.ts';
import { meanOf, scoreProgram } from '../../eval/formats/score.ts';
import { scoreGrouping } from '../../eval/formats/grouping.ts';
import { HALVES, programs, sampleOf } from '../../eval/formats/sample.ts';
import { createDice } from '../../eval/synthetic/distributions.ts';

test('lines of programs that the miner was not made for are grouped by their formats', () => {
  const scores = programs().map((program) => ({ half: program.half, ...scoreProgram(program, 1) }));
  const least = { develop: [0.85, 0.78], opened: [0.89, 0.845], 'held out': [0.82, 0.77] };
  for (const half of HALVES) {
    const { ga, fga } = meanOf(scores.filter((score) => score.half === half));
    expect.soft(ga, `GA, ${half}`).toBeGreaterThan(least[half][0]!);
    expect.soft(fga, `FGA, ${half}`).toBeGreaterThan(least[half][1]!);
  }
});

test('samples are the same in every run and hold every format', () => {
  const [program] = programs();
  const lines = sampleOf(program!, 1, 200);
  expect(sampleOf(program!, 1, 200)).toEqual(lines);
  expect(new Set(lines.map(({ event }) => event.split(' ')[0])).size).toBe(program!.formats.length);
});

test('alternatives behind an exclamation mark are events, others are values', () => {
  const dice = createDice(1, 'test');
  const write = createWriter('«host» is «!up|down» for «5|6» s', dice);
  const events = new Set(Array.from({ length: 50 }, () => write(dice).event));
  expect([...events].sort()).toEqual(['«» is down for «» s', '«» is up for «» s']);
});

test('a group counts when it holds the lines of one event, all of them and no other', () => {
  // Events a, b, c; b is split, a and c are right.
  const score = scoreGrouping(['1', '1', '2', '3', '4', '4'], ['a', 'a', 'b', 'b', 'c', 'c']);
  expect(score).toEqual({ ga: 4 / 6, fga: (2 * (2 / 4) * (2 / 3)) / (2 / 4 + 2 / 3), templates: 4, events: 3 });
});
