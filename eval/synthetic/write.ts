/** Writes a stream as a recording with labels, as the Collector's file exporter would have: OTLP/JSON lines, gzip. */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Line } from './emitters.ts';
import type { PlannedFault } from './faults.ts';
import { createStream, type SyntheticOptions } from './stream.ts';

/** A sender's batch; below the 10 s that event time waits for late records. */
const REQUEST_MS = 5_000;

/** Writes `<name>.otlp.jsonl.gz` and `<name>.labels.json`. @returns records written */
export async function writeSynthetic(path: string, options: SyntheticOptions): Promise<number> {
  const { faults, minutes, sources } = createStream(options);
  let records = 0;
  function* requests(): Generator<string> {
    for (const lines of minutes()) {
      records += lines.length;
      for (const [, request] of Map.groupBy(lines, ({ timeMs }) => Math.floor(timeMs / REQUEST_MS))) {
        yield `${exportRequest(request)}\n`;
      }
    }
  }
  await pipeline(Readable.from(requests()), createGzip({ level: 1 }), createWriteStream(`${path}.otlp.jsonl.gz`));
  const labels = {
    set: 'synthetic',
    seed: options.seed,
    days: options.days,
    lines: records,
    time_scale: 1,
    window_size_s: 120,
    window_step_s: 60,
    sources: Object.fromEntries(sources.map((name) => [name, {}])),
    faults: faults.map(toLabel),
  };
  await writeFile(`${path}.labels.json`, `${JSON.stringify(labels, null, 1)}\n`);
  return records;
}

/** One ExportLogsServiceRequest. */
export function exportRequest(lines: readonly (Line & { source: string })[]): string {
  const resourceLogs = Array.from(
    Map.groupBy(lines, ({ source }) => source),
    ([source, records]) => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: source } }] },
      scopeLogs: [
        {
          logRecords: records.map(({ timeMs, severity, text }) => ({
            timeUnixNano: unixNano(timeMs),
            severityNumber: severity,
            body: { stringValue: text },
          })),
        },
      ],
    }),
  );
  return JSON.stringify({ resourceLogs });
}

function toLabel({ kind, source, affected, startMs, endMs }: PlannedFault): object {
  return { source, affected, start: unixNano(startMs), end: unixNano(endMs), kind };
}

function unixNano(ms: number): string {
  return `${Math.round(ms)}000000`;
}
