/**
 * Two commits as one, for a disk that is slower than the steps or fails for a while. What waits stays bounded: a source's merged
 * delta holds no more than the source's state.
 */
import type { SourceDelta, StoredSource } from '../detect/persist.ts';
import type { Commit } from './messages.ts';

/** The one commit that has the effect of `older` and then `newer`. */
export function mergeCommits(older: Commit, newer: Commit): Commit {
  const deltas = new Map(older.deltas.map((delta) => [delta.key, delta]));
  const parked = new Map(older.parked.map((entry) => [entry.key, entry]));
  const forgotten = new Set(older.forgotten);
  for (const key of newer.forgotten) {
    deltas.delete(key);
    parked.delete(key);
    forgotten.add(key);
  }
  for (const delta of newer.deltas) {
    const before = deltas.get(delta.key);
    deltas.set(delta.key, before === undefined ? delta : mergeDeltas(before, delta));
    parked.delete(delta.key);
  }
  for (const entry of newer.parked) parked.set(entry.key, entry);
  return {
    stepEndMs: newer.stepEndMs,
    service: newer.service,
    deltas: [...deltas.values()],
    parked: [...parked.values()],
    forgotten: [...forgotten],
  };
}

function mergeDeltas(older: SourceDelta, newer: SourceDelta): SourceDelta {
  if (newer.reset) return newer;
  const merged = applyDelta(older, newer);
  return {
    ...newer,
    reset: older.reset,
    oldestWindowId: Math.max(older.oldestWindowId, newer.oldestWindowId),
    windows: merged.windows,
    templates: merged.templates,
    removedTemplates: [...new Set([...older.removedTemplates, ...newer.removedTemplates])],
  };
}

/** What the store would hold of a source after `delta`; `stored` null = nothing so far. */
export function applyDelta(stored: StoredSource | null, delta: SourceDelta): StoredSource {
  const before = delta.reset || stored === null ? { windows: [], templates: [] } : stored;
  const windows = new Map(before.windows.map((window) => [window.windowId, window]));
  const templates = new Map(before.templates.map((template) => [template.number, template]));
  for (const windowId of windows.keys()) if (windowId < delta.oldestWindowId) windows.delete(windowId);
  for (const number of delta.removedTemplates) templates.delete(number);
  for (const window of delta.windows) windows.set(window.windowId, window);
  for (const template of delta.templates) templates.set(template.number, template);
  return {
    key: delta.key,
    meta: delta.meta,
    windows: [...windows.values()].sort((a, b) => a.windowId - b.windowId),
    templates: [...templates.values()].sort((a, b) => a.number - b.number),
  };
}
