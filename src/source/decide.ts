/** Composes the key of one record from what it and its resource say. */
import type { Attributes, DecodedRecord } from '../receive/record.ts';
import { joinId, normaliseIdPart } from './id.ts';
import { detectProducer, type Producer, type RecordView } from './producers.ts';
import type { SourceRules } from './rules.ts';
import type { ResolvedSource, SourceResolverOptions } from './source-key.ts';

/** Scope of our own anomaly records: they come back excluded. */
export const OWN_SCOPE_NAME = 'logdrift';
/** The one source of all records that match nothing. */
const UNKNOWN_SOURCE_KEY = 'otlp:unknown';

export interface Question {
  resource: Attributes;
  scopeName: string;
  record: DecodedRecord;
  options: SourceResolverOptions;
  rules: SourceRules;
  isExcluded: (key: string) => boolean;
}

/** The uncached answer; source-key.ts describes the order. */
export function decideSource(question: Question): ResolvedSource {
  const { resource, scopeName, record, options, rules } = question;
  const attribute = (key: string) => present(resource.get(key)) ?? present(record.attributes.get(key));
  const field = (key: string) => present(record.bodyFields.get(key)) ?? attribute(key);
  // What is said outright may be said closer to the record.
  const nearest = (key: string) =>
    key === 'scope.name'
      ? present(scopeName)
      : key.startsWith('body.')
        ? present(record.bodyFields.get(key.slice('body.'.length)))
        : (present(record.attributes.get(key)) ?? present(resource.get(key)));

  const view: RecordView = { attribute, field };
  const producer = detectProducer(view);
  const type = declaredType(nearest('logdrift.source.type')) ?? producer.type;
  const textAttribute = producer.type === 'syslog' && present(record.attributes.get('message')) ? 'message' : null;
  const own = options.ownServiceName ?? 'logdrift';

  const explicit = nearest('logdrift.source') ?? rules.match(nearest);
  const said = explicit === undefined || explicit === null ? null : splitKey(explicit, type);
  const named = said !== null && said.id !== '' ? said : { type, id: composeId(view, producer, scopeName, options) };
  const mapped = named.id !== '';
  const key = mapped ? `${named.type}:${named.id}` : UNKNOWN_SOURCE_KEY;
  const isOwn =
    scopeName === OWN_SCOPE_NAME || [attribute('service.name'), producer.name, producer.container].includes(own);
  return Object.freeze({
    key,
    type: mapped ? named.type : 'otlp',
    id: mapped ? named.id : 'unknown',
    mapped,
    textAttribute,
    excluded: isOwn || question.isExcluded(key),
  });
}

function composeId(view: RecordView, producer: Producer, scopeName: string, options: SourceResolverOptions): string {
  const { attribute } = view;
  const service = attribute('service.name');
  const isUnknown = service?.startsWith('unknown_service') ?? false;
  const serviceName = isUnknown ? undefined : service;
  const sourceName = serviceName === undefined ? sourceNameOf(view, options.nameAttributes) : undefined;

  const isK8s = producer.type === 'k8s';
  const parts: string[] = [];
  const chosen =
    serviceName ??
    sourceName ??
    present(producer.name) ??
    basename(isUnknown ? service!.slice('unknown_service:'.length) : '');
  const isProducersName = serviceName === undefined && sourceName === undefined && producer.name !== '';
  const name = chosen ?? (producer.container === '' ? present(scopeName) : undefined);
  if (name !== undefined) parts.push(normaliseIdPart(name, isProducersName && producer.nameIsId));

  // A sidecar carries the service name of its pod: the container keeps it out of the application's model.
  const { container } = producer;
  if (container !== '' && (container !== name || isProducersName || options.granularity === 'container')) {
    parts.push(normaliseIdPart(container));
  } else if (producer.type === 'docker' && options.granularity !== 'service' && producer.name !== name) {
    parts.push(normaliseIdPart(producer.name, producer.nameIsId));
  }
  if (options.granularity === 'instance') {
    const instance = attribute('service.instance.id') ?? attribute('k8s.pod.name') ?? attribute('host.name');
    if (instance !== undefined && parts.length > 0) parts.push(normaliseIdPart(instance, true));
  }
  // service.name is unique only inside service.namespace.
  const namespace = isK8s
    ? producer.namespace || attribute('service.namespace')
    : serviceName !== undefined
      ? attribute('service.namespace')
      : undefined;
  return joinId(namespace ? [normaliseIdPart(namespace), ...parts] : parts);
}

function sourceNameOf({ attribute }: RecordView, nameAttributes: readonly string[]): string | undefined {
  for (const key of nameAttributes) {
    const name = attribute(key);
    // Docker's fluentd driver writes the stream into `source`; that names no source.
    if (name !== undefined && name !== 'stdout' && name !== 'stderr') return name;
  }
  return undefined;
}

/** `type:id`, or an id alone, whose type is then the producer's. */
function splitKey(source: string, type: string): { type: string; id: string } {
  const colon = source.indexOf(':');
  const declared = colon > 0 ? declaredType(source.slice(0, colon)) : undefined;
  const id = declared !== undefined ? source.slice(colon + 1) : source;
  return { type: declared ?? type, id: joinId([normaliseIdPart(id)]) };
}

function declaredType(type: string | undefined): string | undefined {
  return type !== undefined && /^[a-z][a-z0-9_.-]{0,31}$/.test(type) ? type : undefined;
}

/** `unknown_service:node_modules/.bin/node` → `node` */
function basename(path: string): string | undefined {
  return present(path.split(/[/\\]/).findLast((part) => part !== '') ?? '');
}

function present(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
