import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { REFUSED, ROW, ROW_BYTES, type RecordFrame } from '../../src/detect/frame.ts';
import { newDecodedRecord } from '../../src/receive/decoded.ts';
import { admit, MAX_WAITING, type AddressedFrame } from '../../src/source/admission.ts';
import { FrameBuilder } from '../../src/source/frame-builder.ts';

/** A frame with so many records of each handle, one source after another; `first` numbers them. */
function frame(counts: [handle: number, records: number][], first = 0): AddressedFrame {
  const builder = new FrameBuilder(1);
  const record = newDecodedRecord(new Uint8Array(0));
  let number = first;
  for (const [handle, records] of counts) for (let i = 0; i < records; i++) builder.append(handle, number++, record);
  return { shard: 0, frame: builder.build() };
}

const frames = (handle: number, n: number): AddressedFrame[] =>
  Array.from({ length: n }, (_, i) => frame([[handle, 1_000]], i * 1_000));

function numbers({ count, rows }: RecordFrame, of: number): number[] {
  const view = new DataView(rows);
  return Array.from({ length: count }, (_, i) => i * ROW_BYTES)
    .filter((row) => view.getInt32(row + ROW.handle, true) === of)
    .map((row) => view.getFloat64(row + ROW.timeMs, true));
}

/** A shard that mines nothing until it is told to. */
function stuck() {
  const waiting = new Int32Array(new SharedArrayBuffer(16));
  const posted: RecordFrame[] = [];
  const post = (_shard: number, posting: RecordFrame): void => void posted.push(posting);
  return { waiting, posted, options: { waiting, post, patienceMs: 5 } };
}

test('exactly the excess over 10,000 waiting is refused when nothing is mined, the last records first', async () => {
  const { waiting, posted, options } = stuck();
  const outcome = await admit([...frames(0, 9), frame([[0, 700]], 9_000), frame([[0, 1_000]], 9_700)], options);
  expect(outcome.get(0)).toEqual({ admitted: 10_000, refused: 700 });
  expect(waiting[0]).toBe(MAX_WAITING);
  expect(posted.flatMap((one) => numbers(one, 0))).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  expect(numbers(posted.at(-1)!, REFUSED)).toHaveLength(700);
});

test('frames of other sources pass a full one at once, and lose nothing', async () => {
  const { posted, options, waiting } = stuck();
  waiting[0] = MAX_WAITING;
  const admitting = admit([...frames(0, 2), frame([[1, 500]])], { ...options, patienceMs: 50 });
  expect(posted.map((one) => numbers(one, 1).length)).toEqual([500]);
  const outcome = await admitting;
  expect(outcome.get(0)).toEqual({ admitted: 0, refused: 2_000 });
  expect(outcome.get(1)).toEqual({ admitted: 500, refused: 0 });
});

test('a source in the same frame as a full one keeps its records and their order', async () => {
  const { posted, options, waiting } = stuck();
  waiting[0] = MAX_WAITING - 10;
  const outcome = await admit(
    [
      frame(
        [
          [0, 100],
          [1, 100],
        ],
        0,
      ),
      frame([[1, 100]], 1_000),
    ],
    options,
  );
  expect(outcome.get(0)).toEqual({ admitted: 10, refused: 90 });
  expect(outcome.get(1)).toEqual({ admitted: 200, refused: 0 });
  const order = posted.flatMap((one) => numbers(one, 1));
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

test('20,000 records lose none while their shard mines, in order', async () => {
  const { waiting, posted, options } = stuck();
  let mined = 0;
  let done = false;
  const mining = (async () => {
    while (!done) {
      for (; mined < posted.length; mined++) Atomics.sub(waiting, 0, posted[mined]!.count);
      await turn();
    }
  })();
  const outcome = await admit(frames(0, 20), { ...options, patienceMs: 10_000 });
  done = true;
  await mining;
  expect(outcome.get(0)).toEqual({ admitted: 20_000, refused: 0 });
  expect(posted.flatMap((one) => numbers(one, 0))).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
});

test('requests that wait for the same source never overfill it', async () => {
  const { waiting, options } = stuck();
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => admit(frames(0, 5), options)));
  const sum = (of: 'admitted' | 'refused') => outcomes.reduce((total, outcome) => total + outcome.get(0)![of], 0);
  expect([sum('admitted'), sum('refused')]).toEqual([10_000, 15_000]);
  expect(waiting[0]).toBe(MAX_WAITING);
});

test('rows that are refused already are not counted', async () => {
  const { posted, options } = stuck();
  expect(await admit([frame([[REFUSED, 5]])], options)).toEqual(new Map());
  expect(posted).toHaveLength(1);
});
