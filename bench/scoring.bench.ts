import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { expect, test } from 'vitest';
import { createAttributionScratch, reconstructionError } from '../src/detect/attribution.ts';
import { defaultFloors, ErrorBaseline } from '../src/detect/baseline.ts';
import { GramRing } from '../src/detect/dmd/gram.ts';
import { DmdKernel, type DmdOptions } from '../src/detect/dmd/kernel.ts';
import { addWeights, combine, weightedSum, type SparseCounts } from '../src/detect/dmd/snapshot.ts';
import { VectorProducts } from '../src/detect/dmd/vector-products.ts';
import { History } from '../src/detect/history.ts';
import { WindowScorer } from '../src/detect/score.ts';
import { TemplateTable } from '../src/detect/template.ts';
import { VectorTable } from '../src/detect/vectors.ts';

/** One window of a full source: 120 windows before it, 20 templates, the seed's delay and rank. */
const WINDOWS = 120;
const DIMENSIONS = 768;
const TEMPLATES = 20;
const OPTIONS: DmdOptions = { delay: 5, maxRank: 50, rankCapDivisor: 0, tau: 1e-4 };
const ROUNDS = 7;
/** CPU time comes in ticks of up to 10 ms here: a round must be many of them. */
const SCORES_PER_ROUND = 300;

/** Deterministic uniform numbers in [0, 1). */
let state = 1;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state >>> 0) / 4294967296;
}

const columns = Uint16Array.from({ length: TEMPLATES }, (_, i) => i);
function randomVector(): Float32Array {
  const vector = Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5);
  const norm = Math.hypot(...vector);
  return vector.map((v) => v / norm);
}
const vectors = Array.from({ length: TEMPLATES }, randomVector);

function nextWindow(t: number): SparseCounts {
  const counts = Float64Array.from(columns, (i) => Math.floor((1 + 40 * random()) * (1 + Math.sin(t / (3 + i)))));
  return { length: TEMPLATES, columns, counts, start: 0 };
}

const kernel = new DmdKernel(WINDOWS);
const scratch = createAttributionScratch(DIMENSIONS, 256);
const vectorProducts = new VectorProducts();
const actual = new Float64Array(TEMPLATES);
const expected = new Float64Array(TEMPLATES);
const products = new Float64Array(TEMPLATES);
const row = new Float64Array(WINDOWS + 1);
const ring = new GramRing(WINDOWS + 1);
const baseline = new ErrorBaseline();
const kept: SparseCounts[] = [];

/** Everything a window costs beside counting: Gram row from counts, model, error as a vector, z. */
function score(window: SparseCounts): number {
  if (kept.length > WINDOWS) kept.shift();
  kept.push(window);
  actual.fill(0);
  addWeights('log_sum', window, 1, actual);
  vectorProducts.update(vectors);
  vectorProducts.multiply(actual, TEMPLATES, products);
  for (let j = 0; j < kept.length; j++) row[j] = weightedSum('log_sum', kept[j]!, products);
  ring.push(row);

  const n = ring.size - 1;
  ring.copyTo(kernel.gram, n, 0, n);
  const { m } = kernel.predict(kernel.gram, n, OPTIONS);
  expected.fill(0);
  for (let i = 0; i < m; i++) addWeights('log_sum', kept[i + OPTIONS.delay]!, kernel.weights[i]!, expected);
  const error = reconstructionError({ columns: TEMPLATES, actual, expected, vectors }, scratch);
  baseline.offer(error, baseline.normalizedError(error, defaultFloors(ring.rmsNorm(0, n))));
  return error;
}

/** Columns from..to-1 of the explicit Hankel matrix, 3840 rows, of the 120 oldest kept windows. */
function hankelMatrix(from: number, to: number): Matrix {
  const snapshots = kept.slice(0, WINDOWS).map((window) => {
    const weights = new Float64Array(TEMPLATES);
    addWeights('log_sum', window, 1, weights);
    const out = new Float64Array(DIMENSIONS);
    combine(weights, vectors, TEMPLATES, out);
    return out;
  });
  const hankel = Matrix.zeros(OPTIONS.delay * DIMENSIONS, to - from);
  for (let j = 0; j < hankel.columns; j++) {
    for (let i = 0; i < hankel.rows; i++) {
      hankel.set(i, j, snapshots[from + j + Math.floor(i / DIMENSIONS)]![i % DIMENSIONS]!);
    }
  }
  return hankel;
}

