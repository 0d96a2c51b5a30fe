import { expect, test } from 'vitest';
import { createDriftDetector, type Anomaly, type Verdict } from '../src/library.ts';

const START_MS = 1_800_000_000_000;
const STEP_MS = 10_000;
const SHORT = { window_step: '10s', window_size: '20s' };

/** Lines of one step: usual, or those of a fault. */
function stepLines(step: number, broken: boolean): string[] {
  if (broken) return Array.from({ length: 50 }, (_, k) => `connection to database refused, attempt ${k}`);
  return Array.from({ length: 12 + ((step * 7) % 4) }, (_, k) => `request ${k} served in ${k + step} ms`);
}

test('lines go in, verdicts and anomalies come out, without any server', async () => {
  const verdicts: Verdict[] = [];
  const anomalies: Anomaly[] = [];
  await using detector = await createDriftDetector(SHORT, {
    onVerdict: (verdict) => verdicts.push(verdict),
    onAnomaly: (anomaly) => anomalies.push(anomaly),
  });
  expect(detector.getStats()).toEqual({ enabled: true, active_detectors: 0, sources: [] });
  for (let step = 0; step < 45; step++) {
    for (const line of stepLines(step, step === 40)) await detector.processLog(START_MS + step * STEP_MS + 5_000, line);
  }
  await detector.flush();
  expect(detector.getStats()).toEqual({ enabled: true, active_detectors: 1, sources: ['default'] });
  expect(verdicts.every((verdict) => verdict.source === 'default')).toBe(true);
  expect(verdicts.findIndex((verdict) => verdict.reconstructionError !== null)).toBe(6);
  expect(verdicts.findIndex((verdict) => verdict.normalizedError !== null)).toBe(26);
  expect(anomalies[0]).toMatchObject({ phase: 'start', severity: 'critical', verdict: { source: 'default' } });
  expect(anomalies[0]!.verdict.windowEndMs).toBe(START_MS + 41 * STEP_MS);
  expect(anomalies[0]!.message).toContain('connection to database refused');
});

test('each source key has its own detector and is kept to the letter', async () => {
  const seen = new Map<string, number>();
  await using detector = await createDriftDetector(SHORT, {
    onVerdict: ({ source, records }) => seen.set(source, (seen.get(source) ?? 0) + records),
  });
  await detector.processLogWithSource('file:nginx', new Date(START_MS), 'GET / 200');
  await detector.processLogWithSource('docker:web', START_MS, 'started');
  await detector.processLogWithSource('no type at all', START_MS, 'hello');
  await detector.processLog(START_MS, 'hello');
  await detector.processLog(START_MS + 60_000, 'much later');
  await detector.flush();
  expect(detector.getStats().sources).toEqual(['file:nginx', 'docker:web', 'no type at all', 'default']);
  // Windows of two panes: every record is in two.
  expect(seen.get('file:nginx')).toBe(2);
  expect(seen.get('docker:web')).toBe(2);
  expect(seen.get('no type at all')).toBe(2);
});

test('the configuration is the service’s, with its messages', async () => {
  await expect(createDriftDetector({ window_stepp: '10s' })).rejects.toMatchObject({
    name: 'ConfigError',
    message: expect.stringMatching(/^createDriftDetector:1:\d+: .*did you mean window_step\?/) as string,
  });
  await using off = await createDriftDetector({ enabled: false });
  await off.processLog(START_MS, 'hello');
  expect(off.getStats()).toEqual({ enabled: false, active_detectors: 0, sources: [] });
});

test('a timestamp that is none is the caller’s error, and nothing is taken', async () => {
  await using detector = await createDriftDetector();
  await expect(detector.processLog(NaN, 'hello')).rejects.toThrow(TypeError);
  await expect(detector.processLogWithSource('file:x', new Date('nonsense'), 'hello')).rejects.toThrow(/file:x/);
  expect(detector.getStats().active_detectors).toBe(0);
});

test('the same lines give the same verdicts', async () => {
  const run = async (): Promise<string> => {
    const verdicts: Verdict[] = [];
    await using detector = await createDriftDetector(SHORT, { onVerdict: (verdict) => verdicts.push(verdict) });
    for (let step = 0; step < 30; step++) {
      for (const line of stepLines(step, step === 28)) await detector.processLog(START_MS + step * STEP_MS, line);
    }
    await detector.flush();
    return JSON.stringify(verdicts);
  };
  expect(await run()).toBe(await run());
});

test('a source is there with its first line, wherever in a step that falls', async () => {
  for (const offsetMs of [0, 5_000, 30_000, 59_000]) {
    await using detector = await createDriftDetector();
    await detector.processLogWithSource('file:nginx', START_MS + offsetMs, 'GET / 200');
    expect(detector.getStats()).toEqual({ enabled: true, active_detectors: 1, sources: ['file:nginx'] });
    await detector.processLogWithSource('file:nginx', START_MS + offsetMs + 30_000, 'GET / 200');
    expect(detector.getStats().sources).toEqual(['file:nginx']);
  }
});
