import type { PaneEntry } from './pane.ts';
import { current, type Template } from './template.ts';
import type { Verdict } from './verdict.ts';

/** Loud windows that are remembered, and templates of each: those that the error consists of. */
const LOUD_WINDOWS = 4;

interface WindowDetails {
  windowId: number;
  entries: readonly PaneEntry[];
}

/** Why a window was loud, as its verdict said it. */
export type Reasons = Pick<Verdict, 'findings' | 'topTemplates'>;

/**
 * What is too much to keep of every window: samples, trace ids, levels and numbers of the newest one, and of the newest loud ones those of their top
 * templates. In memory only: samples never reach the disk.
 */
export class RecentDetails {
  #newest: WindowDetails | null = null;
  readonly #loud: (WindowDetails & Reasons)[] = [];

  keep(windowId: number, entries: readonly PaneEntry[]): void {
    this.#newest = { windowId, entries };
  }

  /** @param entries - of the top templates, at most 10 */
  keepLoud(windowId: number, entries: readonly PaneEntry[], why: Reasons): void {
    this.#loud.push({ windowId, entries, ...why });
    if (this.#loud.length > LOUD_WINDOWS) this.#loud.shift();
  }

  /** Null when it was not loud, or others have been since. */
  reasons(windowId: number): Reasons | null {
    const loud = this.#loud.find((details) => details.windowId === windowId);
    return loud === undefined ? null : { findings: loud.findings, topTemplates: loud.topTemplates };
  }

  /** By the template that counts now; empty when nothing is remembered of the window. */
  of(windowId: number): ReadonlyMap<Template, PaneEntry> {
    const known = [this.#newest, ...this.#loud].find((details) => details?.windowId === windowId);
    return new Map(known?.entries.map((entry) => [current(entry.template), entry]));
  }
}
