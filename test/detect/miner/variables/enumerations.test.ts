import { describe, expect, test } from 'vitest';
import { Miner } from '../../../../src/detect/miner/miner.ts';
import type { Cluster } from '../../../../src/detect/miner/miner.ts';
import { Enumerations } from '../../../../src/detect/miner/variables/enumerations.ts';
import { SEVEN, SMALL, Drive } from '../../drive.ts';
import { observe } from '../lines.ts';

const ROLES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'];

/** Lines of one template whose field takes the values in turn. */
function lines(count: number, values: readonly string[]): string[] {
  return Array.from({ length: count }, (_, i) => `user=${values[i % values.length]!} took part ${i} of the work`);
}

/** The template of all lines, its words counted as the detector does. */
function mine(miner: Miner, texts: readonly string[]): Cluster {
  let cluster!: Cluster;
  for (const text of texts) {
    cluster = observe(miner, text);
    miner.countVariables(cluster, Buffer.from(text));
  }
  return cluster;
}

describe('a word position that varies', () => {
  test('is an enumeration with few values: they are counted, the template is not split', () => {
    const miner = new Miner();
    mine(miner, ['user=alice took part 1 of the work', 'user=bob took part 2 of the work']);
    const cluster = mine(miner, lines(90, ROLES.slice(0, 3)));
    expect(miner.size).toBe(1);
    expect(cluster.text).toBe('user=<*> took part <*> of the work');
    const [taken, ...others] = cluster.enumerations!.take(2.5);
    expect(others).toEqual([]);
    expect(taken!.token).toBe(1);
    expect(Object.fromEntries(taken!.values.map(({ value, count }) => [value, count]))).toEqual({
      alice: 30,
      bob: 31,
      carol: 30,
    });
  });

  test('starts again with every window', () => {
    const miner = new Miner();
    const cluster = mine(miner, lines(60, ROLES.slice(0, 2)));
    cluster.enumerations!.take(2.5);
    mine(miner, lines(5, ['bob']));
    expect(cluster.enumerations!.take(2.5)).toEqual([{ token: 1, values: [{ value: 'bob', count: 5 }] }]);
    expect(cluster.enumerations!.take(2.5)).toEqual([]);
  });

  test('is noise from the tenth value on', () => {
    const cluster = mine(new Miner(), lines(900, ROLES.slice(0, 10)));
    expect(cluster.enumerations!.take(64)).toEqual([]);
  });

  test('is noise above the threshold: eight equal values have three bits, one that dominates has few', () => {
    const even = mine(new Miner(), lines(800, ROLES.slice(0, 8)));
    expect(even.enumerations!.take(2.5)).toEqual([]);
    const skewed = mine(new Miner(), [...lines(800, ROLES.slice(0, 8)), ...lines(8000, ['alice'])]);
    expect(skewed.enumerations!.take(2.5)[0]!.values[0]).toEqual({ value: 'alice', count: 8099 });
    const fine = mine(new Miner(), lines(800, ROLES.slice(0, 8)));
    expect(fine.enumerations!.take(3.1)).toHaveLength(1);
  });

  test('is an enumeration, too, when its template had more lines than 31 bits count before it varied', () => {
    const miner = new Miner();
    mine(miner, lines(1, ['alice'])).count = 3e9;
    const cluster = mine(miner, lines(90, ['bob', 'alice']));
    expect(cluster.enumerations!.take(2.5)[0]!.values.map(({ count }) => count)).toEqual([45, 45]);
    const [most, few] = cluster.save().totals;
    expect(most).toBeGreaterThan(500_000);
    expect(few).toBeLessThan(50);
  });

  test('keeps a bounded part of long values and whole characters', () => {
    const long = ['ä'.repeat(400), 'ö'.repeat(400), 'ü'.repeat(400)];
    const cluster = mine(new Miner(), lines(60, long));
    for (const { value } of cluster.enumerations!.take(2.5)[0]!.values) expect(value).toMatch(/^[äöü]{24}$/);
  });

  test('is looked at in so many templates of a source only', () => {
    const miner = new Miner();
    const clusters = Array.from({ length: 200 }, (_, i) => {
      const name = `t${String.fromCharCode(97 + (i % 26))}${String.fromCharCode(97 + Math.floor(i / 26))}x`;
      return mine(
        miner,
        lines(20, ['alice', 'bob']).map((line) => `${name} ${line}`),
      );
    });
    const looked = clusters.filter(({ enumerations }) => enumerations!.take(2.5).length > 0);
    expect(miner.size).toBe(200);
    expect(looked).toHaveLength(128);
  });
});

test('the window tells the values of its templates, united over its panes', () => {
  const drive = new Drive({ ...SMALL, channels: SEVEN });
  drive.detector.open(0, 'file:a');
  for (let i = 0; i < 12; i++) drive.step(lines(40, ['alice', 'bob']));
  drive.step(lines(400, ['alice', 'bob', 'bob', 'bob']));
  const [top] = drive.detector.explain(0, drive.windowId)!.topTemplates;
  expect(top!.shown).toBe('user={bob|alice} took part <*> of the work');
  expect(top!.values).toEqual([
    {
      placeholder: 1,
      values: [
        { value: 'bob', count: 320 },
        { value: 'alice', count: 120 },
      ],
    },
  ]);
});

test('without samples no values are kept either', () => {
  const drive = new Drive({ ...SMALL, channels: SEVEN, keepSamples: false });
  drive.detector.open(0, 'file:a');
  for (let i = 0; i < 12; i++) drive.step(lines(40, ['alice', 'bob']));
  drive.step(lines(400, ['alice', 'bob']));
  const [top] = drive.detector.explain(0, drive.windowId)!.topTemplates;
  expect(top).toMatchObject({ shown: top!.template, values: [] });
});

test.each([[[]], [[1, 2, 3]], [[1, -1]], [[1, 0.5]], [[1, Infinity]], [[1, null as never]]])(
  'counts that no enumeration has (%j) are refused by name, not counted on',
  (totals) => {
    const positions = [
      {
        token: 1,
        values: [
          ['alice', 7],
          ['bob', 8],
        ] as [string, number][],
      },
    ];
    expect(Enumerations.restore(positions, [4, 5]).totals()).toEqual([4, 5]);
    expect(() => Enumerations.restore(positions, totals)).toThrow(/^(a )?stored enumeration/);
  },
);
