import { expect, test } from 'vitest';
import { buildRequest, sendPaced, type PacedCall } from './load.ts';
import { median, MeasuredService, spread } from './measured-service.ts';

/**
 * 1,000 live sources in one service: how long Export takes while they all close a step, against the time between, and whether a source that
 * sends 20,000 records a second beside them loses anything. Steps are 10 s instead of 60, so that histories of 30 windows fill in five minutes;
 * what a step costs does not depend on its length.
 */
const STEP_SECONDS = 10;
const WARM_UP_STEPS = 30;
const MEASURED_STEPS = 5;
const SOURCES = 1000;
const RECORDS_EACH = 5;
const SOURCES_A_REQUEST = 20;
const REQUESTS_PER_SECOND = 100;
const FLOOD_PER_SECOND = 20_000;
const FLOOD_BATCH = 500;
/** A call belongs to a step when it was due while the step was worked on. */
type Step = { startMs: number; endMs: number };

test('1,000 sources close a step; one floods', { timeout: 900_000 }, async () => {
  const startMs = Date.now() + 3_600_000;
  // Messages of equal fields one behind the other are one message: requests of one resource each, put together.
  const requests = Array.from({ length: SOURCES / SOURCES_A_REQUEST }, (_, i) =>
    Buffer.concat(
      Array.from({ length: SOURCES_A_REQUEST }, (_, k) => {
        const source = i * SOURCES_A_REQUEST + k;
        return buildRequest({ records: RECORDS_EACH, service: `live-${source}`, seed: source + 1, startMs });
      }),
    ),
  );
  const flood = [buildRequest({ records: FLOOD_BATCH, service: 'flood', seed: 7, startMs })];
  using service = await MeasuredService.start('logdrift', [
    `logs_config.drift_detection.window_step=${STEP_SECONDS}s`,
    `logs_config.drift_detection.window_size=${2 * STEP_SECONDS}s`,
  ]);
  const { port } = await service.report();
  const live = (steps: number): Promise<PacedCall[]> =>
    sendPaced({ port, requests, perSecond: REQUESTS_PER_SECOND, seconds: steps * STEP_SECONDS });

  await live(WARM_UP_STEPS);
  const calls = await live(MEASURED_STEPS);
  const before = await service.report();
  const steps = before.steps.filter(({ endMs }) => endMs > calls[0]!.dueMs);
  const [during, quiet] = [latencies(calls, steps, true), latencies(calls, steps, false)];
  process.stdout.write(
    `Export while ${steps.at(-1)!.windows} sources close a step: p99 ${quantile(during, 0.99).toFixed(1)} ms, median ${median(during).toFixed(1)}; between steps: ` +
      `p99 ${quantile(quiet, 0.99).toFixed(1)} ms, median ${median(quiet).toFixed(1)}: ${(quantile(during, 0.99) / quantile(quiet, 0.99)).toFixed(1)}x (goal 2x); ` +
      `a step takes ${spread(
        steps.map((step) => step.endMs - step.startMs),
        0,
      )} ms\n`,
  );

  const [others, flooded] = await Promise.all([
    live(MEASURED_STEPS),
    sendPaced({
      port,
      requests: flood,
      perSecond: FLOOD_PER_SECOND / FLOOD_BATCH,
      seconds: MEASURED_STEPS * STEP_SECONDS,
    }),
  ]);
  const sent = others.length * SOURCES_A_REQUEST * RECORDS_EACH + flooded.length * FLOOD_BATCH;
  const after = await service.settled(before, sent);
  const refused = [...others, ...flooded].filter((call) => call.refused).length;
  process.stdout.write(
    `20,000 records/s of one source beside ${SOURCES} over ${MEASURED_STEPS} steps: ${after.lost - before.lost} of ${sent} lost, ${refused} requests refused (goal 0)\n`,
  );
  expect([after.lost - before.lost, refused]).toEqual([0, 0]);
});

function latencies(calls: readonly PacedCall[], steps: readonly Step[], during: boolean): number[] {
  const inStep = ({ dueMs }: PacedCall): boolean =>
    steps.some(({ startMs, endMs }) => dueMs >= startMs && dueMs < endMs);
  return calls.filter((call) => inStep(call) === during).map(({ latencyMs }) => latencyMs);
}

function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]!;
}
