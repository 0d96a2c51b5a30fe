import { describe, expect, test } from 'vitest';
import { decodeProtobuf } from '../../../src/receive/protobuf/decode.ts';
import { SLICE_BYTES } from '../../../src/receive/decoded.ts';
import { DecodeError } from '../../../src/receive/decode-error.ts';
import { seededRandom } from '../../../bench/load.ts';
import { encodeRequest, message, Request, requestOf, stringAttribute, varint } from '../oracle.ts';
import { drain, recordingSink, type Recorded } from '../recording-target.ts';

const TRACE = '0102030405060708090a0b0c0d0e0f10';
const SPAN = '1112131415161718';

function decode(bytes: Uint8Array, wanted: Parameters<typeof recordingSink>[0] = {}) {
  const sink = recordingSink(wanted);
  const summary = drain(decodeProtobuf(bytes, sink));
  return { ...sink, summary };
}

function textOf(body: object, wanted?: Parameters<typeof recordingSink>[0]): Recorded {
  return decode(encodeRequest(requestOf([{ body }])), wanted).records[0]!;
}

const FULL_RECORD = {
  timeUnixNano: '1795336664582000000',
  observedTimeUnixNano: '1795336664583000000',
  severityNumber: 17,
  severityText: 'ERROR',
  body: { stringValue: 'payment failed: timeout after 3000 ms' },
  attributes: [stringAttribute('log.file.name', 'api.log'), stringAttribute('thread.name', 'main')],
  flags: 1,
  traceId: Buffer.from(TRACE, 'hex'),
  spanId: Buffer.from(SPAN, 'hex'),
  eventName: 'logdrift.anomaly',
};

test('a record arrives with its times, severity, text, ids and the attributes asked for', () => {
  const { records, resources, scopes, summary } = decode(encodeRequest(requestOf([FULL_RECORD])), {
    attributes: ['log.file.name', 'absent'],
  });
  expect(records).toEqual([
    {
      resource: new Map([['service.name', 'api']]),
      scope: 'test',
      timeMs: 1_795_336_664_582,
      observedTimeMs: 1_795_336_664_583,
      severityNumber: 17,
      text: 'payment failed: timeout after 3000 ms',
      template: '',
      traceId: TRACE,
      spanId: SPAN,
      ownEvent: true,
      attributes: { 'log.file.name': 'api.log' },
      bodyFields: {},
    },
  ]);
  expect([resources.length, scopes.length, summary.records]).toEqual([1, 1, 1]);
});

test('an empty request, an empty ResourceLogs and an empty ScopeLogs hold no record', () => {
  expect(decode(new Uint8Array()).summary.records).toBe(0);
  expect(decode(encodeRequest({ resourceLogs: [{}] })).resources).toEqual([new Map()]);
  expect(decode(encodeRequest({ resourceLogs: [{ scopeLogs: [{}] }] })).scopes).toEqual(['']);
  expect(decode(encodeRequest(requestOf([{}]))).records[0]).toMatchObject({ text: '', timeMs: 0, severityNumber: 0 });
});

