import { describe, expect, test } from 'vitest';
import { decodeJson } from '../../../src/receive/json/decode.ts';
import { SLICE_BYTES } from '../../../src/receive/decoded.ts';
import { decodeProtobuf } from '../../../src/receive/protobuf/decode.ts';
import { DecodeError } from '../../../src/receive/decode-error.ts';
import { encodeRequest } from '../oracle.ts';
import { drain, recordingSink, type Recorded } from '../recording-target.ts';

const MIB = 1_048_576;
const WANTED = { attributes: ['k', 'n', 'm'], bodyFields: ['unit'] };

function decode(request: unknown) {
  const bytes = typeof request === 'string' ? Buffer.from(request) : Buffer.from(JSON.stringify(request));
  const sink = recordingSink(WANTED);
  const summary = drain(decodeJson(bytes, sink));
  return { ...sink, summary };
}

function one(record: object): Recorded {
  return decode({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }).records[0]!;
}

const RECORD = {
  timeUnixNano: '1795336664582123456',
  observedTimeUnixNano: '1795336664583000000',
  severityNumber: 17,
  body: { stringValue: 'payment failed für 😀' },
  attributes: [
    { key: 'k', value: { stringValue: 'v' } },
    { key: 'other', value: { stringValue: 'x' } },
    { key: 'n', value: { intValue: '7' } },
    { key: 'log.record.template', value: { stringValue: 'payment <*>' } },
  ],
  traceId: '0102030405060708090A0b0c0d0e0f10',
  spanId: '1112131415161718',
  eventName: 'logdrift.anomaly',
};

test('a record in JSON reads as the same record in protobuf does', () => {
  const request = (record: object): object => ({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'api' } }] },
        scopeLogs: [{ scope: { name: 'test' }, logRecords: [record, record] }],
      },
    ],
  });
  const { traceId, spanId } = RECORD;
  const ids = { traceId: Buffer.from(traceId, 'hex'), spanId: Buffer.from(spanId, 'hex') };
  const protobuf = recordingSink(WANTED);
  drain(decodeProtobuf(encodeRequest(request({ ...RECORD, ...ids })), protobuf));
  const json = decode(request(RECORD));
  expect(json.records).toEqual(protobuf.records);
  expect(json.records[0]!.text).toBe('payment failed für 😀');
  expect(json.summary.records).toBe(2);
});

test('{} and an empty list of resources hold no record', () => {
  expect(decode({}).summary).toEqual({ records: 0, yields: 0 });
  expect(decode({ resourceLogs: [] }).summary.records).toBe(0);
  expect(decode('﻿{"resourceLogs":[{}]}').resources).toEqual([new Map()]);
});

test('a request that gets its turn in the middle of a record of another one changes nothing there', () => {
  const request = (text: string, attributes: unknown[]): Buffer => {
    const record = { body: { stringValue: text }, attributes };
    return Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record, record] }] }] }));
  };
  const slow = recordingSink(WANTED);
  const long = { key: 'other', value: { stringValue: 'x'.repeat(300_000) } };
  const decoding = decodeJson(request('the\nfirst', [long]), slow);
  for (let step = decoding.next(); !step.done; step = decoding.next()) {
    const quick = recordingSink(WANTED);
    drain(decodeJson(request('another', []), quick));
    drain(decodeJson(request('an\n\n\n\nother', []), quick));
    expect(quick.records.map(({ text }) => text)).toEqual(['another', 'another', 'an\n\n\n\nother', 'an\n\n\n\nother']);
  }
  expect(slow.records.map(({ text }) => text)).toEqual(['the\nfirst', 'the\nfirst']);
});

