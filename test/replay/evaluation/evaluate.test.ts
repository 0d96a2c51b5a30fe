import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Anomaly } from '../../../src/alert/anomaly.ts';
import type { AnomalyLine, ScoreLine } from '../../../src/alert/anomaly-line.ts';
import { evaluate, type Run } from '../../../src/replay/evaluation/evaluate.ts';
import { parseLabels } from '../../../src/replay/evaluation/labels.ts';
import { EPISODE_OPTIONS } from '../../alert/episode-options.ts';
import { verdict } from '../../alert/verdict.ts';

/** Made-up runs, and what another program, in Python, says of them: see the README there. */
const VECTORS = new URL('../../testdata/evaluation/', import.meta.url).pathname;
const NAMES = readdirSync(VECTORS).flatMap((file) => /^(.*)\.expected\.json$/.exec(file)?.[1] ?? []);

function read(file: string): string {
  return readFileSync(join(VECTORS, file), 'utf8');
}

function readLines<T>(file: string): T[] {
  return read(file)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

function readRun(name: string): Run {
  const toVerdict = (line: ScoreLine) =>
    verdict({
      source: line.source,
      windowEndMs: Number(BigInt(line.window_end_unix_nano) / 1_000_000n),
      score: line.score,
    });
  const anomalies = readLines<AnomalyLine>(`${name}.anomalies.jsonl`).map((line) => ({
    phase: line.phase,
    episodeId: line.episode_id,
    severity: line.severity as Anomaly['severity'],
    verdict: toVerdict(line),
  }));
  return {
    verdicts: readLines<ScoreLine>(`${name}.scores.jsonl`).map(toVerdict),
    anomalies: anomalies as Anomaly[],
    episodes: EPISODE_OPTIONS,
    panesPerWindow: 2,
  };
}

describe.each(NAMES)('%s', (name) => {
  const labels = parseLabels(read(`${name}.labels.json`), `${name}.labels.json`);
  const evaluation = evaluate(readRun(name), labels);

  test('every number is what the reference says, to the last digit', () => {
    const expected = JSON.parse(read(`${name}.expected.json`)) as Record<string, unknown>;
    expect(Object.keys(expected).length).toBeGreaterThan(15);
    for (const [key, value] of Object.entries(expected)) {
      const got = (evaluation as unknown as Record<string, unknown>)[key];
      if (typeof value === 'object' && value !== null) expect({ [key]: got }).toMatchObject({ [key]: value });
      else expect({ [key]: got }).toEqual({ [key]: value });
    }
  });

  test('its tables of faults and sources add up to the whole', () => {
    const { kinds, sources, fault_list, alerts, alerts_critical } = evaluation;
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
    expect(sum(kinds.map((kind) => kind.faults))).toBe(labels.faults.length);
    expect(sum(kinds.map((kind) => kind.found))).toBe(alerts.detected);
    expect(fault_list.filter((fault) => fault.delay_s !== null)).toHaveLength(alerts.detected);
    expect(sum(Object.values(sources).map((source) => source.windows))).toBe(evaluation.windows);
    expect(sum(Object.values(sources).map((source) => source.false_critical))).toBe(alerts_critical.false_alarms);
  });
});
