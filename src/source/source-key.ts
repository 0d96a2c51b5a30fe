/**
 * Which source a record belongs to: `<type>:<id>`.
 *
 *     1. said outright: `logdrift.source` on the record or resource, else the user's rules
 *     2. type:  who produced the record (producers.ts)
 *     3. id:    service name, else source name (`nameAttributes`), else what the producer calls it,
 *               else x of `unknown_service:x`, else the scope's name
 *     4. none:  otlp:unknown, one source for all of them
 *
 * The same service on many pods is one source: its replicas behave alike, and every new key would need its own warm-up.
 */
import type { Attributes, DecodedRecord } from '../receive/record.ts';
import { decideSource } from './decide.ts';
import { PRESENCE_ONLY, PRODUCER_ATTRIBUTES, PRODUCER_BODY_FIELDS } from './producers.ts';
import { compileRules, createKeyMatcher, type SourceRule, type SourceRules } from './rules.ts';

export interface SourceResolverOptions {
  granularity: 'service' | 'container' | 'instance';
  nameAttributes: readonly string[];
  rules: readonly SourceRule[];
  /** Keys that are not analysed, `*` for any run of characters. */
  exclude: readonly string[];
  /** Our own `service.name`, default `logdrift`: our telemetry and our container's output are not analysed. */
  ownServiceName?: string;
}

/** Frozen and shared between records: same key, same object as long as it is cached. */
export interface ResolvedSource {
  key: string;
  type: string;
  id: string;
  /** False: nothing matched, the key is `otlp:unknown`. */
  mapped: boolean;
  /** Record attribute whose text replaces the body (syslog: `message`), else null. */
  textAttribute: string | null;
  /** Accepted, never analysed: our own output, or named by `exclude`. */
  excluded: boolean;
}

export interface SourceResolver {
  readonly wantedAttributes: ReadonlySet<string>;
  readonly wantedBodyFields: ReadonlySet<string>;
  resolve(resource: Attributes, scopeName: string, record: DecodedRecord): ResolvedSource;
}

/** Distinct (resource, record values) combinations in each of the cache's two generations, about 300 bytes each. */
const MAX_GENERATION = 4096;
/** A record whose deciding values are longer than this together is resolved anew each time. */
const MAX_CACHE_KEY_CHARS = 2048;

/** What is remembered about one resource Map for as long as it lives. */
interface KnownResource {
  /** Answer for records without wanted attributes; it depends on the scope's name only. */
  scopeName: string;
  plain: ResolvedSource | null;
  /** The resource's deciding values, as the beginning of a cache key. */
  fingerprint: string | null;
  /** The record before: neighbours mostly carry the same file, unit or tag. */
  before: { scopeName: string; attributes: string[]; bodyFields: string[]; resolved: ResolvedSource } | null;
}

const emptyEntry = (): KnownResource => ({ scopeName: '', plain: null, fingerprint: null, before: null });

