/** Which characters of the receivers' source have run, from V8's block coverage: how the fuzzer knows that an input reached something new. */
import { Session } from 'node:inspector/promises';

const WATCHED = '/src/receive/';

/** Per file, 1 for every character that ran. */
export type Reached = Map<string, Uint8Array>;

export class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #reached: Reached = new Map();

  static async open(): Promise<Coverage> {
    const coverage = new Coverage();
    coverage.#session.connect();
    await coverage.#session.post('Profiler.enable');
    await coverage.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    return coverage;
  }

  /** What has run since the last call. Takes some milliseconds. */
  async take(): Promise<Reached> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const reached: Reached = new Map();
    for (const { url, functions } of result) {
      if (!url.includes(WATCHED)) continue;
      const ranges = functions.flatMap((one) => one.ranges);
      const length = ranges.reduce((most, { endOffset }) => Math.max(most, endOffset), 0);
      const marks = new Uint8Array(length);
      // Ranges come outermost first; an inner one says where it differs.
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) marks.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      }
      reached.set(url, marks);
    }
    return reached;
  }

  /** Is there anything in it that was never added? */
  isNew(reached: Reached): boolean {
    for (const [url, marks] of reached) {
      const known = this.#reached.get(url);
      for (let i = 0; i < marks.length; i++) if (marks[i] === 1 && known?.[i] !== 1) return true;
    }
    return false;
  }

  add(reached: Reached): void {
    for (const [url, marks] of reached) {
      const known = this.#reached.get(url);
      const merged = new Uint8Array(Math.max(marks.length, known?.length ?? 0));
      if (known !== undefined) merged.set(known);
      for (let i = 0; i < marks.length; i++) merged[i]! |= marks[i]!;
      this.#reached.set(url, merged);
    }
  }

  /** Characters reached so far. */
  get size(): number {
    let size = 0;
    for (const marks of this.#reached.values()) for (const mark of marks) size += mark;
    return size;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }
}
