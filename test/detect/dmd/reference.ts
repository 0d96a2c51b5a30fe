import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const directory = new URL('../../testdata/vectors/', import.meta.url);

export interface ReferenceWindow {
  t: number;
  n: number;
  m: number;
  rank: number | null;
  error: number | null;
  normalized: number | null;
  cut_gap?: number | null;
  eigenvalues?: [number, number][];
  prediction?: number[];
}

export interface ReferenceCase {
  name: string;
  params: {
    p: number;
    count: number;
    buffer: number;
    delay: number;
    max_rank: number;
    rank_cap_divisor: number;
    tau: number;
    baseline: number;
    min_baseline: number;
    sd_floor_rel: number;
    sd_floor_abs: number;
    exclude_above: number;
    max_excluded_run: number;
  };
  snapshots: Float64Array[];
  windows: ReferenceWindow[];
}

export const referenceNames = [
  'constant_p4',
  'linear_p4',
  'templates_p32',
  'templates_p768',
  'templates_p768_cap3',
  'var1_p6',
  'var1_p6_cap3',
  'zeros_p5',
];

export function readReference(name: string): ReferenceCase {
  const file = JSON.parse(readFileSync(new URL(`${name}.json`, directory), 'utf8')) as Omit<
    ReferenceCase,
    'snapshots'
  > & { snapshots?: number[][]; snapshots_file?: string };
  const { count, p } = file.params;
  if (file.snapshots) return { ...file, snapshots: file.snapshots.map((row) => Float64Array.from(row)) };
  const raw = gunzipSync(readFileSync(new URL(file.snapshots_file!, directory)));
  const values = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const snapshots = Array.from({ length: count }, (_, t) =>
    Float64Array.from({ length: p }, (_, d) => values.getFloat32((t * p + d) * 4, true)),
  );
  return { ...file, snapshots };
}

/** Deterministic uniform numbers in [0, 1): mulberry32. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}

/** Row-major n x n inner products. */
export function denseGram(snapshots: Float64Array[]): Float64Array {
  const n = snapshots.length;
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) gram[i * n + j] = inner(snapshots[i]!, snapshots[j]!);
  return gram;
}

/** x̂ = Σ wᵢ x_{i+delay} */
export function predictFrom(snapshots: Float64Array[], weights: Float64Array, m: number, delay: number): Float64Array {
  const out = new Float64Array(snapshots[0]!.length);
  for (let i = 0; i < m; i++) {
    for (let d = 0; d < out.length; d++) out[d] = out[d]! + weights[i]! * snapshots[i + delay]![d]!;
  }
  return out;
}

export function distance(a: Float64Array, b: Float64Array): number {
  return Math.sqrt(a.reduce((sum, x, d) => sum + (x - b[d]!) ** 2, 0));
}
