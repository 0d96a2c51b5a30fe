/**
 * Every metric of the service itself: name, unit, description. The per-source series live in `per-source-producer.ts`.
 *
 * Names are written as a query reads them, less the `_total` that the Prometheus side appends to counters. Receiver and
 * exporter names mirror the Collector's (`otelcol_receiver_accepted_log_records` …).
 */
import type { Counter, Gauge, Histogram, Meter } from '@opentelemetry/api';

export type Transport = 'grpc' | 'http';
export type RequestOutcome = 'success' | 'refused' | 'failure';

export interface Instruments {
  receiver: {
    acceptedRecords: Counter<{ transport: Transport }>;
    /** Turned away for now, the sender may retry: admission, memory. */
    refusedRecords: Counter<{ transport: Transport }>;
    /** Lost to an error: malformed requests, our own faults. */
    failedRecords: Counter<{ transport: Transport }>;
    /** `code`: the gRPC status name or the HTTP status. */
    requests: Counter<{ transport: Transport; outcome: RequestOutcome; code: string }>;
    /** `encoding`: `snappy`, `lz4`, `br`, … or `other`. */
    unsupportedEncodings: Counter<{ transport: Transport; encoding: string }>;
  };
  sources: {
    /** Records for which no source key could be formed. */
    unmappedRecords: Counter<{ reason: string }>;
    /** Accepted and not analysed: `late`, `future`, `waiting_limit`, `source_limit`, `own_anomaly`, `excluded`, `disabled` */
    droppedRecords: Counter<{ reason: string }>;
    /** `clusters`, `candidates`, `templates`, `lines` */
    evictedTemplates: Counter<{ reason: string }>;
    /** Counted as the template `<unsorted>`. */
    unsortedRecords: Counter;
    /** Loud windows that began no anomaly: `second_look`, `schedule`, `budget`, `refractory`. */
    heldBackWindows: Counter<{ reason: string }>;
  };
  step: {
    completed: Counter;
    missed: Counter;
    /** Unix seconds of the end of the last completed step. */
    lastTimestampSeconds: Gauge;
    lastDurationSeconds: Gauge;
    durationSeconds: Histogram;
  };
  embedding: {
    requests: Counter;
    /** `reason`: `unreachable`, `timeout`, `status`, `dimensions`, … (`EmbeddingFailure`) */
    errors: Counter<{ reason: string }>;
    requestDurationSeconds: Histogram;
    cacheHits: Counter;
    cacheMisses: Counter;
    /** Texts put aside because the service fails on them. */
    quarantinedTexts: Counter;
  };
  exporter: {
    sentRecords: Counter;
    sendFailedRecords: Counter;
    /** `reason`: `queue_full`, `shutdown`, `stdout_closed`. */
    droppedRecords: Counter<{ reason: string }>;
  };
  store: {
    commitDurationSeconds: Histogram;
    commitErrors: Counter;
    /** Sources that started cold because their stored state could not be used. */
    restoreErrors: Counter;
  };
}

/** Values that someone else holds; asked at every scrape and push. Left out: no such series. */
export interface ObservedValues {
  activeSources?: () => number;
  receiverInflightBytes?: () => number;
  /** Open connections; null = that receiver is switched off. */
  receiverConnections?: (transport: Transport) => number | null;
  exporterQueueSize?: () => number;
  exporterQueueCapacity?: () => number;
  /** 1 while the records of most sources have stopped at once (a sender outage, `pipeline/outage.ts`). */
  ingestStalled?: () => boolean;
}

