import { Detector, type DetectorOptions } from '../detect/detector.ts';
import { packDeltas } from './packed-deltas.ts';
import type { SourceDelta } from '../detect/persist.ts';
import type { Verdict } from '../detect/verdict.ts';
import type { FromShard, ToShard } from './messages.ts';
import { createSlices, type Turn } from './slices.ts';

/** Multiplications between two turns, some 4 ms: all vectors of a restored source with 256 templates take 20 ms. */
const SLICE_WORK = 4_000_000;

export interface ShardOptions {
  detector: DetectorOptions;
  /** Per handle: records handed over and not yet mined; the receiver counts up, the shard down. */
  waiting: Int32Array;
  /** Checkpoint deltas travel with the verdicts. */
  persist: boolean;
}

/**
 * One shard: applies messages to its detector, in order. Runs in a worker thread (`thread.ts`) or in place (`pool.ts`).
 *
 * @param turn lets arrivals in between two sources while a step is closed or scored; null where nothing else can arrive
 */
export function createShard(
  options: ShardOptions,
  post: (message: FromShard) => void,
  turn: Turn | null,
): (message: ToShard) => Promise<void> | void {
  const detector = new Detector(options.detector);
  const onMined = (handle: number) => Atomics.sub(options.waiting, handle, 1);
  const sliceWork = turn === null ? Infinity : SLICE_WORK;
  let hurried = false;

  /** The edge of the pane is here, whenever the last source is closed: 57 ms for a thousand of them were too long for one slice. */
  const close = async ({ stepEndMs, gap, incomplete }: Extract<ToShard, { type: 'tick' }>): Promise<void> => {
    const slices = createSlices(turn, () => null);
    detector.beginStep(stepEndMs, { gap, incomplete: new Set(incomplete) });
    while (detector.closeNext(stepEndMs)) if (slices.isOver()) await slices.next();
    post({ type: 'closed', stepEndMs, missing: detector.missingVectors() });
  };

  const score = async ({ stepEndMs, pace }: Extract<ToShard, { type: 'score' }>): Promise<void> => {
    const slices = createSlices(turn, () => (hurried ? null : pace));
    let verdicts: Verdict[] = [];
    let deltas: SourceDelta[] = [];
    const flush = (): void => {
      post({ type: 'judged', stepEndMs, verdicts, deltas: packDeltas(deltas) });
      verdicts = [];
      deltas = [];
    };
    for (const handle of detector.handles) {
      let verdict = detector.score(handle, stepEndMs, { left: sliceWork });
      while (verdict === 'unfinished') {
        await slices.next();
        verdict = detector.score(handle, stepEndMs, { left: sliceWork });
      }
      if (verdict !== null) verdicts.push(verdict);
      const delta = options.persist ? detector.takeDelta(handle) : null;
      if (delta !== null) deltas.push(delta);
      if (slices.isOver()) {
        flush();
        await slices.next();
      }
    }
    flush();
    post({ type: 'scored', stepEndMs, evictions: detector.takeEvictions() });
  };

  const open = (message: Extract<ToShard, { type: 'open' }>): void => {
    detector.open(message.handle, message.key, message);
    for (const { key, error } of detector.takeFailedRestores())
      post({ type: 'restore-failed', key, reason: String(error) });
  };

  return (message) => {
    switch (message.type) {
      case 'open':
        return open(message);
      case 'records':
        return detector.observe(message.frame, onMined);
      case 'tick':
        return close(message);
      case 'vectors':
        return detector.setVectors(message.texts, message.dimensions, message.matrix);
      case 'score':
        return score(message);
      case 'hurry':
        hurried = true;
        return;
      case 'forget-vectors':
        return detector.forgetVectors();
      case 'close':
        for (const handle of message.handles) detector.close(handle, message.keep);
        return;
      case 'explain':
        return post({
          type: 'explained',
          id: message.id,
          explanation: detector.explain(message.handle, message.windowId),
        });
      case 'stop':
        return post({ type: 'stopped' });
    }
  };
}
