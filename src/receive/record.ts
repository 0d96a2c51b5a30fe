/**
 * What the protobuf and the JSON decoder hand over, record by record.
 *
 * Both decoders drive one {@link RecordSink}; it never learns which wire format a record came in.
 */

/** Keys that {@link DecodedRecord.attributeKeys} lists at most. */
export const MAX_LISTED_KEYS = 32;

/** Resource attributes as text: strings as they are, numbers and booleans printed, arrays and maps as JSON. */
export type Attributes = ReadonlyMap<string, string>;

/**
 * One LogRecord. A decoder owns ONE such object and overwrites it for every record, so a sink copies what it keeps.
 * Byte ranges point into the buffers beside them and die with the `record` call.
 */
export interface DecodedRecord {
  /** `time_unix_nano` in milliseconds (fractions kept), 0 when absent. */
  timeMs: number;
  /** `observed_time_unix_nano` in milliseconds, 0 when absent. */
  observedTimeMs: number;
  /** `severity_number`, 0..24; out of range values are 0. */
  severityNumber: number;
  /** UTF-8 text of the body by the rule of `value-text.ts`; empty range when there is none. */
  text: Uint8Array;
  textStart: number;
  textEnd: number;
  /** UTF-8 of a template the sender mined (`log.record.template`, `{OriginalFormat}`, `message_template.text`); start = end when none. */
  template: Uint8Array;
  templateStart: number;
  templateEnd: number;
  /** Buffer that holds the ids; `traceStart` / `spanStart` are -1 when the id is absent, all zero or of a wrong length. */
  ids: Uint8Array;
  traceStart: number;
  spanStart: number;
  /** `event_name` starts with `logdrift.`: one of our own anomalies coming back (loop guard). */
  ownEvent: boolean;
  /** Attributes of this record whose key the sink asked for in {@link RecordSink.wantedAttributes}; first of duplicates wins. */
  attributes: Map<string, string>;
  /** Keys of all attributes of the record, wanted or not, at most {@link MAX_LISTED_KEYS}: a second look, for records that match no source. */
  attributeKeys(): string[];
  /** Fields of a map body whose key the sink asked for in {@link RecordSink.wantedBodyFields}. */
  bodyFields: Map<string, string>;
}

/** Where decoded records go. Calls come in wire order: resource, scope, records. */
export interface RecordSink {
  readonly wantedAttributes: ReadonlySet<string>;
  readonly wantedBodyFields: ReadonlySet<string>;
  /** A ResourceLogs begins. Byte-equal resources of one connection may arrive as the same Map object; caches may use its identity. */
  resource(attributes: Attributes): void;
  /** A ScopeLogs begins; empty string when the scope has no name. */
  scope(name: string): void;
  record(record: DecodedRecord): void;
}

/** How `Export` ended for a well-formed request; the transports turn it into a response. */
export interface ExportResult {
  /** 0 = full success, `partial_success` stays unset (unless there is a warning). */
  rejectedLogRecords: number;
  /** English, at most 1 KiB; empty on full success. */
  errorMessage: string;
}

/** Whether the client has gone; an AbortSignal is one. */
export type Departure = Pick<AbortSignal, 'aborted' | 'throwIfAborted'>;

/** One request being taken in: fill `sink` by decoding, then `commit` hands the records on. Dropping it without commit takes nothing. */
export interface Intake {
  readonly sink: RecordSink;
  /** Admission (bounded wait, then refusal of one source's excess). */
  commit(signal: Departure): Promise<ExportResult>;
}

/** The one function both transports end in, with what they share. */
export interface ExportTarget {
  begin(): Intake;
}
