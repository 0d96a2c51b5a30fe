import type { AlertHistory } from '../alert/episode.ts';
import type { SourceEntry } from '../source/registry.ts';
import type { Store } from '../store/checkpoint.ts';
import { createTurns } from './turns.ts';

/** What the checkpoint keeps beside the sources' own state. */
export interface ServiceState {
  /** End of the newest judged window. */
  judgedMs: number;
  /** Embedding space of the history. */
  fingerprint: string | null;
  episodes: AlertHistory[];
  identities: [key: string, identity: [string, string][]][];
}

/** @returns null without a store, or when it is new */
export async function readServiceState(store: Store | null): Promise<ServiceState | null> {
  const text = store === null ? null : await store.service();
  return text === null ? null : (JSON.parse(text) as ServiceState);
}

/** {@link ServiceState.identities} as JSON; it grows with the sources, so it is made in pieces. */
export async function writeIdentities(sources: Iterable<SourceEntry>): Promise<string> {
  const turns = createTurns();
  const identities: string[] = [];
  for (const { key, identity } of sources) {
    await turns();
    identities.push(JSON.stringify([key, [...identity]] satisfies ServiceState['identities'][number]));
  }
  return `[${identities.join(',')}]`;
}

/** As JSON. */
export function writeServiceState(state: Omit<ServiceState, 'identities'>, identities: string): string {
  return `${JSON.stringify(state).slice(0, -1)},"identities":${identities}}`;
}
