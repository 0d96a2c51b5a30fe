import type { TopTemplate, Verdict } from '../../src/detect/verdict.ts';

export const STEP_MS = 60_000;

/** A scored, quiet window of `otlp:api-2`; `windowId` sets its times. */
export function verdict(more: Partial<Verdict> = {}): Verdict {
  const windowId = more.windowId ?? 1_000;
  return {
    source: 'otlp:api-2',
    handle: 0,
    windowId,
    windowStartMs: (windowId - 2) * STEP_MS,
    windowEndMs: windowId * STEP_MS,
    records: 240,
    templates: 12,
    reconstructionError: 0.75,
    normalizedError: more.score ?? null,
    scoreBefore: null,
    score: 0.5,
    detector: 'dmd',
    channels: null,
    severity: 'normal',
    gates: [],
    rank: 10,
    newTemplates: [],
    findings: [],
    topTemplates: [],
    ...more,
  };
}

const USUAL = 'GET /product/<*>';

export function topTemplate(more: Partial<TopTemplate> = {}): TopTemplate {
  const { template = USUAL } = more;
  return {
    templateId: template === USUAL ? '00112233aabbccdd' : `id of ${template}`,
    template,
    shown: template,
    variants: [template],
    values: [],
    share: 0.6,
    count: 3,
    usualCount: 120,
    firstSeenMs: 0,
    levels: [0, 0, 0, 3, 0, 0, 0],
    levelsTotal: [0, 0, 0, 4000, 0, 0, 0],
    samples: ['GET /product/17'],
    numbers: [{ placeholder: 1, count: 3, median: 12, p95: 40 }],
    traceIds: [],
    spanIds: [],
    ...more,
  };
}
