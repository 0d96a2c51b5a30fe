/** Texts that an embedding service fails on, put aside for a while: asking again every step would cost a bisection each time. */
export class Quarantine {
  /** Text to the time its stay ends; oldest first. */
  readonly #untilMs = new Map<string, number>();
  readonly #stayMs: number;
  readonly #maxTexts: number;

  constructor(stayMs: number, maxTexts: number) {
    this.#stayMs = stayMs;
    this.#maxTexts = maxTexts;
  }

  get size(): number {
    return this.#untilMs.size;
  }

  /** @param nowMs monotonic */
  add(text: string, nowMs: number): void {
    this.#untilMs.delete(text);
    this.#untilMs.set(text, nowMs + this.#stayMs);
    if (this.#untilMs.size > this.#maxTexts) this.#untilMs.delete(this.#untilMs.keys().next().value!);
  }

  has(text: string, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(text);
    if (untilMs === undefined) return false;
    if (nowMs < untilMs) return true;
    this.#untilMs.delete(text);
    return false;
  }
}
