import type { WriteStream } from 'node:tty';
import type { Inputs } from './inputs.ts';

const EVERY_MS = 200;

/** One line on a terminal that says how far a replay is; silent where standard error is not one. */
export class Progress implements Disposable {
  readonly #inputs: Inputs;
  readonly #stream: WriteStream | null;
  #shownMs = -Infinity;

  constructor(inputs: Inputs, stream: NodeJS.WriteStream) {
    this.#inputs = inputs;
    this.#stream = stream.isTTY ? (stream as WriteStream) : null;
  }

  /** @param logTimeMs end of the step just judged */
  at(logTimeMs: number, episodes: number): void {
    const nowMs = performance.now();
    if (this.#stream === null || nowMs - this.#shownMs < EVERY_MS) return;
    this.#shownMs = nowMs;
    const { bytesRead, totalBytes } = this.#inputs.stats;
    const done =
      totalBytes === 0 ? `${(bytesRead / 1e6).toFixed(1)} MB` : `${Math.floor((100 * bytesRead) / totalBytes)} %`;
    this.#stream.write(`\r\x1b[2K${done}  ${new Date(logTimeMs).toISOString().slice(0, 16)}  ${episodes} anomalies`);
  }

  [Symbol.dispose](): void {
    if (this.#shownMs !== -Infinity) this.#stream?.write('\r\x1b[2K');
    this.#shownMs = -Infinity;
  }
}
