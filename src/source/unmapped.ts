/** What records that match no source carried: for the one warning that tells the user what to map. */
import type { Attributes, DecodedRecord } from '../receive/record.ts';

const MAX_KEYS = 32;
const MAX_KEY_CHARS = 128;

export interface UnmappedKeys {
  /** Notes the keys of one unmapped record; once {@link UnmappedKeys.full} there is nothing left to note. */
  add(resource: Attributes, record: DecodedRecord): void;
  readonly full: boolean;
  /** Text of the warning, with the keys in the order seen. */
  warning(): string;
}

export function createUnmappedKeys(): UnmappedKeys {
  const keys = new Set<string>();
  // The same resource comes with every record of a batch.
  let lastResource: Attributes | null = null;
  const add = (key: string, where: string) => {
    if (keys.size < MAX_KEYS) keys.add(`${where} ${key.slice(0, MAX_KEY_CHARS)}`);
  };
  return {
    add(resource, record) {
      if (resource !== lastResource) for (const key of resource.keys()) add(key, 'resource');
      lastResource = resource;
      for (const key of record.attributeKeys()) add(key, 'record');
      if (record.bodyFields.size > 0) for (const key of record.bodyFields.keys()) add(key, 'body');
    },
    get full() {
      return keys.size >= MAX_KEYS;
    },
    warning() {
      const seen =
        keys.size === 0
          ? 'They carry no attributes.'
          : `Attribute keys seen: ${[...keys].join(', ')}${this.full ? ', …' : ''}.`;
      return (
        'records match no source and are analysed together as otlp:unknown. ' +
        `${seen} Set service.name (or logdrift.source) on the sender, or add a rule under sources.rules.`
      );
    },
  };
}
