/** The JSON that is taken and refused (RFC 8259), and what is bounded. */
import { describe, expect, test } from 'vitest';
import { decodeJson } from '../../../src/receive/json/decode.ts';
import { DecodeError } from '../../../src/receive/decode-error.ts';
import { drain, recordingSink } from '../recording-target.ts';

function decode(request: string | Buffer) {
  const sink = recordingSink({ attributes: ['k'] });
  const summary = drain(decodeJson(Buffer.from(request), sink));
  return { ...sink, yields: summary.yields };
}

const record = (json: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${json}]}]}]}`;

describe('a value that nobody reads', () => {
  test.each([
    '-0',
    '0.5e-7',
    '1E+400',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00aF"',
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    '[]',
    ' [ ] ',
    '[[],{},[1,{"a":[]}]]',
    '{"":{"":0}}',
    'true',
    'false',
    'null',
    '\t\r\n 1 \t\r\n',
  ])('may be %s', (value) => {
    expect(decode(`{"x":${value}}`).records).toEqual([]);
    expect(decode(`{"x":[${value},${value}]}`).records).toEqual([]);
  });

  test.each([
    ['01', 1],
    ['1.', 2],
    ['.5', 0],
    ['-', 1],
    ['+1', 0],
    ['1e', 2],
    ['1e+', 3],
    ['0x1', 1],
    ['NaN', 0],
    ['tru', 3],
    ['nulls', 4],
    ['"\\x"', 2],
    ['"\\u12g4"', 5],
    ['"\t"', 1],
    ['"\u0000"', 1],
    ["'a'", 0],
    ['[1,]', 3],
    ['[,1]', 1],
    ['[1 2]', 3],
    ['[1}', 2],
    ['{"a":1]', 6],
    ['{"a":1,}', 7],
    ['{,"a":1}', 1],
    ['{"a" 1}', 5],
    ['{"a":1 "b":2}', 7],
    ['{a:1}', 1],
    ['{"a"}', 4],
    ['\u00a01', 0],
    ['\ufeff1', 0],
    ['/**/1', 0],
  ])('may not be %j', (value, at) => {
    const head = '{"x":';
    const end = Buffer.byteLength(value);
    for (const request of [`${head}${value}}`, `${head}${value},"y":0}`]) {
      expect(() => decode(request)).toThrow(DecodeError);
      expect(() => decode(request), `${at} of ${end}`).toThrow(new RegExp(`not JSON .* at byte ${head.length + at} `));
      expect(() => JSON.parse(request)).toThrow(SyntaxError);
    }
  });
});

test('what follows the end is refused, with its place', () => {
  expect(() => decode('{}\n\n{}')).toThrow(/something follows its end\) at byte 4 in the request/);
  expect(() => decode('{} \t\r\n')).not.toThrow();
});

test('bytes that are no UTF-8 reject nothing', () => {
  const broken = Buffer.from(
    record('{"body":{"stringValue":"a?b"},"attributes":[{"key":"k","value":{"stringValue":"?"}}],"?":1}'),
  );
  for (let at = broken.indexOf(0x3f); at >= 0; at = broken.indexOf(0x3f)) broken[at] = 0xff;
  expect(decode(broken).records[0]).toMatchObject({ text: 'a\ufffdb', attributes: { k: '\ufffd' } });
});

test('escapes are read everywhere: in names, keys, text, templates and ids', () => {
  const escaped = record(
    '{"bod\\u0079":{"stringValue":"\\u0061\\ud83d\\ude00\\n\\/\\ud800x\\udc00"},"attributes":[{"k\\u0065y":"\\u006b","value":{"stringValue":"\\"v\\""}},' +
      '{"key":"log.record.template","value":{"stringValue":"a\\t<*>"}}],"spanId":"\\u0030aaaaaaaaaaaaaaa"}',
  );
  expect(decode(escaped).records[0]).toMatchObject({
    text: 'a😀\n/\ufffdx\ufffd',
    template: 'a\t<*>',
    attributes: { k: '"v"' },
    spanId: '0aaaaaaaaaaaaaaa',
  });
});

describe('members in any order', () => {
  const resource = '"resource":{"attributes":[{"value":{"stringValue":"api"},"key":"service.name"}]}';
  const scope = '"scope":{"name":"s"}';

  test('a resource and a scope that come after their records are known before them', () => {
    const { records } = decode(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}],${scope}}],${resource}}]}`);
    expect(records).toHaveLength(2);
    expect(records[1]).toMatchObject({ scope: 's', resource: new Map([['service.name', 'api']]) });
  });

  test('a list that comes twice goes on; the first resource and scope stay', () => {
    const other = '"resource":{"attributes":[]}';
    const logs = (name: string): string =>
      `"scopeLogs":[{"scope":{"name":"${name}"},"logRecords":[{}],"logRecords":[{}],"scope":{"name":"z"}}]`;
    const { records, scopes, resources } = decode(
      `{"resourceLogs":[{${resource},${logs('a')},${other},${logs('b')}}],"resourceLogs":[{}]}`,
    );
    expect(records.map((record) => record.scope)).toEqual(['a', 'a', 'b', 'b']);
    expect(scopes).toEqual(['a', 'b']);
    expect(resources).toEqual([new Map([['service.name', 'api']]), new Map()]);
  });

  test('of several values in one AnyValue the last counts, as in protobuf', () => {
    const body = '{"kvlistValue":{"values":[]},"intValue":1,"stringValue":"a","boolValue":null,"stringValue":"b"}';
    expect(decode(record(`{"body":${body}}`)).records[0]!.text).toBe('b');
  });
});