/** How far the kernel's weights are from V S⁻¹ Uᵀ q by the SVD, relatively: both candidates must do the same job. */
function modelDistance(): number {
  const m = WINDOWS - OPTIONS.delay;
  const svd = new SingularValueDecomposition(hankelMatrix(0, m));
  const q = hankelMatrix(m, m + 1);
  const last = OPTIONS.maxRank - 1;
  const u = svd.leftSingularVectors.subMatrix(0, q.rows - 1, 0, last);
  const v = svd.rightSingularVectors.subMatrix(0, m - 1, 0, last);
  const inverse = Matrix.diag(svd.diagonal.slice(0, last + 1).map((s) => 1 / s));
  const weights = v.mmul(inverse).mmul(u.transpose().mmul(q));
  ring.copyTo(kernel.gram, WINDOWS, 0, WINDOWS);
  kernel.predict(kernel.gram, WINDOWS, OPTIONS);
  const difference = weights.to1DArray().map((w, i) => w - kernel.weights[i]!);
  return Math.hypot(...difference) / weights.norm();
}

/** CPU time of this thread: beside other work, wall time punishes the long candidate and flatters the short one. */
function cpuMilliseconds(work: () => void): number {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

let t = 0;
for (; t < 2 * WINDOWS; t++) score(nextWindow(t));

test('scoring one window beside ml-matrix’s SVD of its Hankel matrix', () => {
  const hankel = hankelMatrix(0, WINDOWS - OPTIONS.delay);
  const scores: number[] = [];
  const kernels: number[] = [];
  const svds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const windows = Array.from({ length: SCORES_PER_ROUND }, () => nextWindow(t++));
    scores.push(cpuMilliseconds(() => windows.forEach(score)) / SCORES_PER_ROUND);
    const fit = (): void => windows.forEach(() => kernel.predict(kernel.gram, WINDOWS, OPTIONS));
    kernels.push(cpuMilliseconds(fit) / SCORES_PER_ROUND);
    svds.push(cpuMilliseconds(() => new SingularValueDecomposition(hankel)));
  }
  const ratio = median(svds) / median(scores);
  console.log(
    `one window, 120 x 768, delay 5, rank 50, 20 templates: ${median(scores).toFixed(2)} ms ` +
      `(kernel alone ${median(kernels).toFixed(2)} ms) of CPU; ml-matrix SVD of 3840 x 115: ${median(svds).toFixed(0)} ms; ` +
      `ratio ${ratio.toFixed(0)}x (target 300x)`,
  );
  expect(modelDistance()).toBeLessThan(1e-6);
});

/** A source as the service holds it: full, `templates` of them in most windows. */
function fullSource(count: number) {
  const history = new History(WINDOWS + 1, { scored: true });
  const table = new VectorTable();
  const templates = new TemplateTable(history, table);
  const scorer = new WindowScorer({ dmdWindows: WINDOWS, delay: 5, maxRank: 50, snapshot: 'log_sum' });
  for (let k = 0; k < count; k++) {
    templates.assignSlot(templates.create({ id: `${k}`, text: `${k}` }, 0));
    table.set(`${k}`, randomVector());
  }
  for (let i = 0; i <= WINDOWS; i++) {
    history.push();
    for (let k = 0; k < count; k++) history.setCount(i, k, random() < 0.9 ? Math.floor(400 ** random()) : 0);
    scorer.predict(history, templates, i);
    scorer.pushGramRow(history, templates, i);
  }
  return { history, templates, scorer, table };
}

test('a template of all windows is renamed in a full history', () => {
  for (const count of [20, 100, 256]) {
    const { history, templates, scorer, table } = fullSource(count);
    let renamed = 0;
    const spent = Array.from({ length: 5 * ROUNDS }, () => {
      const template = templates.bySlot[renamed % count]!;
      template.vector = table.hold(`renamed ${renamed++}`);
      table.set(template.vector.text, randomVector());
      history.markAllStale();
      return cpuMilliseconds(() => scorer.refreshGram(history, templates));
    });
    console.log(
      `${count} templates: all ${WINDOWS + 1} Gram rows again in ${median(spent).toFixed(1)} ms of CPU (a shard's slice: 20 ms); ` +
        `history of the source ${(history.byteLength / 1024).toFixed(0)} KiB`,
    );
  }
});

test('memory of scoring', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const windows = Array.from({ length: 1000 }, () => nextWindow(t++));
  const used = (): number => {
    collect();
    collect();
    return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  };
  for (let k = 0; k < 2 * WINDOWS; k++) score(windows[k]!);
  const before = used();
  for (const window of windows) score(window);
  const growth = used() - before;
  const shared = kernel.scratchBytes + scratch.residual.byteLength + scratch.deltas.byteLength;
  console.log(
    `shared scratch ${(shared / 1024).toFixed(0)} KiB (limit 1024); Gram ring ${(ring.bytes / 1024).toFixed(0)} KiB a source; ` +
      `heap growth over 1,000 scores ${(growth / 1024).toFixed(1)} KiB`,
  );
  expect(shared).toBeLessThanOrEqual(2 ** 20);
  expect(Math.abs(growth)).toBeLessThan(64 * 1024);
});
