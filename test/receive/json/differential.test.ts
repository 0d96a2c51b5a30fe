/** Our reader against `JSON.parse` and a walk over its tree. */
import { expect, test } from 'vitest';
import { decodeJson } from '../../../src/receive/json/decode.ts';
import { SLICE_BYTES, type DecodeSummary } from '../../../src/receive/decoded.ts';
import type { RecordSink } from '../../../src/receive/record.ts';
import { DecodeError } from '../../../src/receive/decode-error.ts';
import { createRandom, mutate } from '../../fuzz/mutate.ts';
import { decodeParsedJson } from './oracle.ts';
import { randomRequest } from './trees.ts';
import { drain, recordingSink, type RecordingSink } from '../recording-target.ts';

type Decoder = (request: Uint8Array, sink: RecordSink) => Generator<void, DecodeSummary>;

const REQUESTS = 600;

function outcome(decoder: Decoder, bytes: Uint8Array): Omit<RecordingSink, 'resource' | 'scope' | 'record'> | string {
  const sink = recordingSink({
    attributes: ['k', 'n', 'log.record.template', 'ключ'],
    bodyFields: ['unit', 'm', 'msg'],
  });
  try {
    drain(decoder(bytes, sink));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return error.message;
  }
  const { records, resources, scopes, wantedAttributes, wantedBodyFields } = sink;
  return { records, resources, scopes, wantedAttributes, wantedBodyFields };
}

test('random requests give the records that JSON.parse and a walk give', () => {
  const random = createRandom(1);
  let records = 0;
  for (let i = 0; i < REQUESTS; i++) {
    const text = randomRequest(random);
    const bytes = Buffer.from(text);
    const expected = outcome(decodeParsedJson, bytes);
    const got = outcome(decodeJson, bytes);
    if (typeof expected === 'string') expect(typeof got, `${text}: ${expected}`).toBe('string');
    else {
      expect(got, text).toEqual(expected);
      records += expected.records.length;
    }
  }
  expect(records).toBeGreaterThan(REQUESTS / 2);
});

test('what JSON.parse refuses is refused, what it takes is never called no JSON', () => {
  const random = createRandom(2);
  const wrong: string[] = [];
  let refused = 0;
  for (let i = 0; i < REQUESTS; i++) {
    const bytes = mutate(Buffer.from(randomRequest(random)), Buffer.from(randomRequest(random)), random);
    const got = outcome(decodeJson, bytes);
    try {
      JSON.parse(bytes.toString());
      if (typeof got === 'string' && got.includes('not JSON')) wrong.push(`${bytes.toString()}: ${got}`);
    } catch {
      refused++;
      if (typeof got !== 'string') wrong.push(bytes.toString());
    }
  }
  expect(wrong).toEqual([]);
  expect(refused).toBeGreaterThan(REQUESTS / 3);
});

test('a pause at any byte changes nothing', () => {
  const random = createRandom(3);
  for (let i = 0; i < 2; i++) {
    let text = randomRequest(random);
    while (text.length < 700 || !text.startsWith('{"resourceLogs":[{')) text = randomRequest(random);
    const expected = outcome(decodeJson, Buffer.from(text));
    // A member that nobody knows puts the end of the first slice at each byte in turn.
    const padded = Buffer.from(`{"p":"${'x'.repeat(SLICE_BYTES)}",${text.slice(1)}`);
    for (let at = 0; at < 700; at++) {
      const padding = padded.subarray('{"p":"",'.length + at);
      padding.write('{"p":"');
      expect(outcome(decodeJson, padding), `${at} of ${text}`).toEqual(expected);
    }
  }
});
