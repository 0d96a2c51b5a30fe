/** What the bounds made leave, and what they kept out, since the last step. */
export interface Evictions {
  /** Clusters of a miner's tree, which was full. */
  clusters: number;
  /** Clusters of one leaf of it, where too many look alike. */
  candidates: number;
  /** Templates of a history beyond `MAX_TEMPLATES`. */
  templates: number;
  /** Lines whose template had no room in an overfull pane; they count as records only. */
  lines: number;
  /** Lines that count as the template `<unsorted>`: too many others were new. */
  unsorted: number;
}

export const NO_EVICTIONS: Readonly<Evictions> = { clusters: 0, candidates: 0, templates: 0, lines: 0, unsorted: 0 };

export function addEvictions(total: Evictions, more: Evictions): void {
  total.clusters += more.clusters;
  total.candidates += more.candidates;
  total.templates += more.templates;
  total.lines += more.lines;
  total.unsorted += more.unsorted;
}
