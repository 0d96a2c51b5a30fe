/**
 * What is known to have gone wrong while a recording was made, for `replay --labels`.
 *
 *     { "window_step_s": 60, "window_size_s": 120,
 *       "faults": [{ "source": "redis", "affected": ["api-1"], "kind": "redis_down", "start": "1795339747252812775", "end": "1795340049297635425" }] }
 *
 * Times are Unix nanoseconds, as text or as numbers. `source` and `affected` name a source by what follows its type (`nginx` of `file:nginx`) or by any
 * part of that between slashes; `"*"` is every source. Without `affected` the fault touches its own source only.
 */
import { readFile } from 'node:fs/promises';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml';
import { InputError } from '../read-error.ts';

export interface Fault {
  /** Name of a source, `*` = any. */
  source: string;
  affected: readonly string[] | '*';
  kind: string;
  startNanos: bigint;
  /** First whole millisecond of the fault, and last one: the ends of windows are whole milliseconds. */
  startMs: number;
  endMs: number;
}

export interface Labels {
  /** In the file's order. */
  faults: readonly Fault[];
  /** Every name that the file gives to a source. */
  names: ReadonlySet<string>;
  windowSizeMs: number;
  windowStepMs: number;
}

const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_PROBLEMS = 20;

/** @throws InputError with every problem, `file:line:col` each */
export async function readLabels(path: string): Promise<Labels> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new InputError('LOGDRIFT_INPUT_NOT_FOUND', `${path}: no such file`, cause);
    throw new InputError('LOGDRIFT_INPUT_UNREADABLE', `${path}: cannot be read (${cause.message})`, cause);
  });
  if (bytes.length > MAX_FILE_BYTES) {
    throw malformed(`${path}: has ${bytes.length} bytes, labels have at most ${MAX_FILE_BYTES}; is it the recording?`);
  }
  return parseLabels(bytes.toString('utf8'), path);
}

/** @throws InputError as {@link readLabels} */
export function parseLabels(text: string, file: string): Labels {
  const lines = new LineCounter();
  const at = (offset: number, what: string): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${what}`;
  };
  // JSON is YAML, and this parser knows where everything stands and keeps integers above 2^53.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, intAsBigInt: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const why = error.message.split('\n')[0]!.replace(/:$/, '');
    throw malformed(at(error.pos[0], `not valid JSON: ${why}; labels are one JSON object`));
  }
  const root = document.contents;
  if (!isMap(root)) throw malformed(at(0, 'labels must be a JSON object with "faults"'));

  const problems: string[] = [];
  const reader = new Reader((node, what) => problems.push(at(node.range?.[0] ?? 0, what)));
  const list = root.get('faults', true) as Node | undefined;
  if (!isSeq(list)) reader.problem(list ?? root, '"faults" must be a list');
  const faults = isSeq(list) ? list.items.flatMap((item) => reader.fault(item as Node) ?? []) : [];
  const sources = root.get('sources', true) as Node | undefined;
  const known = isSeq(sources)
    ? sources.items.map((item) => String((item as Node).toJSON()))
    : isMap(sources)
      ? sources.items.map((pair) => String((pair.key as Node).toJSON()))
      : [];
  const labels: Labels = {
    faults,
    names: new Set([...known, ...faults.flatMap((fault) => [fault.source, ...listed(fault)])]),
    windowSizeMs: reader.seconds(root, 'window_size_s', 120) * 1000,
    windowStepMs: reader.seconds(root, 'window_step_s', 60) * 1000,
  };
  if (problems.length > 0) {
    const shown = problems.slice(0, MAX_PROBLEMS);
    if (problems.length > shown.length) shown.push(`… and ${problems.length - shown.length} more`);
    throw malformed(shown.join('\n'));
  }
  return labels;
}

function listed({ affected }: Fault): readonly string[] {
  return affected === '*' ? [] : affected;
}

function malformed(message: string): InputError {
  return new InputError('LOGDRIFT_INPUT_LABELS', message);
}

/** Takes values out of nodes and reports those it cannot take, so that one run shows all of them. */
class Reader {
  readonly problem: (node: Node, what: string) => void;

  constructor(problem: (node: Node, what: string) => void) {
    this.problem = problem;
  }

  /** @returns null if any part of it cannot be used */
  fault(node: Node): Fault | null {
    if (!isMap(node)) {
      this.problem(node, 'a fault must be an object');
      return null;
    }
    const source = this.#name(node, 'source');
    const affected = this.#affected(node);
    const start = this.#nanos(node, 'start');
    const end = this.#nanos(node, 'end');
    if (source === null || affected === null || start === null || end === null) return null;
    if (end < start) {
      this.problem(node.get('end', true) as Node, `"end" is before "start" (${end} < ${start})`);
      return null;
    }
    const kind = node.get('kind', true) as Node | undefined;
    return {
      source,
      affected,
      kind: kind === undefined ? 'fault' : String(kind.toJSON()),
      startNanos: start,
      startMs: Number((start + 999_999n) / 1_000_000n),
      endMs: Number(end / 1_000_000n),
    };
  }

  seconds(map: YAMLMap, key: string, fallback: number): number {
    const node = map.get(key, true) as Node | undefined;
    if (node === undefined) return fallback;
    const value = isScalar(node) && typeof node.value !== 'string' ? Number(node.value) : NaN;
    if (value > 0 && value < Infinity) return value;
    this.problem(node, `"${key}" must be seconds above 0`);
    return fallback;
  }

  #affected(map: YAMLMap): readonly string[] | '*' | null {
    const node = map.get('affected', true) as Node | undefined;
    if (node === undefined || (isScalar(node) && node.value === null)) return [];
    if (isScalar(node) && node.value === '*') return '*';
    const names: unknown[] = isSeq(node) ? (node.toJSON() as unknown[]) : [null];
    if (names.every((name) => typeof name === 'string')) return names;
    this.problem(node, '"affected" must be "*" or a list of source names');
    return null;
  }

  #name(map: YAMLMap, key: string): string | null {
    const node = this.#required(map, key);
    if (node === null) return null;
    if (isScalar(node) && typeof node.value === 'string' && node.value !== '') return node.value;
    this.problem(node, `"${key}" must be text`);
    return null;
  }

  #nanos(map: YAMLMap, key: string): bigint | null {
    const node = this.#required(map, key);
    if (node === null) return null;
    const value = isScalar(node) ? node.value : null;
    if (typeof value === 'bigint' && value >= 0n) return value;
    if (typeof value === 'string' && /^\d{1,19}$/.test(value)) return BigInt(value);
    this.problem(node, `"${key}" must be Unix nanoseconds, for example "1795339747252812775"`);
    return null;
  }

  #required(map: YAMLMap, key: string): Node | null {
    const node = map.get(key, true) as Node | undefined;
    if (node !== undefined) return node;
    this.problem(map, `a fault has no "${key}"`);
    return null;
  }
}

/**
 * The name that labels use for a source key: what follows its type, or the part of that between slashes (the last one first) that labels name.
 *
 *     file:nginx → nginx      k8s:shop/web/api with the name web → web
 */
export function labelName(source: string, names: ReadonlySet<string>): string {
  const id = source.slice(source.indexOf(':') + 1);
  return [id, ...id.split('/').reverse()].find((name) => names.has(name)) ?? id;
}
