import type { AdminEvent } from '../admin/events.ts';
import type { SourceSummary } from '../admin/json.ts';
import { Recent } from '../admin/recent.ts';
import { startAdminServer, type AdminServer } from '../admin/server.ts';
import { anomalyLine } from '../alert/anomaly-line.ts';
import type { Anomaly } from '../alert/anomaly.ts';
import type { Config } from '../config/config.ts';
import type { Verdict } from '../detect/verdict.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { JudgedStep } from '../pipeline/step.ts';
import { createKeyMatcher } from '../source/rules.ts';
import type { Log } from '../telemetry/log.ts';

/** What page and API show: remembered while the pipeline judges, and sent to whoever watches. */
export class Feed {
  readonly recent = new Recent();
  readonly #subscribers = new Set<(event: AdminEvent) => void>();

  verdict(verdict: Verdict): void {
    this.recent.observe(verdict);
  }

  anomaly(anomaly: Anomaly): void {
    this.recent.anomaly(anomaly);
    for (const send of this.#subscribers) send({ event: 'anomaly', data: anomalyLine(anomaly) });
  }

  step({ stepEndMs, verdicts, gap }: JudgedStep): void {
    const data = { step_end_unix_ms: stepEndMs, windows: verdicts.length, gap };
    for (const send of this.#subscribers) send({ event: 'step', data });
  }

  subscribe(send: (event: AdminEvent) => void): () => void {
    this.#subscribers.add(send);
    return () => this.#subscribers.delete(send);
  }
}

export function openAdmin(
  config: Config,
  { pipeline, feed, log }: { pipeline: Pipeline; feed: Feed; log: Log },
): Promise<AdminServer> {
  const { registry } = pipeline;
  const isMuted = createKeyMatcher(config.sources.muted);
  const summary = (key: string): SourceSummary | null => {
    const entry = registry.get(key);
    if (entry === undefined) return null;
    return {
      ...entry,
      muted: isMuted(key),
      recent: feed.recent.source(key),
      episode: pipeline.episode(key),
      alertRaisedBy: pipeline.alertRaisedBy(key),
      alertHeldBack: pipeline.alertHeldBack(key),
    };
  };
  return startAdminServer({
    endpoint: config.admin.endpoint,
    tokenFile: config.admin.tokenFile,
    log,
    stats: () => ({
      enabled: config.driftDetection.enabled,
      activeDetectors: registry.size,
      sources: [...registry].map((entry) => entry.key),
    }),
    sources: () => [...registry].map((entry) => summary(entry.key)!),
    source: summary,
    explain: (key, windowId) => pipeline.explain(key, windowId),
    anomalies: () => feed.recent.anomalies(),
    subscribe: (send) => feed.subscribe(send),
  });
}