describe('what takes long is read in slices', () => {
  const SIZE = 1_048_576;
  const many = (unit: Buffer): Buffer => Buffer.alloc(Math.floor(SIZE / unit.length) * unit.length, unit);
  const request = (record: Buffer): Buffer => message(1, message(2, message(2, record)));
  const unknown = Buffer.from([0xf8, 0x07, 1]);
  const attribute = message(6, message(1, 'service.name'));
  const map = message(6, many(message(1)).subarray(0, 1000));

  test.each([
    ['records', message(1, message(2, many(message(2))))],
    ['large records', message(1, message(2, many(message(2, Buffer.concat(Array<Buffer>(100).fill(attribute))))))],
    ['scopes', message(1, many(message(2)))],
    ['scopes before their resource', message(1, Buffer.concat([many(message(2)), message(1)]))],
    ['records before their scope', message(1, message(2, Buffer.concat([many(message(2)), message(1)])))],
    ['resources', many(message(1))],
    ['unknown fields of a request', many(unknown)],
    ['unknown fields of a resource', message(1, many(unknown))],
    ['unknown fields of a scope', message(1, message(2, many(unknown)))],
    ['unknown fields of a record', request(many(unknown))],
    ['attributes of a record', request(many(attribute))],
    ['bodies of a record', request(many(message(5, map)))],
  ])('%s', (_what, bytes) => {
    const { yields } = drain(decodeProtobuf(bytes, { ...recordingSink(), record: () => {} }));
    expect(yields).toBeGreaterThan(SIZE / SLICE_BYTES - 2);
  });

  test('about every 250 records', () => {
    const records = Array.from({ length: 2500 }, () => ({ body: { stringValue: 'x' } }));
    const { summary } = decode(encodeRequest(requestOf(records)));
    expect(summary.records).toBe(2500);
    expect([9, 10, 11]).toContain(summary.yields);
  });

  test('requests that are read by turns do not mix the texts of their records', () => {
    const decoders = [1, 2].map((value) => {
      const body = message(5, message(6, message(1, message(1, 'a'), message(2, [0x18, value]))));
      // The body comes first, then the rest of the record takes several slices.
      const record = Buffer.concat([body, many(attribute)]);
      const sink = recordingSink();
      return { sink, decoding: decodeProtobuf(request(record), sink) };
    });
    for (let isDone = false; !isDone;) {
      isDone = decoders.map(({ decoding }) => decoding.next().done === true).every(Boolean);
    }
    expect(decoders.map(({ sink }) => sink.records[0]!.text)).toEqual(['{"a":1}', '{"a":2}']);
  });
});

