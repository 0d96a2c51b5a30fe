import { CODE, Http2Error } from './frames.ts';

/** As nghttp2 has it against "rapid reset" (CVE-2023-44487). */
const AT_ONCE = 1000;
const PER_SECOND = 33;

/**
 * What costs us more than the client, or nobody needs often: streams taken back or broken, SETTINGS, PRIORITY, empty DATA, unknown frames. So
 * many at once, then so many a second. Not WINDOW_UPDATE and, behind an answer, PING, which busy clients send with every answer.
 */
export class Patience {
  #left = AT_ONCE;
  #knownMs: number;

  constructor(nowMs: number) {
    this.#knownMs = nowMs;
  }

  /** @throws {Http2Error} when there is none left */
  lose(nowMs: number): void {
    const regained = ((nowMs - this.#knownMs) / 1000) * PER_SECOND;
    this.#knownMs = nowMs;
    this.#left = Math.min(AT_ONCE, this.#left + regained) - 1;
    if (this.#left < 0) throw new Http2Error(CODE.enhanceYourCalm, 'too many frames that cost more than they say');
  }
}
