/**
 * The per-source series, read straight off the registry at every scrape and push.
 *
 * Plain SDK instruments keep the series of a removed source for ever. A MetricProducer is asked anew each time, so a source that
 * left the registry has left the scrape and the push as well.
 */
import { ValueType, type HrTime } from '@opentelemetry/api';
import { millisToHrTime } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type CollectionResult,
  type DataPoint,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';

/** What one live source counts. All counters start at 0 when the source appears. */
export interface SourceMetrics {
  readonly key: string;
  /** Unix milliseconds; a source that comes back starts new series. */
  readonly createdMs: number;
  /** Episodes started at, or escalated to, this severity. */
  readonly anomalies: { readonly warning: number; readonly critical: number };
  /** Of the newest scored window; null before the 7th. */
  readonly reconstructionError: number | null;
  /** DMD's z of the newest scored window; null before the 27th. */
  readonly normalizedError: number | null;
  /** Nats by channel of the newest scored window; null before its 7th, and where `dmd` is the only channel. */
  readonly channelScores: Readonly<Record<string, number>> | null;
  readonly received: number;
  readonly late: number;
  /** Count by reason; a reason appears with its first record. */
  readonly dropped: ReadonlyMap<string, number>;
}

export interface PerSourceProducerOptions {
  /** Iterated once per collection. */
  sources: Iterable<SourceMetrics>;
  /**
   * False: no `source` label. Counters are summed over all sources, removed ones included (see {@link PerSourceProducer.retire}),
   * gauges show the largest value of any source: the alertable question left is "how bad is the worst".
   */
  sourceLabel: boolean;
  /** Seven more series a source: `logdrift_channel_score`. */
  channelScores: boolean;
  scope: { name: string; version: string };
  now?: () => number;
}

export interface PerSourceProducer extends MetricProducer {
  /** To be called with a source that leaves: without the `source` label its counts stay in the sums, which must never fall. */
  retire(source: SourceMetrics): void;
}

interface SeriesDefinition {
  /** As OpenTelemetry wants it: the Prometheus side appends `_total` to counters. */
  name: string;
  description: string;
  /** The two DMD gauges have none: `1` would make some stores append `_ratio`. */
  unit: string;
  kind: 'counter' | 'gauge';
  points(source: SourceMetrics): Iterable<{ labels: Record<string, string>; value: number }>;
}

const SERIES: readonly SeriesDefinition[] = [
  {
    name: 'logdrift_anomalies_detected',
    description: 'Anomalies by severity: one at the start of an episode, one more when it escalates.',
    unit: '{anomaly}',
    kind: 'counter',
    points: (source) => [
      { labels: { severity: 'warning' }, value: source.anomalies.warning },
      { labels: { severity: 'critical' }, value: source.anomalies.critical },
    ],
  },
  {
    name: 'logdrift_dmd_reconstruction_error',
    description: 'Distance between the newest window and its DMD prediction.',
    unit: '',
    kind: 'gauge',
    points: (source) => gaugePoints(source.reconstructionError),
  },
  {
    name: 'logdrift_dmd_normalized_error',
    description: "The reconstruction error in standard deviations of the source's own accepted errors.",
    unit: '',
    kind: 'gauge',
    points: (source) => gaugePoints(source.normalizedError),
  },
  {
    name: 'logdrift_source_received_records',
    description: 'Log records that arrived for the source.',
    unit: '{record}',
    kind: 'counter',
    points: (source) => [{ labels: {}, value: source.received }],
  },
  {
    name: 'logdrift_source_dropped_records',
    description: 'Log records of the source that were not analysed, by reason.',
    unit: '{record}',
    kind: 'counter',
    points: (source) => Array.from(source.dropped, ([reason, value]) => ({ labels: { reason }, value })),
  },
  {
    name: 'logdrift_source_late_records',
    description: 'Log records older than one step on arrival, not analysed.',
    unit: '{record}',
    kind: 'counter',
    points: (source) => [{ labels: {}, value: source.late }],
  },
];

const CHANNEL_SERIES: SeriesDefinition = {
  name: 'logdrift_channel_score',
  description: 'How surprised each detection channel is by the newest window, in nats (-ln p).',
  unit: '',
  kind: 'gauge',
  points: (source) =>
    Object.entries(source.channelScores ?? {}).map(([channel, value]) => ({ labels: { channel }, value })),
};

export function createPerSourceProducer(options: PerSourceProducerOptions): PerSourceProducer {
  const { sources, sourceLabel, scope, now = Date.now } = options;
  const allSeries = options.channelScores ? [...SERIES, CHANNEL_SERIES] : SERIES;
  const startMs = now();
  /** Without the label: series name and labels -> what removed sources had counted. */
  const retired = new Map<string, Point>();

  function collectPoints(series: SeriesDefinition, live: readonly SourceMetrics[]): Iterable<Point> {
    if (!sourceLabel) return sumPoints(series, live, retired, startMs);
    return live.flatMap((source) =>
      Array.from(series.points(source), ({ labels, value }) => ({
        labels: { ...labels, source: source.key },
        value,
        startMs: source.createdMs,
      })),
    );
  }

  return {
    retire(source) {
      if (sourceLabel) return;
      for (const series of allSeries) {
        if (series.kind === 'counter') addPoints(retired, series, source, startMs);
      }
    },
    collect(): Promise<CollectionResult> {
      const live = [...sources];
      const endTime = millisToHrTime(now());
      const metrics = allSeries.map((series) => toMetricData(series, collectPoints(series, live), endTime));
      return Promise.resolve({
        resourceMetrics: {
          resource: emptyResource(),
          scopeMetrics: [{ scope, metrics: metrics.filter((metric) => metric.dataPoints.length > 0) }],
        },
        errors: [],
      });
    },
  };
}

interface Point {
  labels: Record<string, string>;
  value: number;
  startMs: number;
}

function gaugePoints(value: number | null): { labels: Record<string, string>; value: number }[] {
  return value === null ? [] : [{ labels: {}, value }];
}

function sumPoints(
  series: SeriesDefinition,
  live: readonly SourceMetrics[],
  retired: ReadonlyMap<string, Point>,
  startMs: number,
): Iterable<Point> {
  const totals = new Map<string, Point>();
  for (const [key, point] of retired) {
    if (key.startsWith(`${series.name} `)) totals.set(key, { ...point });
  }
  for (const source of live) addPoints(totals, series, source, startMs);
  return totals.values();
}

function addPoints(totals: Map<string, Point>, series: SeriesDefinition, source: SourceMetrics, startMs: number): void {
  for (const { labels, value } of series.points(source)) {
    const key = `${series.name} ${Object.values(labels).join(' ')}`;
    const total = totals.get(key);
    if (!total) totals.set(key, { labels, value, startMs });
    else if (series.kind === 'counter') total.value += value;
    else total.value = Math.max(total.value, value);
  }
}

function toMetricData(series: SeriesDefinition, points: Iterable<Point>, endTime: HrTime): MetricData {
  const common = {
    descriptor: {
      name: series.name,
      description: series.description,
      unit: series.unit,
      valueType: series.kind === 'counter' ? ValueType.INT : ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints: Array.from(points, ({ labels, value, startMs }): DataPoint<number> => ({
      attributes: labels,
      value,
      startTime: millisToHrTime(startMs),
      endTime,
    })),
  };
  return series.kind === 'counter'
    ? { ...common, dataPointType: DataPointType.SUM, isMonotonic: true }
    : { ...common, dataPointType: DataPointType.GAUGE };
}
