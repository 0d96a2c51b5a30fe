import type { DecodedRecord } from './record.ts';

/** What a decoder has seen. It is kept while decoding, so that it is known of a request that fails half way, too. */
export interface DecodeSummary {
  /** LogRecords handed to the sink. */
  records: number;
  /** A value or key that refers to a string table (`…_strindex`) was taken as absent. */
  sawStrindex: boolean;
  /** OTLP/JSON: an enum came by name. */
  sawEnumName: boolean;
}

export function newDecodeSummary(): DecodeSummary {
  return { records: 0, sawStrindex: false, sawEnumName: false };
}

/** The one record that a decoder overwrites; `bytes` stands in the ranges that are still empty. */
export function newDecodedRecord(bytes: Uint8Array): DecodedRecord {
  const attributes = new Map<string, string>();
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
    attributes,
    attributeKeys: () => [...attributes.keys()],
    bodyFields: new Map(),
  };
}
