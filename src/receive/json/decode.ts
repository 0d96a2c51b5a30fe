/**
 * ExportLogsServiceRequest in OTLP/JSON (opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding"): what OTLP/HTTP clients send
 * as `application/json` and what the Collector's file exporter writes, one request a line. Read once, front to back, over its bytes; a
 * value that nobody wants is checked and left.
 *
 * More tolerant than the specification asks: snake_case names and enum names are taken too, as other receivers do.
 *
 * Of names that come twice in one object, lists go on, the first resource and scope stay, and of all others the last one counts.
 */
import { newDecodeSummary, Slice, type DecodeSummary } from '../decoded.ts';
import { ATTRIBUTES, JsonRecord, RECORD } from './record.ts';
import { Names } from './names.ts';
import { ARRAY, NULL, OBJECT, wrongKind } from './lex.ts';
import { JsonScanner } from './scan.ts';
import { END, enter, finish, nextElement, nextName, revisit, skipKeyValue } from './walk.ts';
import { KEY_VALUE, readResource, readScopeName } from './value.ts';
import type { Attributes, RecordSink } from '../record.ts';
import { ResourceCache } from '../resource-cache.ts';
import { DecodeError } from '../decode-error.ts';

const REQUEST = new Names('resourceLogs');
const RESOURCE_LOGS = 0;
const RESOURCE_LOGS_FIELDS = new Names('resource', 'scopeLogs');
const RESOURCE = 0;
const SCOPE_LOGS = 1;
const SCOPE_LOGS_FIELDS = new Names('scope', 'logRecords');
const SCOPE = 0;
const LOG_RECORDS = 1;

const RESOURCE_LOGS_PATH = 'resourceLogs';
const RESOURCE_PATH = 'resourceLogs.resource';
const SCOPE_LOGS_PATH = 'resourceLogs.scopeLogs';
const SCOPE_PATH = 'resourceLogs.scopeLogs.scope';
const RECORDS_PATH = 'resourceLogs.scopeLogs.logRecords';
const ATTRIBUTES_PATH = 'attributes';

const NO_ATTRIBUTES: Attributes = new Map();

/** Shared by all requests: resources repeat over connections. */
const resources = new ResourceCache();

/**
 * Hands every record of `request` (UTF-8 JSON of one ExportLogsServiceRequest) to `sink`, in wire order. A generator so that a big request
 * need not hold the event loop; it yields inside a long value, too. `request` must not change until it is done.
 * @param summary filled while decoding, and returned
 * @throws {DecodeError} when it is not JSON or a known field has a wrong type; what the sink got until then is to be dropped.
 */
export function* decodeJson(
  request: Uint8Array,
  sink: RecordSink,
  summary: DecodeSummary = newDecodeSummary(),
): Generator<void, DecodeSummary> {
  if (request.length === 0) throw new DecodeError('the body is empty; JSON needs at least {}', '', 0);
  const scan = new JsonScanner(request);
  yield* new RequestReader(scan, sink, summary).read();
  summary.sawStrindex = scan.sawStrindex;
  summary.sawEnumName = scan.sawEnumName;
  return summary;
}

class RequestReader {
  readonly #scan: JsonScanner;
  readonly #sink: RecordSink;
  readonly #summary: DecodeSummary;
  readonly #record: JsonRecord;
  readonly #slice = new Slice();
  /** Places of the ResourceLogs, ScopeLogs and LogRecord being read in their lists; `#recordIndex` is -1 outside of a record. */
  #resourceIndex = 0;
  #scopeIndex = 0;
  #recordIndex = -1;

  constructor(scan: JsonScanner, sink: RecordSink, summary: DecodeSummary) {
    this.#scan = scan;
    this.#sink = sink;
    this.#summary = summary;
    this.#record = new JsonRecord(scan, sink);
    this.#goOn();
  }

  *read(): Generator<void, void> {
    try {
      yield* this.#request();
    } catch (error) {
      throw this.#withIndexes(error);
    } finally {
      this.#record.close();
    }
  }

  /** Says which record is meant; paths inside are written without indexes so that the quick path builds no strings. */
  #withIndexes(error: unknown): unknown {
    if (!(error instanceof DecodeError) || error.byteOffset >= 0 || this.#recordIndex < 0) return error;
    const record = `resourceLogs[${this.#resourceIndex}].scopeLogs[${this.#scopeIndex}].logRecords[${this.#recordIndex}]`;
    return new DecodeError(error.problem, `${record}.${error.fieldPath}`, -1, { cause: error });
  }

