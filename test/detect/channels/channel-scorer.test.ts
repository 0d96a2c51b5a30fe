import { describe, expect, test } from 'vitest';
import { CHANNELS, type Channel } from '../../../src/detect/channels/channels.ts';
import { Stream, type StreamWindow } from './stream.ts';
import { isSound, random } from './windows.ts';

/** Counts around `level`, as a busy and calm source has them. */
function usual(next: () => number, levels: readonly number[]): number[] {
  return levels.map((level) => Math.round(level * (0.8 + 0.4 * next())));
}

function natsOf(stream: Stream, channel: Channel): number {
  return stream.scorer.nats[CHANNELS.indexOf(channel)]!;
}

/** 80 calm windows of four templates, then `window`. */
function after(window: Partial<StreamWindow>) {
  const next = random(6);
  const stream = new Stream();
  const levels = [200, 40, 12, 5, 0, 0];
  for (let t = 0; t < 80; t++) {
    stream.next({ counts: usual(next, levels), warnings: t % 9 === 0 ? 1 : 0, errors: 0, error: 1 + 0.2 * next() });
  }
  const result = stream.next({ counts: usual(next, levels), error: 1.1, ...window })!;
  const nats = Object.fromEntries(CHANNELS.map((channel) => [channel, natsOf(stream, channel)]));
  return { ...result, nats: nats as Record<Channel, number> };
}

describe('ChannelScorer', () => {
  test('scores from the 7th window on', () => {
    const stream = new Stream();
    for (let t = 0; t < 6; t++) expect(stream.next({ counts: [3] })).toBeNull();
    expect(stream.next({ counts: [3] })).not.toBeNull();
  });

  test('each channel hears its own fault', () => {
    const calm = after({}).score;
    expect(calm).toBeLessThan(1);
    const cases: [Channel, Partial<StreamWindow>][] = [
      ['rate', { counts: [200, 40, 400, 5, 0, 0] }],
      ['novelty', { counts: [200, 40, 12, 5, 3, 1] }],
      ['severity', { errors: 12, warnings: 12 }],
      ['silence', { counts: [0, 0, 0, 0, 0, 0] }],
      ['distance', { counts: [12, 5, 200, 40, 0, 0] }],
      ['dmd', { error: 9 }],
      ['values', { values: 25 }],
    ];
    for (const [channel, window] of cases) {
      const { score, nats } = after(window);
      expect(nats[channel], channel).toBeGreaterThan(5);
      expect(score, channel).toBeGreaterThan(calm);
    }
  });

  test('the hold on dmd concerns dmd alone', () => {
    const window = { counts: [0, 0, 0, 0, 0, 0], error: 9 };
    const [free, held] = [after(window), after({ ...window, dmdHeld: true })];
    expect(held.nats).toEqual({ ...free.nats, dmd: 0 });
  });

  test('lost records silence what would hear that some are missing, not a flood', () => {
    const { nats } = after({ counts: [0, 0, 900, 0, 4, 0], errors: 20, warnings: 20, error: 9, incomplete: true });
    expect([nats.dmd, nats.distance, nats.silence, nats.values]).toEqual([0, 0, 0, 0]);
    for (const channel of ['rate', 'severity', 'novelty'] as const) expect(nats[channel]).toBeGreaterThan(3);
    expect(after({ counts: [1, 0, 0, 0, 0, 0], incomplete: true }).nats.rate).toBeLessThan(1);
  });

  test('a fault that lasts is not learnt for 12 windows, then it is', () => {
    const stream = new Stream();
    const next = random(2);
    const scores: number[] = [];
    for (let t = 0; t < 70; t++) stream.next({ counts: usual(next, [90, 30, 8, 0]), error: 1 + next() });
    for (let t = 0; t < 60; t++) {
      const counts = usual(next, [3, 300, 0, 40]);
      scores.push(stream.next({ counts, errors: 40, warnings: 40, error: 12 + next() })!.score);
    }
    expect(Math.min(...scores.slice(0, 12))).toBeGreaterThan(3);
    expect(Math.max(...scores.slice(-20))).toBeLessThan(2);
  });

  test('an error now and then that goes on is not its own precedent for 10 windows, then it is', () => {
    const stream = new Stream();
    const next = random(4);
    const surprises: number[] = [];
    for (let t = 0; t < 100; t++) stream.next({ counts: usual(next, [90, 30, 8]), error: 1 + next() });
    for (let t = 0; t < 120; t++) {
      stream.next({ counts: usual(next, [90, 30, 8]), warnings: 1, errors: 1, error: 1 + next() });
      surprises.push(stream.scorer.raw[CHANNELS.indexOf('severity')]!);
    }
    expect(surprises[0]).toBeGreaterThan(3.5);
    expect(surprises[9]).toBeGreaterThanOrEqual(surprises[0]!);
    expect(surprises.at(-1)).toBeLessThan(2);
  });

  test('a state saved and restored scores on bit for bit', () => {
    const [lived, restarted] = [new Stream(), new Stream()];
    const [a, b] = [random(5), random(5)];
    for (let t = 0; t < 260; t++) {
      if (t % 37 === 36) restarted.restart();
      const scores = [
        [lived, a],
        [restarted, b],
      ] as const;
      const [x, y] = scores.map(([stream, next]) =>
        stream.next({ counts: usual(next, [50, 9, t % 50 === 3 ? 70 : 1]), error: next(), values: 3 * next() }),
      );
      expect(y).toEqual(x);
      expect(restarted.scorer.nats).toEqual(lived.scorer.nats);
    }
  });

  const streams: Record<string, (t: number, next: () => number) => StreamWindow> = {
    'random counts': (_, next) => ({ counts: usual(next, [9, 400, 3, 0.4, 70]), errors: Math.floor(3 * next()) }),
    'an empty stream': () => ({ counts: [] }),
    'one template': (_, next) => ({ counts: [Math.floor(6 * next())] }),
    '256 templates': (_, next) => ({ counts: Array.from({ length: 256 }, () => Math.floor(20 * next() ** 4)) }),
    'huge counts': (_, next) => ({ counts: [4294967295, Math.floor(4e9 * next()), next() < 0.1 ? 4e9 : 0] }),
    'long silences': (t, next) => ({ counts: t % 90 < 80 ? [0, 0] : [Math.floor(500 * next()), 1] }),
    'huge errors and values': (_, next) => ({
      counts: [3],
      error: 10 ** (300 * next()),
      values: 10 ** (300 * next()),
      errors: 4294967295,
      warnings: 4294967295,
    }),
    'missing records and degraded windows': (_, next) => ({
      counts: usual(next, [20, 3]),
      error: next() < 0.5 ? null : next(),
      incomplete: next() < 0.3,
      dmdHeld: next() < 0.3,
    }),
  };
  for (const [name, window] of Object.entries(streams)) {
    test(`${name}: every number is finite and none is -0`, () => {
      const next = random(name.length);
      const stream = new Stream();
      for (let t = 0; t < 200; t++) {
        const result = stream.next({ warnings: 0, ...window(t, next) });
        if (result === null) continue;
        const { raw, nats, capped } = stream.scorer;
        const numbers = [result.score, ...raw, ...nats, ...capped];
        expect(numbers.every(isSound), `window ${t}: ${numbers.join(' ')}`).toBe(true);
        expect(Math.min(...raw, ...nats, ...capped)).toBeGreaterThanOrEqual(0);
      }
    });
  }
});
