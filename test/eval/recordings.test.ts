/** What detection promises on the recordings of this repository, with the defaults: numbers in docs/detection.md may move, these bounds may not be crossed. */
import { tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runReplay } from '../../eval/run.ts';
import { ownSets } from '../../eval/sets.ts';
import { DEFAULT } from '../../eval/variants.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'logdrift-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test.each([
  { name: 'shop-bench', at: { '0.1': 0.85, '0.25': 0.9 } },
  { name: 'shop-bench-2', at: { '0.1': 0.85, '0.25': 0.92 } },
])('faults of $name are found in their own source, critical ones with hardly a false alarm', async ({ name, at }) => {
  const set = ownSets().find((own) => own.name === name)!;
  const { evaluation } = await runReplay(set, DEFAULT, join(directory, `${name}.json`));
  const { score, random, alerts, alerts_critical: critical } = evaluation;
  for (const [rate, least] of Object.entries(at)) {
    expect(score.recall_own_source_at[rate]).toBeGreaterThanOrEqual(least);
    expect(random.recall_own_source_at[rate]).toBeLessThan(0.2);
  }
  expect(alerts.recall_own_source).toBeGreaterThanOrEqual(0.85);
  expect(critical.recall_own_source).toBeGreaterThanOrEqual(0.7);
  expect(critical.fa_per_source_day).toBeLessThanOrEqual(1);
});
