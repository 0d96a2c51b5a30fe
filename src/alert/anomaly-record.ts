/** An anomaly as an OpenTelemetry log record: an Event by the semantic conventions, flat attributes, the source's own Resource. */
import { createHash } from 'node:crypto';
import { SeverityNumber, TraceFlags, type AnyValue, type Attributes, type SpanContext } from '@opentelemetry/api';
import { millisToHrTime, type InstrumentationScope } from '@opentelemetry/core';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import type { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { TopTemplate, Verdict } from '../detect/verdict.ts';
import type { Anomaly } from './anomaly.ts';
import { truncate } from './message.ts';

/** What the serializer of `@opentelemetry/otlp-transformer` takes; named through it, because sdk-logs is not a dependency of ours. */
export type AnomalyRecord = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];

const ANOMALY_EVENT = 'logdrift.anomaly';
const RESOLVED_EVENT = 'logdrift.anomaly.resolved';

export interface RecordContext {
  /** The source's identifying resource attributes, or {@link ownResource}. The same Map object again yields the same Resource, so records group on the wire. */
  resource: ReadonlyMap<string, string>;
  /** Records of the window that were accepted or refused and not analysed. */
  lost: number;
  /** Of this logdrift; part of `log.record.uid`. */
  instanceId: string;
  /** From {@link anomalyScope}; one object for all records. */
  scope: InstrumentationScope;
  /** When the record is made, Unix milliseconds. */
  observedMs: number;
}

/** The receiver drops records of this scope: our anomalies may be routed back to us (loop guard). */
export function anomalyScope(version: string): InstrumentationScope {
  return { name: 'logdrift', version };
}

const MAX_LIST = 5;
const MAX_LIST_CHARACTERS = 256;

export function anomalyRecord(anomaly: Anomaly, context: RecordContext): AnomalyRecord {
  const { verdict } = anomaly;
  const spanContext = exemplar(verdict.topTemplates);
  return {
    hrTime: millisToHrTime(verdict.windowEndMs),
    hrTimeObserved: millisToHrTime(context.observedMs),
    eventName: anomaly.phase === 'end' ? RESOLVED_EVENT : ANOMALY_EVENT,
    severityNumber: severityNumber(anomaly),
    severityText: anomaly.phase === 'end' ? 'INFO' : anomaly.severity === 'critical' ? 'ERROR' : 'WARN',
    body: anomaly.message,
    attributes: attributes(anomaly, context),
    droppedAttributesCount: 0,
    resource: resourceOf(context.resource),
    instrumentationScope: context.scope,
    ...(spanContext && { spanContext }),
  };
}

/** Most sources fell silent at once: the sender is out, not they. */
export interface IngestStalled {
  silentSources: number;
  stepEndMs: number;
}

export const STALLED_EVENT = 'logdrift.ingest.stalled';

export function stalledMessage({ silentSources }: IngestStalled): string {
  return `${silentSources} sources fell silent at once: taken for an outage of the sender, nothing is judged until they return`;
}

/** What logdrift itself is, for records about no single source and where `anomaly.resource` is `self`. */
export function ownResource(instanceId: string): ReadonlyMap<string, string> {
  return new Map([
    ['service.name', 'logdrift'],
    ['service.instance.id', instanceId],
  ]);
}

export function stalledRecord(stalled: IngestStalled, context: Omit<RecordContext, 'lost'>): AnomalyRecord {
  return {
    hrTime: millisToHrTime(stalled.stepEndMs),
    hrTimeObserved: millisToHrTime(context.observedMs),
    eventName: STALLED_EVENT,
    severityNumber: SeverityNumber.WARN,
    severityText: 'WARN',
    body: stalledMessage(stalled),
    attributes: { 'logdrift.silent_sources': stalled.silentSources, 'logdrift.instance.id': context.instanceId },
    droppedAttributesCount: 0,
    resource: resourceOf(context.resource),
    instrumentationScope: context.scope,
  };
}

function severityNumber({ phase, severity }: Anomaly): SeverityNumber {
  if (phase === 'end') return SeverityNumber.INFO;
  return severity === 'critical' ? SeverityNumber.ERROR : SeverityNumber.WARN;
}

