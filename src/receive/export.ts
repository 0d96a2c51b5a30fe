/** `Export`: where both transports end. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeJson } from './json/decode.ts';
import { decodeProtobuf } from './protobuf/decode.ts';
import { newDecodeSummary, type DecodeSummary } from './decoded.ts';
import type { Encoding } from './encode-response.ts';
import type { Departure, ExportResult, ExportTarget, RecordSink } from './record.ts';

/** Other requests, ticks and health probes wait while we decode: this long at a time, and for a decoder's slice, mostly less than 1 ms, 3 at worst. */
const SLICE_MS = 2;
const clock = (): number => performance.now();

export interface ExportOutcome extends ExportResult {
  /** LogRecords in the request. */
  records: number;
}

/**
 * Decodes one request into `target` and commits it. A malformed request is dropped whole: nothing of it was taken in.
 * @param summary filled while decoding: what is known of a request that fails
 * @param signal fires when the client has gone. Until `commit` it stops the work; what it means from then on is the intake's to say,
 * and what is committed stays committed.
 * @throws {DecodeError} when malformed; {ReceiveError} when refused; AbortError when the client left before anything was taken in.
 */
export async function exportLogs(
  request: Uint8Array,
  encoding: Encoding,
  target: ExportTarget,
  signal: Departure,
  summary: DecodeSummary = newDecodeSummary(),
  nowMs = clock,
): Promise<ExportOutcome> {
  const intake = target.begin();
  const decoding = decode(request, encoding, intake.sink, summary);
  let sliceStart = nowMs();
  let step = decoding.next();
  while (!step.done) {
    if (nowMs() - sliceStart >= SLICE_MS) {
      await nextTurn();
      signal.throwIfAborted();
      sliceStart = nowMs();
    }
    step = decoding.next();
  }
  signal.throwIfAborted();
  const { rejectedLogRecords, errorMessage } = await intake.commit(signal);
  return { records: step.value.records, rejectedLogRecords, errorMessage };
}

function decode(
  request: Uint8Array,
  encoding: Encoding,
  sink: RecordSink,
  summary: DecodeSummary,
): Generator<void, DecodeSummary> {
  return encoding === 'json' ? decodeJson(request, sink, summary) : decodeProtobuf(request, sink, summary);
}
