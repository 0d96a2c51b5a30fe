/**
 * `npm run demo`: the service with its defaults, on the time of the records, gets the recorded incidents of a small web shop over OTLP/gRPC.
 * `-- --exit` ends by itself instead of keeping the service and its page up.
 */
import { loadConfig } from '../../src/config/load.ts';
import { startService } from '../../src/service.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startHttpReceiver } from '../alert/otlp-receiver.ts';
import { assertAllAnalysed } from './accounting.ts';
import { compare, type Alarm, type JudgedWindow } from './outcome.ts';
import { readRecordingLabels, sendRecording } from './recording.ts';
import { anomalyText, clock, createScreen, faultTable, summaryTable } from './show.ts';

const GRACE_MS = 5_000;
const EXIT_INTERRUPTED = 130;

/** Ctrl-C. */
class Interrupted extends Error {
  override name = 'Interrupted';
}

async function main(keepUp: boolean): Promise<number> {
  const screen = createScreen(process.stdout);
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(EXIT_INTERRUPTED);
    stop.abort(new Interrupted());
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);

  const { labels, records: expected } = await readRecordingLabels();
  /** Anomalies as they started, and as they became critical. */
  const alarms: Alarm[] = [];
  const criticalAlarms: Alarm[] = [];
  const windows: JudgedWindow[] = [];
  let logTimeMs = 0;
  let anomalyRecords = 0;

  // Where the service sends its anomalies: any OTLP receiver would do.
  await using destination = await startHttpReceiver();
  const service = await startService({
    config: loadConfig({
      set: [
        'clock=event',
        'receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0',
        'receivers.otlp.protocols.http.endpoint=127.0.0.1:0',
        'telemetry.endpoint=127.0.0.1:0',
        'admin.endpoint=127.0.0.1:0',
        `exporters.otlp.endpoint=${destination.endpoint}`,
      ],
      env: {},
    }),
    log: createLog({ level: 'warn', write: (line) => screen.line(line.trimEnd()) }),
    onFatal: (error) => stop.abort(error),
    onJudged: ({ stepEndMs, verdicts, anomalies }) => {
      logTimeMs = stepEndMs;
      for (const { source, windowEndMs, score } of verdicts)
        if (score !== null) windows.push({ source, timeMs: windowEndMs });
      for (const anomaly of anomalies) {
        anomalyRecords++;
        if (anomaly.phase === 'end') continue;
        const { source, windowEndMs, score } = anomaly.verdict;
        const alarm = { source, timeMs: windowEndMs, score: score! };
        if (anomaly.severity === 'critical') criticalAlarms.push(alarm);
        if (anomaly.phase === 'update') continue;
        alarms.push(alarm);
        screen.line(anomalyText(anomaly));
      }
    },
  });
  const page = `http://127.0.0.1:${service.ports.admin}/`;
  try {
    screen.line(`logdrift is up: OTLP/gRPC 127.0.0.1:${service.ports.grpc}, page ${page}`);
    screen.line(`sending ${number(expected)} log records of a web shop with ${labels.faults.length} faults in it`);
    screen.line('each line below is an anomaly as it starts: log time (UTC), source, severity, what changed most\n');
    const startedMs = performance.now();
    const sent = await sendRecording(service.ports.grpc!, stop.signal, (records) => {
      const text = `${Math.floor((100 * records) / expected)} %  log time ${clock(logTimeMs)}  ${alarms.length} anomalies`;
      screen.progress(records, expected, text);
    });
    await service.pipeline.flush();
    const seconds = (performance.now() - startedMs) / 1000;
    const metrics = await (await fetch(`http://127.0.0.1:${service.ports.telemetry}/metrics`)).text();
    const accepted = assertAllAnalysed(sent, expected, metrics);

    const outcome = compare(labels, alarms, windows);
    const summary = new Map([
      ['above 2 sigma (all)', outcome],
      ['above 3 sigma (critical)', compare(labels, criticalAlarms, windows)],
    ]);
    screen.line(`\n${faultTable(outcome)}\n\n${summaryTable(summary)}`);
    screen.line(`FALSE is out of ${outcome.quietHours.toFixed(1)} source-hours without a fault`);
    screen.line(
      `records sent ${number(sent)}, accepted ${number(accepted)}; ${number(windows.length)} windows judged in ${seconds.toFixed(1)} s`,
    );
    if (!keepUp) return 0;
    screen.line(`\nThe service stays up: ${page}  (Ctrl-C ends it)`);
    const reason = await aborted(stop.signal);
    if (!(reason instanceof Interrupted)) throw reason;
    return 0;
  } finally {
    await service.close(GRACE_MS);
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    screen.line(
      `${destination.received.length} of ${anomalyRecords} anomaly records arrived at the OTLP receiver they were sent to`,
    );
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

function number(n: number): string {
  return n.toLocaleString('en-US');
}

process.exitCode = await main(!process.argv.includes('--exit')).catch((error: unknown) => {
  if (error instanceof Interrupted) return EXIT_INTERRUPTED;
  process.stderr.write(`\ndemo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
