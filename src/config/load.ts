import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { findConflicts } from './checks.ts';
import type { Config } from './config.ts';
import { isWithin, joinPath } from './path.ts';
import { ConfigError, withValue } from './problem.ts';
import type { Place, Problem } from './problem.ts';
import { configSchema } from './schema.ts';
import type { ConfigFile } from './schema.ts';
import { applySet } from './set.ts';
import { showValue, toPlain } from './shape.ts';
import { toConfig } from './to-config.ts';
import { readYaml } from './tree.ts';
import type { Located } from './tree.ts';

export interface ConfigInput {
  /** Path of the YAML file; with `text` only its name in problem lines. */
  file?: string;
  /** YAML in place of a file. */
  text?: string;
  /** `a.b=value` each, laid over the file in order. */
  set?: string[];
  /** For `${env:NAME}`. */
  env: NodeJS.ProcessEnv;
}

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads the configuration: YAML, `${env:…}`, `--set`, defaults, checks. Without file and text everything has its default.
 * @throws ConfigError with every problem found
 */
export function loadConfig(input: ConfigInput): Config {
  const problems: Problem[] = [];
  const label = input.file ?? 'configuration';
  const text = input.text ?? (input.file === undefined ? '' : readFile(input.file));
  const start: Place = { label, order: -1 };

  const read = readYaml({
    text,
    env: input.env,
    problems,
    path: '',
    place: (line, column, offset) => ({ label: `${label}:${line}:${column}`, order: offset }),
  });
  const empty: Located = { kind: 'map', place: start, entries: new Map() };
  if (read === null && problems.length > 0) throw new ConfigError(problems);
  if (read !== null && read.kind !== 'map' && !(read.kind === 'scalar' && read.value === null)) {
    problems.push({
      place: read.place,
      path: '',
      text: 'must be keys with values – the file begins with something else',
    });
    throw new ConfigError(problems);
  }
  const root = read?.kind === 'map' ? read : empty;
  presetProtocols(root, start);
  for (const [i, assignment] of (input.set ?? []).entries())
    applySet(root, assignment, i, { env: input.env, problems });
  enableNamedProtocols(root, problems);

  const plain = toPlain(configSchema, root, problems);
  const { issues, success, output } = v.safeParse(configSchema, plain);
  for (const issue of issues ?? []) problems.push(describeIssue(issue, root));
  const file = success ? output : withoutFaults(plain, issues);
  if (file !== null) problems.push(...describeConflicts(file, root, problems));
  if (problems.length > 0 || file === null) throw new ConfigError(problems);
  return toConfig(file);
}

function readFile(path: string): string {
  const fail = (text: string, cause?: unknown): never => {
    throw new ConfigError([{ place: { label: path, order: 0 }, path: '', text }], { cause });
  };
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return fail('no such file – check --config', error);
    return fail(`cannot be read (${code}) – it must be a file this user may read`, error);
  }
  if (bytes.length > MAX_FILE_BYTES)
    return fail(`has ${bytes.length} bytes, at most ${MAX_FILE_BYTES} are read – is it the right file?`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return fail('is not UTF-8 text – save it as UTF-8', error);
  }
}

/**
 * Without `protocols` both are on; with it, those named, as in the Collector. Filled in before `--set` is applied, so that
 * `--set receivers.otlp.protocols.grpc.endpoint=…` moves gRPC and does not switch HTTP off.
 */
function presetProtocols(root: Located, start: Place): void {
  let section = root;
  for (const key of ['receivers', 'otlp', 'protocols']) {
    if (section.kind !== 'map') return;
    let next = section.entries.get(key)?.value;
    if (next === undefined || (next.kind === 'scalar' && next.value === null && !next.broken)) {
      next = { kind: 'map', place: start, entries: new Map() };
      section.entries.set(key, { keyPlace: start, value: next });
      if (key === 'protocols') {
        for (const name of ['grpc', 'http']) {
          next.entries.set(name, { keyPlace: start, value: { kind: 'map', place: start, entries: new Map() } });
        }
      }
    }
    section = next;
  }
}

