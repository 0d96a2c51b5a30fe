/** Commits and deltas for the store's tests. */
import { packDeltas } from '../../src/shard/packed-deltas.ts';
import type { SourceDelta } from '../../src/detect/persist.ts';
import type { Commit, Fingerprint, PackedCommit } from '../../src/store/messages.ts';

export const FINGERPRINT: Fingerprint = { schema: '1', embedder: 'hashing-1', parameters: '{"windowStepMs":60000}' };

export function delta(key: string, changes: Partial<SourceDelta> = {}): SourceDelta {
  return {
    key,
    meta: '{}',
    reset: false,
    windows: [],
    oldestWindowId: 0,
    templates: [],
    removedTemplates: [],
    ...changes,
  };
}

export function commit(stepEndMs: number, changes: Partial<Commit> = {}): Commit {
  return { stepEndMs, deltas: [], service: `{"step":${stepEndMs}}`, parked: [], forgotten: [], ...changes };
}

/** As the store takes it. */
export function packed({ deltas, ...rest }: Commit): PackedCommit {
  return { ...rest, deltas: packDeltas(deltas) };
}

export function window(windowId: number, ...bytes: number[]): { windowId: number; blob: Uint8Array } {
  return { windowId, blob: Uint8Array.from(bytes) };
}

export function template(number: number, ...bytes: number[]): { number: number; blob: Uint8Array } {
  return { number, blob: Uint8Array.from(bytes) };
}