const FAST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Declares everything on `meter` and starts the counters whose labels are known at 0, so that `increase()` sees the first event. */
export function createInstruments(meter: Meter): Instruments {
  const counter = <A extends Record<string, string>>(name: string, unit: string, description: string): Counter<A> =>
    meter.createCounter<A>(name, { unit, description });
  const zeroed = (name: string, unit: string, description: string): Counter => {
    const created = meter.createCounter(name, { unit, description });
    created.add(0);
    return created;
  };
  // The SDK's counter makes a string of its labels at each add: 3 µs, too much for what happens with every request.
  const tally = <A extends Record<string, string>>(name: string, unit: string, description: string): Counter<A> => {
    const sums = new Map<string, { sum: number; labels: A }>();
    meter.createObservableCounter<A>(name, { unit, description }).addCallback((result) => {
      for (const { sum, labels } of sums.values()) result.observe(sum, labels);
    });
    return {
      add: (value, labels) => {
        const key = Object.values(labels!).join(' ');
        const known = sums.get(key);
        if (known === undefined) sums.set(key, { sum: value, labels: labels! });
        else known.sum += value;
      },
    };
  };
  const gauge = (name: string, unit: string, description: string): Gauge =>
    meter.createGauge(name, { unit, description });
  const seconds = (name: string, description: string): Histogram =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: FAST_SECONDS } });

  const instruments: Instruments = {
    receiver: {
      acceptedRecords: tally('logdrift_receiver_accepted_log_records', '{record}', 'Log records taken in.'),
      refusedRecords: counter(
        'logdrift_receiver_refused_log_records',
        '{record}',
        'Log records turned away under load.',
      ),
      failedRecords: counter('logdrift_receiver_failed_log_records', '{record}', 'Log records lost to an error.'),
      requests: tally('logdrift_receiver_requests', '{request}', 'Export requests by outcome and status code.'),
      unsupportedEncodings: counter(
        'logdrift_receiver_unsupported_encoding_requests',
        '{request}',
        'Export requests compressed in a way that is not read.',
      ),
    },
    sources: {
      unmappedRecords: counter('logdrift_unmapped_records', '{record}', 'Log records that named no source.'),
      droppedRecords: counter('logdrift_dropped_records', '{record}', 'Accepted log records that were not analysed.'),
      evictedTemplates: counter('logdrift_evicted_templates', '{template}', 'Templates forgotten to stay in bounds.'),
      unsortedRecords: zeroed(
        'logdrift_unsorted_log_records',
        '{record}',
        'Log records without a template of their own: too many others were new.',
      ),
      heldBackWindows: counter(
        'logdrift_held_back_windows',
        '{window}',
        'Windows above the warning threshold that began no anomaly.',
      ),
    },
    step: {
      completed: zeroed('logdrift_steps', '{step}', 'Steps completed.'),
      missed: zeroed('logdrift_missed_steps', '{step}', 'Steps that could not close on time and became gaps.'),
      lastTimestampSeconds: gauge('logdrift_last_step_timestamp_seconds', 's', 'Unix time of the last completed step.'),
      lastDurationSeconds: gauge('logdrift_last_step_duration_seconds', 's', 'How long the last step took.'),
      durationSeconds: seconds('logdrift_step_duration_seconds', 'From the tick to the last verdict of a step.'),
    },
    embedding: {
      requests: zeroed('logdrift_embedding_requests', '{request}', 'Requests to the embedding service.'),
      errors: counter('logdrift_embedding_errors', '{error}', 'Failed embedding requests by reason.'),
      requestDurationSeconds: seconds('logdrift_embedding_request_duration_seconds', 'Time of an embedding request.'),
      cacheHits: zeroed('logdrift_embedding_cache_hits', '{text}', 'Template texts whose vector was in the cache.'),
      cacheMisses: zeroed('logdrift_embedding_cache_misses', '{text}', 'Template texts that had to be embedded.'),
      quarantinedTexts: zeroed(
        'logdrift_embedding_quarantined_texts',
        '{text}',
        'Template texts the service fails on.',
      ),
    },
    exporter: {
      sentRecords: zeroed('logdrift_exporter_sent_log_records', '{record}', 'Anomaly records delivered.'),
      sendFailedRecords: zeroed(
        'logdrift_exporter_send_failed_log_records',
        '{record}',
        'Anomaly records the destination rejected for good.',
      ),
      droppedRecords: counter(
        'logdrift_exporter_dropped_log_records',
        '{record}',
        'Anomaly records that left undelivered.',
      ),
    },
    store: {
      commitDurationSeconds: seconds('logdrift_store_commit_duration_seconds', 'Time of a checkpoint transaction.'),
      commitErrors: zeroed('logdrift_store_commit_errors', '{error}', 'Checkpoints that failed.'),
      restoreErrors: zeroed(
        'logdrift_store_restore_errors',
        '{error}',
        'Sources whose stored state could not be used: they started cold.',
      ),
    },
  };
  for (const transport of ['grpc', 'http'] as const) {
    instruments.receiver.acceptedRecords.add(0, { transport });
    instruments.receiver.refusedRecords.add(0, { transport });
    instruments.receiver.failedRecords.add(0, { transport });
  }
  instruments.exporter.droppedRecords.add(0, { reason: 'queue_full' });
  return instruments;
}

/** Registers the gauges that read a value held elsewhere, and what is known of the process. */
export function observeValues(meter: Meter, observed: ObservedValues, build: { version: string }): void {
  const gauge = (name: string, unit: string, description: string, read: (() => number) | undefined): void => {
    if (read) meter.createObservableGauge(name, { unit, description }).addCallback((result) => result.observe(read()));
  };
  const { ingestStalled, receiverConnections } = observed;
  gauge('logdrift_active_sources', '{source}', 'Sources with a live detector.', observed.activeSources);
  gauge(
    'logdrift_receiver_inflight_bytes',
    'By',
    'Bytes of requests under way and of records waiting to be mined.',
    observed.receiverInflightBytes,
  );
  if (receiverConnections !== undefined) {
    const description = 'Open connections of senders.';
    meter
      .createObservableGauge('logdrift_receiver_connections', { unit: '{connection}', description })
      .addCallback((result) => {
        for (const transport of ['grpc', 'http'] as const) {
          const connections = receiverConnections(transport);
          if (connections !== null) result.observe(connections, { transport });
        }
      });
  }
  gauge(
    'logdrift_exporter_queue_size',
    '{record}',
    'Anomaly records waiting for delivery.',
    observed.exporterQueueSize,
  );
  gauge('logdrift_exporter_queue_capacity', '{record}', 'Bound of that queue.', observed.exporterQueueCapacity);
  gauge(
    'logdrift_ingest_stalled',
    '',
    '1 while most sources fell silent at once and steps count as gaps.',
    ingestStalled && (() => Number(ingestStalled())),
  );
  gauge('process_resident_memory_bytes', 'By', 'Resident set size.', () => process.memoryUsage.rss());
  meter
    .createObservableCounter('process_cpu_seconds', { unit: 's', description: 'User and system CPU time.' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1e6);
    });
  meter
    .createObservableGauge('logdrift_build_info', { description: 'Always 1; the labels say what runs.' })
    .addCallback((result) => result.observe(1, { version: build.version, node: process.versions.node }));
}
