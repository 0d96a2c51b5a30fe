/** Contract draft; the implementation follows. */

/** What a source's history looks like in the store: opaque to the store, versioned by `detect/`. */
export interface StoredSource {
  key: string;
  /** JSON: everything small. */
  meta: string;
  /** Oldest first. */
  windows: { windowId: number; blob: Uint8Array }[];
  templates: { number: number; blob: Uint8Array }[];
}

/** What one step changed in a source; the store applies it in one transaction. */
export interface SourceDelta {
  key: string;
  meta: string;
  /** All stored windows and templates of the source leave first (a template merged, a Gram matrix was rebuilt). */
  reset: boolean;
  windows: { windowId: number; blob: Uint8Array }[];
  /** Windows with a smaller id leave. */
  oldestWindowId: number;
  templates: { number: number; blob: Uint8Array }[];
  removedTemplates: number[];
}

/** A template text without a vector. */
export interface EmbeddingRequest {
  text: string;
}

export type Gate = 'warming' | 'gap' | 'muted' | 'degraded' | 'sparse' | 'recurrent' | 'incomplete';
export type Severity = 'normal' | 'warning' | 'critical';

export interface TopTemplate {
  templateId: string;
  template: string;
  /** Exact share of the squared residual; shares of all templates sum to 1. */
  share: number;
  count: number;
  /** Median count over the accepted windows. */
  usualCount: number;
  firstSeenMs: number;
  /** A line of this window, null when the template did not occur in it. */
  sample: string | null;
  /** 32 hex digits each, at most 5. */
  traceIds: string[];
  /** 16 hex digits each ('' where the record had none), same order. */
  spanIds: string[];
}

/** The judgement of one source's window. */
export interface Verdict {
  source: string;
  handle: number;
  windowId: number;
  windowStartMs: number;
  windowEndMs: number;
  records: number;
  /** Distinct templates in the window. */
  templates: number;
  reconstructionError: number | null;
  normalizedError: number | null;
  score: number | null;
  detector: 'dmd' | null;
  /** Null until the source is scored. */
  severity: Severity | null;
  gates: Gate[];
  /** DMD rank used, 0 when nothing was predicted. */
  rank: number;
  /** Templates first seen in this window, at most 5. */
  newTemplates: string[];
  /** Filled when the score lies above the warning threshold, else empty. Largest share first. */
  topTemplates: TopTemplate[];
}

/** What `/api/v1/sources/:key/windows/:id/explain` shows beyond the verdict. */
export interface WindowExplanation {
  verdict: Verdict;
  /** False once older windows that this one was predicted from have left. */
  exact: boolean;
  topTemplates: TopTemplate[];
  /** Eigenvalues of the one-step operator: modulus (growth a step) and period in milliseconds (null = none). */
  modes: { real: number; imaginary: number; modulus: number; periodMs: number | null }[];
  errors: { windowId: number; reconstructionError: number | null; normalizedError: number | null }[];
}