describe('what cannot be left in the middle is bounded', () => {
  const entry = (key: string, value: object = { intValue: 1 }) => ({ key, value });
  const others = Array.from({ length: 40_000 }, (_, i) => entry(`key-${i}`));

  test('of a map body the first 32,768 fields are looked at', () => {
    const message = entry('message', { stringValue: 'hello' });
    const body = (values: object[]) => decode(encodeRequest(requestOf([{ body: { kvlistValue: { values } } }, {}])));
    expect(body([message, ...others]).records[0]!.text).toBe('hello');
    const { records } = body([...others, message]);
    expect(records[0]!.text).toMatch(/^\{"key-0":1,/);
    expect(records).toHaveLength(2);
  });

  test('and of a resource', () => {
    const attributes = [...Array.from({ length: 40_000 }, () => entry('a')), entry('service.name')];
    const { resources, records } = decode(encodeRequest(requestOf([{}], attributes)));
    expect([...resources[0]!.keys()]).toEqual(['a']);
    expect(records).toHaveLength(1);
  });

  test('65,536 fields in groups are stepped over, more are refused', () => {
    const group = Buffer.from([0x7b, 0x7c]);
    const { length } = decode(Buffer.alloc(2 * 65_536, group)).records;
    expect(length).toBe(0);
    expect(() => decode(Buffer.alloc(2 * 65_537, group))).toThrow(/more than 65536 fields in groups/);
  });
});

test('a view into a larger buffer is decoded within its bounds', () => {
  const bytes = encodeRequest(requestOf([FULL_RECORD]));
  const padded = new Uint8Array(bytes.length + 40).fill(0x0a);
  padded.set(bytes, 17);
  expect(decode(padded.subarray(17, 17 + bytes.length)).records[0]!.text).toBe(FULL_RECORD.body.stringValue);
});

describe('text of the body', () => {
  const cases: [string, object, string][] = [
    ['a string', { stringValue: 'hällo 😀' }, 'hällo 😀'],
    ['a long string', { stringValue: 'x'.repeat(300) }, 'x'.repeat(300)],
    ['a very long string', { stringValue: 'y'.repeat(70_000) }, 'y'.repeat(70_000)],
    ['an empty string', { stringValue: '' }, ''],
    ['true', { boolValue: true }, 'true'],
    ['a negative integer', { intValue: -42 }, '-42'],
    ['an integer beyond 2^53', { intValue: '9223372036854775807' }, '9223372036854775807'],
    ['the smallest integer', { intValue: '-9223372036854775808' }, '-9223372036854775808'],
    ['a double', { doubleValue: 2.5 }, '2.5'],
    ['not a number', { doubleValue: NaN }, 'NaN'],
    ['bytes', { bytesValue: Buffer.from('raw line') }, 'raw line'],
    ['an array', { arrayValue: { values: [{ intValue: 1 }, { stringValue: 'a' }, {}] } }, '[1,"a",null]'],
    ['an empty AnyValue', {}, ''],
    [
      'a map without a message',
      {
        kvlistValue: {
          values: [
            { key: 'b', value: { arrayValue: { values: [{ boolValue: false }, { doubleValue: Infinity }] } } },
            { key: 'a', value: { kvlistValue: { values: [stringAttribute('z', '"')] } } },
            { key: 'c', value: { bytesValue: Buffer.from([0, 255]) } },
            { key: 'b', value: { intValue: 9 } },
          ],
        },
      },
      '{"a":{"z":"\\""},"b":[false,"Infinity"],"c":"AP8="}',
    ],
  ];
  test.each(cases)('%s', (_name, body, text) => {
    expect(textOf(body).text).toBe(text);
  });

  const map = (...values: object[]): object => ({ kvlistValue: { values } });
  test.each(['MESSAGE', 'message', 'msg', 'log', 'event.original'])('a map speaks through its %s', (key) => {
    expect(textOf(map(stringAttribute('PRIORITY', '6'), stringAttribute(key, 'unit started'))).text).toBe(
      'unit started',
    );
  });

  test('of several message fields the best known one counts, wherever it stands', () => {
    const body = map(stringAttribute('log', 'c'), stringAttribute('msg', 'b'), stringAttribute('MESSAGE', 'a'));
    expect(textOf(body).text).toBe('a');
  });

  test("journald's array of bytes is the UTF-8 it spells", () => {
    const values = [...Buffer.from('é\u0001x')].map((byte) => ({ intValue: byte }));
    expect(textOf(map({ key: 'MESSAGE', value: { arrayValue: { values } } })).text).toBe('é\u0001x');
  });

  test('fields of a map body that were asked for come along, the first of duplicates', () => {
    const body = map(
      stringAttribute('_SYSTEMD_UNIT', 'nginx.service'),
      stringAttribute('MESSAGE', 'started'),
      stringAttribute('_SYSTEMD_UNIT', 'other.service'),
      { key: 'provider', value: map(stringAttribute('name', 'Disk')) },
    );
    expect(textOf(body, { bodyFields: ['_SYSTEMD_UNIT', 'provider', 'MESSAGE'] }).bodyFields).toEqual({
      _SYSTEMD_UNIT: 'nginx.service',
      MESSAGE: 'started',
      provider: '{"name":"Disk"}',
    });
  });

  test('a body of a thousand levels or a million elements is cut, not refused', () => {
    let deep: Buffer = message(1, 'leaf');
    for (let i = 0; i < 1000; i++) deep = message(5, message(1, deep));
    const wide = message(5, ...Array.from({ length: 100_000 }, () => message(1, [0x10, 1])));
    const bytes = message(1, message(2, message(2, message(5, deep)), message(2, message(5, wide))));
    const [first, second] = decode(bytes).records;
    expect(first!.text).toBe(`${'['.repeat(32)}null${']'.repeat(32)}`);
    expect((JSON.parse(second!.text) as unknown[]).length).toBe(4096);
  });
});

test('what is printed of a map body stays near 256 KiB, whatever its strings hold', () => {
  const zeros = { stringValue: '\0'.repeat(3_000_000) };
  const values = [stringAttribute('a', 'kept'), { key: 'b', value: zeros }, stringAttribute('c', 'left out')];
  const text = textOf({ kvlistValue: { values } }).text;
  expect(JSON.parse(text)).toEqual({ a: 'kept', b: '\0'.repeat(262_144 - 4) });
});

describe('attributes', () => {
  test('every kind of value becomes text, the first of duplicate keys wins', () => {
    const attributes = [
      stringAttribute('s', 'text'),
      { key: 'i', value: { intValue: '12345678901234567' } },
      { key: 'b', value: { boolValue: true } },
      { key: 'd', value: { doubleValue: 0.25 } },
      { key: 'a', value: { arrayValue: { values: [{ stringValue: 'x' }] } } },
      { key: 'y', value: { bytesValue: Buffer.from('bytes') } },
      { key: 'empty', value: {} },
      { key: 'none' },
      stringAttribute('s', 'second'),
    ];
    const expected = { s: 'text', i: '12345678901234567', b: 'true', d: '0.25', a: '["x"]', y: 'bytes' };
    const { records, resources } = decode(encodeRequest(requestOf([{ attributes }], attributes)), {
      attributes: ['s', 'i', 'b', 'd', 'a', 'y', 'empty', 'none'],
    });
    expect(records[0]!.attributes).toEqual(expected);
    expect(Object.fromEntries(resources[0]!)).toEqual(expected);
  });

  test('attributes of one record do not leak into the next', () => {
    const request = requestOf([{ attributes: [stringAttribute('k', 'v')] }, {}]);
    const { records } = decode(encodeRequest(request), { attributes: ['k'] });
    expect(records.map((record) => record.attributes)).toEqual([{ k: 'v' }, {}]);
  });

  test('a key that differs in one inner byte from a wanted one is not taken', () => {
    const request = requestOf([
      { attributes: [stringAttribute('log.file.name', 'a'), stringAttribute('log.fine.name', 'b')] },
    ]);
    expect(decode(encodeRequest(request), { attributes: ['log.file.name'] }).records[0]!.attributes).toEqual({
      'log.file.name': 'a',
    });
  });

  test("the sender's template is taken in order of preference, and only when it is a string", () => {
    const templateOf = (...attributes: object[]): string =>
      decode(encodeRequest(requestOf([{ attributes }]))).records[0]!.template;
    const [drainAttribute, logging, messageTemplate] = [
      stringAttribute('log.record.template', 'user <*> logged in'),
      stringAttribute('{OriginalFormat}', 'user {Id} logged in'),
      stringAttribute('message_template.text', 'user {id} in'),
    ];
    expect(templateOf(messageTemplate!, logging!, drainAttribute!)).toBe('user <*> logged in');
    expect(templateOf(messageTemplate!, logging!)).toBe('user {Id} logged in');
    expect(templateOf(messageTemplate!)).toBe('user {id} in');
    expect(templateOf({ key: 'log.record.template', value: { intValue: 3 } })).toBe('');
  });

  test('a text of any size is cut to 8 KiB at a character', () => {
    const { resources } = decode(encodeRequest(requestOf([], [stringAttribute('k', 'a' + 'é'.repeat(10_000))])));
    expect(resources[0]!.get('k')).toBe('a' + 'é'.repeat(4095));
  });
});

describe('ids', () => {
  test.each([
    ['all zero', Buffer.alloc(16), Buffer.alloc(8)],
    ['too short', Buffer.alloc(15, 1), Buffer.alloc(7, 1)],
    ['too long', Buffer.alloc(17, 1), Buffer.alloc(9, 1)],
    ['empty', Buffer.alloc(0), Buffer.alloc(0)],
  ])('%s ids are absent and no error', (_name, traceId, spanId) => {
    expect(decode(encodeRequest(requestOf([{ traceId, spanId }]))).records[0]).toMatchObject({
      traceId: '',
      spanId: '',
    });
  });
});

describe('what other encoders may write', () => {
  test('a resource and a scope behind what they belong to', () => {
    const record = message(2, message(5, message(1, 'late')));
    const scopeLogs = message(2, record, message(1, message(1, 'behind')));
    const resource = message(1, message(1, message(1, 'service.name'), message(2, message(1, 'api'))));
    const { records } = decode(message(1, scopeLogs, message(3, 'https://schema'), resource));
    expect(records[0]).toMatchObject({ text: 'late', scope: 'behind', resource: new Map([['service.name', 'api']]) });
  });

  test('unknown fields of every wire type, and groups within groups, are stepped over at every level', () => {
    const unknown = Buffer.from([
      ...[...varint(200 * 8), ...varint(2 ** 40)],
      ...[...varint(201 * 8 + 1), 1, 2, 3, 4, 5, 6, 7, 8],
      ...[...varint(202 * 8 + 2), 3, 0xff, 0xff, 0xff],
      ...[...varint(203 * 8 + 5), 1, 2, 3, 4],
      ...[...varint(204 * 8 + 3), ...varint(205 * 8 + 3), 0x08, 0x01, ...varint(205 * 8 + 4), ...varint(204 * 8 + 4)],
    ]);
    const value = message(2, unknown, message(1, 'v'), unknown);
    const keyValue = [unknown, value, message(1, 'k'), unknown];
    const record = message(
      2,
      unknown,
      message(5, unknown, message(1, 'body'), unknown),
      message(6, ...keyValue),
      unknown,
    );
    const bytes = Buffer.concat([
      unknown,
      message(
        1,
        unknown,
        message(1, unknown, message(1, ...keyValue)),
        message(2, unknown, message(1, unknown, message(1, 's')), record),
      ),
      unknown,
    ]);
    const { records } = decode(bytes, { attributes: ['k'] });
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      text: 'body',
      scope: 's',
      attributes: { k: 'v' },
      resource: new Map([['k', 'v']]),
    });
  });

  test('of a repeated scalar or body the last one counts', () => {
    const record = message(
      2,
      [0x10, 9, 0x10, 13],
      message(5, message(1, 'one')),
      message(5, message(1, 'two'), [0x18, 7]),
    );
    expect(decode(message(1, message(2, record))).records[0]).toMatchObject({ severityNumber: 13, text: '7' });
  });

  test('lengths and tags padded to more bytes than they need', () => {
    const body = [0xaa, 0x80, 0x00, 0x87, 0x00, 0x0a, 0x84, 0x00, ...Buffer.from('four')];
    const padded = Buffer.from([0x92, 0x80, 0x00, 0x80 | body.length, 0x00, ...body]);
    expect(decode(message(1, message(2, padded))).records[0]!.text).toBe('four');
  });

  test('strindex values, which only profiles use, are absent', () => {
    const attribute = message(6, [0x18, 5], message(2, [0x40, 7]));
    const record = message(2, message(5, [0x40, 3]), attribute, message(6, message(1, 'k'), message(2, [0x40, 1])));
    const { records } = decode(message(1, message(2, record)), { attributes: ['k', ''] });
    expect(records[0]).toMatchObject({ text: '', attributes: {} });
  });

  test('invalid UTF-8 anywhere', () => {
    const bad = [0xff, 0xfe, 0x41];
    const attribute = message(1, bad);
    const bytes = message(
      1,
      message(1, message(1, attribute, message(2, message(1, bad)))),
      message(2, message(1, message(1, bad)), message(2, message(5, message(1, bad)), message(6, attribute))),
    );
    expect(decode(bytes).records[0]!.text).toBe('��A');
  });

  test('a severity out of range is unspecified', () => {
    const negative = [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    const bytes = message(1, message(2, message(2, [0x10, 24]), message(2, [0x10, 25]), message(2, negative)));
    expect(decode(bytes).records.map((record) => record.severityNumber)).toEqual([24, 0, 0]);
  });
});

