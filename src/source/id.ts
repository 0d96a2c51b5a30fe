/** Turns names found on the wire into the id part of a source key: one charset, bounded length, no part that changes with every restart. */
import { createHash } from 'node:crypto';

/** Ids longer than this keep their beginning and get a hash of the whole. */
const MAX_ID_CHARS = 128;
/** Nothing beyond this is looked at; the hash of an overlong name still covers all of it. */
const MAX_SCANNED_CHARS = 1024;

const FORBIDDEN = /[^A-Za-z0-9._/@-]/g;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
const HEX_RUN = /[0-9a-f]{12,}/gi;
const DIGIT_RUN = /\d{6,}/g;

/**
 * One part of an id. Characters outside `[A-Za-z0-9._/@-]` become `_`; UUIDs, hex runs of 12 and more and digit runs of 6 and more become `*`,
 * so that a name with a build or request id in it stays one source. `keepIds` leaves them (an instance id, a container id asked for as such).
 */
export function normaliseIdPart(raw: string, keepIds = false): string {
  const scanned = raw.length > MAX_SCANNED_CHARS ? raw.slice(0, MAX_SCANNED_CHARS) : raw;
  let replaced = 0;
  let part = scanned.replace(FORBIDDEN, () => {
    replaced++;
    return '_';
  });
  // A name in another script would be all underscores, one source for every such name of that length.
  if (replaced * 2 > scanned.length) part += `-${hash8(raw)}`;
  else if (!keepIds) part = collapseIds(part);
  return raw.length > MAX_SCANNED_CHARS ? truncated(part, raw) : part;
}

function collapseIds(text: string): string {
  return (
    text
      .replace(UUID, '*')
      // A word of hex letters only is a word.
      .replace(HEX_RUN, (run) => (/\d/.test(run) ? '*' : run))
      .replace(DIGIT_RUN, '*')
  );
}

/** The non-empty parts behind one another, at most {@link MAX_ID_CHARS} characters. */
export function joinId(parts: readonly string[]): string {
  const id = parts.filter((part) => part !== '').join('/');
  return id.length > MAX_ID_CHARS ? truncated(id, id) : id;
}

function truncated(id: string, whole: string): string {
  return `${id.slice(0, MAX_ID_CHARS - 9)}-${hash8(whole)}`;
}

function hash8(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

const ROTATION_SUFFIXES = [
  /\.(?:gz|zst|bz2|xz|zip|lz4|old|bak)$/i,
  // app.log-20260821, app.2026-08-21, app-2026-08-21T13, app.log.2026-08-21-13-05
  /(?:^|[._-])\d{4}-?\d\d-?\d\d(?:[T._-]?\d\d(?:[-_]?\d\d){0,2})?$/,
  // epoch seconds and alike
  /[._-]\d{9,}$/,
  /\.\d{1,4}$/,
  /\.(?:log|txt|json|jsonl|ndjson)$/i,
];

/**
 * `/var/log/nginx/error.log.2.gz` → `error`. Without rotation marks and log extensions; `.out` and `.err` stay, they tell two streams apart.
 * A name that is all date or number (`2026-08-21.log`, `0.log`) says nothing, so its folder's name is taken where the path is known.
 */
export function fileStem(path: string): string {
  const parts = path.split(/[/\\]+/).filter((part) => part !== '');
  const name = parts.at(-1) ?? '';
  const stem = stripRotation(name);
  if (stem !== '' && !/^\d+$/.test(stem)) return stem;
  return parts.at(-2) ?? (stem !== '' ? stem : name);
}

function stripRotation(name: string): string {
  let stem = name;
  // Every round shortens the name; app-2026-08-21.1.log.gz takes four.
  for (let changed = true; changed;) {
    changed = false;
    for (const suffix of ROTATION_SUFFIXES) {
      const shorter = stem.replace(suffix, '');
      if (shorter !== stem) {
        stem = shorter;
        changed = true;
      }
    }
  }
  return stem;
}

/** Kubernetes writes a ReplicaSet's hash as decimal digits mapped to these ten characters (apimachinery `SafeEncodeString`); before 1.9 as digits. */
const REPLICASET_HASH = /-(?:[4-9bcdf]{6,10}|\d{8,10})$/;
/** `generateName` suffix: five characters without vowels, 0, 1 and 3. */
const POD_SUFFIX = /-[b-df-hj-np-tv-xz2456789]{5}$/;

/** `api-5c66d57d58` → `api` */
export function replicaSetOwner(name: string): string {
  return name.replace(REPLICASET_HASH, '');
}

/** `backup-28561920` (a CronJob's run) → `backup` */
export function jobOwner(name: string): string {
  return name.replace(/-\d{8,10}$/, '');
}

/** Name of what started a pod: Deployment (`api-5c66d57d58-6mp2b`), DaemonSet or Job (`agent-x2k4z`), StatefulSet (`db-0`), CronJob (`backup-28561920-x2k4z`). */
export function podOwner(name: string): string {
  const owner = name.replace(POD_SUFFIX, '');
  return owner !== name ? replicaSetOwner(owner) : name.replace(/-\d{1,4}$/, '');
}