function attributes(anomaly: Anomaly, context: RecordContext): Attributes {
  const { verdict, severity } = anomaly;
  const [sourceType, sourceId] = splitKey(verdict.source);
  const all: Record<string, AnyValue | null> = {
    message: anomaly.message,
    source: verdict.source,
    severity,
    window_id: verdict.windowId,
    normalized_error: verdict.normalizedError,
    reconstruction_error: verdict.reconstructionError,
    'logdrift.source': verdict.source,
    'logdrift.source.type': sourceType,
    'logdrift.source.id': sourceId,
    'logdrift.severity': severity,
    'logdrift.score': verdict.score,
    'logdrift.threshold': anomaly.threshold,
    'logdrift.threshold.raised_by': anomaly.raisedBy > 0 ? anomaly.raisedBy : null,
    'logdrift.detector': verdict.detector,
    'logdrift.error.reconstruction': verdict.reconstructionError,
    'logdrift.error.normalized': verdict.normalizedError,
    'logdrift.episode.id': anomaly.episodeId,
    'logdrift.phase': anomaly.phase,
    'logdrift.window.id': verdict.windowId,
    'logdrift.window.start': new Date(verdict.windowStartMs).toISOString(),
    'logdrift.window.end': new Date(verdict.windowEndMs).toISOString(),
    'logdrift.window.record_count': verdict.records,
    'logdrift.dropped_records': context.lost > 0 ? context.lost : null,
    'logdrift.templates.new': list(verdict.newTemplates),
    'logdrift.templates.top': list(verdict.topTemplates.map((top) => top.template)),
    'logdrift.model.rank': verdict.rank,
    'logdrift.gates': list(verdict.gates),
    'logdrift.exemplar.trace_ids': list([...new Set(verdict.topTemplates.flatMap((top) => top.traceIds))]),
    'logdrift.instance.id': context.instanceId,
    'log.record.template': verdict.topTemplates[0]?.template ?? null,
    'logdrift.template.id': verdict.topTemplates[0]?.templateId ?? null,
    'log.record.uid': recordUid(anomaly, context.instanceId),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as Attributes;
}

/** Null when empty, so that the attribute is left out. */
function list(values: readonly string[]): string[] | null {
  return values.length === 0 ? null : values.slice(0, MAX_LIST).map((value) => truncate(value, MAX_LIST_CHARACTERS));
}

/** `file:nginx` -> `file`, `nginx`; a key without a type (the library's `default`) is all id. */
function splitKey(key: string): [type: string | null, id: string] {
  const colon = key.indexOf(':');
  return colon < 0 ? [null, key] : [key.slice(0, colon), key.slice(colon + 1)];
}

/** The first traced line of the template with the largest share. Its flags are not kept, so none are claimed. */
function exemplar(topTemplates: readonly TopTemplate[]): SpanContext | null {
  const traced = topTemplates.find((top) => top.traceIds.length > 0);
  if (!traced) return null;
  return { traceId: traced.traceIds[0]!, spanId: traced.spanIds[0] ?? '', traceFlags: TraceFlags.NONE };
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * ULID layout (48 bits of Unix milliseconds, 80 bits, Crockford base 32) without its randomness: the time is the window's end, the 80 bits are
 * of SHA-256(instance, source, episode, phase). A retry carries the same uid, another node another one.
 */
export function recordUid(
  anomaly: Pick<Anomaly, 'phase' | 'episodeId'> & { verdict: Verdict },
  instanceId: string,
): string {
  const { verdict, episodeId, phase } = anomaly;
  const hash = createHash('sha256').update([instanceId, verdict.source, episodeId, phase].join('\0')).digest('hex');
  let bits = (BigInt(Math.round(verdict.windowEndMs)) << 80n) | BigInt(`0x${hash.slice(0, 20)}`);
  let uid = '';
  for (let i = 0; i < 26; i++) {
    uid = CROCKFORD[Number(bits & 31n)]! + uid;
    bits >>= 5n;
  }
  return uid;
}

const resources = new WeakMap<ReadonlyMap<string, string>, Resource>();

/** The serializer groups records by the identity of their Resource. */
function resourceOf(attributes: ReadonlyMap<string, string>): Resource {
  let resource = resources.get(attributes);
  if (!resource) {
    resource = resourceFromAttributes(Object.fromEntries(attributes));
    resources.set(attributes, resource);
  }
  return resource;
}