test('byte-equal resources arrive as the same Map object, others do not', () => {
  const one = requestOf([{}], [stringAttribute('service.name', 'same')]);
  const two = requestOf([{}], [stringAttribute('service.name', 'diff')]);
  const first = decode(encodeRequest(one)).resources[0];
  expect(decode(encodeRequest(one)).resources[0]).toBe(first);
  expect(decode(encodeRequest(two)).resources[0]).not.toBe(first);
});

describe('malformed bytes', () => {
  const problems: [string, Buffer, RegExp, number][] = [
    ['a truncated tag', Buffer.from([0x8a]), /truncated varint at byte 0 in the request/, 0],
    ['a varint of eleven bytes', Buffer.alloc(12, 0xff), /longer than 10 bytes/, 0],
    ['a length beyond the request', Buffer.from([0x0a, 5, 1]), /a length of 5 .* at byte 1 in resource_logs/, 1],
    ['a known field with another wire type', Buffer.from([0x08, 1]), /field 1 has wire type 0/, 1],
    ['field number 0', Buffer.from([0x02, 0]), /illegal field number/, 0],
    ['wire type 7', Buffer.from([0xff, 0x01]), /illegal wire type 7/, 2],
    ['a group that ends but never began', Buffer.from([0x7c]), /group/, 1],
    ['a group that never ends', Buffer.from([0x7b, 0x08, 1]), /truncated varint/, 3],
    ['a thousand nested groups', Buffer.alloc(1000, 0x7b), /nested too deeply/, 101],
    ['a record longer than its scope', message(1, message(2, [0x12, 9, 1])), /in resource_logs.scope_logs$/, 5],
    ['a time of a wrong type', message(1, message(2, message(2, [0x08, 1]))), /field 1 has wire type 0/, 7],
    ['a truncated time', message(1, message(2, message(2, [0x09, 1]))), /truncated fixed-width/, 7],
    ['a body of a wrong type', message(1, message(2, message(2, [0x28, 1]))), /field 5 has wire type 0/, 7],
    ['a string body of a wrong type', message(1, message(2, message(2, message(5, [0x08, 1])))), /log_records.body/, 9],
    ['severity as a string', message(1, message(2, message(2, message(2, 'x')))), /field 2 has wire type 2/, 8],
    ['field number 0 in a record', message(1, message(2, message(2, [0x02, 0]))), /illegal field number/, 6],
  ];
  test.each(problems)('%s is told with its place', (_name, bytes, pattern, offset) => {
    const error = errorOf(bytes)!;
    expect(error).toBeInstanceOf(DecodeError);
    expect(error.code).toBe('LOGDRIFT_OTLP_MALFORMED');
    expect(error.message).toMatch(pattern);
    expect(error.byteOffset).toBe(offset);
  });

  test('every truncation of a rich request either decodes or is a DecodeError', () => {
    const bytes = richRequest(7);
    for (let length = 0; length < bytes.length; length++) {
      const error = errorOf(bytes.subarray(0, length));
      if (error !== null) expect(error).toBeInstanceOf(DecodeError);
      else expect(length === 0 || Request.decode(bytes.subarray(0, length))).toBeTruthy();
    }
  });

  test('every single damaged byte of a rich request either decodes or is a DecodeError', () => {
    const bytes = richRequest(3);
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0x00, 0x7f, 0x80, 0xff, bytes[at]! ^ 1, bytes[at]! ^ 4]) {
        const damaged = Buffer.from(bytes);
        damaged[at] = value;
        const error = errorOf(damaged);
        if (error !== null) expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});

function errorOf(bytes: Uint8Array): DecodeError | null {
  try {
    decode(bytes, { attributes: ['a', 'k0', 'k1', 'k2'], bodyFields: ['k0', 'k1'] });
    return null;
  } catch (error) {
    return error as DecodeError;
  }
}

/** Requests with every kind of AnyValue in bodies, attributes and resources. */
function richRequest(seed: number): Buffer {
  const random = seededRandom(seed);
  const pick = (n: number): number => Math.floor(random() * n);
  const value = (depth: number): object => {
    switch (pick(depth > 3 ? 6 : 8)) {
      case 0:
        return { stringValue: 'é'.repeat(pick(5)) + 'x'.repeat(pick(200)) };
      case 1:
        return { boolValue: pick(2) === 1 };
      case 2:
        return { intValue: String(BigInt.asIntN(64, BigInt(pick(2 ** 31)) ** BigInt(pick(3)) * (pick(2) ? 1n : -1n))) };
      case 3:
        return { doubleValue: random() * 1e6 };
      case 4:
        return { bytesValue: Buffer.from([104, 105]) };
      case 5:
        return {};
      case 6:
        return { arrayValue: { values: Array.from({ length: pick(4) }, () => value(depth + 1)) } };
      default:
        return { kvlistValue: { values: keyValues(depth + 1) } };
    }
  };
  const keyValues = (depth: number): object[] =>
    Array.from({ length: pick(5) }, (_, i) => ({ key: `k${(i + pick(2)) % 4}`, value: value(depth) }));
  const record = (): object => ({
    timeUnixNano: pick(2 ** 31) * 1e9,
    severityNumber: pick(25),
    body: value(0),
    attributes: keyValues(0),
    ...(pick(2) ? { traceId: Buffer.alloc(16, pick(256)), spanId: Buffer.alloc(8, pick(256)) } : {}),
  });
  return encodeRequest({
    resourceLogs: Array.from({ length: 3 }, () => ({
      resource: { attributes: keyValues(0) },
      scopeLogs: [{ scope: { name: 's' }, logRecords: Array.from({ length: 4 }, record) }],
    })),
  });
}

test('it reads the same from generated requests as protobufjs', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const bytes = richRequest(seed);
    const { records } = decode(bytes, { attributes: ['k0', 'k1', 'k2', 'k3'] });
    const expected = Request.toObject(Request.decode(bytes), { longs: String, arrays: true }) as OracleRequest;
    const oracle = expected.resourceLogs.flatMap(({ resource, scopeLogs }) =>
      scopeLogs.flatMap(({ scope, logRecords }) => logRecords.map((record) => ({ record, scope, resource }))),
    );
    expect(records.length).toBe(oracle.length);
    oracle.forEach(({ record, scope, resource }, i) => {
      const found = records[i]!;
      expect(found.scope).toBe(scope.name);
      expect(found.timeMs).toBe(Number(BigInt(record.timeUnixNano ?? 0) / 1_000_000n));
      expect(found.severityNumber).toBe(record.severityNumber ?? 0);
      expect(found.traceId).toBe(hexOf(record.traceId));
      expect(found.spanId).toBe(hexOf(record.spanId));
      expect(found.text).toBe(textByOracle(record.body));
      expect(found.attributes).toEqual(attributesByOracle(record.attributes));
      expect(Object.fromEntries(found.resource)).toEqual(attributesByOracle(resource.attributes));
    });
  }
});

