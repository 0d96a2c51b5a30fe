/** Labelled recordings: those of the repository, the synthetic week, and those of a folder. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { writeSynthetic } from './synthetic/write.ts';

export interface LabelledSet {
  name: string;
  recording: string;
  labels: string;
}

const RECORDING = /^(.+)\.otlp\.jsonl(?:\.gz|\.zst)?$/;
const TESTDATA = new URL('../test/testdata/', import.meta.url).pathname;
const GENERATOR = new URL('./synthetic/', import.meta.url).pathname;

/** Recordings of a folder that have labels beside them: `NAME.otlp.jsonl[.gz|.zst]` and `NAME.labels.json`. */
export function setsIn(directory: string): LabelledSet[] {
  return readdirSync(directory)
    .sort()
    .flatMap((file) => {
      const name = RECORDING.exec(file)?.[1];
      if (name === undefined || !existsSync(join(directory, `${name}.labels.json`))) return [];
      return [{ name, recording: join(directory, file), labels: join(directory, `${name}.labels.json`) }];
    });
}

/** What the repository holds. */
export function ownSets(): LabelledSet[] {
  return readdirSync(TESTDATA, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => setsIn(join(TESTDATA, entry.name)));
}

/** The synthetic week, written once for a seed and a state of its generator. */
export async function syntheticSet(cache: string, seed: number): Promise<LabelledSet> {
  const code = readdirSync(GENERATOR)
    .sort()
    .map((file) => readFileSync(join(GENERATOR, file)));
  const hash = code
    .reduce((sum, bytes) => sum.update(bytes), createHash('sha256'))
    .digest('hex')
    .slice(0, 12);
  const directory = join(cache, `synthetic-${hash}`);
  const name = seed === 1 ? 'synthetic' : `synthetic-${seed}`;
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  const set = { name, recording: `${path}.otlp.jsonl.gz`, labels: `${path}.labels.json` };
  if (existsSync(set.labels) && existsSync(set.recording)) return set;
  // Under another name until it is whole: an interrupted run must not leave half a week.
  const unfinished = join(directory, `.${name}-${process.pid}`);
  await writeSynthetic(unfinished, { seed, days: 7 });
  renameSync(`${unfinished}.otlp.jsonl.gz`, set.recording);
  renameSync(`${unfinished}.labels.json`, set.labels);
  return set;
}
