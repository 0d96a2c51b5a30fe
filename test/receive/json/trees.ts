/** Random OTLP/JSON: every field in every form it may have, written in every way JSON allows. */
import type { Random } from '../../fuzz/mutate.ts';

type Tree = null | boolean | string | Raw | Members | Tree[];
type Member = readonly [name: string, value: Tree];

/** A number as it is to be written. */
class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** An object, its members in the order of the text and perhaps with one name twice. */
class Members {
  readonly list: readonly Member[];
  constructor(list: readonly Member[]) {
    this.list = list;
  }
}

const KEYS = [
  'k',
  'n',
  'm',
  'unit',
  'MESSAGE',
  'message',
  'msg',
  'log',
  'other.key',
  'log.record.template',
  'ключ',
  '',
];
const TEXTS = [
  '',
  'v',
  'payment failed für 😀',
  'a "quoted" \\ path/\n\t',
  '\u0000\u001f',
  'x'.repeat(40),
  '{"a":1}',
  '7',
];
const NUMBERS = [
  '0',
  '-0',
  '7',
  '-12',
  '1.5',
  '2e3',
  '1E+2',
  '5e-1',
  '9007199254740993',
  '123456789012345678901',
  '1e400',
].map((text) => new Raw(text));
const INTEGERS = NUMBERS.slice(0, -1);

/** One ExportLogsServiceRequest as text. */
export function randomRequest(random: Random): string {
  return new TreeWriter(random).write(request(random));
}

function request(random: Random): Tree {
  const resourceLogs = list(random, 2, () =>
    members(
      random,
      ['resource', () => resource(random)],
      ['scopeLogs', () => list(random, 2, () => scopeLogs(random))],
    ),
  );
  return members(random, ['resourceLogs', () => resourceLogs]);
}

function resource(random: Random): Tree {
  return members(random, ['attributes', () => list(random, 4, () => keyValue(random, 2))]);
}

function scopeLogs(random: Random): Tree {
  const scope = (): Tree =>
    members(random, ['name', () => pick(random, ['s', 'lib.é', '']) as string], ['version', () => '1']);
  return members(random, ['scope', scope], ['logRecords', () => list(random, 3, () => logRecord(random))]);
}

function logRecord(random: Random): Tree {
  const nanos = (): Tree =>
    pick(random, [
      '1795336664582123456',
      '0',
      '999',
      new Raw('1000000'),
      new Raw('1795336664582123456'),
      new Raw('1e9'),
      '1e9',
    ]);
  const hex = (length: number): Tree =>
    pick(random, ['0aB1'.repeat(length / 2), '00'.repeat(length), '12', 'zz'.repeat(length), '', true, new Raw('3')]);
  return members(
    random,
    ['timeUnixNano', nanos],
    ['observedTimeUnixNano', nanos],
    [
      'severityNumber',
      () =>
        pick(random, [
          new Raw('9'),
          new Raw('17'),
          new Raw('99'),
          'SEVERITY_NUMBER_WARN2',
          '13',
          'loud',
          new Raw('1e1'),
        ]),
    ],
    ['severityText', () => 'INFO'],
    ['body', () => anyValue(random, 3)],
    ['attributes', () => list(random, 4, () => keyValue(random, 2))],
    ['flags', () => new Raw('1')],
    ['traceId', () => hex(16)],
    ['spanId', () => hex(8)],
    ['eventName', () => pick(random, ['logdrift.anomaly', 'logdrift', 'other', new Raw('1')])],
  );
}

function keyValue(random: Random, depth: number): Tree {
  return members(random, ['key', () => pick(random, KEYS)], ['value', () => anyValue(random, depth)]);
}