describe('bounds', () => {
  const MIB = 1_048_576;

  test('10,000 levels are gone over, one more is refused', () => {
    const nested = (levels: number): string => `{"x":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(decode(nested(10_000)).records).toEqual([]);
    expect(() => decode(nested(10_001))).toThrow(/more than 10000 levels\) at byte 10005 /);
  });

  test.each([
    ['white space', `{${' '.repeat(262_145)}}`],
    ['a name', `{"${'x'.repeat(262_145)}":1}`],
    ['a number', `{"x":${'1'.repeat(262_145)}}`],
  ])('%s of more than 256 KiB is refused', (what, request) => {
    expect(() => decode(request)).toThrow(new RegExp(`not JSON \\(${what} of more than 262144 bytes\\)`));
    expect(decode(request.replace(/(.)\1{9}/, '')).records).toEqual([]);
  });

  test('it yields inside a value, whether somebody reads it or not', () => {
    const long = 'x'.repeat(2 * MIB);
    const many = `[${'[],'.repeat(MIB / 4)}[]]`;
    const text = decode(record(`{"body":{"stringValue":"${long}"}}`));
    expect(text.records[0]!.text).toHaveLength(long.length);
    expect(text.yields).toBeGreaterThan(10);
    expect(decode(`{"x":"${long}"}`).yields).toBeGreaterThan(10);
    expect(decode(record(`{"x":${many}}`)).yields).toBeGreaterThan(4);
    expect(decode(record(`{"attributes":[${'{},'.repeat(MIB / 4)}{}]}`)).yields).toBeGreaterThan(4);
    expect(decode(`{"resourceLogs":[{"scopeLogs":[{"scopeLogs":${many}}]}]}`).yields).toBeGreaterThan(4);
  });

  test('of a map or array the first 64 KiB are read, and the rest is still checked', () => {
    const entry = (key: string, length: number): string =>
      `{"key":"${key}","value":{"stringValue":"${key.repeat(length)}"}}`;
    const body = (entries: string[]): string => record(`{"body":{"kvlistValue":{"values":[${entries.join(',')}]}}}`);
    expect(decode(body([entry('a', MIB), entry('message', 1)])).records[0]!.text).toMatch(/^\{"a":"a{1000,}"\}$/);
    expect(decode(body([entry('message', 1), entry('a', 2 * MIB)])).records[0]!.text).toBe('message');
    const cut = decode(body([`{"key":"message","value":{"stringValue":"${'m'.repeat(MIB)}"}}`])).records[0]!.text;
    expect(cut.length).toBeGreaterThan(MIB / 17);
    expect(() => decode(body([entry('a', 2 * MIB), '{"key":}']))).toThrow(/not JSON/);
  });

  test('a cut at any byte rejects nothing', () => {
    const entries = [
      '{"key":"i","value":{"intValue":"-12"}},{"value":{"doubleValue":"2.5e1"},"key":"d"},{"key":"b","value":{"boolValue":"true"}}',
      '{"key":"n","value":{"intValue":1}},{"key":"y","value":{"bytesValue":"cmF3"}},{"key":"s","value":{ "stringValue":"\\u00e4\\n"}}',
      '{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"},{"kvlistValue":{"values":[{"key":"k","value":{"intValue":2}}]}}]}}}',
    ].join(',');
    for (let at = 0; at < entries.length + 30; at++) {
      const list = `[{"key":"p","value":{"stringValue":"${'x'.repeat(65_536 - 80 - at)}"}},${entries}]`;
      const { resources, records } = decode(
        `{"resourceLogs":[{"resource":{"attributes":${list}},"scopeLogs":[{"logRecords":[{"body":{"kvlistValue":{"values":${list}}}}]}]}]}`,
      );
      expect([...resources[0]!.keys()][0]).toBe('p');
      expect([undefined, '', 'ä', 'ä\n']).toContain(resources[0]!.get('s'));
      expect(records[0]!.text).toMatch(/"p":"xxx/);
    }
  });
});
