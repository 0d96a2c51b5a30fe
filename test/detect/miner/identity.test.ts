import { expect, test } from 'vitest';
import { Miner } from '../../../src/detect/miner/miner.ts';
import { observe, randomNumbers, serviceLines } from './lines.ts';

function shuffled(lines: readonly string[], seed: number): string[] {
  const random = randomNumbers(seed);
  return lines
    .map((line) => ({ line, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ line }) => line);
}

/** Final template id of each line, by line. */
function ids(lines: readonly string[], hashSeed: number): Map<string, string> {
  const miner = new Miner({ hashSeed });
  const clusters = lines.map((line) => observe(miner, line));
  return new Map(lines.map((line, i) => [line, clusters[i]!.id]));
}

test('replicas that see the same lines in another order end with the same ids', () => {
  const lines = serviceLines(3000, 6).filter((line) => !line.startsWith('unexpected'));
  const expected = ids(lines, 1);
  for (const seed of [2, 3, 4]) {
    const other = ids(shuffled(lines, seed), seed);
    for (const [line, id] of expected) expect(other.get(line), line).toBe(id);
  }
});

test('a miner restarted half-way ends with the ids of one that never stopped', () => {
  const lines = serviceLines(3000, 7);
  const whole = new Miner({ hashSeed: 4 });
  for (const line of lines) observe(whole, line);
  const first = new Miner({ hashSeed: 5 });
  for (const line of lines.slice(0, 1500)) observe(first, line);
  const second = new Miner({ hashSeed: 6 });
  second.restore(
    first.saveState(),
    [...first.clusters()].map((cluster) => cluster.save()),
  );
  for (const line of lines.slice(1500)) observe(second, line);
  const idsOf = (miner: Miner): string[] =>
    [...miner.clusters()].map(({ number, id, count }) => `${number} ${id} ${count}`);
  expect(idsOf(second)).toEqual(idsOf(whole));
});

test('noise that was interrupted by a restart goes on where it stood', () => {
  const random = randomNumbers(12);
  const noise = Array.from({ length: 900 }, () => `${random().toString(36).replace(/[\d.]/g, 'q')} x ${random()}`);
  const answers = (stopAt: number): string[] => {
    let miner = new Miner({ birthBurst: 60, hashSeed: 2 });
    return noise.map((line, i) => {
      if (i === stopAt) {
        const state = miner.saveState();
        const stored = [...miner.clusters()].map((cluster) => cluster.save());
        miner = new Miner({ birthBurst: 60, hashSeed: 3 });
        miner.restore(state, stored);
      }
      const { number, count, id } = observe(miner, line);
      return `${number} ${count} ${id}`;
    });
  };
  expect(answers(450)).toEqual(answers(-1));
});
