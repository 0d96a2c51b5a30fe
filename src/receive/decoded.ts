import type { DecodedRecord } from './record.ts';

/** What a decoder says when it is through. */
export interface DecodeSummary {
  /** LogRecords handed to the sink. */
  records: number;
}

/** The one record that a decoder overwrites; `bytes` stands in the ranges that are still empty. */
export function newDecodedRecord(bytes: Uint8Array): DecodedRecord {
  return {
    timeMs: 0,
    observedTimeMs: 0,
    severityNumber: 0,
    text: bytes,
    textStart: 0,
    textEnd: 0,
    template: bytes,
    templateStart: 0,
    templateEnd: 0,
    ids: bytes,
    traceStart: -1,
    spanStart: -1,
    ownEvent: false,
    attributes: new Map(),
    bodyFields: new Map(),
  };
}
