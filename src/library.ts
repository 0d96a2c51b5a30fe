import { Buffer } from 'node:buffer';
import type { Anomaly } from './alert/anomaly.ts';
import { loadConfig } from './config/load.ts';
import { openEmbedder } from './embed/open.ts';
import { openPipeline, type Pipeline } from './pipeline/pipeline.ts';
import type { JudgedStep } from './pipeline/step.ts';
import { newDecodedRecord } from './receive/decoded.ts';
import type { SourceResolver } from './source/source-key.ts';
import type { Verdict } from './detect/verdict.ts';

export type { Anomaly } from './alert/anomaly.ts';
export type { Verdict } from './detect/verdict.ts';

/**
 * The keys of a configuration file's `logs_config.drift_detection`, as they are called there; every one has its default.
 *
 *     { window_size: '120s', window_step: '60s', warning_threshold: 2 }
 */
export type DriftDetectorConfig = Readonly<Record<string, unknown>>;

export interface DriftDetectorCallbacks {
  /** At the start, escalation and end of an episode. */
  onAnomaly?: (anomaly: Anomaly) => void;
  /** Every judged window of every source. */
  onVerdict?: (verdict: Verdict) => void;
}

export interface DriftDetectorStats {
  enabled: boolean;
  active_detectors: number;
  sources: string[];
}

/** Drift detection without any server: lines in, verdicts and anomalies out, on the time of the lines. */
export interface DriftDetector extends AsyncDisposable {
  /** A line of the source `default`. @see processLogWithSource */
  processLog(timestamp: Date | number, content: string): Promise<void>;
  /**
   * Takes one line. Windows close when time passes their end, so lines should come roughly in order (`allowed_lateness`); awaiting the
   * result is what slows a fast caller to the speed of the analysis.
   *
   * @param sourceKey `type:id`, for example `file:nginx`
   * @param timestamp Date or milliseconds since 1970
   * @throws TypeError for a timestamp that is none
   */
  processLogWithSource(sourceKey: string, timestamp: Date | number, content: string): Promise<void>;
  getStats(): DriftDetectorStats;
  /** The input has ended: every window that the newest line has passed is judged. */
  flush(): Promise<void>;
}

/**
 * Opens a detector in this thread; state lives in memory.
 *
 * @throws ConfigError with every problem of `config`
 */
export async function createDriftDetector(
  config: DriftDetectorConfig = {},
  callbacks: DriftDetectorCallbacks = {},
): Promise<DriftDetector> {
  // JSON is YAML: the same checks and messages as for a file.
  const text = JSON.stringify({ logs_config: { drift_detection: config } });
  const { driftDetection: detection, sources } = loadConfig({ text, file: 'createDriftDetector', env: process.env });
  const embedder = openEmbedder({ url: detection.embeddingUrl, model: detection.embeddingModel });
  const judged = (step: JudgedStep): void => {
    for (const verdict of step.verdicts) callbacks.onVerdict?.(verdict);
    for (const anomaly of step.anomalies) callbacks.onAnomaly?.(anomaly);
  };
  const ignore = (): void => undefined;
  /** Sources whose first lines still wait for their pane to open (`allowed_lateness`): to the caller they are there. */
  const announced = new Set<string>();
  const pipeline: Pipeline = await openPipeline({
    detection,
    sources,
    resolver: namedSources(),
    clock: 'event',
    shards: 'inline',
    hashSeed: 0,
    embedder,
    store: null,
    live: true,
    events: {
      judged,
      dropped: ignore,
      unmapped: ignore,
      outage: ignore,
      irregular: ignore,
      created: (entry) => void announced.delete(entry.key),
      removed: ignore,
      cleanedUp: ignore,
      restoreFailed: ignore,
      committed: ignore,
      commitFailed: ignore,
      fatal: (error) => {
        throw error;
      },
    },
  });
  const { signal } = new AbortController();

  const processLogWithSource = async (sourceKey: string, timestamp: Date | number, content: string): Promise<void> => {
    const timeMs = Number(timestamp);
    if (!Number.isFinite(timeMs))
      throw new TypeError(`timestamp of a line of ${sourceKey} is ${String(timestamp)}; give a Date or milliseconds`);
    const intake = pipeline.target.begin();
    const text = Buffer.from(content, 'utf8');
    intake.sink.resource(new Map([[SOURCE_KEY, sourceKey]]));
    intake.sink.scope('');
    intake.sink.record({ ...newDecodedRecord(text), timeMs, textEnd: text.length });
    const isNew = detection.enabled && pipeline.registry.get(sourceKey) === undefined;
    if (isNew && announced.size < detection.maxSources) announced.add(sourceKey);
    await intake.commit(signal);
  };
  return {
    processLog: (timestamp, content) => processLogWithSource(DEFAULT_SOURCE, timestamp, content),
    processLogWithSource,
    getStats: () => {
      const sources = [...pipeline.registry].map((entry) => entry.key).concat(...announced);
      return { enabled: detection.enabled, active_detectors: sources.length, sources };
    },
    flush: () => pipeline.flush(),
    [Symbol.asyncDispose]: async () => {
      await pipeline[Symbol.asyncDispose]();
      await embedder[Symbol.asyncDispose]();
    },
  };
}

const SOURCE_KEY = 'source';
const DEFAULT_SOURCE = 'default';

/** The key is what the caller says, to the letter. */
function namedSources(): SourceResolver {
  const none: ReadonlySet<string> = new Set();
  return {
    wantedAttributes: none,
    wantedBodyFields: none,
    resolve(resource) {
      const key = resource.get(SOURCE_KEY) ?? DEFAULT_SOURCE;
      const [type, ...id] = key.split(':');
      return { key, type: type!, id: id.join(':'), mapped: true, textAttribute: null, excluded: false };
    },
  };
}
