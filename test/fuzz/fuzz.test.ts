import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordHttp2 } from './corpus.ts';
import { fuzz } from './fuzz.ts';
import { replayInput, type Kind } from './targets.ts';

const INPUTS = 2000;
const RSS_RISE_MIB = 150;
const regressions = join(import.meta.dirname, 'regressions');

test('damaged input of every kind is answered with an allowed code, and memory stays flat', async () => {
  const report = await fuzz({
    seed: 20_261_122,
    hangMs: 1000,
    followsCoverage: false,
    goOn: (inputs) => inputs < INPUTS,
  });
  expect(report.findings).toEqual([]);
  expect(report.behaviours).toBeGreaterThan(40);
  expect(report.rssRiseMib).toBeLessThan(RSS_RISE_MIB);
});

test('nothing of what the corpus is made with stays open: a run comes to its end', async () => {
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
  const before = sockets();
  await recordHttp2(0);
  await expect.poll(sockets).toBeLessThanOrEqual(before);
});

test.each(readdirSync(regressions).filter((name) => name.endsWith('.bin')))(
  '%s, found once, stays fixed',
  async (name) => {
    const [, kind] = /^(.+)-[0-9a-f]+\.bin$/.exec(name)!;
    await replayInput(kind as Kind, readFileSync(join(regressions, name)));
  },
);
