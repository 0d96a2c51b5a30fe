import { expect, test } from 'vitest';
import { newDecodeSummary, SLICE_BYTES } from '../../src/receive/decoded.ts';
import { exportLogs } from '../../src/receive/export.ts';
import type { ExportTarget } from '../../src/receive/record.ts';
import { DecodeError } from '../../src/receive/decode-error.ts';
import { encodeRequest, requestOf } from './oracle.ts';
import { recordingTarget } from './recording-target.ts';

const NEVER = new AbortController().signal;

function requestWith(records: number): Buffer {
  return encodeRequest(requestOf(Array.from({ length: records }, (_, i) => ({ body: { stringValue: `line ${i}` } }))));
}

test('what commit says is what the client is told', async () => {
  const target = recordingTarget(() => Promise.resolve({ rejectedLogRecords: 2, errorMessage: 'full' }));
  expect(await exportLogs(requestWith(3), 'protobuf', target, NEVER)).toEqual({
    records: 3,
    rejectedLogRecords: 2,
    errorMessage: 'full',
  });
  expect(target.committed.map((record) => record.text)).toEqual(['line 0', 'line 1', 'line 2']);
});

test('of a malformed request nothing is taken in', async () => {
  const target = recordingTarget();
  const cut = requestWith(3).subarray(0, -1);
  await expect(exportLogs(cut, 'protobuf', target, NEVER)).rejects.toBeInstanceOf(DecodeError);
  await expect(exportLogs(Buffer.from('{'), 'json', target, NEVER)).rejects.toBeInstanceOf(DecodeError);
  expect(target.committed).toEqual([]);
});

/** A sink that takes a millisecond every 100 records. */
function slowTarget(): ExportTarget & { records: number } {
  const target = {
    records: 0,
    begin: () => ({
      sink: {
        wantedAttributes: new Set<string>(),
        wantedBodyFields: new Set<string>(),
        resource: () => {},
        scope: () => {},
        record: () => {
          if (++target.records % 100 !== 0) return;
          const end = performance.now() + 1;
          while (performance.now() < end);
        },
      },
      commit: () => Promise.resolve({ rejectedLogRecords: 0, errorMessage: '' }),
    }),
  };
  return target;
}

test('a request that takes long to decode gives others their turn', async () => {
  let turns = 0;
  const exporting = exportLogs(requestWith(5000), 'protobuf', slowTarget(), NEVER);
  const others = setInterval(() => turns++, 0);
  await exporting;
  clearInterval(others);
  expect(turns).toBeGreaterThanOrEqual(2);
});

test.each(['protobuf', 'json'] as const)('%s: others have their turn whenever 2 ms are over', async (encoding) => {
  const records = Array.from({ length: 5000 }, (_, i) => ({ body: { stringValue: `line ${i} ${'x'.repeat(500)}` } }));
  const request =
    encoding === 'json' ? Buffer.from(JSON.stringify(requestOf(records))) : encodeRequest(requestOf(records));
  let nowMs = 0;
  let turns = 0;
  let isDone = false;
  const others = (): void => {
    turns++;
    if (!isDone) setImmediate(others);
  };
  setImmediate(others);
  // Every slice of the decoder takes a millisecond of this clock.
  await exportLogs(request, encoding, recordingTarget(), NEVER, newDecodeSummary(), () => nowMs++);
  isDone = true;
  expect(nowMs).toBeGreaterThan(request.length / SLICE_BYTES);
  expect(turns).toBeGreaterThanOrEqual(Math.floor(nowMs / 3));
});

test('a client that leaves during decoding ends the work before anything is committed', async () => {
  const target = slowTarget();
  const gone = new AbortController();
  const exporting = exportLogs(requestWith(20_000), 'protobuf', target, gone.signal);
  gone.abort();
  await expect(exporting).rejects.toMatchObject({ name: 'AbortError' });
  expect(target.records).toBeLessThan(20_000);
});
