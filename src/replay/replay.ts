import { anomalyLine, scoreLine } from '../alert/anomaly-line.ts';
import type { Config } from '../config/config.ts';
import { openEmbedder } from '../embed/open.ts';
import { openPipeline, type Pipeline } from '../pipeline/pipeline.ts';
import type { JudgedStep } from '../pipeline/step.ts';
import { newDecodedRecord } from '../receive/decoded.ts';
import { exportLogs } from '../receive/export.ts';
import type { Attributes } from '../receive/record.ts';
import { DecodeError } from '../receive/decode-error.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { createEvaluation } from './evaluation/collect.ts';
import { readLabels } from './evaluation/labels.ts';
import { openInputs, type InputItem } from './inputs.ts';
import type { LineItem } from './read-plain.ts';
import { openOutput } from './output.ts';
import { InputError } from './read-error.ts';
import { reportPage } from './report/page.ts';
import { TimelineBuilder } from './report/timeline.ts';
import { Progress } from './progress.ts';
import { ReplaySummary } from './summary.ts';

/** Lines of plain files handed over at once. */
const LINES_A_REQUEST = 1000;

export interface ReplayOptions {
  /** At least one. */
  inputs: string[];
  /** Source key `type:id` of plain log files. */
  source: string | null;
  /** IANA name, known to this Node. */
  timezone: string | null;
  scoresFile: string | null;
  anomaliesFile: string | null;
  /** Faults that happened: the run is scored against them. */
  labelsFile: string | null;
  /** HTML. */
  reportFile: string | null;
  json: boolean;
}

/**
 * Analyses recorded logs on event time, in one thread, as fast as it can; the same input gives the same bytes.
 *
 * @returns the exit code: 0 whether or not anomalies were found
 * @throws InputError naming file and line
 */
export async function replay(options: ReplayOptions, config: Config): Promise<number> {
  const log = createLog({ level: 'warn' });
  const summary = new ReplaySummary();
  await using files = new AsyncDisposableStack();
  const open = async (path: string | null) => (path === null ? null : files.use(await openOutput(path)));
  const scores = await open(options.scoresFile);
  const anomalies = await open(options.anomaliesFile);
  const report = await open(options.reportFile);
  const labels = options.labelsFile === null ? null : await readLabels(options.labelsFile);
  const evaluation = labels === null ? null : createEvaluation(labels, config);
  const timeline = report === null ? null : new TimelineBuilder(config.driftDetection.windowStepMs);
  const observers = [summary, evaluation, timeline].filter((observer) => observer !== null);
  const inputs = openInputs(options.inputs, { source: options.source, timezone: options.timezone });
  using progress = new Progress(inputs, process.stderr);

  const judged = async (step: JudgedStep): Promise<void> => {
    for (const verdict of step.verdicts) {
      for (const observer of observers) observer.verdict(verdict);
      if (scores !== null) await scores.write(`${JSON.stringify(scoreLine(verdict))}\n`);
    }
    for (const anomaly of step.anomalies) {
      for (const observer of observers) observer.anomaly(anomaly);
      if (anomalies !== null) await anomalies.write(`${JSON.stringify(anomalyLine(anomaly))}\n`);
    }
    progress.at(step.stepEndMs, summary.episodes);
  };
  {
    await using embedder = openEmbedder({
      url: config.driftDetection.embeddingUrl,
      model: config.driftDetection.embeddingModel,
    });
    await using pipeline = await openPipeline({
      detection: config.driftDetection,
      sources: config.sources,
      detectors: config.detectors,
      clock: 'event',
      shards: 'inline',
      hashSeed: 0,
      embedder,
      store: null,
      live: false,
      events: replayEvents(judged, summary, log),
    });
    await feed(pipeline, inputs, summary);
    await pipeline.flush();
  }
  progress[Symbol.dispose]();
  if (report !== null && timeline !== null) {
    const truth =
      labels === null || evaluation === null
        ? null
        : { labels, evaluation: evaluation.json(), notes: evaluation.notes() };
    const { warningThreshold, criticalThreshold } = config.driftDetection;
    const { records } = summary;
    await report.write(
      reportPage({
        inputs: options.inputs,
        records,
        timeline: timeline.build(),
        warningThreshold,
        criticalThreshold,
        truth,
      }),
    );
  }
  await files.disposeAsync();
  // Where standard output carries lines, it carries nothing else.
  const said = [options.scoresFile, options.anomaliesFile, options.reportFile].includes('-')
    ? process.stderr
    : process.stdout;
  if (options.json) {
    const result = { ...summary.json(inputs.stats), ...(evaluation === null ? {} : { evaluation: evaluation.json() }) };
    said.write(`${JSON.stringify(result)}\n`);
  } else said.write(summary.table(inputs.stats) + (evaluation === null ? '' : `\n${evaluation.table()}`));
  return 0;
}

function replayEvents(judged: (step: JudgedStep) => Promise<void>, summary: ReplaySummary, log: Log) {
  const quiet = (): void => undefined;
  return {
    judged,
    dropped: (reason: string, records: number) => summary.dropped(reason, records),
    unmapped: () =>
      log.warnOnce('unmapped', 'Some records match no source; they are analysed together as otlp:unknown'),
    outage: (silentSources: number, stepEndMs: number) => summary.outage(silentSources, stepEndMs),
    irregular: (message: string) => log.warn(message),
    created: quiet,
    removed: quiet,
    cleanedUp: quiet,
    restoreFailed: quiet, // there is no store in a replay
    committed: quiet,
    commitFailed: quiet,
    fatal: (error: Error) => {
      throw error;
    },
  };
}

async function feed(pipeline: Pipeline, inputs: AsyncIterable<InputItem>, summary: ReplaySummary): Promise<void> {
  const { signal } = new AbortController();
  let lines: LineItem[] = [];
  for await (const item of inputs) {
    if (item.kind === 'line') {
      lines.push(item);
      if (lines.length < LINES_A_REQUEST) continue;
    }
    if (lines.length > 0) summary.records += await takeLines(pipeline, lines, signal);
    lines = [];
    if (item.kind === 'line') continue;
    try {
      summary.records += (await exportLogs(item.json, 'json', pipeline.target, signal)).records;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new InputError('LOGDRIFT_INPUT_MALFORMED', `${item.file}:${item.line}: ${error.message}`, error);
    }
  }
  if (lines.length > 0) summary.records += await takeLines(pipeline, lines, signal);
}

/** One request of plain lines; each file's source is named outright, so no rule is asked. */
async function takeLines(pipeline: Pipeline, lines: readonly LineItem[], signal: AbortSignal): Promise<number> {
  const intake = pipeline.target.begin();
  const resources = new Map<string, Attributes>();
  const record = newDecodedRecord(new Uint8Array(0));
  let source = '';
  for (const line of lines) {
    if (line.source !== source) {
      source = line.source;
      if (!resources.has(source)) resources.set(source, new Map([['logdrift.source', source]]));
      intake.sink.resource(resources.get(source)!);
      intake.sink.scope('');
    }
    record.timeMs = line.timeMs;
    record.text = line.text;
    record.textEnd = line.text.length;
    intake.sink.record(record);
  }
  await intake.commit(signal);
  return lines.length;
}
