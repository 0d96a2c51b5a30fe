/**
 * Finds the few attribute keys somebody wants among the many that pass by, without making a string of any.
 *
 * A key's bucket depends on its length, first and last byte only; nearly all unwanted keys fall into an empty bucket and cost
 * two loads. Only then are bytes compared.
 */

const BUCKETS = 1024;

export interface KeyTable {
  /** Bucket → index into `keys` of its first entry, -1 when empty. */
  readonly heads: Int16Array;
  /** Key index → next index in the same bucket, -1 at the end. */
  readonly next: Int16Array;
  readonly keys: readonly string[];
  readonly encoded: readonly Uint8Array[];
}

/** Three small primes spread the 1,024 buckets well for the dotted lower-case names of the semantic conventions. */
export function keyBucket(length: number, first: number, last: number): number {
  return (length * 131 + first * 31 + last * 7) & (BUCKETS - 1);
}

/** Index of each key = its place in `keys`; duplicates keep their first place. */
export function buildKeyTable(keys: Iterable<string>): KeyTable {
  const unique = [...new Set(keys)].filter((key) => key !== '');
  const encoded = unique.map((key) => new Uint8Array(Buffer.from(key)));
  const heads = new Int16Array(BUCKETS).fill(-1);
  const next = new Int16Array(unique.length).fill(-1);
  encoded.forEach((bytes, index) => {
    const bucket = keyBucket(bytes.length, bytes[0]!, bytes[bytes.length - 1]!);
    next[index] = heads[bucket]!;
    heads[bucket] = index;
  });
  return { heads, next, keys: unique, encoded };
}

/** Index of the key in `bytes[start, end)`, -1 when nobody wants it. */
export function findKey(table: KeyTable, bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0) return -1;
  let index = table.heads[keyBucket(length, bytes[start]!, bytes[end - 1]!)]!;
  while (index !== -1) {
    const key = table.encoded[index]!;
    if (key.length === length) {
      let i = 0;
      while (i < length && key[i] === bytes[start + i]) i++;
      if (i === length) return index;
    }
    index = table.next[index]!;
  }
  return -1;
}

/** Sinks of one intake share their sets of keys, so a table is built once a process and not once a request. */
const tables = new WeakMap<ReadonlySet<string>, Map<readonly string[], KeyTable>>();

/** `own` first, so that an index below `own.length` names one of ours. */
export function tableOf(own: readonly string[], wanted: ReadonlySet<string>): KeyTable {
  let perOwn = tables.get(wanted);
  if (perOwn === undefined) tables.set(wanted, (perOwn = new Map()));
  let table = perOwn.get(own);
  if (table === undefined) perOwn.set(own, (table = buildKeyTable([...own, ...wanted])));
  return table;
}
