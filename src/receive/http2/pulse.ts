/** What of a connection depends on time. */
export interface PulseOptions {
  /** A request must be complete after this time, and so must headers; its client must have taken the answer. */
  readMs: number;
  /** A connection that is silent for so long is pinged, and closed when nothing comes within `pingTimeoutMs`. */
  pingMs: number;
  pingTimeoutMs: number;
  /** A connection without requests for so long, or of this age, is told to go; null = never. */
  idleMs: number | null;
  ageMs: number | null;
}

/** To be done now. `cut`: nobody is there, or takes too long; `go`: it is old or idle. */
export type Due = 'cut' | 'ping' | 'go' | null;

export class Pulse {
  readonly #options: PulseOptions;
  /** When the client was last heard. */
  heardMs: number;
  /** When it ends whatever happens. */
  cutMs = Infinity;
  #pingedMs: number | null = null;
  /** When last seen without a frame under way, other than DATA. */
  #headersSinceMs: number;
  #idleSinceMs: number;
  readonly #dueMs: number;

  constructor(options: PulseOptions, nowMs: number) {
    this.#options = options;
    this.heardMs = this.#idleSinceMs = this.#headersSinceMs = nowMs;
    // Spread by ±10 %, so that connections opened together do not all come back together.
    this.#dueMs = options.ageMs === null ? Infinity : nowMs + options.ageMs * (0.9 + Math.random() * 0.2);
  }

  /** Bytes came. */
  hear(nowMs: number): void {
    this.heardMs = nowMs;
    this.#pingedMs = null;
  }

  /** The last request was answered. */
  rest(nowMs: number): void {
    this.#idleSinceMs = nowMs;
  }

  isDeaf(nowMs: number): boolean {
    return this.#pingedMs !== null && nowMs - this.#pingedMs >= this.#options.pingTimeoutMs;
  }

  next(nowMs: number, { isBusy, isWithinHeaders }: { isBusy: boolean; isWithinHeaders: boolean }): Due {
    const { readMs, pingMs, idleMs } = this.#options;
    if (!isWithinHeaders) this.#headersSinceMs = nowMs;
    else if (nowMs - this.#headersSinceMs >= readMs) return 'cut';
    if (this.#pingedMs === null && nowMs - this.heardMs >= pingMs) {
      this.#pingedMs = nowMs;
      return 'ping';
    }
    const isIdle = idleMs !== null && !isBusy && nowMs - this.#idleSinceMs >= idleMs;
    return isIdle || nowMs >= this.#dueMs ? 'go' : null;
  }
}