test('a value of more than 1 MiB is read as far as that, wherever it is cut', () => {
  const tail = '{"intValue":5},{"stringValue":"abc"},{"intValue":"7"},{"boolValue":"true"},{"doubleValue":"1e5"}]';
  for (let behind = 0; behind <= tail.length; behind += 4) {
    const head = '{"arrayValue":{"values":[{"stringValue":"';
    const body = `${head}${'y'.repeat(MIB - head.length - 3 - behind)}"},${tail}}}`;
    const { text } = decode(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${body}}]}]}]}`).records[0]!;
    expect(text.replace(/y+/, 'y')).toMatch(
      /^\["y"(,5|,null)?(,"(abc?|a)?"|,null)?(,7|,null)?(,true|,null)?(,100000|,null)?\]$/,
    );
  }
  for (let behind = 0; behind < 60; behind += 6) {
    const head = '{"kvlistValue":{"values":[{"key":"pad","value":{"stringValue":"';
    const entries = `${'y'.repeat(MIB - head.length - 4 - behind)}"}},{"key":"message","value":{"stringValue":"hello"}}`;
    const body = `${head}${entries}]}}`;
    const { text } = decode(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${body}}]}]}]}`).records[0]!;
    expect(text.slice(0, 50)).toMatch(/^(hello|hell?|he?|)$|^\{/);
  }
});

test.each([
  ['resourceLogs', '{', '}'],
  ['scopeLogs', '{"resourceLogs":[{', '}]}'],
  ['logRecords', '{"resourceLogs":[{"scopeLogs":[{', '}]}]}'],
  ['attributes', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{', '}]}]}]}'],
])('it yields about every 32 KiB of empty lists of %s, too', (name, before, behind) => {
  const request = `${before}${`"${name}":[],`.repeat(50_000)}"${name}":null${behind}`;
  const decoding = decodeJson(Buffer.from(request), recordingSink(WANTED));
  // Those under a resource or scope are gone over twice: its name may come behind them.
  const times = { resourceLogs: 1, scopeLogs: 2, logRecords: 3, attributes: 3 }[name]!;
  expect(drain(decoding).yields).toBeGreaterThan((times * request.length) / SLICE_BYTES - 4);
});

test('it yields though every ResourceLogs has to be gone over twice', () => {
  const resourceLogs = `{"scopeLogs":[{"logRecords":[],"scope":null}],"resource":null}`;
  const request = `{"resourceLogs":[${`${resourceLogs},`.repeat(10_000)}${resourceLogs}]}`;
  expect(drain(decodeJson(Buffer.from(request), recordingSink())).yields).toBeGreaterThan(10_000);
});

test('it yields about every 250 records', () => {
  const logRecords = Array.from({ length: 2100 }, () => ({}));
  expect(decode({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }).summary).toMatchObject({ records: 2100 });
  const { yields } = decode({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }).summary;
  expect([8, 9, 10]).toContain(yields);
});

test('snake_case is read as lowerCamelCase', () => {
  const record = {
    time_unix_nano: '1000000',
    observed_time_unix_nano: '2000000',
    severity_number: 5,
    body: { string_value: 'x' },
    trace_id: '01'.repeat(16),
    span_id: '02'.repeat(8),
    event_name: 'logdrift.x',
  };
  const { records } = decode({ resource_logs: [{ scope_logs: [{ log_records: [record] }] }] });
  expect(records[0]).toMatchObject({
    timeMs: 1,
    observedTimeMs: 2,
    severityNumber: 5,
    text: 'x',
    traceId: '01'.repeat(16),
    spanId: '02'.repeat(8),
    ownEvent: true,
  });
});

test('unknown fields are ignored at every level', () => {
  const any = { future: { stringValue: 3 }, stringValue: 'x' };
  const { records } = decode({
    future: 1,
    resourceLogs: [
      {
        future: [],
        resource: { future: 1, attributes: [{ key: 'r', value: any, future: 1 }] },
        scopeLogs: [{ future: 1, scope: { name: 's', future: 1 }, logRecords: [{ future: {}, body: any }] }],
      },
    ],
  });
  expect(records[0]).toMatchObject({ text: 'x', scope: 's', resource: new Map([['r', 'x']]) });
});

test('null means unset at every level', () => {
  const unset = {
    timeUnixNano: null,
    severityNumber: null,
    body: null,
    attributes: null,
    traceId: null,
    eventName: null,
  };
  expect(one(unset)).toMatchObject({ timeMs: 0, severityNumber: 0, text: '', traceId: '' });
  expect(one({ body: { stringValue: null } }).text).toBe('');
  expect(decode({ resourceLogs: null }).records).toEqual([]);
  expect(
    decode({ resourceLogs: [{ resource: null, scopeLogs: [null, { scope: null, logRecords: null }] }] }).scopes,
  ).toEqual(['', '']);
});

describe('numbers', () => {
  test.each([
    ['1795336664582000000', 1_795_336_664_582],
    ['1795336664582500000', 1_795_336_664_582.5],
    ['999', 0.000999],
    ['0', 0],
    [1_000_000, 1],
  ])('a time of %j is %d ms', (timeUnixNano, timeMs) => {
    expect(one({ timeUnixNano }).timeMs).toBe(timeMs);
  });

  test.each([
    [9, 9],
    ['SEVERITY_NUMBER_INFO', 9],
    ['SEVERITY_NUMBER_FATAL4', 24],
    ['SEVERITY_NUMBER_UNSPECIFIED', 0],
    ['13', 13],
    [25, 0],
    [-1, 0],
    ['loud', 0],
  ])('a severity of %j is %d', (severityNumber, expected) => {
    expect(one({ severityNumber }).severityNumber).toBe(expected);
  });
});

describe('ids', () => {
  test.each([
    ['0'.repeat(32)],
    ['01'.repeat(15)],
    ['01'.repeat(17)],
    [''],
    ['g1'.repeat(16)],
    [7],
    ['AQIDBAUGBwgJCgsMDQ4PEA=='],
  ])('%j is no trace id and no error', (traceId) => {
    expect(one({ traceId }).traceId).toBe('');
  });
});

describe('text of the body', () => {
  test.each([
    [{ boolValue: true }, 'true'],
    [{ intValue: 5 }, '5'],
    [{ intValue: '9223372036854775807' }, '9223372036854775807'],
    [{ doubleValue: 2.5 }, '2.5'],
    [{ doubleValue: 'NaN' }, 'NaN'],
    [{ doubleValue: '-Infinity' }, '-Infinity'],
    [{ bytesValue: 'cmF3' }, 'raw'],
    [{}, ''],
    [{ stringValueStrindex: 3 }, ''],
    [{ arrayValue: { values: [{ intValue: '1' }, {}, { stringValue: 'x' }] } }, '[1,null,"x"]'],
    [
      {
        kvlistValue: {
          values: [
            { key: 'b', value: { bytesValue: 'AP8=' } },
            { key: 'a', value: { boolValue: false } },
          ],
        },
      },
      '{"a":false,"b":"AP8="}',
    ],
    [
      {
        kvlistValue: {
          values: [
            { key: 'log', value: { stringValue: 'l' } },
            { key: 'msg', value: { stringValue: 'm' } },
          ],
        },
      },
      'm',
    ],
    [
      {
        kvlistValue: {
          values: [{ key: 'MESSAGE', value: { arrayValue: { values: [{ intValue: '104' }, { intValue: 105 }] } } }],
        },
      },
      'hi',
    ],
  ])('%j', (body, text) => {
    expect(one({ body }).text).toBe(text);
  });

  test('fields of a map body that were asked for come along', () => {
    const values = [
      { key: 'unit', value: { stringValue: 'nginx.service' } },
      { key: 'x', value: { stringValue: 'y' } },
    ];
    expect(one({ body: { kvlistValue: { values } } }).bodyFields).toEqual({ unit: 'nginx.service' });
  });

  test('a text larger than any before it arrives whole', () => {
    const text = 'ü'.repeat(400_000);
    expect(one({ body: { stringValue: text } }).text).toBe(text);
    expect(one({ body: { stringValue: 'small again' } }).text).toBe('small again');
  });
});

test('equal resources arrive as the same Map object, others do not', () => {
  const of = (name: string) =>
    decode({ resourceLogs: [{ resource: { attributes: [{ key: 'a', value: { stringValue: name } }] } }] }).resources[0];
  expect(of('same')).toBe(of('same'));
  expect(of('same')).not.toBe(of('diff'));
});

describe('malformed requests', () => {
  const path = 'resourceLogs[0].scopeLogs[0].logRecords[0]';
  const inRecord = (record: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`;
  test.each([
    ['', /the body is empty/],
    ['{"resourceLogs":[', /not JSON .* at byte 17/],
    ['{"ä":1,}', /at byte 8 in the request/],
    ['nonsense', /not JSON/],
    ['[]', /expected an object, found an array/],
    ['null', /expected an object, found null/],
    ['{"resourceLogs":{}}', /expected an array, found an object in resourceLogs/],
    ['{"resourceLogs":[3]}', /expected an object, found a number in resourceLogs/],
    [inRecord('"x"'), /expected an object, found a string in resourceLogs.scopeLogs.logRecords/],
    [inRecord('{},{"timeUnixNano":"soon"}'), /in resourceLogs\[0\].scopeLogs\[0\].logRecords\[1\].timeUnixNano/],
    [inRecord('{"timeUnixNano":-1}'), new RegExp(`${path.replaceAll(/[[\]]/g, '\\$&')}.timeUnixNano`)],
    [inRecord('{"timeUnixNano":"1e400"}'), /nanoseconds/],
    [inRecord('{"timeUnixNano":"18446744073709999999"}'), /nanoseconds/],
    [inRecord('{"timeUnixNano":"99999999999999999999"}'), /nanoseconds/],
    [inRecord('{"severityNumber":true}'), /severityNumber/],
    [inRecord('{"body":"x"}'), /expected an object, found a string in .*body/],
    [inRecord('{"body":{"stringValue":1}}'), /body.stringValue/],
    [inRecord('{"body":{"intValue":"x"}}'), /body.intValue/],
    [inRecord('{"attributes":[{"key":1}]}'), /attributes.key/],
  ])('%s', (request, pattern) => {
    expect(() => decode(request)).toThrow(DecodeError);
    expect(() => decode(request)).toThrow(pattern);
  });

  test('what the client sent is not quoted back', () => {
    expect(() => decode('{"password": hunter2}')).toThrow(/^(?!.*hunter).*not JSON/s);
  });

  test('every truncation is a DecodeError', () => {
    const text = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [RECORD] }] }] });
    for (let length = 0; length < text.length; length++) {
      expect(() => decode(text.slice(0, length))).toThrow(DecodeError);
    }
  });
});