/** `grpc:` with nothing behind it is on, with its defaults. */
function enableNamedProtocols(root: Located, problems: Problem[]): void {
  const protocols = find(root, ['receivers', 'otlp', 'protocols']);
  if (protocols?.kind !== 'map') return;
  for (const [name, { keyPlace, value }] of protocols.entries) {
    if (value.kind !== 'scalar' || value.value !== null || value.broken) continue;
    protocols.entries.set(name, { keyPlace, value: { kind: 'map', place: value.place, entries: new Map() } });
  }
  if (protocols.entries.size === 0) {
    const text =
      'names no protocol, so nothing could be received – write grpc: or http: below it, or remove it for both';
    problems.push({ place: protocols.place, path: 'receivers.otlp.protocols', text });
  }
}

type Issue = v.InferIssue<typeof configSchema>;

function issueKeys(issue: Issue): (string | number)[] {
  return (issue.path ?? []).map(({ key }) => key as string | number);
}

function describeIssue(issue: Issue, root: Located): Problem {
  const keys = issueKeys(issue);
  const path = keys.reduce<string>(joinPath, '');
  const located = find(root, keys);
  if (located === undefined) {
    // Nothing was written: a required key of a list entry is missing.
    return { place: nearestPlace(root, keys), path, text: 'is missing – add it' };
  }
  return {
    place: located.place,
    path,
    text: withValue(issue.message, located.kind === 'scalar' ? showValue(located, path) : null),
  };
}

/** The configuration with every faulty value back at its default, so that conflicts between the others are found too. */
function withoutFaults(plain: unknown, issues: readonly Issue[]): ConfigFile | null {
  for (const issue of issues) {
    const keys = issueKeys(issue);
    const firstIndex = keys.findIndex((key) => typeof key === 'number');
    const names = firstIndex === -1 ? keys : keys.slice(0, firstIndex);
    let section = plain as Record<string, unknown> | undefined;
    for (const name of names.slice(0, -1)) section = section?.[name] as Record<string, unknown> | undefined;
    const last = names.at(-1);
    if (section !== undefined && last !== undefined) delete section[last];
  }
  const { success, output } = v.safeParse(configSchema, plain);
  return success ? output : null;
}

function describeConflicts(file: ConfigFile, root: Located, known: readonly Problem[]): Problem[] {
  return findConflicts(file).flatMap(({ paths, text, showsValue }) => {
    // A value already reported was replaced by its default: a conflict with that would be made up.
    if (known.some((problem) => paths.some((path) => touches(problem.path, listOf(path))))) return [];
    const path = paths.find((candidate) => find(root, splitPath(candidate)) !== undefined) ?? paths[0]!;
    const located = find(root, splitPath(path));
    const shown = showsValue && located !== undefined ? showValue(located, path) : null;
    return [{ place: located?.place ?? root.place, path, text: withValue(text, shown) }];
  });
}

function touches(faulty: string, path: string): boolean {
  return faulty !== '' && (isWithin(faulty, path) || isWithin(path, faulty));
}

function listOf(path: string): string {
  return path.replace(/\[.*$/, '');
}

function splitPath(path: string): (string | number)[] {
  return path
    .split(/[.[\]]+/)
    .filter((key) => key !== '')
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}

function find(root: Located, keys: (string | number)[]): Located | undefined {
  let located: Located | undefined = root;
  for (const key of keys) {
    if (located?.kind === 'map') located = located.entries.get(String(key))?.value;
    else if (located?.kind === 'list') located = located.items[Number(key)];
    else return undefined;
  }
  return located;
}

function nearestPlace(root: Located, keys: (string | number)[]): Place {
  for (let length = keys.length; length > 0; length--) {
    const located = find(root, keys.slice(0, length));
    if (located !== undefined) return located.place;
  }
  return root.place;
}
