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

/** Records, or whatever else may come a million times, between two turns given to the caller: about 0.1 ms. */
const SLICE_RECORDS = 250;
/** Or so many bytes: a record can be a map of thousands of entries. Less than 1 ms of whatever they are; what is looked at in one piece is bounded on its own. */
export const SLICE_BYTES = 32_768;

/** How far a decoder reads before it yields, so that a big request need not hold the event loop. Positions are bytes of the request. */
export class Slice {
  /** Where it ends at the latest. */
  end = SLICE_BYTES;
  #records = SLICE_RECORDS;

  /** To be asked after every record, and wherever something is read that may come a million times. True: yield. */
  isOver(pos: number): boolean {
    if (--this.#records > 0 && pos < this.end) return false;
    this.restart(pos);
    return true;
  }

  restart(pos: number): void {
    this.#records = SLICE_RECORDS;
    this.end = pos + SLICE_BYTES;
  }
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

/** Another record begins: nothing of it is set. `text` stays what it was, of no length. */
export function clearRecord(record: DecodedRecord): void {
  record.timeMs = 0;
  record.observedTimeMs = 0;
  record.severityNumber = 0;
  record.textStart = record.textEnd = 0;
  record.templateStart = record.templateEnd = 0;
  record.traceStart = record.spanStart = -1;
  record.ownEvent = false;
  if (record.attributes.size > 0) record.attributes.clear();
  if (record.bodyFields.size > 0) record.bodyFields.clear();
}
