/**
 * Who produced a record: the table of producers, first hit wins.
 *
 * Order: Kubernetes event, Kubernetes, Docker, journald, Windows event log, syslog, TCP/UDP, file, CloudWatch, FaaS, Fluent tag, else OTLP.
 * The attribute names are those of the Collector's receivers and of the semantic conventions.
 */
import { fileStem, jobOwner, podOwner, replicaSetOwner } from './id.ts';
import type { AttributeLookup } from './rules.ts';

export interface Producer {
  type: string;
  /** What this producer itself calls its source (unit, file stem, workload, …), '' when it does not say. */
  name: string;
  /** The name is an id that must not be collapsed (a container id). */
  nameIsId: boolean;
  /** Kubernetes namespace: stands before the name, however that was found. '' elsewhere. */
  namespace: string;
  /** Container inside the pod, '' elsewhere. */
  container: string;
}

/** Looks a key up: `attribute` on the resource and then on the record, `field` in the map body and then like an attribute. Never ''. */
export interface RecordView {
  attribute: AttributeLookup;
  field: AttributeLookup;
}

/** Record attributes that {@link detectProducer} may ask for. */
export const PRODUCER_ATTRIBUTES: readonly string[] = [
  'k8s.namespace.name',
  'k8s.deployment.name',
  'k8s.replicaset.name',
  'k8s.statefulset.name',
  'k8s.daemonset.name',
  'k8s.cronjob.name',
  'k8s.job.name',
  'k8s.pod.name',
  'k8s.container.name',
  'k8s.event.reason',
  'container.id',
  'container.name',
  'container_id',
  'container_name',
  'appname',
  'hostname',
  'priority',
  'facility',
  'net.transport',
  'net.host.port',
  'log.file.name',
  'log.file.path',
  'cloudwatch.log.group.name',
  'aws.log.group.names',
  'faas.name',
  'fluent.tag',
  'fluentd.tag',
];

/** Body fields that {@link detectProducer} may ask for (journald and the Windows event log send map bodies). */
export const PRODUCER_BODY_FIELDS: readonly string[] = [
  '_SYSTEMD_UNIT',
  'SYSLOG_IDENTIFIER',
  '_COMM',
  'CONTAINER_NAME',
  'channel',
  'provider',
  'event_id',
  'computer',
];

/** Keys whose presence decides, never their value: a cache key need not hold it. */
export const PRESENCE_ONLY: ReadonlySet<string> = new Set([
  'k8s.event.reason',
  'priority',
  'facility',
  'event_id',
  'computer',
  'message',
]);

export function detectProducer(view: RecordView): Producer {
  return (
    k8sEvent(view) ??
    k8s(view) ??
    docker(view) ??
    journald(view) ??
    windowsEvent(view) ??
    syslog(view) ??
    network(view) ??
    file(view) ??
    cloudwatch(view) ??
    faas(view) ??
    fluent(view) ??
    producer('otlp', '')
  );
}

function producer(type: string, name: string, rest: Partial<Producer> = {}): Producer {
  return { type, name, nameIsId: false, namespace: '', container: '', ...rest };
}

/** One source per namespace (`cluster` for nodes and the like): the objects' names are unbounded. */
function k8sEvent({ attribute }: RecordView): Producer | null {
  if (!attribute('k8s.event.reason')) return null;
  return producer('k8sevent', attribute('k8s.namespace.name') ?? 'cluster');
}

/**
 * Workload in the order of the semantic conventions (k8s-attributes.md). `k8s.node.name` and `k8s.cluster.name` alone are no hit: a node's
 * journald and syslog carry them too.
 */
function k8s(view: RecordView): Producer | null {
  const { attribute } = view;
  const path = podLogPath(view);
  const namespace = attribute('k8s.namespace.name') ?? path?.namespace ?? '';
  const container = attribute('k8s.container.name') ?? path?.container ?? '';
  const workload =
    attribute('k8s.deployment.name') ??
    map(attribute('k8s.replicaset.name'), replicaSetOwner) ??
    attribute('k8s.statefulset.name') ??
    attribute('k8s.daemonset.name') ??
    attribute('k8s.cronjob.name') ??
    map(attribute('k8s.job.name'), jobOwner) ??
    map(attribute('k8s.pod.name') ?? path?.pod, podOwner);
  if (namespace === '' && container === '' && workload === undefined) return null;
  return producer('k8s', workload ?? '', { namespace, container });
}