function anyValue(random: Random, depth: number): Tree {
  const values = (element: () => Tree): Tree => members(random, ['values', () => list(random, 3, element)]);
  const kinds: [name: string, value: () => Tree][] = [
    ['stringValue', () => pick(random, TEXTS)],
    ['stringValue', () => pick(random, TEXTS)],
    ['stringValue', () => pick(random, TEXTS)],
    ['boolValue', () => pick(random, [true, false, 'true', 'false'])],
    ['intValue', () => pick(random, ['5', '-9223372036854775808', '9223372036854775807', ...INTEGERS])],
    ['doubleValue', () => pick(random, ['NaN', '-Infinity', '2.5', ...NUMBERS])],
    ['bytesValue', () => pick(random, ['cmF3', 'AP8=', 'a/b+', 'not base64!', ''])],
    ['stringValueStrindex', () => new Raw('3')],
  ];
  if (depth > 0) {
    kinds.push(['arrayValue', () => values(() => anyValue(random, depth - 1))]);
    kinds.push(['arrayValue', () => values(() => members(random, ['intValue', () => new Raw(String(random(300)))]))]);
    kinds.push(['kvlistValue', () => kvlist(random, depth - 1)]);
  }
  return members(random, kinds[random(kinds.length)]!);
}

/** No key twice: of those in a map body the first one that is set counts, where the walk takes the first. */
function kvlist(random: Random, depth: number): Tree {
  const keys = [...KEYS];
  shuffle(random, keys);
  const entry = (key: string): Tree => members(random, ['key', () => key], ['value', () => anyValue(random, depth)]);
  return members(random, ['values', () => keys.slice(0, random(5)).map(entry)]);
}

/** Some of the members, in any order, with others between them that nobody knows, null now and then, the second one of two that counts. */
function members(random: Random, ...fields: [name: string, value: () => Tree][]): Tree {
  const list: Member[] = [];
  for (const [name, value] of fields) {
    const spelling = random(6) === 0 ? name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`) : name;
    if (random(12) === 0) continue;
    const isList = ['resource', 'resourceLogs', 'scope', 'scopeLogs', 'logRecords', 'attributes', 'values'].includes(
      name,
    );
    const last = random(25) === 0 ? null : value();
    const other = !isList && last !== null && random(30) === 0 ? value() : null;
    if (other !== null) list.push([spelling, other]);
    list.push([spelling, last]);
  }
  if (random(8) === 0) list.push([pick(random, ['future', 'x', 'key2', 'resourcelogs']), anything(random, 3)]);
  if (random(3) === 0) shuffle(random, list);
  return random(40) === 0 ? null : new Members(list);
}

function anything(random: Random, depth: number): Tree {
  const kind = random(depth > 0 ? 7 : 5);
  if (kind === 5) return Array.from({ length: random(3) }, () => anything(random, depth - 1));
  if (kind === 6)
    return new Members([
      ['stringValue', anything(random, depth - 1)],
      ['a', anything(random, depth - 1)],
    ]);
  return [null, true, pick(random, NUMBERS), pick(random, TEXTS), false][kind]!;
}

function list(random: Random, most: number, element: () => Tree): Tree {
  return Array.from({ length: random(most + 1) }, element);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random(from.length)]!;
}

function shuffle<T>(random: Random, from: T[]): void {
  for (let i = from.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [from[i], from[j]] = [from[j]!, from[i]!];
  }
}

/** Some requests come without white space and needless escapes, as senders write them; others with much of both. */
class TreeWriter {
  readonly #random: Random;
  readonly #isPlain: boolean;

  constructor(random: Random) {
    this.#random = random;
    this.#isPlain = random(3) > 0;
  }

  write(tree: Tree): string {
    if (tree instanceof Raw) return tree.text;
    if (typeof tree === 'string') return this.#string(tree);
    if (tree instanceof Members) {
      const parts = tree.list.map(
        ([name, value]) => `${this.#string(name)}${this.#space()}:${this.#space()}${this.write(value)}`,
      );
      return this.#between('{', parts, '}');
    }
    return Array.isArray(tree)
      ? this.#between(
          '[',
          tree.map((element) => this.write(element)),
          ']',
        )
      : String(tree);
  }

  #between(open: string, parts: string[], close: string): string {
    return `${open}${this.#space()}${parts.map((part) => `${part}${this.#space()}`).join(`,${this.#space()}`)}${close}`;
  }

  #space(): string {
    return this.#isPlain || this.#random(2) === 0 ? '' : pick(this.#random, [' ', '\n', '\t\r', '  \n  ']);
  }

  #string(text: string): string {
    const json = JSON.stringify(text);
    if (this.#isPlain) return json;
    return json.replace(/[a-zA-Z/😀ü]/gu, (character) => {
      if (this.#random(12) > 0) return character;
      if (character === '/') return '\\/';
      return character
        .split('')
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join('');
    });
  }
}
