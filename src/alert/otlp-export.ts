/** Where anomalies leave the service: OTLP/HTTP, OTLP/gRPC, or JSON lines on stdout. */
import type { Writable } from 'node:stream';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { OtlpExporterConfig } from '../config/config.ts';
import type { Instruments } from '../telemetry/instruments.ts';
import type { Log } from '../telemetry/log.ts';
import { anomalyLine } from './anomaly-line.ts';
import {
  anomalyRecord,
  anomalyScope,
  ownResource,
  type AnomalyRecord,
  STALLED_EVENT,
  stalledMessage,
  stalledRecord,
  type IngestStalled,
} from './anomaly-record.ts';
import { DeliveryQueue, type SendResult } from './delivery.ts';
import type { Anomaly } from './anomaly.ts';
import { createOtlpGrpc } from './otlp-grpc.ts';
import { createOtlpHttp } from './otlp-http.ts';
import { withoutSecrets, type OtlpTransport, type TransportOptions } from './otlp-transport.ts';
import { createLineWriter, type DropReason } from './stdout.ts';

export interface AnomalyExporter extends AsyncDisposable {
  /**
   * Never waits, never throws.
   *
   * @param resource the source's identifying attributes; pass the same Map for the same source
   * @param lost records of the anomaly's window that were not analysed
   */
  send(anomaly: Anomaly, resource: ReadonlyMap<string, string>, lost?: number): void;
  /** The one record of a sender outage. */
  sendStalled(stalled: IngestStalled): void;
  /** Records not delivered yet. */
  readonly queueSize: number;
  /** Resolves with the number of records left undelivered when `signal` aborts, else with 0. */
  flush(signal: AbortSignal): Promise<number>;
}

export interface AnomalyExporterOptions {
  /** `exporters.otlp` */
  otlp: OtlpExporterConfig;
  /** `anomaly.resource`. Default: `source`. */
  resource?: 'source' | 'self';
  version: string;
  instanceId: string;
  log: Log;
  metrics?: Instruments['exporter'];
  /** For `endpoint: null`. Default: process.stdout. */
  stdout?: Writable;
  /** Unix milliseconds. */
  now?: () => number;
  initialBackoffMs?: number;
}

/** @throws Error when `exporters.otlp.endpoint` is not usable */
export function createAnomalyExporter(options: AnomalyExporterOptions): AnomalyExporter {
  return options.otlp.endpoint === null ? stdoutExporter(options) : otlpExporter(options, options.otlp.endpoint);
}

function otlpExporter(options: AnomalyExporterOptions, endpoint: string): AnomalyExporter {
  const { otlp, log, metrics, instanceId, now = Date.now } = options;
  const transport = createTransport(otlp, endpoint, options.version);
  const scope = anomalyScope(options.version);
  const self = ownResource(instanceId);

  function onResult(result: SendResult, batchSize: number): void {
    switch (result.kind) {
      case 'delivered':
        metrics?.sentRecords.add(batchSize - result.rejected);
        if (result.rejected > 0) metrics?.sendFailedRecords.add(result.rejected);
        if (result.rejected > 0 || result.message !== '') {
          const fields = { endpoint, rejected: result.rejected, message: result.message };
          const what =
            result.rejected > 0 ? 'Destination took anomalies only in part' : 'Destination took anomalies, but warns';
          log.warnLimited('anomaly-partial', what, fields);
        }
        break;
      case 'rejected':
        metrics?.sendFailedRecords.add(batchSize);
        log.warnLimited('anomaly-rejected', 'Destination rejected anomalies; they are lost', {
          records: batchSize,
          reason: result.reason,
        });
        break;
      case 'retry':
        log.warnLimited('anomaly-retry', 'Anomalies could not be delivered; trying again', {
          queued: queue.size,
          reason: result.reason,
        });
    }
  }

  const queue = new DeliveryQueue<AnomalyRecord>({
    capacity: otlp.queueSize,
    send: (batch, signal) => transport.send(ProtobufLogsSerializer.serializeRequest([...batch])!, signal),
    onResult,
    onDropped: (count, reason) => reportDropped(options, count, reason),
    ...(options.initialBackoffMs !== undefined && { initialBackoffMs: options.initialBackoffMs }),
  });

  return {
    send: (anomaly, ofSource, lost = 0) => {
      const resource = options.resource === 'self' ? self : ofSource;
      queue.push(anomalyRecord(anomaly, { resource, lost, scope, instanceId, observedMs: now() }));
    },
    sendStalled: (stalled) =>
      queue.push(stalledRecord(stalled, { resource: self, scope, instanceId, observedMs: now() })),
    get queueSize() {
      return queue.size;
    },
    flush: (signal) => queue.flush(signal),
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      await transport[Symbol.asyncDispose]();
    },
  };
}

/** @throws Error when `exporters.otlp.endpoint` is not usable */
export function createTransport(otlp: OtlpExporterConfig, endpoint: string, version: string): OtlpTransport {
  const { headers, timeoutMs } = otlp;
  const options: TransportOptions = { endpoint, headers, timeoutMs, userAgent: `logdrift/${version}` };
  try {
    const transport = otlp.protocol === 'grpc' ? createOtlpGrpc(options) : createOtlpHttp(options);
    return {
      ...transport,
      send: async (request, signal) => withoutSecrets(await transport.send(request, signal), headers),
    };
  } catch (cause) {
    throw new Error(`exporters.otlp: cannot send to "${endpoint}": ${(cause as Error).message}`, { cause });
  }
}

function stdoutExporter(options: AnomalyExporterOptions): AnomalyExporter {
  const writer = createLineWriter({
    stream: options.stdout ?? process.stdout,
    capacity: options.otlp.queueSize,
    onWritten: () => options.metrics?.sentRecords.add(1),
    onDropped: (count, reason) => reportDropped(options, count, reason),
    onBroken: (error) =>
      options.log.warn('stdout is closed; anomalies are no longer printed', { reason: error.message }),
  });
  return {
    send: (anomaly) => writer.write(JSON.stringify(anomalyLine(anomaly))),
    sendStalled: (stalled) =>
      writer.write(
        JSON.stringify({
          event: STALLED_EVENT,
          message: stalledMessage(stalled),
          silent_sources: stalled.silentSources,
        }),
      ),
    get queueSize() {
      return writer.size;
    },
    flush: (signal) => writer.flush(signal),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

function reportDropped(options: AnomalyExporterOptions, count: number, reason: DropReason): void {
  options.metrics?.droppedRecords.add(count, { reason });
  options.log.warnLimited(`anomaly-dropped-${reason}`, 'Anomalies left undelivered', { records: count, reason });
}