/** The kubelet's paths, for a filelog receiver without the container parser: its file names (`0.log`) say nothing by themselves. */
function podLogPath({ attribute }: RecordView): { namespace: string; pod: string; container: string } | null {
  const pods = /\/pods\/([^/_]+)_([^/_]+)_[^/]+\/([^/]+)\/[^/]+$/.exec(attribute('log.file.path') ?? '');
  if (pods) return { namespace: pods[1]!, pod: pods[2]!, container: pods[3]! };
  const name = attribute('log.file.name') ?? attribute('log.file.path') ?? '';
  const containers = /([^/_]+)_([^/_]+)_([^/_]+)-[0-9a-f]{64}\.log$/.exec(name);
  return containers ? { pod: containers[1]!, namespace: containers[2]!, container: containers[3]! } : null;
}

function docker({ attribute, field }: RecordView): Producer | null {
  const name = attribute('container.name') ?? attribute('container_name') ?? field('CONTAINER_NAME');
  if (name) return producer('docker', containerName(name));
  const id =
    attribute('container.id') ??
    attribute('container_id') ??
    /\/containers\/([0-9a-f]{64})\//.exec(attribute('log.file.path') ?? '')?.[1];
  return id ? producer('docker', id.slice(0, 12), { nameIsId: true }) : null;
}

/** Docker's own names begin with a slash; Swarm adds slot and task id (`web_api.1.` and 25 characters), which change at every restart. */
function containerName(name: string): string {
  return name.replace(/^\/+/, '').replace(/\.(?:\d+|[a-z0-9]{25})\.[a-z0-9]{25}$/, '');
}

function journald({ field }: RecordView): Producer | null {
  const unit = field('_SYSTEMD_UNIT');
  const name = unit ?? field('SYSLOG_IDENTIFIER') ?? field('_COMM');
  if (!name) return null;
  // One login session is one scope unit, so its number leaves.
  return producer('journald', name.replace(/\.service$/, '').replace(/^session-\w+\.scope$/, 'session.scope'));
}

function windowsEvent({ field }: RecordView): Producer | null {
  const channel = field('channel');
  const provider = field('provider');
  // `channel` alone is a word that many bodies use.
  if (!channel || !(provider ?? field('event_id') ?? field('computer'))) return null;
  const name = provider ? providerName(provider) : '';
  return producer('winevent', name === '' ? channel : `${channel}/${name}`);
}

/** The receiver sends `{"name": …, "guid": …}`; a flattened body sends the name. */
function providerName(provider: string): string {
  if (!provider.startsWith('{')) return provider;
  try {
    const { name } = JSON.parse(provider) as { name?: unknown };
    return typeof name === 'string' ? name : '';
  } catch {
    return '';
  }
}

/** Network gear often leaves the application out; then the sending host is the source. */
function syslog({ attribute }: RecordView): Producer | null {
  const appname = attribute('appname');
  const priority = attribute('priority');
  const facility = attribute('facility');
  if (appname) return priority || facility ? producer('syslog', appname) : null;
  return priority && facility && attribute('hostname') ? producer('syslog', attribute('hostname')!) : null;
}

function network({ attribute }: RecordView): Producer | null {
  const transport = /^ip[._](tcp|udp)$/i.exec(attribute('net.transport') ?? '')?.[1]?.toLowerCase();
  return transport ? producer(transport, attribute('net.host.port') ?? '') : null;
}

function file({ attribute }: RecordView): Producer | null {
  const path = attribute('log.file.path') ?? attribute('log.file.name');
  return path ? producer('file', fileStem(path)) : null;
}

function cloudwatch({ attribute }: RecordView): Producer | null {
  const group = attribute('cloudwatch.log.group.name') ?? map(attribute('aws.log.group.names'), firstOfList);
  return group ? producer('cloudwatch', group) : null;
}

/** An array attribute arrives as JSON text. */
function firstOfList(list: string): string {
  return /^\["([^"\\]*)"/.exec(list)?.[1] ?? list;
}

function faas({ attribute }: RecordView): Producer | null {
  const name = attribute('faas.name');
  return name ? producer('faas', name) : null;
}

function fluent({ attribute }: RecordView): Producer | null {
  const tag = attribute('fluent.tag') ?? attribute('fluentd.tag');
  return tag ? producer('fluent', tag) : null;
}

function map(value: string | undefined, change: (value: string) => string): string | undefined {
  return value === undefined ? undefined : change(value);
}
