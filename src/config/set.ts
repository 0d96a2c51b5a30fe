import type { Located } from './tree.ts';
import { isSecret, readYaml } from './tree.ts';
import { isWithin } from './path.ts';
import { maskCredentials } from './problem.ts';
import type { Place, Problem } from './problem.ts';

export interface SetContext {
  env: NodeJS.ProcessEnv;
  problems: Problem[];
}

/**
 * Lays one `--set a.b=value` over the file. The value is YAML, so lists and maps are possible (`--set sources.muted=[file:cron]`);
 * one that is not valid YAML, as `[::1]:4317`, is taken as text. A map replaces what was there, it is not merged.
 */
export function applySet(root: Located, assignment: string, index: number, { env, problems }: SetContext): void {
  const cut = assignment.indexOf('=');
  const path = cut === -1 ? assignment : assignment.slice(0, cut);
  const place: Place = { label: setLabel(assignment, cut, path), order: Number.MAX_SAFE_INTEGER - 1_000_000 + index };
  if (cut === -1) {
    problems.push({ place, path: '', text: 'has no value – write --set a.b=value' });
    return;
  }
  const keys = path.split('.');
  if (keys.some((key) => key === '')) {
    problems.push({ place, path: '', text: 'is not a path of keys – write --set a.b=value' });
    return;
  }
  const text = assignment.slice(cut + 1);
  const value = readValue({ text, path, place, env, problems });

  let section = root;
  for (const [depth, key] of keys.entries()) {
    if (section.kind !== 'map') {
      const at = keys.slice(0, depth).join('.');
      problems.push({
        place,
        path: at,
        text: `is ${section.kind === 'list' ? 'a list' : 'a value'}, it has no keys – set ${at} as a whole`,
      });
      return;
    }
    if (depth === keys.length - 1) {
      section.entries.set(key, { keyPlace: place, value });
      return;
    }
    let next = section.entries.get(key)?.value;
    if (next === undefined || (next.kind === 'scalar' && next.value === null)) {
      next = { kind: 'map', place, entries: new Map() };
      section.entries.set(key, { keyPlace: place, value: next });
    }
    section = next;
  }
}

function readValue(options: {
  text: string;
  path: string;
  place: Place;
  env: NodeJS.ProcessEnv;
  problems: Problem[];
}): Located {
  const { text, path, place, env, problems } = options;
  const found: Problem[] = [];
  const value = readYaml({ text, env, path, problems: found, place: () => place });
  if (value !== null) {
    problems.push(...found);
    return value;
  }
  const literal = found.length > 0 ? text : null;
  return { kind: 'scalar', place, value: literal, text, written: text, expanded: false, broken: false };
}

function setLabel(assignment: string, cut: number, path: string): string {
  if (cut === -1) return `--set ${path.slice(0, 100)}`;
  // Values that may hold headers do not appear in problem lines.
  const hidden = isSecret(path) || isWithin('exporters.otlp.headers', path);
  return `--set ${path.slice(0, 100)}=${hidden ? '…' : maskCredentials(assignment.slice(cut + 1))}`;
}
