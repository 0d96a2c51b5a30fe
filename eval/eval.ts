/**
 * Scores every labelled set under every variant, and prints the tables of docs/detection.md as markdown.
 *
 *     npm run eval [-- DIR… [--only SET,…] [--variants default,…] [--jobs 2] [--seed 1] [--cache FOLDER]]
 *
 * Sets: those in test/testdata, the synthetic week, and each `NAME.otlp.jsonl[.gz|.zst]` with a `NAME.labels.json` in the folders given. Results are kept
 * by code, configuration and input, so an interrupted evaluation goes on where it was.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readResult, resultFile, runReplay, type RunResult } from './run.ts';
import { ownSets, setsIn, syntheticSet, type LabelledSet } from './sets.ts';
import { alarmTable, comparisonTable, detailTables, scoreTable, type SetResults } from './tables.ts';
import { DEFAULT, VARIANTS, type Variant } from './variants.ts';

interface Task {
  set: LabelledSet;
  variant: Variant;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    variants: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    cache: { type: 'string', default: join(tmpdir(), 'logdrift-eval') },
  },
});
const { cache } = values;
const jobs = Number(values.jobs);
const seed = Number(values.seed);
if (!Number.isInteger(jobs) || jobs < 1 || !Number.isInteger(seed)) {
  console.error('eval: --jobs and --seed take a whole number');
  process.exit(64);
}

const sets = await chooseSets();
const variants = chooseVariants();
const results = await runAll(
  sets.flatMap((set) => variants.map((variant) => ({ set, variant }))),
  jobs,
);
const bySet = sets.map((set): SetResults => ({
  name: set.name,
  results: new Map(variants.map((variant) => [variant.name, results.get(keyOf({ set, variant }))!])),
}));
console.log(['## Scores', comparisonTable(bySet), ...bySet.map(scoreTable)].join('\n\n'));
console.log(['\n## Alarms at the default thresholds', alarmTable(bySet), ...bySet.map(detailTables)].join('\n\n'));

async function chooseSets(): Promise<LabelledSet[]> {
  const found = new Map<string, LabelledSet>();
  const wanted = values.only?.split(',') ?? null;
  for (const set of [...ownSets(), ...positionals.flatMap(setsIn)]) if (!found.has(set.name)) found.set(set.name, set);
  const isSynthetic = (name: string): boolean => name.startsWith('synthetic');
  if (wanted === null || wanted.some(isSynthetic)) {
    const set = await syntheticSet(cache, seed);
    found.set(set.name, set);
  }
  const chosen = [...found.values()].filter(({ name }) => wanted === null || wanted.includes(name));
  if (chosen.length > 0) return chosen;
  console.error(`eval: no set is called ${values.only}; there are ${[...found.keys()].join(', ')}`);
  return process.exit(64);
}

function chooseVariants(): Variant[] {
  const wanted = values.variants?.split(',') ?? null;
  const chosen = VARIANTS.filter(({ name }) => name === DEFAULT.name || wanted === null || wanted.includes(name));
  const unknown = wanted?.find((name) => !VARIANTS.some((variant) => variant.name === name));
  if (unknown === undefined) return chosen;
  console.error(`eval: no variant is called ${unknown}; there are: ${VARIANTS.map(({ name }) => name).join(', ')}`);
  return process.exit(64);
}

/** So many at a time; what is known already is not run again. */
async function runAll(tasks: readonly Task[], atOnce: number): Promise<Map<string, RunResult>> {
  const done = new Map<string, RunResult>();
  const files = new Map(tasks.map((task) => [keyOf(task), resultFile(cache, task.set, task.variant)]));
  for (const task of tasks) {
    const known = readResult(files.get(keyOf(task))!);
    if (known !== null) done.set(keyOf(task), known);
  }
  if (done.size > 0) console.error(`${done.size} of ${tasks.length} runs are known from ${cache}`);
  // Variants that come to the same configuration are one run.
  const open = Map.groupBy(
    tasks.filter((task) => !done.has(keyOf(task))),
    (task) => files.get(keyOf(task))!,
  );
  const waiting = [...open].reverse();
  let finished = 0;
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [file, same] = next;
      const startedMs = performance.now();
      const result = await runReplay(same[0]!.set, same[0]!.variant, file);
      for (const task of same) done.set(keyOf(task), result);
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      console.error(`${++finished} of ${open.size}: ${same.map(keyOf).join(' = ')} in ${seconds} s`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return done;
}

function keyOf({ set, variant }: Task): string {
  return `${set.name}, ${variant.name}`;
}
