/** Which resource attributes stand for a source as a whole; its anomaly records carry them, so that they join with the source's own logs and traces. */
import type { Attributes } from '../receive/record.ts';

const MAX_ATTRIBUTES = 64;
const MAX_VALUE_CHARS = 1024;

const EXACT = new Set([
  'host.name',
  'container.name',
  'deployment.environment',
  'deployment.environment.name',
  'faas.name',
  'log.file.name',
  'cloudwatch.log.group.name',
  'aws.log.group.names',
]);
const PREFIXES = ['service.', 'k8s.', 'cloud.'];
/** Names one run of one pod, not the source. */
const SHORT_LIVED = /^k8s\.pod\.(?!label)|^k8s\..*\.uid$|^k8s\.container\.restart_count$|^k8s\..*\.start_time$/;

/** What identifies the resource: `service.*`, `k8s.*` without pods and uids, `cloud.*`, environment, host and the like. */
export function identifyingAttributes(resource: Attributes): ReadonlyMap<string, string> {
  const identity = new Map<string, string>();
  for (const [key, value] of resource) {
    if (value === '' || value.length > MAX_VALUE_CHARS || !isIdentifying(key)) continue;
    identity.set(key, value);
    if (identity.size === MAX_ATTRIBUTES) break;
  }
  return identity;
}

/** Senders repeat their resource, and the decoder gives the same Map object for it. */
const identities = new WeakMap<Attributes, ReadonlyMap<string, string>>();

function identityOf(resource: Attributes): ReadonlyMap<string, string> {
  let identity = identities.get(resource);
  if (identity === undefined) identities.set(resource, (identity = identifyingAttributes(resource)));
  return identity;
}

function isIdentifying(key: string): boolean {
  return EXACT.has(key) || (PREFIXES.some((prefix) => key.startsWith(prefix)) && !SHORT_LIVED.test(key));
}

/**
 * Identity of a source after another resource spoke for it: what differs or is missing there varies inside the source (host, instance, node) and
 * leaves for good. Returns `current` itself when nothing leaves; the order in which resources come does not matter.
 */
export function mergeIdentity(
  current: ReadonlyMap<string, string> | null,
  resource: Attributes,
): ReadonlyMap<string, string> {
  if (current === null) return identityOf(resource);
  if (current === resource) return current;
  let merged: Map<string, string> | null = null;
  for (const [key, value] of current) {
    if (resource.get(key) === value) continue;
    merged ??= new Map(current);
    merged.delete(key);
  }
  return merged ?? current;
}
