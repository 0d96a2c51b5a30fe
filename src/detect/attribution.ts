import { combine, dot, type VectorTable } from './dmd/snapshot.ts';

/**
 * Which templates a prediction error consists of, exactly.
 *
 * A prediction is a weighted sum of past windows, so every template has an expected weight âᵢ as it has an actual one aᵢ, and
 *
 *     r = x − x̂ = Σᵢ (aᵢ − âᵢ) vᵢ        shareᵢ = ⟨(aᵢ − âᵢ) vᵢ, r⟩ / ‖r‖²        Σᵢ shareᵢ = ⟨r, r⟩ / ‖r‖² = 1
 *
 * Worked example: v₁ = (1, 0), v₂ = (0, 1), a = (2, 1), â = (0, 0) gives r = (2, 1), ‖r‖² = 5, shares 4/5 and 1/5. A share is negative for a
 * template that moves against the rest, so a single one may lie above 1.
 */
export interface WeightedTemplates {
  /** Columns in use: actual, expected and vectors are read at 0..columns-1. */
  readonly columns: number;
  readonly actual: Float64Array;
  readonly expected: Float64Array;
  readonly vectors: VectorTable;
}

/** Reused by all sources of a shard. */
export interface AttributionScratch {
  /** r, after {@link reconstructionError}. */
  readonly residual: Float64Array;
  readonly deltas: Float64Array;
}

export function createAttributionScratch(dimensions: number, maxColumns: number): AttributionScratch {
  return { residual: new Float64Array(dimensions), deltas: new Float64Array(maxColumns) };
}

export interface TemplateShare {
  column: number;
  share: number;
}

/** ‖r‖, formed as a vector: in Gram space the difference of nearly equal squares would bury errors below 1e-8. */
export function reconstructionError(templates: WeightedTemplates, scratch: AttributionScratch): number {
  const { columns, actual, expected, vectors } = templates;
  const { residual, deltas } = scratch;
  for (let i = 0; i < columns; i++) deltas[i] = actual[i]! - expected[i]!;
  combine(deltas, vectors, columns, residual);
  return Math.sqrt(squaredNorm(residual));
}

/** Below this squares have lost their digits to underflow and shares would no longer sum to 1. */
const SMALLEST_SQUARE = 1e-280;

/**
 * Shares of the templates in ‖r‖², largest magnitude first, equal ones by column; templates without a part in it are left out.
 * Nothing when r = 0. Needs the scratch as {@link reconstructionError} left it for the same templates.
 */
export function attribute(templates: WeightedTemplates, scratch: AttributionScratch): TemplateShare[] {
  const { residual, deltas } = scratch;
  const square = squaredNorm(residual);
  const shares: TemplateShare[] = [];
  if (!(square > SMALLEST_SQUARE)) return shares;
  for (let column = 0; column < templates.columns; column++) {
    const delta = deltas[column]!;
    const vector = templates.vectors[column];
    if (delta === 0 || !vector) continue;
    const share = (delta * dot(residual, vector)) / square;
    if (share !== 0) shares.push({ column, share });
  }
  return shares.sort((a, b) => Math.abs(b.share) - Math.abs(a.share) || a.column - b.column);
}

function squaredNorm(x: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < x.length; d++) sum += x[d]! * x[d]!;
  return sum;
}
