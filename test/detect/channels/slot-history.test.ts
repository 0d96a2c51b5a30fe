import { describe, expect, test } from 'vitest';
import { SlotHistory, type SlotsVerdict } from '../../../src/detect/channels/slot-history.ts';
import { MAX_SOURCE_SLOTS } from '../../../src/detect/channels/slot-places.ts';
import { History } from '../../../src/detect/history.ts';
import type { SlotNumbers } from '../../../src/detect/miner/variables/numbers.ts';
import { QuantileSketch } from '../../../src/detect/miner/variables/quantiles.ts';
import { TemplateTable, type Template } from '../../../src/detect/template.ts';
import { VectorTable } from '../../../src/detect/vectors.ts';
import { isSound, random } from './windows.ts';

const CAPACITY = 31;
/** A history whose windows all count as normal. */
const ALL = { accepted: () => true };

function open() {
  const table = new TemplateTable(new History(CAPACITY), new VectorTable());
  const add = (text: string): Template => {
    const template = table.create({ id: text, text }, 0);
    table.assignSlot(template);
    return template;
  };
  return { table, add, slots: new SlotHistory(CAPACITY, 2) };
}

function numbers(token: number, mean: number, count = 8): SlotNumbers {
  const sketch = new QuantileSketch();
  sketch.add(Float64Array.of(Math.expm1(mean), mean));
  return { token, count, mean, squares: 0.1, quantiles: sketch.take() };
}

