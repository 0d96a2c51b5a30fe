/** Far more than a client has under way. */
const MAX_IDS = 1000;

/** Ids of streams, the newest of those that were added. */
export class NewestIds {
  readonly #ids = new Set<number>();

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  add(id: number): void {
    this.#ids.add(id);
    if (this.#ids.size > MAX_IDS) this.#ids.delete(this.#ids.values().next().value!);
  }

  /** @returns whether it was one of them */
  delete(id: number): boolean {
    return this.#ids.delete(id);
  }
}
