/**
 * What is remembered of templates that left: enough to know their lines again. A line of `user <*> logged in` that comes back would be born as
 * `user alice logged in`: another text, another id, a template that looks new.
 *
 *     evicted   user <*> logged in   ->   varying positions [1], check of `user`, `logged`, `in`
 *     born      user alice logged in ->   the same check without position 1: it varies from the first line on
 */
import type { Cluster } from './cluster.ts';
import { mix } from '../tokens/hash.ts';
import { FIXED, WILD } from '../tokens/kinds.ts';

/** Templates that left, of a source: the newest. Some 150 bytes each. */
const MOST_FORMER = 256;
/** Others said hardly anything. */
const MOST_PLACES = 16;
/** Sets of varying positions that a newborn line is compared under, the newest; in a flood every birth pays for them. */
const MOST_TRIES = 16;

/** JSON-able, equal in every process: check, tokens, varying positions. */
export type StoredFormer = [number, number, ...number[]];

export class FormerTemplates {
  /** Oldest first, as they are stored. */
  readonly #former: StoredFormer[] = [];

  /** A cluster is about to leave. One that never varied has the same id when it comes back. */
  remember<Pane>(cluster: Cluster<Pane>): void {
    if (cluster.given || cluster.wildcards === 0 || cluster.wildcards > MOST_PLACES) return;
    const tokens = cluster.lanes.length / 3;
    const places: number[] = [];
    for (let i = 0; i < tokens; i++) if (cluster.lanes[3 * i + 2] === WILD) places.push(i);
    this.#former.push([checkOf(cluster, places), tokens, ...places]);
    if (this.#former.length > MOST_FORMER) this.#former.shift();
  }

  /** The positions that varied in the template that a newborn cluster was before, which is no longer a former one; null when it was none. */
  take<Pane>(cluster: Cluster<Pane>): readonly number[] | null {
    const tokens = cluster.lanes.length / 3;
    const checks = new Map<string, number>();
    for (let k = this.#former.length - 1; k >= 0; k--) {
      const [check, length, ...places] = this.#former[k]!;
      if (length !== tokens) continue;
      const key = places.join();
      let own = checks.get(key);
      if (own === undefined) {
        if (checks.size === MOST_TRIES) continue;
        checks.set(key, (own = checkOf(cluster, places)));
      }
      if (own !== check || !mayVary(cluster, places)) continue;
      this.#former.splice(k, 1);
      return places;
    }
    return null;
  }

  save(): StoredFormer[] {
    return this.#former.map((former) => [...former]);
  }

  /** Into a fresh one. */
  restore(stored: readonly StoredFormer[]): void {
    this.#former.push(...stored.slice(-MOST_FORMER));
  }
}

/** Over the tokens but for those at `places`. */
function checkOf<Pane>(cluster: Cluster<Pane>, places: readonly number[]): number {
  let check = 0;
  let next = 0;
  for (let i = 0; 3 * i < cluster.lanes.length; i++) {
    if (places[next] === i) {
      next++;
      continue;
    }
    const token = cluster.token(i);
    for (let k = 0; k < token.length; k++) check = mix(check, token.charCodeAt(k));
    check = mix(check, ~i);
  }
  return check;
}

/** A state or a field's name was there always: it never varies. */
function mayVary<Pane>({ lanes }: Cluster<Pane>, places: readonly number[]): boolean {
  return places.every((place) => lanes[3 * place + 2]! < FIXED);
}
