import { describe, expect, test } from 'vitest';
import type { StoredSource, Verdict } from '../../src/detect/detector.ts';
import { Drive, SEVEN, Shelf, SMALL, STEP_MS, times } from './drive.ts';

/** What a shard does between two looks at its arrivals (`src/shard/core.ts`). */
const SLICE_WORK = 4_000_000;
/** What is not divided: four columns of 256 vectors of 768 numbers. */
const PIECE = 4 * 256 * 768;
const OPTIONS = { ...SMALL, channels: SEVEN };

/** Every one of 256 templates now and then. */
function crowd(step: number, templates = 256) {
  return Array.from({ length: templates }, (_, k) => times((step * 7 + k * 3) % 4, `worker ${name(k)} is done`)).flat();
}

function name(k: number): string {
  return 'abcdefghijklmnop'[k >> 4]! + 'qrstuvwxyzabcdef'[k & 15]!;
}

/** @returns the verdict and how many multiplications each piece took */
function scoreInPieces(drive: Drive, between: () => void = () => undefined, slice = SLICE_WORK) {
  const pieces: number[] = [];
  for (;;) {
    const work = { left: slice };
    const verdict = drive.detector.score(0, drive.windowId * STEP_MS, work);
    pieces.push(slice - work.left);
    if (verdict !== 'unfinished') return { verdict, pieces };
    between();
  }
}

describe('scoring in pieces', () => {
  const learnt = new Drive(OPTIONS);
  const shelf = new Shelf();
  learnt.detector.open(0, 'file:a');
  for (let step = 0; step < 26; step++) learnt.step(crowd(step));
  shelf.keep(learnt.detector);

  /** The stored source in another process, its window after the gap closed and not yet judged. */
  function restored(stored: StoredSource, lines = crowd(27)): Drive {
    const drive = new Drive(OPTIONS, learnt.windowId);
    drive.detector.open(0, 'file:a', { stored: structuredClone(stored) });
    drive.step(crowd(26), { gap: true });
    drive.step(crowd(26));
    drive.observe(lines);
    drive.close();
    return drive;
  }

  test('a restored source of 256 templates takes no slice of more than its share, and says what it says at once', () => {
    // Its products are formed with the first window that is judged: not the one of the gap.
    const cold = (): Drive => {
      const drive = new Drive(OPTIONS, learnt.windowId);
      drive.detector.open(0, 'file:a', { stored: structuredClone(shelf.stored!), resumed: true });
      drive.observe(crowd(26));
      drive.close();
      drive.embed();
      return drive;
    };
    const [expected] = cold().score();
    const { verdict, pieces } = scoreInPieces(cold());
    expect(verdict).toEqual(expected);
    expect(expected!.templates).toBeGreaterThan(150);
    expect(pieces.reduce((sum, work) => sum + work)).toBeGreaterThan(20_000_000);
    expect(Math.max(...pieces)).toBeLessThan(SLICE_WORK + PIECE);
  });

  test('so does one whose 100 templates of all windows are renamed at once, or leave for new ones', () => {
    const lines = Array.from({ length: 100 }, (_, k) => times(5, `another ${name(k)} has come`)).flat();
    const [expected] = (() => {
      const drive = restored(shelf.stored!, lines);
      drive.embed();
      return drive.score();
    })();
    const drive = restored(shelf.stored!, lines);
    drive.embed();
    const { verdict, pieces } = scoreInPieces(drive);
    expect(verdict).toEqual(expected);
    expect(pieces.length).toBeGreaterThan(2);
    expect(Math.max(...pieces)).toBeLessThan(SLICE_WORK + PIECE);
    expect(drive.detector.takeEvictions().templates).toBe(100);
  });

  test('what comes between two pieces is taken in: a late vector as if it had been there, the next records in their own pane', () => {
    const inTime = restored(shelf.stored!, [...crowd(27), ...times(3, 'something new')]);
    const late = restored(shelf.stored!, [...crowd(27), ...times(3, 'something new')]);
    inTime.embed();
    const [expected] = inTime.score();
    inTime.observe(crowd(28));
    let vectors = 0;
    const { verdict } = scoreInPieces(
      late,
      () => {
        vectors += late.embed().length;
        if (vectors === 1) late.observe(crowd(28));
        vectors++;
      },
      1,
    );
    expect(vectors).toBeGreaterThan(1);
    expect(verdict).toEqual(expected);
    expect(late.step([])).toEqual(inTime.step([]));
  });
});

describe('closing in pieces', () => {
  const lines = (handle: number, count: number) => times(count, 'a line', handle);
  const sizes = (verdicts: Verdict[]) => verdicts.map(({ source, records }) => [source, records]);

  function five(): Drive {
    const drive = new Drive({ panesPerWindow: 1 });
    for (const handle of [0, 1, 2, 3, 4]) drive.detector.open(handle, `file:${handle}`);
    for (const handle of [0, 1, 2, 3, 4]) drive.observe(lines(handle, 10 + handle));
    drive.windowId++;
    drive.detector.beginStep(drive.windowId * STEP_MS, { gap: false, incomplete: new Set([4]) });
    return drive;
  }
  const end = (drive: Drive): void => {
    while (drive.detector.closeNext(drive.windowId * STEP_MS));
  };

  test('the edge of the pane is where closing began, also for sources that speak before they are closed', () => {
    const drive = five();
    expect(drive.detector.closeNext(drive.windowId * STEP_MS)).toBe(true);
    drive.observe([...lines(3, 100), ...lines(0, 100), ...lines(4, 100)]);
    end(drive);
    drive.embed();
    const verdicts = drive.score();
    expect(sizes(verdicts)).toEqual([0, 1, 2, 3, 4].map((handle) => [`file:${handle}`, 10 + handle]));
    expect(verdicts[4]!.gates).toContain('incomplete');
    expect(sizes(drive.step([])).map(([, records]) => records)).toEqual([100, 0, 0, 100, 100]);
  });

  test('a source that leaves before it is closed, and one that comes in its place, have no window of it', () => {
    const drive = five();
    drive.detector.close(2, true);
    drive.detector.close(3, false);
    drive.detector.open(3, 'file:new');
    drive.observe(lines(3, 7));
    end(drive);
    drive.embed();
    expect(sizes(drive.score()).map(([source]) => source)).toEqual(['file:0', 'file:1', 'file:4']);
    expect(sizes(drive.step([]))).toContainEqual(['file:new', 7]);
  });

  test('the next step closes what the one before has left, each in its pane', () => {
    const drive = five();
    drive.observe(lines(1, 3));
    const first = drive.windowId * STEP_MS;
    drive.close();
    expect(drive.detector.closeNext(first)).toBe(false);
    drive.embed();
    expect(sizes(drive.score(drive.windowId - 1)).map(([, records]) => records)).toEqual([10, 11, 12, 13, 14]);
    expect(sizes(drive.score()).map(([, records]) => records)).toEqual([0, 3, 0, 0, 0]);
  });
});
