import { unite, type Pane, type PaneEntry } from './pane.ts';
import type { Template } from './template.ts';
import type { Verdict } from './verdict.ts';

/** Loud windows that are remembered for their own sake. */
const LOUD_WINDOWS = 4;

/** Why a window was loud, as its verdict said it. */
export type Reasons = Pick<Verdict, 'findings' | 'topTemplates'>;

/**
 * What is too much to keep of every window: samples, trace ids, levels and numbers. Of the newest window there are all; of the newest windows in which a loud
 * time began or became critical, the ones that anomalies are about, those of the top templates. In memory only: samples never reach the disk.
 */
export class RecentDetails {
  #newest: { windowId: number; panes: readonly Pane[]; reasons: Reasons | null } | null = null;
  readonly #loud: { windowId: number; reasons: Reasons }[] = [];
  /** Newest loud window, and whether its run has been critical. */
  #runEnd = -Infinity;
  #runIsCritical = false;

  /** Its panes, which the source holds anyway: united they would be another window a source that garbage collections copy. */
  keep(windowId: number, panes: readonly Pane[]): void {
    this.#newest = { windowId, panes, reasons: null };
  }

  /** The window kept last is loud. */
  keepLoud(windowId: number, reasons: Reasons, isCritical: boolean): void {
    this.#newest!.reasons = reasons;
    const begins = windowId !== this.#runEnd + 1;
    if (begins || (isCritical && !this.#runIsCritical)) {
      this.#loud.push({ windowId, reasons });
      if (this.#loud.length > LOUD_WINDOWS) this.#loud.shift();
    }
    this.#runIsCritical = isCritical || (!begins && this.#runIsCritical);
    this.#runEnd = windowId;
  }

  /** Null when it was not loud, or is forgotten. */
  reasons(windowId: number): Reasons | null {
    const known = [this.#newest, ...this.#loud].find((window) => window?.windowId === windowId);
    return known?.reasons ?? null;
  }

  /** By the template that counts now; empty for all but the newest window. */
  of(windowId: number): ReadonlyMap<Template, PaneEntry> {
    const panes = this.#newest?.windowId === windowId ? this.#newest.panes : [];
    return new Map(unite(panes).entries.map((entry) => [entry.template, entry]));
  }
}
