import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { at, buildRequest, MOVABLE_MS, sendLoad, sendPaced, type PacedCall } from './load.ts';
import { median, MeasuredService, spread } from './measured-service.ts';

/**
 * 1,000 live sources with full histories in one service with storage: how long Export takes while they all close a step, against the time between; when
 * the last verdict of a step is there and what CPU it takes; and whether a source that sends 20,000 records a second beside them loses anything.
 *
 * The histories are made first, on event time, by a service whose checkpoint the measured one goes on from. Steps are 10 s instead of 60: what a step
 * costs does not depend on its length.
 */
const STEP_SECONDS = 10;
const HISTORY_WINDOWS = 125;
/** After a restart the first two windows are gaps. */
const WARM_UP_STEPS = 3;
const MEASURED_STEPS = 10;
const FLOOD_STEPS = 5;
const SOURCES = 1000;
/** A pass over all sources takes a second. Seven different ones, so that windows differ. */
const PASSES = 7;
const SOURCES_A_REQUEST = 10;
const RECORDS_EACH = 3;
const REQUESTS_PER_SECOND = SOURCES / SOURCES_A_REQUEST;
const FLOOD_PER_SECOND = 20_000;
const FLOOD_BATCH = 500;

/** From the tick to the last verdict. */
interface Step {
  startMs: number;
  endMs: number;
  windows: number;
}

test('1,000 sources close a step; one floods', { timeout: 1_200_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logdrift-bench-'));
  try {
    const settings = [
      `storage.directory=${directory}`,
      `logs_config.drift_detection.window_step=${STEP_SECONDS}s`,
      `logs_config.drift_detection.window_size=${2 * STEP_SECONDS}s`,
    ];
    const passes = Array.from({ length: PASSES }, (_, pass) => passOverAll(pass));
    await makeHistories(passes, settings);
    await measure(passes, settings);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

/** One request for every ten sources. Messages of equal fields one behind the other are one message: requests of one resource each, put together. */
function passOverAll(pass: number): Buffer[] {
  return Array.from({ length: SOURCES / SOURCES_A_REQUEST }, (_, i) =>
    Buffer.concat(
      Array.from({ length: SOURCES_A_REQUEST }, (_, k) => {
        const source = i * SOURCES_A_REQUEST + k;
        const seed = pass * SOURCES + source + 1;
        return buildRequest({
          records: RECORDS_EACH,
          service: `live-${source}`,
          seed,
          startMs: MOVABLE_MS,
          spreadMs: 0,
        });
      }),
    ),
  );
}

async function makeHistories(passes: readonly Buffer[][], settings: readonly string[]): Promise<void> {
  const event = ['clock=event', 'logs_config.drift_detection.allowed_lateness=0s'];
  const service = await MeasuredService.start('logdrift', [...settings, ...event]);
  const { port } = await service.report();
  const stepMs = STEP_SECONDS * 1000;
  const endMs = Math.floor(Date.now() / stepMs) * stepMs - 60_000;
  for (let window = 0, pass = 0; window <= HISTORY_WINDOWS; window++) {
    const requests = Array.from({ length: STEP_SECONDS }, () => passes[pass++ % PASSES]!).flat();
    const timed = requests.map((request) => at(request, endMs - (HISTORY_WINDOWS - window) * stepMs));
    await sendLoad({ port, requests: timed, count: timed.length, inFlight: 4 });
  }
  await service.close();
}

async function measure(passes: readonly Buffer[][], settings: readonly string[]): Promise<void> {
  using service = await MeasuredService.start('logdrift', [...settings]);
  const { port } = await service.report();
  const inAnHour = Date.now() + 3_600_000; // never late
  const requests = passes.flat().map((request) => at(request, inAnHour));
  const live = (steps: number): Promise<PacedCall[]> =>
    sendPaced({ port, requests, perSecond: REQUESTS_PER_SECOND, seconds: steps * STEP_SECONDS });

  await live(WARM_UP_STEPS);
  const calls = await live(MEASURED_STEPS);
  const before = await service.report();
  const steps = before.steps.filter(({ startMs }) => startMs > calls[0]!.dueMs);
  const [during, quiet] = [latencies(calls, steps, true), latencies(calls, steps, false)];
  const seconds = steps.map((step) => (step.endMs - step.startMs) / 1000);
  process.stdout.write(
    `Export while ${steps.at(-1)!.windows} sources close a step: ${told(during)}; between steps: ${told(quiet)}; ` +
      `p99 ${(quantile(during, 0.99) / quantile(quiet, 0.99)).toFixed(2)}x (goal 2x)\n` +
      `a step: last verdict after ${spread(seconds)} s; ${spread(cpuSeconds(before.cpu, steps), 2)} s of CPU beyond that of receiving\n`,
  );

  const flood = [buildRequest({ records: FLOOD_BATCH, service: 'flood', seed: 7, startMs: inAnHour })];
  const [others, flooded] = await Promise.all([
    live(FLOOD_STEPS),
    sendPaced({
      port,
      requests: flood,
      perSecond: FLOOD_PER_SECOND / FLOOD_BATCH,
      seconds: FLOOD_STEPS * STEP_SECONDS,
    }),
  ]);
  const sent = others.length * SOURCES_A_REQUEST * RECORDS_EACH + flooded.length * FLOOD_BATCH;
  const after = await service.settled(before, sent);
  const refused = [...others, ...flooded].filter((call) => call.refused).length;
  process.stdout.write(
    `20,000 records/s of one source beside ${SOURCES} over ${FLOOD_STEPS} steps: ${after.lost - before.lost} of ${sent} lost, ${refused} requests refused (goal 0)\n`,
  );
  expect([after.lost - before.lost, refused]).toEqual([0, 0]);
}

/** CPU of the process from a tick to a second after its last verdict, when the checkpoint is written, less what the rest of the time takes. */
function cpuSeconds(samples: readonly [atMs: number, cpuMs: number][], steps: readonly Step[]): number[] {
  const spans = steps.map(({ startMs, endMs }) => ({ startMs, endMs: endMs + 1000 }));
  const quiet = { ms: 0, cpuMs: 0 };
  const spent = spans.map(() => ({ ms: 0, cpuMs: 0 }));
  for (const [k, [atMs, cpuMs]] of samples.entries()) {
    if (k === 0 || atMs < spans[0]!.startMs || atMs > spans.at(-1)!.endMs) continue;
    const [earlierMs, earlierCpuMs] = samples[k - 1]!;
    const span = spans.findIndex(({ startMs, endMs }) => atMs >= startMs && atMs < endMs);
    const sum = spent[span] ?? quiet;
    sum.ms += atMs - earlierMs;
    sum.cpuMs += cpuMs - earlierCpuMs;
  }
  return spent.map(({ ms, cpuMs }) => (cpuMs - (ms * quiet.cpuMs) / quiet.ms) / 1000);
}

/** A call belongs to a step when it was due while the step was worked on. */
function latencies(calls: readonly PacedCall[], steps: readonly Step[], during: boolean): number[] {
  const inStep = ({ dueMs }: PacedCall): boolean =>
    steps.some(({ startMs, endMs }) => dueMs >= startMs && dueMs < endMs);
  return calls.filter((call) => inStep(call) === during).map(({ latencyMs }) => latencyMs);
}

function told(values: readonly number[]): string {
  const ms = (value: number): string => value.toFixed(1);
  return `p50 ${ms(median(values))}, p99 ${ms(quantile(values, 0.99))}, max ${ms(Math.max(...values))} ms of ${values.length}`;
}

function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]!;
}