/** @throws SourceRuleError for a rule whose pattern cannot be used. */
export function createSourceResolver(options: SourceResolverOptions): SourceResolver {
  const rules = compileRules(options.rules);
  const isExcluded = createKeyMatcher(options.exclude);
  const wanted = wantedKeys(options, rules);
  const read = new Set([...options.nameAttributes, ...rules.attributes.map((name) => name.replace(/^body\./, ''))]);
  const presenceOnly = PRESENCE_ONLY.difference(read);
  const known = new WeakMap<Attributes, KnownResource>();
  const combinations = createCache();
  let lastResource: Attributes | null = null;
  let last = emptyEntry();

  function resolvePlain(resource: Attributes, scopeName: string, record: DecodedRecord): ResolvedSource {
    if (last.plain === null || last.scopeName !== scopeName) {
      last.plain = resolveByValues(resource, scopeName, record, [], []);
      last.scopeName = scopeName;
    }
    return last.plain;
  }

  function resolveLikeBefore(resource: Attributes, scopeName: string, record: DecodedRecord): ResolvedSource {
    const { before } = last;
    if (
      before !== null &&
      before.scopeName === scopeName &&
      hasValues(record.attributes, before.attributes, presenceOnly) &&
      hasValues(record.bodyFields, before.bodyFields, presenceOnly)
    ) {
      return before.resolved;
    }
    const attributes = flatValues(record.attributes, presenceOnly);
    const bodyFields = flatValues(record.bodyFields, presenceOnly);
    const resolved = resolveByValues(resource, scopeName, record, attributes, bodyFields);
    const chars = [...attributes, ...bodyFields].reduce((sum, text) => sum + text.length, 0);
    last.before = chars <= MAX_CACHE_KEY_CHARS ? { scopeName, attributes, bodyFields, resolved } : null;
    return resolved;
  }

  function resolveByValues(
    resource: Attributes,
    scopeName: string,
    record: DecodedRecord,
    attributes: readonly string[],
    bodyFields: readonly string[],
  ): ResolvedSource {
    last.fingerprint ??= fingerprintOf(resource, wanted.any);
    const key = [last.fingerprint, scopeName, attributes.join('\0'), bodyFields.join('\0')].join('\0\0');
    if (key.length > MAX_CACHE_KEY_CHARS)
      return decideSource({ resource, scopeName, record, options, rules, isExcluded });
    let resolved = combinations.get(key);
    if (resolved === undefined) {
      resolved = decideSource({ resource, scopeName, record, options, rules, isExcluded });
      combinations.set(key, resolved);
    }
    return resolved;
  }

  return {
    wantedAttributes: wanted.attributes,
    wantedBodyFields: wanted.bodyFields,
    resolve(resource, scopeName, record) {
      if (resource !== lastResource) {
        let entry = known.get(resource);
        if (entry === undefined) known.set(resource, (entry = emptyEntry()));
        lastResource = resource;
        last = entry;
      }
      return record.attributes.size === 0 && record.bodyFields.size === 0
        ? resolvePlain(resource, scopeName, record)
        : resolveLikeBefore(resource, scopeName, record);
    },
  };
}

/** Two generations: a full young one becomes the old one, what is still used moves back. Bounded like an LRU, without reordering at every hit. */
function createCache() {
  let young = new Map<string, ResolvedSource>();
  let old = new Map<string, ResolvedSource>();
  const set = (key: string, resolved: ResolvedSource) => {
    if (young.size >= MAX_GENERATION) {
      old = young;
      young = new Map();
    }
    young.set(key, resolved);
  };
  return {
    set,
    get(key: string): ResolvedSource | undefined {
      const found = young.get(key);
      if (found !== undefined) return found;
      const aged = old.get(key);
      if (aged !== undefined) set(key, aged);
      return aged;
    },
  };
}

function wantedKeys(options: SourceResolverOptions, rules: SourceRules) {
  const ruleFields = rules.attributes
    .filter((name) => name.startsWith('body.'))
    .map((name) => name.slice('body.'.length));
  const attributes = new Set([
    'logdrift.source',
    'logdrift.source.type',
    'service.name',
    'service.namespace',
    'message',
    ...(options.granularity === 'instance' ? ['service.instance.id'] : []),
    ...PRODUCER_ATTRIBUTES,
    ...options.nameAttributes,
    ...rules.attributes.filter((name) => !name.startsWith('body.') && name !== 'scope.name'),
  ]);
  const bodyFields = new Set([...PRODUCER_BODY_FIELDS, ...ruleFields]);
  // These two name an instance and are looked for on the resource.
  return {
    attributes,
    bodyFields,
    any: new Set([...attributes, ...PRODUCER_BODY_FIELDS, 'service.instance.id', 'host.name']),
  };
}

function fingerprintOf(resource: Attributes, wanted: ReadonlySet<string>): string {
  let fingerprint = '';
  for (const [key, value] of resource) if (wanted.has(key)) fingerprint += `${key}\0${value}\0`;
  return fingerprint;
}

/** Stands for any value of a key whose presence alone decides. */
const PRESENT = '\u0001';

/** Key, value, key, value, … */
function flatValues(values: ReadonlyMap<string, string>, presenceOnly: ReadonlySet<string>): string[] {
  const flat: string[] = [];
  for (const [key, value] of values) flat.push(key, value !== '' && presenceOnly.has(key) ? PRESENT : value);
  return flat;
}

function hasValues(
  values: ReadonlyMap<string, string>,
  flat: readonly string[],
  presenceOnly: ReadonlySet<string>,
): boolean {
  if (values.size * 2 !== flat.length) return false;
  let i = 0;
  for (const [key, value] of values) {
    if (flat[i] !== key) return false;
    const known = flat[i + 1]!;
    if (known !== value && !(known === PRESENT && value !== '' && presenceOnly.has(key))) return false;
    i += 2;
  }
  return true;
}
