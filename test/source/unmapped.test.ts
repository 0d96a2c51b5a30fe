import { expect, test } from 'vitest';
import type { DecodedRecord } from '../../src/receive/record.ts';
import { createUnmappedKeys } from '../../src/source/unmapped.ts';

const record = (attributes: string[], body: string[]) =>
  ({
    attributes: new Map(),
    attributeKeys: () => attributes,
    bodyFields: new Map(body.map((key) => [key, 'v'])),
  }) as unknown as DecodedRecord;

test('the warning lists where each key was seen, once', () => {
  const seen = createUnmappedKeys();
  const resource = new Map([['custom.id', '1']]);
  for (let i = 0; i < 3; i++) seen.add(resource, record(['message'], ['channel']));
  expect(seen.warning()).toContain('Attribute keys seen: resource custom.id, record message, body channel.');
  expect(seen.warning()).toContain('otlp:unknown');
});

test('records without attributes are said to have none', () => {
  const seen = createUnmappedKeys();
  seen.add(new Map(), record([], []));
  expect(seen.warning()).toContain('They carry no attributes.');
});

test('the list is bounded', () => {
  const seen = createUnmappedKeys();
  seen.add(new Map(Array.from({ length: 10_000 }, (_, i) => [`${'k'.repeat(500)}${i}`, ''])), record([], []));
  for (let i = 0; i < 100; i++) seen.add(new Map([[`key${i}`, '']]), record([], []));
  expect(seen.full).toBe(true);
  expect(seen.warning().length).toBeLessThan(32 * 160 + 400);
});
