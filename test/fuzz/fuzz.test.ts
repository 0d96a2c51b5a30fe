import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fuzz, replayInput, type Kind } from './fuzz.ts';

const INPUTS = 2500;
const RSS_RISE_MIB = 150;
const regressions = join(import.meta.dirname, 'regressions');

test('damaged input of every kind is answered with an allowed code, and memory stays flat', async () => {
  const report = await fuzz({ seed: 20_261_122, hangMs: 1000, goOn: (inputs) => inputs < INPUTS });
  expect(report.findings).toEqual([]);
  expect(report.behaviours).toBeGreaterThan(40);
  expect(report.rssRiseMib).toBeLessThan(RSS_RISE_MIB);
});

test.each(readdirSync(regressions).filter((name) => name.endsWith('.bin')))(
  '%s, found once, stays fixed',
  async (name) => {
    const [, kind] = /^(.+)-[0-9a-f]+\.bin$/.exec(name)!;
    await replayInput(kind as Kind, readFileSync(join(regressions, name)));
  },
);
