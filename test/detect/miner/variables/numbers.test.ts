import { describe, expect, test } from 'vitest';
import { Miner, type Cluster } from '../../../../src/detect/miner/miner.ts';
import { MAX_SLOTS, numberRead, readNumber } from '../../../../src/detect/miner/variables/numbers.ts';
import { quantile } from '../../../../src/detect/miner/variables/quantiles.ts';
import { MAX_POSITIONS } from '../../../../src/detect/miner/variables/variables.ts';
import { randomNumbers } from '../lines.ts';

function observe(miner: Miner, line: string): Cluster {
  const bytes = Buffer.from(line);
  const cluster = miner.observe(bytes, 0, bytes.length);
  miner.countVariables(cluster, bytes);
  return cluster;
}

describe('the number of a run', () => {
  test('is its digits, fraction and sign, whatever its unit', () => {
    const at = (text: string): number => {
      const bytes = Buffer.from(text);
      const signed = text.startsWith('-');
      return readNumber(bytes, signed ? 1 : 0, bytes.length, signed) ? numberRead[0]! : NaN;
    };
    expect(['12', '0', '-7', '1.5', '30ms', '2.25s', '100KiB'].map(at)).toEqual([12, 0, -7, 1.5, 30, 2.25, 100]);
    for (const text of ['10.0.0.7', '10.0.0.7:80', '2026-11-22', '5fe', '0x1f', '1795337061732', '12:03'])
      expect(at(text), text).toBeNaN();
  });
});

describe('numbers of a template', () => {
  test('are counted by position, with the mean and squares of their logarithm', () => {
    const miner = new Miner();
    const values = [1, 10, 100, 1000, 5, 50];
    let cluster!: Cluster;
    for (const v of values)
      cluster = observe(
        miner,
        `2026-11-22 10:00:01 user u${v} at 10.0.0.${v} took ${v} ms for ${v / 4} units of -${v}`,
      );
    const slots = cluster.numbers!.take();
    const logs = values.map((v) => Math.log1p(v));
    const mean = logs.reduce((sum, y) => sum + y, 0) / logs.length;
    expect(slots).toHaveLength(3);
    expect(slots[0]!.count).toBe(6);
    expect(slots[0]!.mean).toBeCloseTo(mean, 12);
    expect(slots[0]!.squares).toBeCloseTo(
      logs.reduce((sum, y) => sum + (y - mean) ** 2, 0),
      12,
    );
    const { quantiles } = slots[0]!;
    expect(quantiles).toMatchObject({ shift: 1, min: 1, max: 1000, whole: true });
    expect(Math.abs(quantile(quantiles, 0.5) - 10)).toBeLessThanOrEqual(11 * 0.032);
    expect(quantile(quantiles, 1)).toBe(1000);
    expect(slots[2]!.mean).toBeCloseTo(-mean, 12);
    expect(cluster.numbers!.take()).toEqual([]);
  });

  test('are told by the position of their token, whichever line came first', () => {
    const tokens = (lines: string[]): number[] => {
      const miner = new Miner();
      const clusters = lines.map((line) => observe(miner, line));
      return clusters[0]!
        .numbers!.take()
        .map(({ token }) => token)
        .sort();
    };
    const lines = ['moved 5 of 7 files', 'moved none of 7 files'];
    expect(tokens(lines)).toEqual(tokens(['moved 9 of 9 files']));
  });

  test('are bounded: the first slots only', () => {
    const miner = new Miner();
    const random = randomNumbers(8);
    let cluster!: Cluster;
    for (let k = 0; k < 10_000; k++) cluster = observe(miner, `values ${`${Math.floor(random() * 1000)} `.repeat(20)}`);
    const slots = cluster.numbers!.take();
    expect(slots).toHaveLength(MAX_SLOTS);
    expect(slots[0]!.count).toBe(10_000);
    expect(Math.abs(quantile(slots[0]!.quantiles, 0.5) - 500)).toBeLessThan(40);
    expect(Math.abs(quantile(slots[0]!.quantiles, 0.95) - 950)).toBeLessThan(40);
  });

  test('are bounded over all templates of a source; a template that leaves makes room', () => {
    const miner = new Miner({ maxClusters: 60 });
    const word = (k: number): string => String.fromCharCode(97 + (k % 26), 97 + ((k / 26) % 26), 120, 121);
    const slotsOf = (from: number): number => {
      const clusters = Array.from({ length: 60 }, (_, k) => observe(miner, `${word(from + k)} took 5 ms for 7 parts`));
      return clusters.reduce((sum, cluster) => sum + (cluster.numbers?.take().length ?? 0), 0);
    };
    expect(slotsOf(0)).toBe(120);
    expect(slotsOf(60)).toBe(120);
    const crowded = new Miner();
    for (let k = 0; k < 200; k++) observe(crowded, `${word(k)} took 5 ms for 7 parts`);
    const used = [...crowded.clusters()].reduce((sum, { slots }) => sum + slots.length, 0);
    expect(used).toBe(MAX_POSITIONS);
  });

  test('of given templates are not looked at, those of long lines are', () => {
    const miner = new Miner();
    observe(miner, 'took 5 ms');
    const given = Buffer.from('took {n} ms');
    const cluster = miner.observeGiven(given, 0, given.length);
    miner.countVariables(cluster, given);
    expect(cluster.numbers).toBeNull();
    const long = observe(miner, `took 6 s${' '.repeat(3000)}`);
    expect(long.numbers!.take().map(({ count }) => count)).toEqual([2]);
  });
});