  /** Another slice, after a `yield`. */
  #goOn(): void {
    this.#slice.restart(this.#scan.pos);
    this.#scan.stop = Math.min(this.#slice.end, this.#scan.bytes.length);
  }

  *#request(): Generator<void, void> {
    const scan = this.#scan;
    if (!enter(scan, OBJECT, '')) throw wrongKind('an object', NULL, '');
    for (let name = nextName(scan, REQUEST); name !== END; name = nextName(scan, REQUEST)) {
      if (scan.stopped) yield this.#goOn();
      if (name !== RESOURCE_LOGS) while (!scan.value()) yield this.#goOn();
      else if (enter(scan, ARRAY, RESOURCE_LOGS_PATH)) {
        for (this.#resourceIndex = 0; nextElement(scan); this.#resourceIndex++) {
          yield* this.#resourceLogs();
          if (this.#slice.isOver(scan.pos)) yield this.#goOn();
        }
      }
    }
    finish(scan);
  }

  *#resourceLogs(): Generator<void, void> {
    const scan = this.#scan;
    let resource: Attributes | null = null;
    let isTold = false;
    const tell = (): void => {
      if (!isTold) this.#sink.resource(resource ?? NO_ATTRIBUTES);
      isTold = true;
    };
    if (enter(scan, OBJECT, RESOURCE_LOGS_PATH)) {
      for (let name = nextName(scan, RESOURCE_LOGS_FIELDS); name !== END; name = nextName(scan, RESOURCE_LOGS_FIELDS)) {
        if (scan.stopped) yield this.#goOn();
        if (name === SCOPE_LOGS) {
          if (!isTold && resource === null) {
            const back = scan.pos;
            if (yield* this.#seek(RESOURCE_LOGS_FIELDS, RESOURCE)) resource = this.#resource();
            scan.pos = back;
            yield this.#goOn();
          }
          tell();
          if (!enter(scan, ARRAY, SCOPE_LOGS_PATH)) continue;
          for (this.#scopeIndex = 0; nextElement(scan); this.#scopeIndex++) {
            yield* this.#scopeLogs();
            if (this.#slice.isOver(scan.pos)) yield this.#goOn();
          }
          continue;
        }
        while (!scan.value()) yield this.#goOn();
        if (name === RESOURCE && resource === null && scan.kind !== NULL) resource = this.#resource();
      }
    }
    tell();
  }

  *#scopeLogs(): Generator<void, void> {
    const scan = this.#scan;
    let scope: string | null = null;
    let isTold = false;
    const tell = (): void => {
      if (!isTold) this.#sink.scope(scope ?? '');
      isTold = true;
    };
    if (enter(scan, OBJECT, SCOPE_LOGS_PATH)) {
      for (let name = nextName(scan, SCOPE_LOGS_FIELDS); name !== END; name = nextName(scan, SCOPE_LOGS_FIELDS)) {
        if (scan.stopped) yield this.#goOn();
        if (name === LOG_RECORDS) {
          if (!isTold && scope === null) {
            const back = scan.pos;
            if (yield* this.#seek(SCOPE_LOGS_FIELDS, SCOPE)) scope = this.#scopeName();
            scan.pos = back;
            yield this.#goOn();
          }
          tell();
          if (enter(scan, ARRAY, RECORDS_PATH)) yield* this.#logRecords();
          continue;
        }
        while (!scan.value()) yield this.#goOn();
        if (name === SCOPE && scope === null && scan.kind !== NULL) scope = this.#scopeName();
      }
    }
    tell();
  }

  /** The loop that runs a hundred thousand times a second. */
  *#logRecords(): Generator<void, void> {
    const scan = this.#scan;
    const record = this.#record;
    const heads = record.attributeHeads;
    for (let index = 0; nextElement(scan); index++) {
      record.begin();
      if (enter(scan, OBJECT, RECORDS_PATH)) {
        this.#recordIndex = index;
        for (let name = nextName(scan, RECORD); name !== END; name = nextName(scan, RECORD)) {
          if (name !== ATTRIBUTES) {
            while (!scan.value()) yield this.#goOn();
            record.set(name);
            continue;
          }
          if (scan.stopped) yield this.#goOn();
          record.beginAttributes();
          if (!enter(scan, ARRAY, ATTRIBUTES_PATH)) continue;
          while (nextElement(scan)) {
            if (skipKeyValue(scan, heads)) continue;
            if (scan.stopped) yield this.#goOn();
            if (!enter(scan, OBJECT, ATTRIBUTES_PATH)) continue;
            record.beginEntry();
            for (let field = nextName(scan, KEY_VALUE); field !== END; field = nextName(scan, KEY_VALUE)) {
              while (!scan.value()) yield this.#goOn();
              record.setEntry(field);
            }
            record.endAttribute();
          }
          record.endAttributes();
        }
        this.#recordIndex = -1;
      }
      this.#sink.record(record.record);
      this.#summary.records++;
      if (this.#slice.isOver(scan.pos)) yield this.#goOn();
    }
  }

  /** From the value of another field on: goes over the rest of the object to the first `wanted` that is not null. False: there is none. */
  *#seek(names: Names, wanted: number): Generator<void, boolean> {
    const scan = this.#scan;
    let name = -1;
    do {
      while (!scan.value()) yield this.#goOn();
      if (name === wanted && scan.kind !== NULL) return true;
      name = nextName(scan, names);
    } while (name !== END);
    return false;
  }

  /** The resource that the scanner has just gone over. */
  #resource(): Attributes {
    const scan = this.#scan;
    const { start, pos } = scan;
    return resources.get(scan.bytes, start, pos, () =>
      revisit(scan, start, pos, () => readResource(scan, RESOURCE_PATH)),
    );
  }

  #scopeName(): string {
    const scan = this.#scan;
    return revisit(scan, scan.start, scan.pos, () => readScopeName(scan, SCOPE_PATH));
  }
}
