import type { GenericSchema } from 'valibot';
import { isWithin, joinPath } from './path.ts';
import { maskCredentials, withValue } from './problem.ts';
import type { Problem } from './problem.ts';
import { nearest, normalised } from './suggest.ts';
import { isSecret } from './tree.ts';
import type { Located } from './tree.ts';

/** What of a valibot schema the walk needs; `pipe` keeps the fields of the schema it starts with. */
interface SchemaNode {
  type: string;
  entries?: Record<string, SchemaNode>;
  item?: SchemaNode;
  value?: SchemaNode;
  /** Of `lazy`: the schema for a value of this form. */
  getter?: (input: unknown) => unknown;
}

/** Only a Collector's configuration has `service:`; the other keys of it would be a list of riddles. */
const COLLECTOR_FILE =
  "is this an OpenTelemetry Collector's configuration? logdrift has one of its own, see docs/configuration.md";

/**
 * Turns located values into plain ones for validation, guided by the schema: reports unknown keys and lists or maps in the wrong
 * place (valibot takes an array for an object and stops at the first unknown key), drops keys without a value so that they get their default.
 */
export function toPlain(schema: GenericSchema, root: Located, problems: Problem[]): unknown {
  const rootNode = unwrap(schema);
  const everywhere = indexKeys(rootNode);

  const visit = (schemaNode: SchemaNode, located: Located, path: string): unknown => {
    const node =
      schemaNode.getter === undefined ? schemaNode : unwrap(schemaNode.getter(located.kind === 'map' ? {} : []));
    if (located.kind === 'scalar' && (located.broken || located.value === null)) return undefined;
    const expected =
      node.type === 'object' || node.type === 'record' ? 'map' : node.type === 'array' ? 'list' : 'scalar';
    if (located.kind !== expected) {
      const text = withValue(EXPECTATION[expected], showValue(located, path));
      problems.push({ place: located.place, path, text });
      return undefined;
    }
    if (located.kind === 'scalar') return node.type === 'string' && located.expanded ? located.text : located.value;
    if (located.kind === 'list') {
      const items = located.items.map((item, i) => {
        const itemPath = joinPath(path, i);
        if (item.kind === 'scalar' && item.value === null && !item.broken) {
          problems.push({ place: item.place, path: itemPath, text: 'an entry without a value – remove it' });
        }
        return visit(unwrap(node.item!), item, itemPath);
      });
      // An entry already reported cannot be validated, and leaving it out would shift the numbers of those behind it.
      return items.includes(undefined) ? undefined : items;
    }
    const plain: [string, unknown][] = [];
    for (const [key, { keyPlace, value }] of located.entries) {
      const known =
        node.type === 'record' ? node.value : Object.hasOwn(node.entries!, key) ? node.entries![key] : undefined;
      const keyPath = joinPath(path, key);
      if (known === undefined) {
        problems.push({
          place: keyPlace,
          path: keyPath,
          text: `unknown key – ${keyPath === 'service' ? COLLECTOR_FILE : suggest(key, node.entries!, everywhere)}`,
        });
        continue;
      }
      const result = visit(unwrap(known), value, keyPath);
      if (result !== undefined) plain.push([key, result]);
    }
    return Object.fromEntries(plain);
  };
  return visit(rootNode, root, '') ?? {};
}

/** How a value appears in a problem line; null when it must not. */
export function showValue(located: Located, path: string): string | null {
  if (isSecret(path) || isWithin('exporters.otlp.headers', path)) return null;
  if (located.kind !== 'scalar') return located.kind === 'map' ? 'a map' : 'a list';
  return located.written === '' ? 'empty text' : maskCredentials(located.written);
}

/** Every key of the file, sections included, as `a.b.c`. */
export function keyPaths(schema: GenericSchema): string[] {
  const paths: string[] = [];
  const visit = (node: SchemaNode, path: string): void => {
    for (const [key, child] of Object.entries(node.entries ?? {})) {
      const childPath = joinPath(path, key);
      paths.push(childPath);
      visit(unwrap(child), childPath);
    }
  };
  visit(unwrap(schema), '');
  return paths;
}

const EXPECTATION = {
  map: 'must be a section with keys of its own – write them below it, indented',
  list: 'must be a list – write [a, b], or one entry a line after "- "',
  scalar: 'must be a single value – not a list or a section',
};

function suggest(key: string, known: Record<string, SchemaNode>, everywhere: Map<string, string[]>): string {
  const names = Object.keys(known);
  const near = nearest(key, names);
  if (near !== null) return `did you mean ${near}?`;
  const elsewhere = everywhere.get(normalised(key)) ?? [];
  if (elsewhere.length === 1) return `did you mean ${elsewhere[0]}?`;
  return names.length <= 12 ? `known here: ${names.join(', ')}` : 'docs/configuration.md lists every key';
}

function indexKeys(root: SchemaNode): Map<string, string[]> {
  const index = new Map<string, string[]>();
  for (const path of keyPaths(root as unknown as GenericSchema)) {
    const key = normalised(path.slice(path.lastIndexOf('.') + 1));
    index.set(key, [...(index.get(key) ?? []), path]);
  }
  return index;
}

function unwrap(schema: unknown): SchemaNode {
  let node = schema as SchemaNode & { wrapped?: SchemaNode };
  while (node.wrapped !== undefined) node = node.wrapped;
  return node;
}
