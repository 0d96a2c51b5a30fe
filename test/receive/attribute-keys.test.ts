import { expect, test } from 'vitest';
import { decodeJson } from '../../src/receive/json/decode.ts';
import { decodeProtobuf } from '../../src/receive/protobuf/decode.ts';
import { MAX_LISTED_KEYS, type RecordSink } from '../../src/receive/record.ts';
import { encodeRequest, requestOf, stringAttribute } from './oracle.ts';
import { drain } from './recording-target.ts';

function sinkInto(keys: string[][]): RecordSink {
  const none: ReadonlySet<string> = new Set();
  return {
    wantedAttributes: none,
    wantedBodyFields: none,
    resource: () => undefined,
    scope: () => undefined,
    record: (record) => void keys.push(record.attributeKeys()),
  };
}

const RECORDS = [
  { body: { stringValue: 'a' }, attributes: [stringAttribute('custom.team', 'blue'), stringAttribute('Zähler', '1')] },
  { body: { stringValue: 'b' } },
  { attributes: Array.from({ length: 2 * MAX_LISTED_KEYS }, (_, k) => stringAttribute(`key${k}`, '')) },
];

test.each(['protobuf', 'json'])(
  'keys that nobody asked for can be listed, in %s, record by record and bounded',
  (encoding) => {
    const keys: string[][] = [];
    const request = requestOf(RECORDS);
    if (encoding === 'protobuf') drain(decodeProtobuf(encodeRequest(request), sinkInto(keys)));
    else drain(decodeJson(Buffer.from(JSON.stringify(request)), sinkInto(keys)));
    expect(keys.slice(0, 2)).toEqual([['custom.team', 'Zähler'], []]);
    expect(keys[2]).toHaveLength(MAX_LISTED_KEYS);
  },
);
