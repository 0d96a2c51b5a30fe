import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceReport } from './service-child.ts';

/** A service in its own process (`service-child.ts`). */
export class MeasuredService implements Disposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(
    side: 'logdrift' | 'naive' | 'floor' | 'transport',
    settings: string[] = [],
  ): Promise<MeasuredService> {
    const child = fork(new URL('./service-child.ts', import.meta.url), [side, ...settings], { stdio: 'inherit' });
    await once(child, 'message');
    return new MeasuredService(child);
  }

  async report(): Promise<ServiceReport> {
    const answer = once(this.#child, 'message');
    this.#child.send('report');
    return ((await answer) as [ServiceReport])[0];
  }

  /** Waits until `records` more than in `before` are counted or lost. */
  async settled(before: ServiceReport, records: number): Promise<ServiceReport> {
    for (;;) {
      const now = await this.report();
      if (now.counted + now.lost >= before.counted + before.lost + records) return now;
      await delay(5);
    }
  }

  /** Ends as on SIGTERM: what is judged is stored. */
  async close(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.send('close');
    await exit;
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** `6.3 (5.2-7.3)`: median and range. */
export function spread(values: readonly number[], digits = 1): string {
  return `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)})`;
}