interface OracleValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number;
  bytesValue?: Uint8Array;
  arrayValue?: { values: OracleValue[] };
  kvlistValue?: { values: OracleKeyValue[] };
}
interface OracleKeyValue {
  key: string;
  value: OracleValue | null;
}
interface OracleRecord {
  timeUnixNano?: string;
  severityNumber?: number;
  body?: OracleValue;
  attributes: OracleKeyValue[];
  traceId?: Uint8Array;
  spanId?: Uint8Array;
}
interface OracleRequest {
  resourceLogs: {
    resource: { attributes: OracleKeyValue[] };
    scopeLogs: { scope: { name: string }; logRecords: OracleRecord[] }[];
  }[];
}

function hexOf(id: Uint8Array | undefined): string {
  const hex = Buffer.from(id ?? []).toString('hex');
  return /^0*$/.test(hex) ? '' : hex;
}

function textByOracle(value: OracleValue | null | undefined): string {
  if (value?.stringValue !== undefined) return value.stringValue;
  if (value?.bytesValue !== undefined) return Buffer.from(value.bytesValue).toString();
  const json = jsonByOracle(value ?? {});
  return json === 'null' ? '' : json.replace(/^"|"$/g, '');
}

function jsonByOracle(value: OracleValue): string {
  if (value.stringValue !== undefined) return JSON.stringify(value.stringValue);
  if (value.boolValue !== undefined) return String(value.boolValue);
  if (value.intValue !== undefined) return value.intValue;
  if (value.doubleValue !== undefined) return String(value.doubleValue);
  if (value.bytesValue !== undefined) return JSON.stringify(Buffer.from(value.bytesValue).toString('base64'));
  if (value.arrayValue !== undefined) return `[${value.arrayValue.values.map(jsonByOracle).join(',')}]`;
  if (value.kvlistValue === undefined) return 'null';
  const first = new Map<string, string>();
  for (const { key, value: inner } of value.kvlistValue.values)
    if (!first.has(key)) first.set(key, jsonByOracle(inner ?? {}));
  const entries = [...first]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, json]) => `${JSON.stringify(key)}:${json}`);
  return `{${entries.join(',')}}`;
}

function attributesByOracle(attributes: OracleKeyValue[]): Record<string, string> {
  const first: Record<string, string> = {};
  for (const { key, value } of attributes) {
    if (!(key in first) && value !== null && Object.keys(value).length > 0) first[key] = textByOracle(value);
  }
  return first;
}
