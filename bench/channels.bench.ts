import { expect, test } from 'vitest';
import { newCalibrations, ChannelScorer, type ChannelWindow } from '../src/detect/channels/channel-scorer.ts';
import { CHANNELS, DEFAULT_WEIGHTS } from '../src/detect/channels/channels.ts';
import { SlotHistory } from '../src/detect/channels/slot-history.ts';
import { DmdKernel } from '../src/detect/dmd/kernel.ts';
import { History } from '../src/detect/history.ts';
import { QuantileSketch } from '../src/detect/miner/variables/quantiles.ts';
import { TemplateTable } from '../src/detect/template.ts';
import { VectorTable } from '../src/detect/vectors.ts';
import { Drive, type Line } from '../test/detect/drive.ts';

/** One window of a full source: 120 windows before it, 100 templates, 32 numeric slots. */
const WINDOWS = 120;
const TEMPLATES = 100;
const SLOTS = 32;
const ROUNDS = 9;
const SCORES_PER_ROUND = 60;

/** Deterministic uniform numbers in [0, 1). */
let state = 7;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state >>> 0) / 4294967296;
}

const history = new History(WINDOWS + 1);
history.growSlots(TEMPLATES);
const errors = new Float64Array(WINDOWS + 1);
for (let t = 0; t <= WINDOWS; t++) {
  const i = history.push();
  let records = 0;
  for (let slot = 0; slot < TEMPLATES; slot++) {
    const count = Math.floor(400 ** random() * (random() < 0.3 ? 0 : 1) * (1 + Math.sin(t / (3 + slot))));
    records += count;
    history.setCount(i, slot, count);
  }
  errors[i] = 1 + random();
  history.set(i, { windowId: t, records, error: 0, normalizedError: 0, rank: 0, gates: [], accepted: t % 11 !== 0 });
}
const scorer = new ChannelScorer(DEFAULT_WEIGHTS);
const calibrations = newCalibrations();
for (const calibration of calibrations) for (let k = 0; k < WINDOWS; k++) calibration.accept(3 * random() ** 3);

/** 32 numeric slots with a full past of their own each. */
const slots = new SlotHistory(WINDOWS + 1, 2);
const table = new TemplateTable(new History(WINDOWS + 1), new VectorTable());
const numeric = Array.from({ length: SLOTS }, (_, k) => {
  const template = table.create({ id: `slot ${k}`, text: `slot ${k}` }, 0);
  table.assignSlot(template);
  return template;
});
const quantiles = new QuantileSketch().take();
const numbersNow = () =>
  numeric.map((template) => ({
    template,
    numbers: [{ token: 1, count: 20, mean: 2 + random(), squares: 4 * random(), quantiles }],
  }));
for (let t = 0; t < WINDOWS; t++) {
  slots.push();
  slots.learn(slots.judge(numbersNow(), history).parts);
}
slots.push();

function values(): number {
  return slots.judge(numbersNow(), history).surprise;
}

const window: ChannelWindow = {
  history,
  columns: {
    records: (i) => history.records(i),
    warnings: (i) => i % 7,
    errorRecords: (i) => i % 2,
    novelTemplates: (i) => (i % 30 === 0 ? 1 : 0),
  },
  i: WINDOWS,
  from: 0,
  earlier: [0, 1].map(() => Float64Array.from(CHANNELS, () => 4 * random())),
  panesPerWindow: 2,
  slots: TEMPLATES,
  known: new Uint8Array(TEMPLATES).fill(1),
  reconstructionError: 1.7,
  values: 0,
  dmdHeld: false,
  incomplete: false,
};

function channels(): number {
  for (let slot = 0; slot < TEMPLATES; slot++) history.setCount(WINDOWS, slot, Math.floor(400 ** random()));
  window.values = values();
  return scorer.score(window, calibrations)!.score;
}

/** Any positive definite Gram matrix of full rank takes the kernel the same time. */
const kernel = new DmdKernel(WINDOWS);
function dmd(): number {
  return kernel.predict(kernel.gram, WINDOWS, { delay: 5, maxRank: 50, rankCapDivisor: 3, tau: 1e-4 }).rank;
}

/** CPU time of this thread: beside other work, wall time punishes the long candidate and flatters the short one. */
function cpuMilliseconds(work: () => void): number {
  const start = process.threadCpuUsage();
  for (let k = 0; k < SCORES_PER_ROUND; k++) work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000 / SCORES_PER_ROUND;
}

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

test('all channels of one window beside the DMD kernel', () => {
  const vectors = Array.from({ length: WINDOWS }, () => Float64Array.from({ length: 200 }, random));
  for (let i = 0; i < WINDOWS; i++) {
    for (let j = 0; j < WINDOWS; j++) {
      kernel.gram[i * WINDOWS + j] = vectors[i]!.reduce((sum, v, k) => sum + v * vectors[j]![k]!, 0);
    }
  }
  for (let k = 0; k < 200; k++) channels();
  for (let k = 0; k < 50; k++) dmd();
  const spent = { channels: [] as number[], dmd: [] as number[], values: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    spent.dmd.push(cpuMilliseconds(dmd));
    spent.channels.push(cpuMilliseconds(channels));
    spent.values.push(cpuMilliseconds(values));
  }
  const [all, kernelAlone] = [median(spent.channels), median(spent.dmd)];
  console.log(
    `one window, 120 windows, 100 templates, 32 numeric slots: channels ${all.toFixed(3)} ms ` +
      `(of it values ${median(spent.values).toFixed(3)} ms), DMD kernel ${kernelAlone.toFixed(3)} ms of CPU; ` +
      `together ${((all + kernelAlone) / kernelAlone).toFixed(2)}x the kernel (target 1.5x)`,
  );
  expect(dmd()).toBeGreaterThan(0);
  expect(channels()).toBeGreaterThan(-7);
});

test('state of a source with 100 templates and 32 numeric slots', () => {
  const syllables = ['ba', 'de', 'fi', 'go', 'ku', 'la', 'me', 'ni', 'ro', 'su'];
  const name = (k: number): string => syllables[k % 10]! + syllables[Math.floor(k / 10)]! + syllables[(3 * k) % 10]!;
  let record = 0;
  // Seven records a template and pane: every one has all the lines, ids and numbers that are kept of it.
  const lines = (): Line[] =>
    Array.from({ length: 7 * TEMPLATES }, (_, i) => {
      const k = i % TEMPLATES;
      const id = (++record).toString(16);
      const end = k < SLOTS ? `took ${Math.floor(10 ** (4 * random()))} ms` : 'is done';
      return {
        text: `2026-11-22T10:00:00.${100 + (record % 900)}Z ${name(k)} handled an order of the ${name(k + 7)} shop, which ${end}`,
        severity: 9,
        trace: id.padStart(32, '1'),
        span: id.padStart(16, '2'),
      };
    });
  const drive = new Drive({ channels: [...CHANNELS] });
  drive.detector.open(0, 'file:a');
  let templates = 0;
  for (let t = 0; t < WINDOWS + 5; t++) templates = drive.step(lines())[0]?.templates ?? 0;
  drive.observe(lines());
  const kib = drive.detector.stateBytes(0) / 1024;
  console.log(
    `${templates} templates, ${SLOTS} numeric slots, ${WINDOWS} windows, an open pane: ${kib.toFixed(0)} KiB (limit 320)`,
  );
  expect(templates).toBe(TEMPLATES);
  expect(kib).toBeLessThanOrEqual(320);
});
