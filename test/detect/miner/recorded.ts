import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { randomNumbers } from './lines.ts';

interface Recorded {
  resourceLogs: {
    resource: { attributes: { key: string; value: { stringValue: string } }[] };
    scopeLogs: { logRecords: { body: { stringValue: string } }[] }[];
  }[];
}

/** Lines of the recorded web shop by source (`log.file.name`), in the order they came. */
export function recordedLines(): Map<string, string[]> {
  const file = new URL('../../testdata/shop-bench/shop-bench.otlp.jsonl.gz', import.meta.url);
  const bySource = new Map<string, string[]>();
  for (const request of gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n')) {
    for (const { resource, scopeLogs } of (JSON.parse(request) as Recorded).resourceLogs) {
      const source = resource.attributes.find(({ key }) => key === 'log.file.name')!.value.stringValue;
      let lines = bySource.get(source);
      if (lines === undefined) bySource.set(source, (lines = []));
      for (const { logRecords } of scopeLogs) for (const { body } of logRecords) lines.push(body.stringValue);
    }
  }
  return bySource;
}

export function shuffled<T>(values: readonly T[], seed: number): T[] {
  const random = randomNumbers(seed);
  return values
    .map((value) => ({ value, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value);
}