describe('the numeric slots of a source', () => {
  test('have a say from the 13th window on, and say how far off and what is usual', () => {
    const { add, slots } = open();
    const template = add('took <*> ms');
    for (let t = 0; t < 20; t++) {
      slots.push();
      const { surprise, parts } = slots.judge([{ template, numbers: [numbers(1, 2.5 + 0.01 * (t % 3))] }], ALL);
      expect(surprise).toBeLessThan(1);
      expect(parts[0]!.usual === null).toBe(t < 12);
      slots.learn(parts);
    }
    slots.push();
    const { surprise, parts } = slots.judge([{ template, numbers: [numbers(1, 6.8)] }], ALL);
    expect(surprise).toBeGreaterThan(15);
    expect(parts[0]).toMatchObject({ template, token: 1 });
    expect(parts[0]!.usual).toBeCloseTo(Math.expm1(2.51), 0);
  });

  test('are compared with the windows that count as normal only', () => {
    const { add, slots } = open();
    const template = add('took <*> ms');
    const judge = (mean: number) =>
      slots.judge([{ template, numbers: [numbers(1, mean)] }], { accepted: (i) => i < 14 });
    for (let t = 0; t < 14; t++) {
      slots.push();
      slots.learn(judge(2.5).parts);
    }
    slots.push();
    const first = judge(6.8);
    slots.learn(first.parts);
    slots.push();
    // Only its own unrest has grown.
    expect(judge(6.8).surprise).toBeGreaterThan(first.surprise / 2);
  });

  test('follow a template that is merged, once, and leave with it', () => {
    const { table, add, slots } = open();
    const [one, two] = [add('one <*>'), add('two <*>')];
    for (let t = 0; t < 3; t++) {
      slots.push();
      const entries = [
        { template: one, numbers: [numbers(1, 1)] },
        { template: two, numbers: [numbers(1, 2)] },
      ];
      slots.learn(slots.judge(entries, ALL).parts);
    }
    expect(slots.save().slots).toHaveLength(2);
    one.mergedInto = two;
    expect(slots.save().slots).toMatchObject([{ template: two.number, token: 1 }]);
    table.releaseSlot(two);
    expect(slots.save().slots).toEqual([]);
  });

  test('go the same way after a restart when two of them become one', () => {
    const { table, add, slots } = open();
    const [one, two, three, four] = [add('1 <*>'), add('2 <*>'), add('3 <*>'), add('4 <*>')];
    const judge = (...templates: Template[]): void => {
      slots.push();
      const entries = templates.map((template) => ({ template, numbers: [numbers(1, template.number)] }));
      slots.learn(slots.judge(entries, ALL).parts);
    };
    judge(one, two, three);
    table.releaseSlot(two);
    // Takes the place that has become free, before that of the third.
    judge(one, three, four);
    const restarted = new SlotHistory(CAPACITY, 2);
    restarted.restore(slots.save(), new Map([one, three, four].map((template) => [template.number, template])));
    three.mergedInto = four;
    const after = restarted.save();
    expect(after.slots).toMatchObject([{ number: 0 }, { number: 2, template: four.number }]);
    expect(slots.save()).toEqual(after);
  });

  test('are bounded: what has no values any more makes room, what has them stays', () => {
    const { add, slots } = open();
    const steady = add('steady <*>');
    const born = (t: number) => add(`t${t} <*>`);
    let last: SlotsVerdict | null = null;
    for (let t = 0; t < 6 * MAX_SOURCE_SLOTS; t++) {
      slots.push();
      last = slots.judge(
        [
          { template: steady, numbers: [numbers(1, 3)] },
          { template: born(t), numbers: [numbers(1, 1)] },
        ],
        ALL,
      );
      slots.learn(last.parts);
      const saved = slots.save().slots;
      expect(saved.length).toBeLessThanOrEqual(MAX_SOURCE_SLOTS);
      expect(saved.some(({ template }) => template === steady.number)).toBe(true);
    }
    expect(last!.parts.map(({ template }) => template.text)).toEqual([
      'steady <*>',
      `t${6 * MAX_SOURCE_SLOTS - 1} <*>`,
    ]);
  });

  test('that hold process ids have no say, also when one process follows another, and make room', () => {
    const { add, slots } = open();
    const pid = (token: number, value: number) => ({ ...numbers(token, Math.log1p(value)), squares: 0 });
    const names = Array.from({ length: MAX_SOURCE_SLOTS }, (_, k) => add(`[<*>] step ${k}`));
    for (let t = 0; t < 20; t++) {
      slots.push();
      const { surprise, parts } = slots.judge(
        names.map((template) => ({ template, numbers: [pid(1, t < 15 ? 21_000 : 830)] })),
        ALL,
      );
      expect(surprise).toBe(0);
      if (t === 19) expect(parts).toEqual([]);
      slots.learn(parts);
    }
    const took = add('took <*> ms');
    slots.push();
    expect(slots.judge([{ template: took, numbers: [numbers(1, 2)] }], ALL).parts).toMatchObject([{ template: took }]);
    expect(slots.save().slots).toHaveLength(MAX_SOURCE_SLOTS);
  });

  /** One value every other window; what the last said that took `last`. */
  function rarely(next: (t: number) => number, last: number): number {
    const { add, slots } = open();
    const template = add('took <*> ms');
    let x = 0;
    for (let t = 0; t < 30; t++) {
      slots.push();
      const mean = t >= 28 ? last : next(t);
      const entries = t % 2 === 0 ? [{ template, numbers: [{ ...numbers(1, mean, 1), squares: 0 }] }] : [];
      const { surprise, parts } = slots.judge(entries, ALL);
      x = surprise || x;
      slots.learn(parts);
    }
    return x;
  }

  test('of few values are judged together with earlier windows', () => {
    const next = random(4);
    const usual = () => 2 + next();
    expect(rarely(usual, 2.4)).toBeLessThan(1);
    expect(rarely(usual, 6)).toBeGreaterThan(3);
  });

  test('of few values that are a level are left alone: it may stand elsewhere after a restart', () => {
    expect(rarely((t) => 6 + 0.05 * t, 2)).toBe(0);
  });

  test('keep every number finite over random streams', () => {
    const { add, slots } = open();
    const templates = Array.from({ length: 6 }, (_, k) => add(`t${k} <*>`));
    const next = random(7);
    for (let t = 0; t < 400; t++) {
      slots.push();
      const entries = templates
        .filter(() => next() < 0.6)
        .map((template) => ({
          template,
          numbers: [numbers(1, 40 * (next() - 0.5) ** 3, 1 + Math.floor(1e6 * next() ** 8))],
        }));
      const { surprise, parts } = slots.judge(entries, { accepted: () => next() < 0.9 });
      expect(isSound(surprise)).toBe(true);
      slots.learn(parts);
    }
    const { slots: saved } = slots.save();
    expect(saved.every(({ unrest }) => isSound(unrest.squares) && isSound(unrest.weight))).toBe(true);
  });

  test('refuse a stored form that cannot be theirs', () => {
    const { slots } = open();
    expect(() =>
      slots.restore(
        {
          nextNumber: 1,
          slots: [{ number: 0, template: 9, token: 1, unrest: { squares: 4, weight: 4 }, isName: false }],
        },
        new Map(),
      ),
    ).toThrow(RangeError);
  });
});
