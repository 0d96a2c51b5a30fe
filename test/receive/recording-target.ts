/** The other side of the receivers' contract, written down record by record. */
import type {
  Attributes,
  DecodedRecord,
  Departure,
  ExportResult,
  ExportTarget,
  RecordSink,
} from '../../src/receive/record.ts';
import type { DecodeSummary } from '../../src/receive/decoded.ts';

export interface Recorded {
  resource: Attributes;
  scope: string;
  timeMs: number;
  observedTimeMs: number;
  severityNumber: number;
  text: string;
  template: string;
  /** Hex, '' = absent. */
  traceId: string;
  spanId: string;
  ownEvent: boolean;
  attributes: Record<string, string>;
  bodyFields: Record<string, string>;
}

export interface RecordingSink extends RecordSink {
  readonly records: Recorded[];
  readonly resources: Attributes[];
  readonly scopes: string[];
}

export function recordingSink(wanted: { attributes?: string[]; bodyFields?: string[] } = {}): RecordingSink {
  const records: Recorded[] = [];
  const resources: Attributes[] = [];
  const scopes: string[] = [];
  return {
    wantedAttributes: new Set(wanted.attributes),
    wantedBodyFields: new Set(wanted.bodyFields),
    records,
    resources,
    scopes,
    resource: (attributes) => void resources.push(attributes),
    scope: (name) => void scopes.push(name),
    record: (record) => void records.push(copy(record, resources.at(-1)!, scopes.at(-1)!)),
  };
}

function copy(record: DecodedRecord, resource: Attributes, scope: string): Recorded {
  const { timeMs, observedTimeMs, severityNumber, ownEvent } = record;
  return {
    resource,
    scope,
    timeMs,
    observedTimeMs,
    severityNumber,
    text: Buffer.from(record.text.slice(record.textStart, record.textEnd)).toString(),
    template: Buffer.from(record.template.slice(record.templateStart, record.templateEnd)).toString(),
    traceId:
      record.traceStart < 0
        ? ''
        : Buffer.from(record.ids.slice(record.traceStart, record.traceStart + 16)).toString('hex'),
    spanId:
      record.spanStart < 0 ? '' : Buffer.from(record.ids.slice(record.spanStart, record.spanStart + 8)).toString('hex'),
    ownEvent,
    attributes: Object.fromEntries(record.attributes),
    bodyFields: Object.fromEntries(record.bodyFields),
  };
}

/** Runs a decoder to its end. */
export function drain(decoding: Generator<void, DecodeSummary>): { records: number; yields: number } {
  let yields = 0;
  for (;;) {
    const step = decoding.next();
    if (step.done) return { records: step.value.records, yields };
    yields++;
  }
}

interface RecordingTarget extends ExportTarget {
  /** Records of committed requests only. */
  readonly committed: Recorded[];
}

/** Takes everything in; `commit` may be replaced to refuse or to wait. */
export function recordingTarget(
  commit: (records: Recorded[], signal: Departure) => Promise<ExportResult> = () =>
    Promise.resolve({ rejectedLogRecords: 0, errorMessage: '' }),
): RecordingTarget {
  const committed: Recorded[] = [];
  return {
    committed,
    begin: () => {
      const sink = recordingSink();
      return {
        sink,
        commit: async (signal) => {
          const result = await commit(sink.records, signal);
          committed.push(...sink.records);
          return result;
        },
      };
    },
  };
}
