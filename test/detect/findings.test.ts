import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../src/detect/detector.ts';
import { Drive, SEVEN, times, type Line } from './drive.ts';
import { randomNumbers } from './miner/lines.ts';

/** A busy source with some noise: requests with durations near 20, a heartbeat, a warning now and then. */
function routine(random: () => number, durationMs = 20): Line[] {
  const int = (below: number) => Math.floor(random() * below);
  return [
    ...Array.from({ length: 30 + int(9) }, () => ({ text: `GET /cart took=${durationMs + int(9)} ok` })),
    ...times(9 + int(4), 'cache refreshed'),
    ...times(int(3), 'slow query on table orders').map((line) => ({ ...line, severity: 13 })),
  ];
}

/** The verdict of a window that follows 60 calm ones. */
function after(lines: (random: () => number) => Line[], channels = SEVEN): Verdict {
  const drive = new Drive({ channels, panesPerWindow: 1 });
  drive.detector.open(0, 'file:a');
  const random = randomNumbers(4);
  for (let t = 0; t < 60; t++) drive.step(routine(random));
  return drive.step(lines(random))[0]!;
}

const errors = [...times(40, 'out of memory'), ...times(3, 'worker killed')].map((line) => ({ ...line, severity: 17 }));

describe('what the channels heard', () => {
  test('new error templates, with the most frequent of them', () => {
    const { findings, topTemplates } = after((random) => [...routine(random), ...errors]);
    expect(findings.find(({ channel }) => channel === 'novelty')).toMatchObject({
      ...{ about: 'new error templates', template: 'out of memory', now: 2, usual: 0, placeholder: null },
    });
    expect(findings.find(({ channel }) => channel === 'severity')).toMatchObject({
      ...{ about: 'errors', template: 'out of memory', now: 43, usual: 0 },
    });
    expect(topTemplates[0]!.template).toBe('out of memory');
  });

  test('numbers that rose: the slot, now and usually', () => {
    const { findings } = after((random) => [...routine(random, 900), ...errors]);
    const slow = findings.find(({ channel }) => channel === 'values')!;
    expect(slow).toMatchObject({ about: 'numbers', template: 'GET /cart took=<*> ok', placeholder: 1 });
    expect([slow.usual > 20, slow.usual < 29]).toEqual([true, true]);
    expect([slow.now > 900, slow.now < 909]).toEqual([true, true]);
  });

  test('a source that went quiet is told as a whole, a template that vanished by its name', () => {
    const quiet = after(() => times(1, 'cache refreshed')).findings;
    expect(quiet.find(({ channel }) => channel === 'silence')).toMatchObject({ template: null, now: 1 });
    const vanished = after((random) =>
      routine(random).filter(({ template }) => template !== 'cache refreshed'),
    ).findings;
    expect(vanished.find(({ channel }) => channel === 'silence')).toMatchObject({
      template: 'cache refreshed',
      now: 0,
    });
  });

  test('the loudest comes first, and what says next to nothing is left out', () => {
    const { findings } = after((random) => [...routine(random), ...errors]);
    const nats = findings.map((finding) => finding.nats);
    expect(nats).toEqual(nats.toSorted((a, b) => b - a));
    expect(Math.min(...nats.slice(1))).toBeGreaterThanOrEqual(2);
  });

  test('with dmd alone there is nothing beside its exact shares', () => {
    expect(after((random) => [...routine(random), ...errors], ['dmd']).findings).toEqual([]);
  });

  test('a quiet window has none', () => {
    expect(after((random) => routine(random))).toMatchObject({ findings: [], topTemplates: [] });
  });
});

test('shares over several channels are positive, fall, and sum to 1', () => {
  const { topTemplates } = after((random) => [...routine(random, 900), ...errors]);
  const shares = topTemplates.map(({ share }) => share);
  expect(shares).toEqual(shares.toSorted((a, b) => b - a));
  expect(Math.min(...shares)).toBeGreaterThan(0);
  expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
});
